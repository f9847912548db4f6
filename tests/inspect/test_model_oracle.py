"""Random and damaged pickles are always decided in bounds, and whatever would be called is named.

The oracle is an independent, inert reading of the opcodes by ``pickletools``: it follows stack and memo by their
published rules and lists the globals that REDUCE, NEWOBJ, OBJ and INST would call. It imports and calls nothing.
"""

from __future__ import annotations

import io
import pickletools
import random
import struct

import pytest

from penstock.inspect.models.scan import scan_bytes
from penstock.inspect.models.verdict import Verdict
from tests.inspect.pickles import name, number, raw, short, stacked, text

NAMES = [
    ("os", "system"),
    ("acme", "load"),
    ("collections", "OrderedDict"),
    ("builtins", "eval"),
    ("acme.deep", "Net"),
    ("subprocess", "Popen"),
]
MARK, OTHER = object(), object()


def oracle(data: bytes) -> tuple[set[str], set[str]]:
    """Globals that are imported, and those that are called, up to the first thing that is wrong."""
    imported: set[str] = set()
    called: set[str] = set()
    stack: list[object] = []
    memo: dict[int, object] = {}

    def to_mark() -> list[object]:
        index = len(stack) - 1 - stack[::-1].index(MARK)
        members = stack[index + 1 :]
        del stack[index:]
        return members

    def pop() -> object:
        if stack[-1] is MARK:
            raise ValueError("a mark where a value should be")
        return stack.pop()

    def top() -> object:
        if stack[-1] is MARK:
            raise ValueError("a mark where a value should be")
        return stack[-1]

    def call(function: object) -> None:
        if isinstance(function, tuple) and function[0] == "global":
            called.add(function[1])
        stack.append(OTHER)

    try:
        for opcode, argument, _ in pickletools.genops(io.BytesIO(data)):
            code = opcode.name
            if code in ("PROTO", "FRAME", "READONLY_BUFFER"):
                continue
            if code == "STOP":
                break
            if code == "MARK":
                stack.append(MARK)
            elif code in ("GLOBAL", "INST"):
                found = ("global", argument.replace(" ", "."))
                if code == "INST":
                    to_mark()  # as the C unpickler: no mark, no import
                imported.add(found[1])
                if code == "INST":
                    call(found)
                else:
                    stack.append(found)
            elif code == "STACK_GLOBAL":
                attribute, module = pop(), pop()
                if not (isinstance(attribute, str) and isinstance(module, str)):
                    break
                imported.add(f"{module}.{attribute}")
                stack.append(("global", f"{module}.{attribute}"))
            elif code in ("REDUCE", "NEWOBJ"):
                pop()
                call(pop())
            elif code == "NEWOBJ_EX":
                pop()
                pop()
                call(pop())
            elif code == "OBJ":
                call(to_mark()[0])
            elif code == "BUILD":
                pop()
                top()
            elif code in ("PUT", "BINPUT", "LONG_BINPUT"):
                memo[argument] = top()
            elif code == "MEMOIZE":
                memo[len(memo)] = top()
            elif code in ("GET", "BINGET", "LONG_BINGET"):
                stack.append(memo[argument])
            elif code in ("TUPLE", "LIST", "DICT", "FROZENSET"):
                to_mark()
                stack.append(OTHER)
            elif code in ("APPENDS", "SETITEMS", "ADDITEMS"):
                members = to_mark()
                if code == "SETITEMS" and len(members) % 2:
                    break
                top()
            elif code == "POP_MARK":
                to_mark()
            elif code == "POP":
                stack.pop()
            elif code == "DUP":
                stack.append(top())
            elif code in ("TUPLE1", "TUPLE2", "TUPLE3"):
                for _ in range(int(code[-1])):
                    pop()
                stack.append(OTHER)
            elif code == "APPEND":
                pop()
                top()
            elif code == "SETITEM":
                pop()
                pop()
                top()
            elif code in ("BINPERSID",):
                pop()
                stack.append(OTHER)
            elif code in ("EXT1", "EXT2", "EXT4", "NEXT_BUFFER"):
                stack.append(OTHER)
            else:
                stack.append(argument if isinstance(argument, str) else OTHER)
    except (ValueError, IndexError, KeyError, UnicodeDecodeError, struct.error, OverflowError):
        pass
    return imported, called


