"""skops: a schema of types to be rebuilt; those that are no known types are the file's risk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from penstock.inspect.models.pickle.names import find
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason, Verdict

_MOST = 200_000


def schema(piece: Piece, document: dict[str, Any]) -> Iterator[Reason]:
    """Judge every type and function that the schema names."""
    waiting: list[Any] = [document]
    told: set[str] = set()
    turns = 0
    while waiting and turns < _MOST:
        turns += 1
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        if not isinstance(node, dict):
            continue
        waiting += node.values()
        loader = str(node.get("__loader__", ""))
        content = node.get("content")
        named = [(node.get("__module__"), node.get("__class__"))]
        if isinstance(content, dict):
            named += [(content.get("module_path"), content.get("function"))]
        for module, name in named:
            if not (isinstance(module, str) and isinstance(name, str)) or f"{module}.{name}" in told:
                continue
            told.add(f"{module}.{name}")
            known = find(module, name)
            if known.verdict is Verdict.MALICIOUS and not (
                module == "builtins" and name in ("function", "method", "builtin_function_or_method")
            ):
                yield piece.say(
                    known.verdict, f"skops.{known.rule}", f"rebuilds {module}.{name}, which {known.why}", chain=loader
                )
            elif known.verdict > Verdict.CLEAN and module not in ("types", "builtins", "functools", "operator"):
                yield piece.say(
                    Verdict.REVIEW, f"skops.{known.rule}", f"rebuilds {module}.{name}, which {known.why}", chain=loader
                )
        if loader == "OperatorFuncNode" and str(node.get("__class__")) == "methodcaller":
            yield piece.say(Verdict.SUSPICIOUS, "skops.method", "calls a method by its name", chain=loader)
