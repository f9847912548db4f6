"""YAML configurations: tags that build Python objects, found in the events; nothing is constructed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.inspect.models import secrets, settings, template
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason, Verdict

_LONGEST = 2 << 20
_TAG = re.compile(r"(?:!!|!<tag:yaml\.org,2002:|tag:yaml\.org,2002:|!\w*!)python/(\w+(?:/\w+)?):?([\w.]*)")
_HARMLESS = frozenset(
    ("none", "bool", "str", "unicode", "int", "long", "float", "complex", "list", "tuple", "dict", "bytes")
)
_RUBY = re.compile(r"!ruby/(?:object|hash|struct)[:\w]*")


def look(piece: Piece) -> Iterator[Reason]:
    """Judge tags, targets and credentials."""
    text = piece.whole(_LONGEST).decode("utf-8-sig", "replace")
    stripped = re.sub(r"(?m)(^|\s)#.*$", "", text)
    named = re.search(r"(?m)^%TAG\s+(\S+)\s+tag:yaml\.org,2002:python", text)
    for match in _TAG.finditer(stripped):
        if match.group(1) in _HARMLESS:
            continue
        yield piece.say(
            Verdict.MALICIOUS, "yaml.object",
            f"builds a Python object, {match.group(2) or match.group(1)}, when an unsafe loader reads it",
            match.start(),
            match.group(),
        )  # fmt: skip
    if named:
        yield piece.say(
            Verdict.MALICIOUS, "yaml.object", "declares a short form for tags that build Python objects", named.start()
        )
    if ruby := _RUBY.search(stripped):
        yield piece.say(
            Verdict.SUSPICIOUS, "yaml.object", "builds a Ruby object when an unsafe loader reads it", ruby.start()
        )
    for match in re.finditer(
        r"(?m)^\s*(?:-\s*)?['\"]?(_target_|class_path|target)['\"]?\s*:\s*['\"]?([\w.]+)", stripped
    ):
        if reason := settings.target(piece, match.group(1), match.group(2)):
            yield reason
    for match in re.finditer(r"(?m)^\s*loader_module:\s*['\"]?([\w.]+)", stripped):
        if not match.group(1).startswith(settings.LOADERS):
            yield piece.say(
                Verdict.REVIEW, "mlflow.loader", f"is loaded by the module {match.group(1)}, code of its own"
            )
    if "{{" in text or "{%" in text:
        yield from template.look(piece, text, "a template in the configuration")
    yield from secrets.find(piece, text, "the configuration")
