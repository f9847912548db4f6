"""Conditions asked of assets: once for each different set of values, however many assets share it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from penstock.assess.arrays import Flags, Ints
from penstock.assess.facts import Facts
from penstock.conditions import Condition, Unknown
from penstock.graph.vocabulary import SENSITIVE

_SENSITIVE = sorted(SENSITIVE)
#: Variables of a condition that stand for no asset.
_NO_ASSET = frozenset({"org", "sensitive", "path"})
#: Answers kept of one condition; then it starts anew, so that a field of a million values fills no memory.
_KEPT = 200_000


class Asked:
    """One condition and the answers it gave so far, by the values of what it reads."""

    def __init__(self, condition: Condition, facts: Facts) -> None:
        self.condition = condition
        self.variables = sorted(condition.uses - _NO_ASSET)
        self._facts = facts
        self._fields = [(variable, field) for variable in self.variables for field in condition.reads.get(variable, ())]
        self._columns = [(variable, facts.column(field)) for variable, field in self._fields]
        self._by_length = "path" in condition.uses
        self._answers: dict[tuple[int, ...], bool | Unknown] = {}

    def of(self, bound: Mapping[str, int], length: int = 0) -> bool | Unknown:
        """The answer for assets by their places. ``length``: steps of the path, for conditions that read it."""
        key = tuple([column.codes.item(bound[variable]) for variable, column in self._columns])
        if self._by_length:
            key = (*key, length)
        answer = self._answers.get(key)
        if answer is None:
            if len(self._answers) >= _KEPT:
                self._answers.clear()
            answer = self._answers[key] = self._evaluated(bound, length)
        return answer

    def surely_false(self, places: Ints) -> Flags:
        """At which of some places a condition about one variable is false."""
        (variable,) = self.variables
        key = np.zeros(len(places), np.int64)
        for _, column in self._columns:
            key = key * (len(column.known.values) + 1) + column.codes[places] + 1
        _, first, which = np.unique(key, return_index=True, return_inverse=True)
        answers = [self.of({variable: place}) is False for place in places[first].tolist()]
        found: Flags = np.array(answers, np.bool_)[which]
        return found

    def _evaluated(self, bound: Mapping[str, int], length: int) -> bool | Unknown:
        values: dict[str, Any] = {"org": self._facts.org, "path": {"length": length}, "sensitive": _SENSITIVE}
        for (variable, field), (_, column) in zip(self._fields, self._columns, strict=True):
            values.setdefault(variable, {})[field] = column[bound[variable]]
        return self.condition.evaluate(values)
