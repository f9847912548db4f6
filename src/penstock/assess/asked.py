"""Conditions asked of assets: once for each different set of values, however many assets share it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from penstock.assess.arrays import Flags, Ints
from penstock.assess.facts import Facts
from penstock.conditions import Condition, Unknown
from penstock.graph.vocabulary import SENSITIVE

_SENSITIVE = sorted(SENSITIVE)
#: Variables of a condition that stand for no asset.
_NO_ASSET = frozenset({"org", "sensitive", "path"})
#: Answers kept of one condition; then it starts anew, so that a field of a million values fills no memory.
_KEPT = 200_000
#: Pairs of values tried of a condition about two variables.
_PAIRS = 1_000
TRUE, FALSE, OPEN = 1, 0, 2


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

    def of_all(self) -> int | None:
        """TRUE, FALSE or OPEN where the answer is the same of everything, because nothing it reads is known of any."""
        if self._by_length or any(column.known.values for _, column in self._columns):
            return None
        return _code(self._evaluated(dict.fromkeys(self.variables, 0), 0)) if len(self._facts.arrays) else None

    def over(self, places: Ints) -> npt.NDArray[np.int8]:
        """What a condition about one variable says at each of some places: TRUE, FALSE or OPEN."""
        (variable,) = self.variables
        _, first, which = self._different(variable, places)
        said = [_code(self.of({variable: place})) for place in places[first].tolist()]
        found: npt.NDArray[np.int8] = np.array(said, np.int8)[which]
        return found

    def pairs(self, one: Ints, two: Ints, wanted: frozenset[int]) -> tuple[Flags, Flags] | None:
        """Of a condition about two variables: which places of one have a partner at which it is as wanted, and back.

        None where too many different values meet to try them all.
        """
        left, right = self.variables
        _, first, which = self._different(left, one)
        _, second, whose = self._different(right, two)
        if len(first) * len(second) > _PAIRS:
            return None
        told = np.array(
            [
                [_code(self.of({left: a, right: b})) in wanted for b in two[second].tolist()]
                for a in one[first].tolist()
            ],
            np.bool_,
        ).reshape(len(first), len(second))
        return np.any(told, axis=1, keepdims=True)[which, 0], np.any(told, axis=0, keepdims=True)[0, whose]

    def _different(self, variable: str, places: Ints) -> tuple[Any, npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """The different values at some places: where each is met first, and which one each place has."""
        key = np.zeros(len(places), np.int64)
        many = 1
        for name, column in self._columns:
            if name == variable:
                many *= len(column.known.values) + 1
                key = key * (len(column.known.values) + 1) + column.codes[places] + 1
        if many > len(places):
            return np.unique(key, return_index=True, return_inverse=True)
        first = np.full(many, -1, np.intp)
        first[key[::-1]] = np.arange(len(key) - 1, -1, -1)
        met = np.flatnonzero(first >= 0)
        turn = np.zeros(many, np.intp)
        turn[met] = np.arange(len(met))
        return met, first[met], turn[key]

    def _evaluated(self, bound: Mapping[str, int], length: int) -> bool | Unknown:
        values: dict[str, Any] = {"org": self._facts.org, "path": {"length": length}, "sensitive": _SENSITIVE}
        for (variable, field), (_, column) in zip(self._fields, self._columns, strict=True):
            values.setdefault(variable, {})[field] = column[bound[variable]]
        return self.condition.evaluate(values)


def _code(answer: bool | Unknown) -> int:
    return TRUE if answer is True else FALSE if answer is False else OPEN
