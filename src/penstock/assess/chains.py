"""Chains: paths over kinds and verbs as a rule writes them, ``agent -[reads|uses_tool]{1,4}-> store``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import yaml

from penstock.errors import NotUnderstood
from penstock.graph.vocabulary import KINDS, LABELS, MARKS, PROPS, VERBS, check_props

#: Deepest segment: attack paths seen in practice have 4-7 nodes (docs/rules.md).
MAX_HOPS = 6
MAX_NODES = 8
#: Longest chain in characters (the longest shipped one has 340) and most brackets of any sort in it.
MAX_TEXT, MAX_BRACKETS = 1_000, 60

_ACTOR = frozenset({"application", "agent", "assistant"})
_INDEX = frozenset({"vector_store", "knowledge_base", "memory"})
#: Names for several kinds that rules often mean together.
GROUPS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "actor": _ACTOR,
        "index": _INDEX,
        "store": _INDEX | {"dataset", "data_store", "log_store", "content_source"},
        "host": frozenset({"infrastructure", "workspace", "endpoint", "image"}),
        "workload": _ACTOR | {"tool", "pipeline", "endpoint", "workspace", "mcp_server", "infrastructure"},
        "any": KINDS,
    }
)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a chain: a variable, the kinds it may be, and properties asked for by equality."""

    variable: str
    kinds: frozenset[str]
    props: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """``least`` to ``most`` relations of the verbs, read forward or backward."""

    verbs: frozenset[str]
    least: int
    most: int
    forward: bool

    def reversed(self) -> Segment:
        return Segment(self.verbs, self.least, self.most, not self.forward)


@dataclass(frozen=True, slots=True)
class Chain:
    """Spots joined by segments; ``segments[n]`` leads from ``spots[n]`` to ``spots[n + 1]``."""

    text: str
    spots: tuple[Spot, ...]
    segments: tuple[Segment, ...]

    def reversed(self) -> Chain:
        return Chain(self.text, self.spots[::-1], tuple(segment.reversed() for segment in self.segments[::-1]))

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(spot.variable for spot in self.spots)


_SPOT = re.compile(r"\s*(?P<name>[a-z_][a-z0-9_]*)(?::(?P<kinds>[a-z_|]+))?(?P<props>\[)?")
_SEGMENT = re.compile(
    r"\s*(?P<back><)?-(?:\[(?P<verbs>[a-z_|\s]+)\]|(?P<verb>[a-z_]+))(?:\{(?P<least>\d),(?P<most>\d)\})?-(?P<on>>)?"
)


def parse_chain(text: str, known: Mapping[str, frozenset[str]] | None = None) -> Chain:
    """The chain that a text writes.

    Args:
        known: kinds of variables that other chains of the rule introduced; such a name needs no kind here.
    Raises:
        NotUnderstood: it does not read as a chain, or names a kind, verb or property that is not declared.
    """
    if len(text) > MAX_TEXT or sum(map(text.count, "[{&*")) > MAX_BRACKETS:
        raise NotUnderstood("The chain is too long or nests too deep", text[:60], f"At most {MAX_TEXT} characters")
    spots: list[Spot] = []
    segments: list[Segment] = []
    place = 0
    while True:
        spot, place = _spot(text, place, dict(known or {}) | {spot.variable: spot.kinds for spot in spots})
        spots.append(spot)
        if not text[place:].strip():
            break
        segment, place = _segment(text, place)
        segments.append(segment)
        if len(spots) >= MAX_NODES:
            raise NotUnderstood(f"The chain has more than {MAX_NODES} places", text, "Split it in two")
    return Chain(text, tuple(spots), tuple(segments))


def _spot(text: str, place: int, known: Mapping[str, frozenset[str]]) -> tuple[Spot, int]:
    found = _SPOT.match(text, place)
    if not found:
        raise NotUnderstood(f"The chain needs a place at {text[place : place + 20]!r}", text, "See docs/rules.md")
    name, place = found["name"], found.end()
    props: tuple[tuple[str, Any], ...] = ()
    if found["props"]:
        end = _closing(text, place)
        props, place = _props(text[place:end], text), end + 1
    if not found["kinds"] and name in known:
        return Spot(name, known[name], props), place
    words = (found["kinds"] or name).split("|")
    if unknown := [word for word in words if word not in KINDS and word not in GROUPS]:
        raise NotUnderstood(
            f"There is no kind or group {unknown[0]!r}", text, f"Groups: {', '.join(GROUPS)}; write name:kind"
        )
    return Spot(name, frozenset().union(*(GROUPS.get(word, frozenset({word})) for word in words)), props), place


def _segment(text: str, place: int) -> tuple[Segment, int]:
    found = _SEGMENT.match(text, place)
    if not found or bool(found["back"]) == bool(found["on"]):
        raise NotUnderstood(f"The chain needs an arrow at {text[place : place + 20]!r}", text, "-[verb]-> or <-[verb]-")
    verbs = frozenset(word.strip() for word in (found["verbs"] or found["verb"]).split("|"))
    if unknown := sorted(verbs - set(VERBS)):
        raise NotUnderstood(f"There is no verb {unknown[0]!r}", text, f"Verbs: {', '.join(VERBS)}")
    least, most = int(found["least"] or 1), int(found["most"] or 1)
    if not 0 <= least <= most <= MAX_HOPS or most == 0:
        raise NotUnderstood(f"The depth {{{least},{most}}} is not within 0 to {MAX_HOPS}", text)
    return Segment(verbs, least, most, not found["back"]), found.end()


def _closing(text: str, place: int) -> int:
    depth = 1
    for at in range(place, len(text)):
        depth += (text[at] == "[") - (text[at] == "]")
        if not depth:
            return at
    raise NotUnderstood("The chain has an open bracket", text, "Close it with ]")


def _props(text: str, whole: str) -> tuple[tuple[str, Any], ...]:
    try:
        props = yaml.safe_load("{" + text + "}")
        if not isinstance(props, dict) or not all(isinstance(name, str) for name in props):
            raise NotUnderstood("The brackets do not read as properties", whole, "[name: value, …]")
    except yaml.YAMLError as error:
        raise NotUnderstood("The brackets do not read as properties", whole, "[name: value, …]") from error
    labels = props.pop("contains", None)
    check_props(props, whole)
    if labels is not None and (unknown := sorted(set(labels) - set(LABELS) - MARKS)):
        raise NotUnderstood(f"There is no label {unknown[0]!r}", whole)
    return (*props.items(), *((("contains", tuple(labels)),) if labels is not None else ()))


assert "contains" not in PROPS  # noqa: S101 (the bracket word for labels must stay free)