def random_stream(chance: random.Random) -> bytes:
    """Opcodes that mostly make sense together."""
    out = b"\x80" + bytes([chance.randint(0, 5)])
    depth = 0
    puts = 0
    for _ in range(chance.randint(3, 40)):
        kind = chance.randrange(16)
        if kind == 0 or depth == 0:
            out += chance.choice(
                (b"N", b"}", b"]", b")", number(3), short("os"), text("x"), raw(b"abc"), b"\x88", b"K\x07")
            )
            depth += 1
        elif kind in (1, 2):
            out += chance.choice((name, stacked))(*chance.choice(NAMES))
            depth += 1
        elif kind in (3, 4) and depth >= 1:
            out += b"(" + b"".join(chance.choice((text("a"), number(1))) for _ in range(chance.randrange(3))) + b"tR"
        elif kind == 5:
            out += b"\x94"
            puts += 1
        elif kind == 6 and puts:
            out += b"h" + bytes([chance.randrange(puts)])
            depth += 1
        elif kind == 7:
            out += b"q" + bytes([chance.randrange(8)])
        elif kind == 8 and depth >= 2:
            out += b"\x86"
            depth -= 1
        elif kind == 9:
            out += b"0"
            depth -= 1
        elif kind == 10:
            out += b"2"
            depth += 1
        elif kind == 11:
            out += b")\x81"
        elif kind == 12:
            module, attribute = chance.choice(NAMES)
            out += b"(" + number(1) + f"i{module}\n{attribute}\n".encode()
            depth += 1
        elif kind == 13:
            out += b"(" + name(*chance.choice(NAMES)) + text("x") + b"o"
            depth += 1
        elif kind == 14:
            out += b"}b"
        else:
            out += b"(" + number(1) + number(2) + b"1"
    return out + b"."


def damaged(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed))
        what = chance.randrange(4)
        if what == 0:
            changed[at] = chance.randrange(256)
        elif what == 1:
            del changed[at : at + chance.randint(1, 3)]
        elif what == 2:
            changed[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 3)))
        else:
            changed = changed[: max(3, at)]
        if len(changed) < 3:
            changed += b"N."
    return bytes(changed)


def check(data: bytes) -> None:
    if b"\\" in data:
        return  # pickletools reads escapes in names, which no loader does
    report = scan_bytes(data, "m.pkl")
    imported, called = oracle(data)
    missing = {each.replace(" ", ".") for each in imported} - {each.replace(" ", ".") for each in report.names}
    assert not missing, (missing, data)
    if called & {"os.system", "builtins.eval", "subprocess.Popen"}:
        assert report.verdict is Verdict.MALICIOUS, data
    elif called - {"collections.OrderedDict", "_collections.OrderedDict"}:  # the same class
        assert report.verdict >= Verdict.REVIEW, data


@pytest.mark.parametrize("seed", range(4))
def test_whatever_would_be_called_is_named(seed):
    chance = random.Random(seed)
    for _ in range(700):
        check(random_stream(chance))


@pytest.mark.parametrize("seed", range(4))
def test_damage_hides_nothing_that_would_run_before_it(seed):
    chance = random.Random(1000 + seed)
    for _ in range(700):
        data = damaged(random_stream(chance), chance)
        if data[:1] == b"\x80" and data[1] <= 5:
            check(data)


def test_any_bytes_are_decided():
    chance = random.Random(7)
    for _ in range(2000):
        data = bytes(chance.randrange(256) for _ in range(chance.randint(1, 60)))
        scan_bytes(data, "m.bin")
        scan_bytes(b"\x80\x04" + data, "m.bin")


@pytest.mark.slow
def test_many_more_of_both():
    """200,000 inputs with a fixed seed; a million are run by ``bench/models/fuzz.py``."""
    chance = random.Random(11)
    for _ in range(100_000):
        data = random_stream(chance)
        check(data)
        data = damaged(data, chance)
        if data[:1] == b"\x80" and data[1] <= 5:
            check(data)
