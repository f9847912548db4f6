"""Functions that load models, as data: which argument names what they read."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from penstock.knowledge.pack import define_pack, load_pack


class Loader(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One function, class or class method.

    module: where the name is looked up, patched when that module is imported. symbol: ``load``, or ``Class.method``.
    argument, position: by which name or place (without ``self`` or ``cls``) it is told what to read; position -1: by
        name alone.
    only: an argument that must be truthy, or the call reads no code; ``unless``: one that must not.
    result: what is judged is the path that it returns, because it fetches before anything is loaded.
    """

    id: str
    module: str
    symbol: str
    argument: str
    position: int = 0
    only: str = ""
    unless: str = ""
    result: bool = False
    match: tuple[str, ...] = ()
    no_match: tuple[str, ...] = ()

    def given(self, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
        """What the call is told to read; None when it reads nothing that could hold code."""
        if (self.only and not keywords.get(self.only)) or (self.unless and keywords.get(self.unless)):
            return None
        if self.argument in keywords:
            return keywords[self.argument]
        return arguments[self.position] if 0 <= self.position < len(arguments) else None

    def replaced(
        self, arguments: Sequence[Any], keywords: Mapping[str, Any], by: Any
    ) -> tuple[list[Any], dict[str, Any]]:
        """The call's arguments with another thing to read."""
        if self.argument in keywords:
            return list(arguments), {**keywords, self.argument: by}
        changed = list(arguments)
        changed[self.position] = by
        return changed, dict(keywords)


def _applies(row: Loader, example: Any) -> bool:
    """Whether a call, as written in Python with literal arguments, hands this loader something to judge."""
    call = ast.parse(str(example), mode="eval").body
    if not isinstance(call, ast.Call) or not f"{row.module}.{row.symbol}".endswith(ast.unparse(call.func)):
        return False
    arguments = [ast.literal_eval(each) for each in call.args]
    keywords = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
    return row.given(arguments, keywords) is not None


define_pack("loaders", Loader, check=_applies)


@cache
def loaders() -> dict[str, tuple[Loader, ...]]:
    """The rows by the module that they are in."""
    by_module: dict[str, list[Loader]] = {}
    for row in load_pack("loaders").rows:
        by_module.setdefault(row.module, []).append(row)
    return {module: tuple(rows) for module, rows in by_module.items()}
