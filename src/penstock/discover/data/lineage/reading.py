"""Documents of strangers: decoded at a bounded cost and walked without trust in their shape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

import msgspec

from penstock.errors import NotUnderstood

#: Entries of one list or mapping that are looked at; the largest manifests of dbt projects we know hold 10,000 models.
MOST = 10_000
#: Characters of a name or path: file systems stop at 4,096, object stores at 1,024, hub ids at 96.
LONGEST = 1_024

_SPACE = re.compile(r"[\x00-\x20\x7f\u2028\u2029]+")


def json_of(data: bytes | str) -> Any:
    """The value of a JSON text.

    Raises:
        NotUnderstood: it does not parse, or nests too deep.
    """
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise NotUnderstood(f"The JSON does not parse: {error}") from error
    except (RecursionError, UnicodeError) as error:
        raise NotUnderstood("The JSON nests too deep or is no text") from error


def inner_json(text: Any) -> Any:
    """What a text holds that is itself JSON; None when it is none."""
    if not isinstance(text, str) or not text:
        return None
    try:
        return json_of(text)
    except NotUnderstood:
        return None


def mapping(value: Any) -> Mapping[str, Any]:
    """The value, or an empty mapping when it is none."""
    return value if isinstance(value, dict) else {}


def entries(value: Any, most: int = MOST) -> list[tuple[str, Any]]:
    """The pairs of a mapping whose keys are texts, at most ``most``."""
    return [(key, entry) for key, entry in islice(mapping(value).items(), most) if isinstance(key, str)]


def listed(value: Any) -> list[Any]:
    """The items of a list, at most `MOST`; of anything else none."""
    return value[:MOST] if isinstance(value, list) else []


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The mappings in a list; a lone mapping counts as a list of one."""
    return [value] if isinstance(value, dict) else [item for item in listed(value) if isinstance(item, dict)]


def text(value: Any) -> str:
    """A text or whole number as one printable line; empty for anything else and for what is too long to be a name."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15:
        return str(value)
    if not isinstance(value, str) or len(value) > LONGEST:
        return ""
    return _SPACE.sub(" ", value.encode("utf-8", "replace").decode()).strip()


def texts(value: Any) -> list[str]:
    """The texts in a list; a lone text counts as a list of one."""
    items = value[:MOST] if isinstance(value, list) else [value]
    return [said for item in items if (said := text(item))]


def dig(value: Any, *keys: str) -> Any:
    """The value under nested keys, or None."""
    for key in keys:
        value = mapping(value).get(key)
    return value


def count(value: Any) -> int | None:
    """A number of things, or None when it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15 else None


def pointer(*parts: str | int) -> str:
    """A JSON pointer (RFC 6901) as the end of a place: ``#/nodes/model.shop.orders``."""
    return "#" + "".join("/" + str(part)[:200].replace("~", "~0").replace("/", "~1") for part in parts)
