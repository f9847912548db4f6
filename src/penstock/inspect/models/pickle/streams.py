"""Pickles as they lie in files: several streams in a row, joblib's arrays between opcodes, torch's legacy storages."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from math import prod

from penstock.inspect.models.pickle.literal import constant
from penstock.inspect.models.pickle.machine import Ended, Machine
from penstock.inspect.models.pickle.names import find
from penstock.inspect.models.pickle.policy import Policy
from penstock.inspect.models.pickle.values import Global, Items, Result, Value
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.source import Budget, Exhausted, Limits, Part, Source
from penstock.inspect.models.verdict import Reason, Verdict

#: A value with more leaves than this when walked is a bomb for whoever walks it (printing, comparing, copying).
_LEAVES = 10**10
#: Containers walked to find that out.
_WALKED = 200_000
#: The legacy format of torch: magic, protocol, machine, object, names of storages; raw storages follow.
_TORCH_STREAMS = 5
_TORCH_MAGIC = 0x1950A86A20F9469CFC6C


def look(piece: Piece) -> Iterator[Reason]:
    """Judge every stream of the piece."""
    yield from streams(piece, 0)


def streams(piece: Piece, at: int) -> Iterator[Reason]:
    """Judge the streams from ``at`` on, as a loader that loads one after the other would meet them."""
    source = piece.source
    policy = Policy(source, piece.where, lambda part, where: piece.inner(part, "", where))
    machine = Machine(source, policy, piece.budget)
    arrays = _Arrays(piece, machine, policy)
    policy.raw = arrays.after
    last = 0
    for number in itertools.count(1):
        ended = machine.run(at)
        if number == 1 and constant(source, ended.top) == _TORCH_MAGIC:
            piece.report.facts.setdefault("container", "torch legacy")
            last = _TORCH_STREAMS
        if ended.broken:
            yield from _broken(piece, ended, first=number == 1)
            break
        if machine.shared > 32 and (leaves := leaves_of(ended.top)) > _LEAVES:
            yield piece.say(
                Verdict.MALICIOUS, "pickle.bomb", f"grows to {leaves:.0e} values when it is walked", ended.at
            )
        at = ended.at
        if at >= source.size or number == last or not _another(source, at):
            break
        if not number & 255:
            try:
                piece.budget.check()
            except Exhausted as error:
                yield piece.say(Verdict.INCONCLUSIVE, "bounds", f"further streams were not read: {error}", at)
                break
    yield from arrays.found
    yield from policy.found.values()
    for name, offset in policy.names.items():
        piece.report.names.setdefault(name, offset)


def looks_like(source: Source, at: int = 0) -> bool:
    """Whether a stream without the mark of protocol 2 and above starts here: it ends, or it calls what it imports."""
    head = source.read(at, 2)
    if not head or head[:1] not in _STARTS:
        return False
    watcher = _Counting()
    window = Part(source, at, 1 << 16)
    ended = Machine(window, watcher, Budget(_TRIAL)).run(0)
    if watcher.called:
        return True
    if watcher.odd:
        return False
    whole = window.size == source.size - at
    if ended.broken:
        return at == 0 and ended.opcodes > 200 and not whole  # a long run of sense, cut by the window
    return ended.opcodes > 1 and (ended.at == window.size or _another(source, at + ended.at))


def marked(head: bytes) -> bool:
    """Whether bytes start with the mark of protocol 2 to 5, or of one that is not there yet."""
    return len(head) > 2 and head[0] == 0x80 and head[1] <= 8 and head[2] in _OPCODES


def leaves_of(top: Value) -> float:
    """Values met when a value is walked, shared ones each time."""
    weights: dict[int, float] = {}
    waiting: list[tuple[Value, bool]] = [(top, False)]
    while waiting and len(weights) < _WALKED:
        value, done = waiting.pop()
        members = _members(value)
        if members is None or (id(value) in weights and not done):
            continue
        if done:
            extra = value.count - len(members) if type(value) is Items else 0
            weights[id(value)] = 1 + extra + sum(weights.get(id(member), 1.0) for member in members)
        else:
            weights[id(value)] = 1.0  # a cycle counts once
            waiting.append((value, True))
            waiting += [(member, False) for member in members]
    return weights.get(id(top), 1.0)


def _members(value: Value) -> list[Value] | None:
    if type(value) is Items:
        return value.kept
    if type(value) is tuple:
        return list(value)
    if type(value) is Result:
        return [value.function, value.arguments, value.state]
    return None


def _broken(piece: Piece, ended: Ended, *, first: bool) -> Iterator[Reason]:
    if ended.absurd:
        yield piece.say(
            Verdict.MALICIOUS, "pickle.alloc", f"the stream {ended.broken}, more than any machine has", ended.at
        )
    elif ended.out_of_bounds:
        yield piece.say(Verdict.INCONCLUSIVE, "bounds", f"the stream was not read to its end: {ended.broken}", ended.at)
    elif first:
        yield piece.say(Verdict.INCONCLUSIVE, "pickle.broken", f"the stream {ended.broken}", ended.at)
    elif ended.calls:
        yield piece.say(Verdict.INCONCLUSIVE, "pickle.broken", f"a further stream {ended.broken}", ended.at)


def _another(source: Source, at: int) -> bool:
    """Whether one more stream starts here."""
    head = source.read(at, 3)
    return marked(head) or (bool(head) and head[0] != 0x80 and looks_like(source, at))


class _Arrays:
    """joblib writes an array's bytes behind the opcode that fills its wrapper; a plain loader reads them as opcodes.

    Both ways are followed: the bytes are skipped as joblib does, and what a plain loader would run there is judged if
    it is known to be malicious.
    """

    def __init__(self, piece: Piece, machine: Machine, policy: Policy) -> None:
        self.piece = piece
        self.machine = machine
        self.policy = policy
        self.found: list[Reason] = []
        self.seen = 0

    def after(self, target: Result, state: Value, at: int) -> int | None:
        """Where opcodes go on behind the array, None when this is no such wrapper."""
        if not (type(target.function) is Global and target.function.full.endswith("numpy_pickle.NumpyArrayWrapper")):
            return None
        source = self.machine.source
        named = {constant(source, key): value for key, value in state.pairs()} if type(state) is Items else {}
        size, objects = _array_size(source, named.get("dtype"), named.get("shape"))
        start = at
        if (
            constant(source, named.get("numpy_array_alignment_bytes")) not in (None,)
            and "numpy_array_alignment_bytes" in named
        ):
            padding = source.read(at, 1)
            start = at + 1 + (padding[0] if padding else 0)
        self.seen += 1
        if self.seen <= 8:
            self._as_opcodes(at)
        if objects:
            inner = Machine(source, self.policy, self.piece.budget).run(at)
            if inner.broken:
                self.found += _broken(self.piece, inner, first=True)
            return inner.at
        if size is None:
            self.found.append(self.piece.say(Verdict.INCONCLUSIVE, "joblib.array", "an array's size is not known", at))
            return None
        return start + size

    def _as_opcodes(self, at: int) -> None:
        policy = Policy(self.machine.source, self.piece.where, lambda _part, _where: iter(()))
        Machine(
            Part(self.machine.source, 0, min(self.machine.source.size, at + (1 << 16))), policy, self.piece.budget
        ).run(at)
        self.found += [reason for reason in policy.found.values() if reason.verdict is Verdict.MALICIOUS]


def _array_size(source: Source, dtype: Value, shape: Value) -> tuple[int | None, bool]:
    """Bytes of an array, and whether it holds pickled objects instead."""
    code = (
        constant(source, dtype.arguments[0])
        if type(dtype) is Result and type(dtype.arguments) is tuple and dtype.arguments
        else ""
    )
    if not isinstance(code, str) or type(shape) is not tuple:
        return None, False
    if code[:1] == "O":
        return None, True
    sides = [constant(source, side) for side in shape]
    digits = code[1:]
    if not digits.isdigit() or not all(isinstance(side, int) and 0 <= side < 1 << 48 for side in sides):
        return None, False
    width = int(digits[:9]) * (4 if code[0] == "U" else 1)
    return width * prod(sides), False


class _Counting:
    """Counts calls of plausible names: what separates a pickle from text that happens to start like one."""

    def __init__(self) -> None:
        self.called = 0
        self.odd = False

    def imports(self, name: Global) -> None:
        if not all(part.isidentifier() for part in name.full.split(".")):
            self.odd = True
        elif name.known:
            known = find(name.module, name.name)
            self.called += known.verdict is Verdict.MALICIOUS and not known.rule.startswith(("standard", "reach"))

    def carries(self, at: int, start: int, count: int) -> None:
        pass

    def calls(self, result: Result) -> None:
        function = result.function
        if type(function) is Global and function.known:
            parts = function.full.split(".")
            self.called += all(part.isidentifier() for part in parts)

    def builds(self, target: Value, state: Value, at: int, after: int) -> int | None:
        return None

    def sets(self, target: Value, members: list[Value], at: int) -> None:
        pass


_TRIAL = Limits(seconds=0.2, entries=100_000)
_OPCODES = frozenset(b"(.012FGIJKLMNPQRSTUVX\\]abcdeghijlopqrstu})" + bytes(range(0x80, 0x99)) + b"BC")
_STARTS = tuple(bytes([code]) for code in b"(]})cVSILFNKMJGTUXiPCB\x8c\x8d\x8e\x8a\x8b\x95\x88\x89\x93\x82\x83\x84")
