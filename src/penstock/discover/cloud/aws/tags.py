"""What the tags of resources say: which data they hold, whose they are, and which environment they belong to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from penstock.discover.cloud.aws.listing import Item, Listed
from penstock.discover.data.lineage.words import labels_of_pair, shown
from penstock.graph import identity
from penstock.graph.vocabulary import DATA_KINDS, Asset, Evidence, Observation

_OWNER = re.compile(r"(?i)(?:[\w-]+[:/])?(?:owner|team|owned-?by|owner-?team|maintainer|contact)\Z")
_ENVIRONMENT = re.compile(r"(?i)(?:[\w-]+[:/])?(?:env|environment|stage)\Z")
_WORDS = {
    "prod": "prod", "production": "prod", "live": "prod", "staging": "staging", "stage": "staging", "uat": "staging",
    "dev": "dev", "development": "dev", "test": "dev", "sandbox": "dev", "research": "research",
}  # fmt: skip
#: Kinds whose tags say what data they hold: data, and what is made from it.
_HOLDING = DATA_KINDS | {"model", "pipeline"}


def said_by_tags(
    listed: Listed, assets: Mapping[str, Asset], said: Callable[[Item, tuple[str, ...]], Evidence]
) -> Iterator[Observation]:
    """Labels, environment and owner of everything in the graph that has tags."""
    elsewhere = {str(item.body.get("ResourceARN")).casefold(): item for item in listed.of("tags")}
    for arn, asset in assets.items():
        own = listed.items.get(arn)
        listing = elsewhere.get(arn.casefold())
        for item in filter(None, (own, listing)):
            for key, value in pairs(item.body):
                yield from _tag(asset, key, value, said(item, (f"tag {shown(key, value)}",)))


def pairs(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Tags in any of the forms in which services give them."""
    for name in ("tags", "Tags", "TagList"):
        given = body.get(name)
        if isinstance(given, Mapping):
            yield from ((str(key), str(value)) for key, value in given.items())
        for each in given if isinstance(given, list) else ():
            if isinstance(each, Mapping):
                key, value = each.get("Key", each.get("key")), each.get("Value", each.get("value", ""))
                if isinstance(key, str):
                    yield key, str(value)


def _tag(asset: Asset, key: str, value: str, at: Evidence) -> Iterator[Observation]:
    if asset.kind in _HOLDING and (labels := labels_of_pair(key, value)):
        yield Observation(replace(asset, props={}, labels=labels), at)
    if _ENVIRONMENT.match(key) and (word := _WORDS.get(value.casefold())):
        yield Observation(replace(asset, props={"env": word}), at)
    if _OWNER.match(key) and 0 < len(value) <= 100:
        kind = "person" if "@" in value else "team"
        owner = identity.asset(kind, value, props={"email": value} if "@" in value else {})
        yield Observation(owner, at)
        yield Observation(identity.relation(asset, "owned_by", owner), at)
