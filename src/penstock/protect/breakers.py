"""Providers that fail are left alone for a while, so that calls fail fast or go elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

#: Failures in a row after which a provider is left alone, for how many seconds at first and at most.
FAILURES, PAUSE, LONGEST = 5, 5.0, 60.0
#: Answers that say that the provider, not the request, is at fault; 429 asks to go elsewhere but breaks nothing.
BUSY = 429


@dataclass(slots=True)
class _State:
    failed: int = 0
    pause: float = PAUSE
    closed_until: float = 0.0
    trying: bool = False


class Breakers:
    """One breaker for each upstream, by name. After a pause one call tries; if it fails, the next pause is longer."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._states: dict[str, _State] = {}

    def lets(self, name: str) -> bool:
        """Whether the upstream may be asked now."""
        state = self._states.get(name)
        if state is None or state.failed < FAILURES:
            return True
        if self._clock() < state.closed_until or state.trying:
            return False
        state.trying = True
        return True

    def answered(self, name: str) -> None:
        """It works: all is forgotten."""
        if name in self._states:
            del self._states[name]

    def left(self, name: str) -> None:
        """The call ended without saying anything of the provider (its client went)."""
        if state := self._states.get(name):
            state.trying = False

    def failed(self, name: str) -> None:
        state = self._states.setdefault(name, _State())
        state.failed += 1
        if state.failed >= FAILURES:
            if state.trying:
                state.pause = min(LONGEST, state.pause * 2)
            state.closed_until = self._clock() + state.pause
            state.trying = False

    def wait(self, name: str) -> float:
        """Seconds until it is tried again."""
        state = self._states.get(name)
        return max(1.0, state.closed_until - self._clock()) if state else 1.0

    @property
    def open(self) -> list[str]:
        """Upstreams that are left alone now."""
        now = self._clock()
        return sorted(name for name, state in self._states.items() if state.closed_until > now)
