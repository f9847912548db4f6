"""What an application used before: models, tools and addresses, remembered for two weeks after the last time."""

from __future__ import annotations

#: Seconds that a use is remembered, and uses of one application that are.
REMEMBERED, MOST = 14 * 86_400.0, 500
#: Seconds of history before something can be new: what is used once a week would be new every time.
LEARNING = 3 * 86_400.0


class Firsts:
    """One application's uses, by kind and name."""

    __slots__ = ("_last", "since")

    def __init__(self, since: float) -> None:
        self.since = since
        self._last: dict[tuple[str, str], float] = {}

    def first(self, kind: str, name: str, at: float) -> bool:
        """Whether this is new for the application; from now on it is not."""
        known = self._last.pop((kind, name), None)
        self._last[kind, name] = at  # the dictionary is in the order of use
        if len(self._last) > MOST:
            del self._last[next(iter(self._last))]
        return (known is None or at - known > REMEMBERED) and at - self.since > LEARNING
