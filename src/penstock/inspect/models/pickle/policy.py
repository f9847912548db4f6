"""What to think of what a stream would import, call, create and fill."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from penstock.inspect.models.pickle import arguments
from penstock.inspect.models.pickle.literal import constant, shown
from penstock.inspect.models.pickle.names import Known, find
from penstock.inspect.models.pickle.values import CALL, REFERENCE, Global, Items, Persistent, Result, Value
from penstock.inspect.models.source import Part, Source
from penstock.inspect.models.verdict import Reason, Verdict

#: Reasons kept of one stream; the worst come first in any case.
MOST = 60

#: Attributes that change what an object does; state that sets them is no state.
_POWER = frozenset(
    "__setstate__ __class__ __reduce__ __reduce_ex__ __call__ __getattr__ __getattribute__ __new__ __init__ __del__"
    " __code__ __globals__ __builtins__ __import__ __bases__ __getitem__ __setitem__ __enter__ __exit__"
    " __subclasscheck__".split()
)


class Policy:
    """Judges one stream. ``inner`` scans a stretch of bytes that a loader would load in turn."""

    def __init__(self, source: Source, where: str, inner: Callable[[Source, str], Iterator[Reason]]) -> None:
        self.source = source
        self.where = where
        self.inner = inner
        self.names: dict[str, int] = {}
        self.carried = 0
        self.found: dict[tuple[str, str], Reason] = {}
        #: Where a loader reads raw bytes: set by the reader of the container (joblib).
        self.raw: Callable[[Result, Value, int], int | None] | None = None

    # -- what the machine tells ------------------------------------------------------------------------------------

    def imports(self, name: Global) -> None:
        self.names.setdefault(name.full, name.at)
        known = self.known(name)
        if known.verdict is Verdict.MALICIOUS or (known.verdict is not Verdict.CLEAN and REFERENCE not in known.roles):
            self.say(known.verdict, known.rule, f"{name.full} {known.why}", name.at, name)
        elif known.rule == "unlisted.function":
            pass  # a function of a known library that reaches no sink may be named; being called is another matter
        elif known.verdict in (Verdict.SUSPICIOUS, Verdict.REVIEW):
            self.say(Verdict.REVIEW, known.rule, f"{name.full} {known.why}", name.at, name)

    def calls(self, result: Result) -> None:
        self.judge(result.function, result.role, result)

    def builds(self, target: Value, state: Value, at: int, after: int) -> int | None:
        if type(target) is Global:
            self.say(Verdict.MALICIOUS, "build.global", f"sets attributes of {target.full} itself", at, target)
        self._power(target, state, at)
        if type(target) is Result:
            if type(target.function) is Global:
                known = self.known(target.function)
                if known.check and (rule := arguments.ON_BUILD.get(known.check)):
                    rule(self, target, state, at)
            if self.raw is not None:
                return self.raw(target, state, after)
        return None

    def carries(self, at: int, start: int, count: int) -> None:
        """Bytes are data until something loads them; what they would do then is worth a look, no more."""
        self.carried += 1
        if self.carried > 64:
            return
        for reason in self.inner(Part(self.source, start, count), f"{self.where}!bytes@{at}"):
            if reason.verdict is Verdict.MALICIOUS:
                what = f"carries a stream as data; if something loads it: {reason.what}"
                self.found.setdefault(
                    ("carried", what),
                    Reason(Verdict.REVIEW, "pickle.carried", what, reason.where, reason.offset, reason.chain),
                )

    def sets(self, target: Value, members: list[Value], at: int) -> None:
        if type(target) is Global:
            self.say(Verdict.MALICIOUS, "set.global", f"puts items into {target.full} itself", at, target)
        elif type(target) is Result and type(target.function) is Result:
            self.say(Verdict.SUSPICIOUS, "set.result", "puts items into what a computed call gave", at, target)

    # -- judgement -------------------------------------------------------------------------------------------------

    def judge(self, function: Value, role: str, result: Result) -> None:
        """What calling (or instantiating) a value means."""
        if type(function) is Global:
            self._named(function, role, result)
        elif type(function) is Result:
            self._made(function, role, result)
        elif isinstance(function, Persistent) and isinstance(function.of, tuple) and len(function.of) > 1:
            self.judge(function.of[1], role, result)  # torch's legacy format keeps a class with its source
        else:
            self.say(Verdict.SUSPICIOUS, "call.data", "calls something that is no function", result.at, result)

    def _named(self, function: Global, role: str, result: Result) -> None:
        known = self.known(function)
        if known.check and (rule := arguments.RULES.get(known.check)):
            rule(self, result)
        if known.verdict is Verdict.CLEAN and role in known.roles:
            return
        verdict, why = known.verdict, known.why
        if verdict is Verdict.CLEAN:
            verdict, why = Verdict.REVIEW, f"is harmless only when it is not used to {role}"
        elif verdict is Verdict.REVIEW and role == CALL:
            verdict = Verdict.SUSPICIOUS
        self.say(verdict, known.rule, f"{function.full} {why}", result.at, result)

    def _made(self, function: Result, role: str, result: Result) -> None:
        """A call of what another call gave."""
        maker = function.function
        if type(maker) is Global:
            known = self.known(maker)
            if known.check and (rule := arguments.CALLED.get(known.check)):
                rule(self, function, result)
                return
            if known.verdict is Verdict.MALICIOUS:
                self.say(known.verdict, known.rule, f"{maker.full} {known.why}", result.at, result)
                return
        self.say(Verdict.SUSPICIOUS, "call.result", "calls what another call gave", result.at, result)

    def known(self, name: Global) -> Known:
        if not name.known:
            return Known(Verdict.MALICIOUS, "computed", "is a name put together while loading", frozenset())
        if name.how == "EXT":
            return Known(Verdict.MALICIOUS, "extension", "is reached by a number of the extension registry")
        return find(name.module, name.name)

    def _power(self, target: Value, state: Value, at: int) -> None:
        for mapping in _mappings(state):
            for key, value in mapping.pairs():
                text = constant(self.source, key)
                if isinstance(text, str) and text in _POWER:
                    bad = type(value) is Global or type(value) is Result
                    verdict = Verdict.MALICIOUS if bad else Verdict.SUSPICIOUS
                    self.say(verdict, "build.power", f"sets {text} of an object while loading", at, target)

    def say(self, verdict: Verdict, rule: str, what: str, at: int, about: Value) -> None:
        """Keep a reason, once a rule and sentence; with the chain when it is the first."""
        key = (rule, what)
        before = self.found.get(key)
        if before is not None and (before.verdict >= verdict and len(before.chain) >= len(what)):
            return
        if before is None and len(self.found) >= MOST and verdict < Verdict.MALICIOUS:
            return
        if len(self.found) >= 2 * MOST:
            return
        verdict = max(verdict, before.verdict) if before else verdict
        chain = shown(self.source, about)[:400]
        if before is not None and before.chain.endswith(")") and not chain.endswith(")"):
            chain = before.chain
        self.found[key] = Reason(verdict, f"pickle.{rule}", what, self.where, at, chain)


def _mappings(state: Value) -> Iterator[Items]:
    """The dicts of a state: itself, or both of ``(dict, slots)``."""
    for part in state if type(state) is tuple else (state,):
        if type(part) is Items and part.kind == "dict":
            yield part
