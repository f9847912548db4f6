"""What a call cost, by rows of list prices; a model that no row knows costs nothing here, and budgets count tokens."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec

from penstock.protect.exchange import Usage
from penstock.protect.facts import named
from penstock.protect.snapshot import Price

_ROWS = Path(__file__).parent / "prices.yaml"
_MILLION = 1_000_000


class Prices:
    """The operator's rows before those that come with Penstock."""

    def __init__(self, own: Iterable[Price] = ()) -> None:
        self._own = tuple(own)
        self._known: dict[str, Price | None] = {}

    def of(self, model: str) -> Price | None:
        """The price of a model, None when it is not known."""
        if model not in self._known:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            rows = (*self._own, *_listed())
            self._known[model] = next((row for row in rows if named(model, (row.model,))), None)
        return self._known[model]

    def cost(self, model: str, usage: Usage) -> float:
        """US dollars."""
        price = self.of(model)
        return (usage.sent * price.sent + usage.answered * price.answered) / _MILLION if price else 0.0


#: Model names whose price is remembered.
_REMEMBERED = 1000


@cache
def _listed() -> tuple[Price, ...]:
    import yaml

    return msgspec.convert(tuple(yaml.safe_load(_ROWS.read_text())), tuple[Price, ...])
