"""How much an application usually uses in a quarter of an hour, by the hour of the week."""

from __future__ import annotations

from array import array
from math import sqrt

#: Seconds that are counted together, and the hours of a week.
WINDOW, HOURS = 900, 168
#: Weight of a new window: a bin sees four windows a week, so three weeks make up most of what is known.
_WEIGHT = 0.15
#: Windows before anything is unusual: three days.
LEARNING = 3 * 96
#: How far above the usual is unusual: six deviations, and three times the mean. Quiet traffic of three made-up weeks
#: (counts by chance, sizes log-normal) never comes near; the tests hold that.
_DEVIATIONS, _TIMES = 6.0, 3.0
#: Windows without a call that are counted as such, at most: a week.
_IDLE = 672
#: 1970 began on a Thursday; hours of the week are counted from Monday, UTC.
_THURSDAY = 72


class Baseline:
    """One measure of one application. ``floor``: below this nothing is unusual, however little is usual."""

    __slots__ = (
        "_all_mean",
        "_all_spread",
        "_mean",
        "_seen",
        "_spread",
        "floor",
        "limit",
        "total",
        "window",
        "windows",
    )

    def __init__(self, floor: float) -> None:
        self.floor = floor
        self.total = 0.0
        self.window = -1
        self.windows = 0
        self.limit = float("inf")  # what the window may hold before it is unusual
        self._mean, self._spread = array("d", bytes(8 * HOURS)), array("d", bytes(8 * HOURS))
        self._seen = array("H", bytes(2 * HOURS))
        self._all_mean = self._all_spread = 0.0

    def add(self, amount: float, window: int) -> bool:
        """Count an amount; whether the window just became unusual. ``window``: number of the window since 1970."""
        if window != self.window:
            if window < self.window:
                return False  # an event that comes late belongs to a window that is closed
            self._advance(window)
        before = self.total
        self.total = before + amount
        return before <= self.limit < self.total

    @property
    def usual(self) -> float:
        """The mean of such a window."""
        return self._expected(self.window)[0]

    def _advance(self, window: int) -> None:
        if self.window >= 0:
            self._learn(self.window, min(self.total, self.limit))  # what is unusual teaches little
            for idle in range(max(self.window + 1, window - _IDLE), window):
                self._learn(idle, 0.0)
        self.window, self.total = window, 0.0
        mean, spread = self._expected(window)
        known = self.windows >= LEARNING
        usual = max(self.floor, _TIMES * mean, mean + _DEVIATIONS * sqrt(max(spread, mean)))
        self.limit = usual if known else float("inf")

    def _learn(self, window: int, total: float) -> None:
        at = hour_of_week(window)
        weight = max(_WEIGHT, 1 / (self._seen[at] + 1))
        gap = total - self._mean[at]
        self._mean[at] += weight * gap
        self._spread[at] = (1 - weight) * (self._spread[at] + weight * gap * gap)
        self._seen[at] = min(self._seen[at] + 1, 60_000)
        self.windows += 1
        weight = max(0.002, 1 / self.windows)  # a week of windows
        gap = total - self._all_mean
        self._all_mean += weight * gap
        self._all_spread = (1 - weight) * (self._all_spread + weight * gap * gap)

    def _expected(self, window: int) -> tuple[float, float]:
        """Mean and variance: of the hour when it was seen in two weeks, never less than of all hours before that."""
        at = hour_of_week(window)
        if self._seen[at] >= 8:
            return self._mean[at], self._spread[at]
        return max(self._mean[at], self._all_mean), max(self._spread[at], self._all_spread)


def hour_of_week(window: int) -> int:
    return (window * WINDOW // 3600 + _THURSDAY) % HOURS
