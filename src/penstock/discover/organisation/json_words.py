"""Foreign JSON, read without trust in its shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NOTHING: Mapping[str, Any] = {}


def text(value: Any, *keys: str) -> str:
    """The scalar under the first of the keys that has one, as text; "" when there is none."""
    for key in keys:
        found = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(found, str | int | float) and not isinstance(found, bool) and str(found).strip():
            return str(found).strip()[:500]
    return ""


def mapping(value: Any, key: str) -> Mapping[str, Any]:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else _NOTHING


def listed(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []


def mappings(value: Any, key: str) -> list[Mapping[str, Any]]:
    """The mappings of a list under a key."""
    return [item for item in listed(value, key) if isinstance(item, Mapping)]
