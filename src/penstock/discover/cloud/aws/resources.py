"""Items as things of the table of resources, and which of them AI refers to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from penstock.discover.cloud.aws.calls import filled, type_of
from penstock.discover.cloud.aws.listing import Item
from penstock.discover.cloud.things import Index, Thing
from penstock.discover.infra.resources import row_of

#: What stands for a bucket without an ARN.
_S3 = re.compile(r"s3a?://(?P<name>[a-z0-9][a-z0-9._-]{2,62})(?:/|\Z)")
_LAMBDA = re.compile(r"arn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]+")
_OBJECT = re.compile(r"(?P<bucket>arn:[\w-]+:s3:::[a-z0-9][a-z0-9._-]{2,62})(?:/.*)?\Z")
_JSON = re.compile(r"\s*[\[{]")
#: How deep a value is followed, and how much of one.
_DEEPEST, _MOST = 24, 4_000


def thing(item: Item, type_: str = "", **added: Any) -> Thing:
    """An item as the table reads it: what names another resource leads to it by its ARN."""
    row = item.listing
    body = {**_referring(item.body, item), **added}
    name = str(item.body.get(row.name) or item.arn.rpartition("/")[2].rpartition(":")[2])
    also = tuple(str(item.body[key]) for key in row.also if item.body.get(key))
    return Thing(item.arn, type_ or row.type, name, body, item.arn, also)


def _referring(value: Any, item: Item, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {
            key: _arn(inner, item.listing.refs[key], item)
            if key in item.listing.refs and isinstance(inner, str)
            else _referring(inner, item, depth + 1)
            for key, inner in value.items()
        }
    return [_referring(each, item, depth + 1) for each in value] if isinstance(value, list) else value


def _arn(said: str, form: str, item: Item) -> str:
    if not said or said.startswith("arn:"):
        return said
    return str(filled(form.replace("{}", "\0"), item.fields)).replace("\0", said)


def texts(value: Any, key: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Every text in a value with the key it stands under; what holds JSON is looked into."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from texts(inner, str(name), depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value[:_MOST]:
            yield from texts(inner, key, depth + 1)
    elif isinstance(value, str):
        if _JSON.match(value):
            try:
                inside = json.loads(value)
            except (ValueError, RecursionError):
                inside = None
            if isinstance(inside, dict | list):
                yield from texts(inside, key, depth + 1)
                return
        yield key, value


def referred(things: Iterable[Thing], index: Index) -> dict[str, set[str]]:
    """The ARNs that each thing leads to."""
    found: dict[str, set[str]] = {}
    for each in things:
        for key, said in texts(each.body):
            if (target := index.led_to(said, key)) and target != each.id:
                found.setdefault(each.id, set()).add(target)
    return found


def meant(things: Mapping[str, Thing], leads: Mapping[str, set[str]]) -> set[str]:
    """The ARNs of what is AI, and of what it leads to, however far through roles, functions and stores."""
    waiting = [id_ for id_, each in things.items() if (row := row_of(each.type)) and not row.linked]
    seen = set(waiting)
    while waiting:
        for target in leads.get(waiting.pop(), ()):
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return seen


def unlisted(things: Iterable[Thing], index: Index, account: str, partition: str) -> Iterator[tuple[Thing, Thing]]:
    """(what was not listed, who leads to it): resources that are another's, or that may not be seen, by their ARN."""
    told: set[str] = set()
    for each in things:
        if not each.type:
            continue
        for key, said in texts(each.body):
            if key == "policy" or "*" in said:
                continue
            arn = said
            if match := _S3.match(said):
                arn = f"arn:{partition}:s3:::{match['name']}"
            elif match := _OBJECT.match(said):
                arn = match["bucket"]
            parts = arn.split(":", 5)
            if len(parts) < 6 or parts[0] != "arn" or parts[4] not in ("", account):
                continue
            if arn not in told and not index.led_to(arn, "arn") and (type_ := type_of(arn)):
                told.add(arn)
                name = parts[5].rpartition("/")[2].rpartition(":")[2]
                yield Thing(arn, type_, name, {}, arn), each


def functions_in(value: Any) -> set[str]:
    """ARNs of functions that a value names, wherever in its texts."""
    return {match[0] for _, said in texts(value) for match in _LAMBDA.finditer(said)}
