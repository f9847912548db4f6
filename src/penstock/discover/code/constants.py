"""What the SDKs of typed languages call their models, and the wrappers they put around plain values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from penstock.knowledge.pack import define_pack, load_pack


class Constants(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The constants of some packages and the texts they stand for; ``holds``: functions that give their argument back.

    Packages are written without a major version (``…/v2``).
    """

    id: str
    package: tuple[str, ...]
    values: dict[str, str] = {}
    holds: tuple[str, ...] = ()
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


def constant(symbol: str) -> str | None:
    """The text that a constant of a package stands for: ``github.com/openai/openai-go.ChatModelGPT4o``."""
    return _index()[0].get(_plain(symbol))


def holds(symbol: str) -> bool:
    """Whether a function of a package gives its argument back in another form: ``openai.String("…")``."""
    return _plain(symbol) in _index()[1]


def _plain(symbol: str) -> str:
    return re.sub(r"/v\d+(?=[./]|$)", "", symbol)


@cache
def _index() -> tuple[dict[str, str], frozenset[str]]:
    values: dict[str, str] = {}
    wrappers = set()
    for row in load_pack("constants").rows:
        for package in row.package:
            for name, value in row.values.items():
                values[f"{package}.{name}"] = value
            wrappers |= {f"{package}.{name}" for name in row.holds}
    return values, frozenset(wrappers)


def _check(row: Constants, example: Any) -> bool:
    symbol = str(example)
    return constant(symbol) in row.values.values() if row.values and constant(symbol) is not None else holds(symbol)


def _validate(row: Constants) -> Iterator[str]:
    if not row.values and not row.holds:
        yield "it names neither constants nor wrappers"


define_pack("constants", Constants, check=_check, validate=_validate)
