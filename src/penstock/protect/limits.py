"""How much an application may use: requests, tokens, money, calls at the same time. Counted in this process.

What a call will cost is known only when it is over, so calls under way may carry a budget past its end once.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from penstock.protect.exchange import Usage
from penstock.protect.snapshot import Caller, Limit, Rule


@dataclass(frozen=True, slots=True)
class Exceeded:
    """Which limit is used up, in words, and seconds until a call may pass again."""

    what: str
    after: float


@dataclass(slots=True)
class _Window:
    """What was used in this span of time, and in the one before it."""

    number: int = 0
    used: float = 0.0
    before: float = 0.0

    def now(self, seconds: float, at: float) -> float:
        """What was used in the last ``seconds``, the window before counted by how much of it that still covers."""
        number = int(at // seconds)
        if number != self.number:
            self.before = self.used if number == self.number + 1 else 0.0
            self.number, self.used = number, 0.0
        return self.used + self.before * (1 - (at % seconds) / seconds)


class Meter:
    """Counts what applications use. Windows slide, so that no two bursts meet at a border."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._windows: dict[tuple[str, str, float], _Window] = {}
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()

    def admit(self, caller: Caller) -> Exceeded | None:
        """Count a call that begins; what is used up when it may not. ``done`` must follow a call that was admitted."""
        who = caller.application
        if caller.concurrent and self._running[who] >= caller.concurrent:
            return Exceeded(f"{caller.concurrent} calls of {caller.name} are under way, its limit", 1.0)
        at = self._clock()
        for limit in caller.limits:
            if exceeded := self._exceeded(caller, limit, at):
                return exceeded
        for limit in caller.limits:
            if limit.requests:
                self._add(who, "requests", limit.seconds, 1, at)
        self._running[who] += 1
        return None

    def done(self, caller: Caller) -> None:
        self._running[caller.application] -= 1
        if not self._running[caller.application]:
            del self._running[caller.application]

    def charge(self, caller: Caller, usage: Usage, cost: float) -> None:
        """Count what a call has used."""
        at = self._clock()
        for limit in caller.limits:
            if limit.tokens:
                self._add(caller.application, "tokens", limit.seconds, usage.sent + usage.answered, at)
            if limit.cost:
                self._add(caller.application, "cost", limit.seconds, cost, at)

    def throttle(self, caller: Caller, rule: Rule) -> Exceeded | None:
        """Count a call that a throttling rule is about; when it comes too often, how long to wait."""
        at = self._clock()
        window = self._window(caller.application, f"rule {rule.id}", rule.seconds)
        if window.now(rule.seconds, at) + 1 > max(1, rule.calls):
            words = rule.message or rule.why
            return Exceeded(f"{words} (rule {rule.id}: {_often(rule.calls, rule.seconds)})", _wait(rule.seconds, at))
        window.used += 1
        return None

    def _exceeded(self, caller: Caller, limit: Limit, at: float) -> Exceeded | None:
        for what, most, next_one in (
            ("requests", limit.requests, 1), ("tokens", limit.tokens, 0), ("cost", limit.cost, 0.0)
        ):  # fmt: skip
            if not most:
                continue
            used = self._window(caller.application, what, limit.seconds).now(limit.seconds, at)
            if used + next_one > most or (not next_one and used >= most):
                spent = f"{most:g} US dollars" if what == "cost" else f"{most} {what}"
                words = f"{caller.name} has used {spent} in {_span(limit.seconds)}, its limit"
                return Exceeded(words, _wait(limit.seconds, at))
        return None

    def _add(self, who: str, what: str, seconds: float, amount: float, at: float) -> None:
        with self._lock:
            window = self._window(who, what, seconds)
            window.now(seconds, at)
            window.used += amount

    def _window(self, who: str, what: str, seconds: float) -> _Window:
        key = (who, what, seconds)
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = _Window()
        return window


def _wait(seconds: float, at: float) -> float:
    """Until enough of what was used lies behind: at least a second, at most until the window ends."""
    return max(1.0, min(seconds - at % seconds, seconds / 4))


def _often(calls: int, seconds: float) -> str:
    return f"{calls} calls in {_span(seconds)}"


def _span(seconds: float) -> str:
    for name, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            number = int(seconds // size)
            return f"a{'n' if name == 'hour' else ''} {name}" if number == 1 else f"{number} {name}s"
    return f"{seconds:g} seconds"
