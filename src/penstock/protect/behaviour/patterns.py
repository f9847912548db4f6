"""Shapes of misuse that need no baseline: storms of attacks, probing, extraction, loops, sudden cost."""

from __future__ import annotations

from collections import OrderedDict, deque

import msgspec

#: Seconds over which attacks and probes are counted, and how many make a storm: one person trying twice is none.
STORM_SECONDS, STORM = 600.0, 8
PROBE_SECONDS, PROBES = 3600.0, 3
#: Calls in a row of one conversation that ask for the very same tools.
LOOP = 25
#: Calls in an hour that ask for much with little, each in a conversation of its own: how a model is copied.
EXTRACTION, _MUCH, _ALONE = 2_000, 4.0, 0.9
#: Conversations of which is known what they did last, and seconds without a call after which one begins anew.
_CONVERSATIONS, _PAUSE = 20_000, 900.0
#: Notes of one kind that are kept.
_KEPT = 256


class Signal(msgspec.Struct, frozen=True):
    """Something unusual. alone: worth a person's look whoever it is; else only with context."""

    kind: str
    title: str
    severity: str = "medium"
    alone: bool = False


class Counter:
    """How often something happened lately; ``full`` once when it becomes too often, again after a pause."""

    __slots__ = ("_at", "_least", "_seconds", "_told")

    def __init__(self, least: int, seconds: float) -> None:
        self._at: deque[float] = deque(maxlen=min(least, _KEPT))
        self._least, self._seconds, self._told = least, seconds, float("-inf")

    def full(self, at: float) -> bool:
        self._at.append(at)
        if len(self._at) < self._least or at - self._at[0] > self._seconds or at - self._told < self._seconds:
            return False
        self._told = at
        return True


class Extraction:
    """Calls of the running hour: how many, how much was asked and answered, in how many conversations."""

    __slots__ = ("_answered", "_asked", "_calls", "_conversations", "_hour", "_last", "_told")

    def __init__(self) -> None:
        self._hour, self._told = -1, False
        self._calls = self._conversations = self._asked = self._answered = 0
        self._last = ""

    def seen(self, at: float, session: str, asked: int, answered: int) -> bool:
        """Whether the hour just became one in which a model is copied."""
        if (hour := int(at // 3600)) != self._hour:
            self._hour, self._told = hour, False
            self._calls = self._conversations = self._asked = self._answered = 0
        self._calls += 1
        self._conversations += session != self._last
        self._last = session
        self._asked += asked
        self._answered += answered
        copied = (
            not self._told
            and self._calls >= EXTRACTION
            and self._answered >= _MUCH * self._asked
            and self._conversations >= _ALONE * self._calls
        )
        self._told = self._told or copied
        return copied


class Loops:
    """What each conversation did last, over all applications."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, tuple[tuple[str, ...], int, float]] = OrderedDict()

    def seen(self, session: str, tools: tuple[str, ...], at: float) -> bool:
        """Whether a conversation just began to run in a circle."""
        known = self._last.pop(session, None)
        same = known is not None and known[0] == tools and at - known[2] < _PAUSE
        times = known[1] + 1 if same and known else 1
        self._last[session] = (tools, times, at)
        if len(self._last) > _CONVERSATIONS:
            self._last.popitem(last=False)
        return times == LOOP
