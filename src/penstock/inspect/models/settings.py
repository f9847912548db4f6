"""Configurations of any library: targets to be built, templates, places of code. Walked as parsed data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from penstock.inspect.models.pickle.names import find
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason, Verdict

_MOST = 100_000
#: Keys under which hydra, NeMo, Lightning and others name what is to be built.
_TARGETS = frozenset(("_target_", "class_path", "target", "__target__"))
#: Flavours whose loader is the library's own.
LOADERS = ("mlflow.", "mlflow")


def look(piece: Piece, document: Any) -> Iterator[Reason]:
    """Judge every target and template in a document."""
    waiting: list[Any] = [document]
    turns = 0
    while waiting and turns < _MOST:
        turns += 1
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            for key, value in node.items():
                if isinstance(value, dict | list):
                    waiting.append(value)
                elif isinstance(value, str):
                    if key in _TARGETS and (reason := target(piece, str(key), value)):
                        yield reason
                    if "template" in str(key) or "{%" in value:
                        from penstock.inspect.models import template

                        yield from template.look(piece, value, f"the template under {str(key)[:40]!r}")


def target(piece: Piece, key: str, value: str) -> Reason | None:
    """A name that a library would import and call."""
    module, _, name = value.strip().rpartition(".")
    if not module or not all(part.isidentifier() for part in value.strip().split(".")):
        return None
    known = find(module, name)
    if known.verdict is Verdict.MALICIOUS and known.rule.partition(".")[0] in (
        "process",
        "interpreter",
        "network",
        "files",
        "attributes",
        "pickles",
        "reach",
        "standard",
    ):
        return piece.say(
            Verdict.MALICIOUS, "settings.target", f"{key} names {value.strip()}, which {known.why}", chain=value.strip()
        )
    return None
