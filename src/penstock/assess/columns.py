"""One field of every asset as numbers: equal values have equal codes, so that a condition is asked once a value."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.signedinteger[Any]]
Flags = npt.NDArray[np.bool_]
#: Code of an asset of which the field is not known.
UNKNOWN = -1


@dataclass
class Values:
    """The different values of a field in the order in which they were met; codes once given stay."""

    values: list[Any] = field(default_factory=list)
    codes: dict[Hashable, int] = field(default_factory=dict)

    @classmethod
    def fixed(cls, *values: Any) -> Values:
        known = cls()
        for value in values:
            known.code(value)
        return known

    def code(self, value: Any) -> int:
        """The code of a value, UNKNOWN for None."""
        if value is None:
            return UNKNOWN
        key = _key(value)
        code = self.codes.get(key)
        if code is None:
            code = self.codes[key] = len(self.values)
            self.values.append(value)
        return code


@dataclass(frozen=True)
class Column:
    """``codes[place]`` says which of ``known.values`` the field has there."""

    codes: Codes
    known: Values

    @classmethod
    def of(cls, values: Iterable[Any], count: int, known: Values | None = None) -> Column:
        known = known or Values()
        met, code = known.codes, known.code  # a word met before is looked up here: there are millions
        told = (met[value] if type(value) is str and value in met else code(value) for value in values)
        return cls(np.fromiter(told, np.int32, count), known)

    @classmethod
    def nowhere(cls, count: int) -> Column:
        return cls(np.full(count, UNKNOWN, np.int8), Values())

    @classmethod
    def flags(cls, true: Flags, false: Flags) -> Column:
        """True and false where they are known."""
        return cls(np.where(true, 1, np.where(false, 0, UNKNOWN)).astype(np.int8), Values.fixed(False, True))

    def __getitem__(self, place: int) -> Any:
        code = self.codes.item(place)
        return None if code == UNKNOWN else self.known.values[code]

    @property
    def given(self) -> Flags:
        """Where something is known."""
        return np.asarray(self.codes != UNKNOWN)

    def where(self, *wanted: Any) -> Flags:
        """The assets that have one of some values."""
        found: Flags = self._table(wanted)[self.codes]
        return found

    def at(self, places: npt.NDArray[np.int32], *wanted: Any) -> Flags:
        """Which of some assets have one of some values."""
        found: Flags = self._table(wanted)[self.codes[places]]
        return found

    def _table(self, wanted: Iterable[Any]) -> Flags:
        table = np.zeros(len(self.known.values) + 1, np.bool_)
        table[[code for value in wanted if (code := self.known.codes.get(_key(value))) is not None]] = True
        return table

    def patched(self, values: Mapping[int, Any]) -> Column:
        """The column with other values at some places."""
        new = {place: code for place, value in values.items() if (code := self.known.code(value)) != self.codes[place]}
        if not new:
            return self
        codes = self.codes.copy() if max(new.values()) < np.iinfo(self.codes.dtype).max else self.codes.astype(np.int32)
        codes[list(new)] = list(new.values())
        return Column(codes, self.known)

    def differs(self, before: Column) -> Flags:
        """Where the field is not as it was in a column over the same places."""
        if self.known is before.known:
            return np.asarray(self.codes != before.codes)
        table = [self.known.codes.get(_key(value), len(self.known.values)) for value in before.known.values]
        return np.asarray(np.array([*table, UNKNOWN], np.int32)[before.codes] != self.codes)

    def is_as(self, before: Column) -> bool:
        """Whether it is the same column, taken over as it was."""
        return self.codes is before.codes and self.known is before.known

    def moved(self, before: npt.NDArray[np.int32] | None) -> Column:
        """The column for other places: ``before[place]`` is where the asset stood, -1 for a new one; None: as it is."""
        if before is None:
            return self
        return Column(np.where(before < 0, UNKNOWN, self.codes[before]), self.known)


def read(rows: Iterable[Mapping[str, Any]], count: int, leave_out: frozenset[str] = frozenset()) -> dict[str, Column]:
    """The columns of all fields of many rows, read in one pass."""
    codes: dict[str, Codes] = {}
    known: dict[str, Values] = {}
    for place, row in enumerate(rows):
        for name, value in row.items():
            if value is None or name in leave_out:
                continue
            if name not in codes:
                codes[name], known[name] = np.full(count, UNKNOWN, np.int32), Values()
            met = known[name].codes
            codes[name][place] = met[value] if type(value) is str and value in met else known[name].code(value)
    return {name: Column(_small(codes[name], len(known[name].values)), known[name]) for name in codes}


def _small(codes: Codes, values: int) -> Codes:
    for smaller in (np.int8, np.int16):
        if values < np.iinfo(smaller).max:
            return codes.astype(smaller)
    return codes


def _key(value: Any) -> Hashable:
    """Equal only for values of one type: True is not 1."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return (list, frozenset(map(str, value)))
    if isinstance(value, Mapping):
        return (dict, tuple(sorted((str(key), str(item)) for key, item in value.items())))
    return (type(value), value)
