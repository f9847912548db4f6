"""What is kept of an answer: plain values, without texts that nobody needs and without what may be a secret."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from penstock.knowledge.models import family_of

#: How deep an answer is followed, how many values of it are kept, and how long a text may be (a policy has at most
#: 20 KB, a pipeline's definition a megabyte).
_DEEPEST, _MOST, _LONGEST = 20, 4_000, 262_144
_VARIABLES = frozenset({"environment", "environmentvariables", "variables", "hyperparameters"})
#: Variables whose name says that they name something, and words that say that they are a secret.
_NAMING = re.compile(
    r"(?i)(?:^|_)(?:id|arn|name|bucket|model|endpoint|region|url|uri|index|table|host|alias|agent)s?\Z"
)
_SECRET = re.compile(r"(?i)secret|password|passwd|token|private|credential|api_?key|access_?key")
_PLACE = re.compile(r"(?:arn:[\w:./*-]+|s3://[\w./-]+|https?://[\w.:-]+(?:/[\w./-]*)?)\Z")
_WORD = re.compile(r"[\w.:/-]{1,100}\Z")


def kept(value: Any, drop: Collection[str] = ()) -> Any:
    """A value of an answer as JSON holds it. Times, bytes and the fields of ``drop`` are left out."""
    return _kept(value, frozenset(drop), [_MOST], 0, variables=False)


def _kept(value: Any, drop: frozenset[str], left: list[int], depth: int, *, variables: bool) -> Any:
    left[0] -= 1
    if left[0] < 0 or depth > _DEEPEST:
        return None
    if isinstance(value, Mapping):
        named = value.get("name", value.get("Name")) if variables else None
        found: dict[str, Any] = {}
        for key, inner in value.items():
            word = str(key)
            if word in drop or word == "ResponseMetadata":
                continue
            if variables and isinstance(inner, str):
                said = str(named) if isinstance(named, str) and word in ("value", "Value") else word
                shown = inner if word in ("name", "Name") else _shown(said, inner)
                found[word] = shown
                continue
            below = variables or word.casefold() in _VARIABLES
            if (clean := _kept(inner, drop, left, depth + 1, variables=below)) is not None:
                found[word] = clean
        return found
    if isinstance(value, list | tuple):
        parts = (_kept(each, drop, left, depth + 1, variables=variables) for each in value)
        return [part for part in parts if part is not None]
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else None
    return value if isinstance(value, bool | int | float) else None


def _shown(name: str, value: str) -> str:
    """A variable's value if it names a place, a model or a resource; empty otherwise, for it may be a secret."""
    if _SECRET.search(name):
        return ""
    if _PLACE.match(value) or (_WORD.match(value) and (_NAMING.search(name) or family_of(value) is not None)):
        return value
    return ""
