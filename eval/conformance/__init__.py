"""One project written in every language, with the same expected observations: how equal the depth is.

    python -m eval.conformance

prints a table, a row a construct and a column a language.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import yaml

from penstock.discover.scan import scan
from penstock.graph.graph import Graph
from penstock.graph.merge import merge
from penstock.graph.vocabulary import Asset
from penstock.settings import Settings

HERE = Path(__file__).parent
PROJECTS = HERE / "projects"


@dataclass(frozen=True, slots=True)
class Construct:
    """One row of ``expected.yaml``."""

    construct: str
    says: str
    find: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    where: str = ""


def languages() -> list[str]:
    """The languages that a project is written in."""
    return sorted(path.name for path in PROJECTS.iterdir() if path.is_dir())


@functools.cache
def constructs() -> tuple[Construct, ...]:
    """What is expected of every project."""
    rows = yaml.safe_load((HERE / "expected.yaml").read_text(encoding="utf-8"))
    return tuple(
        Construct(**{name: tuple(value) if isinstance(value, list) else value for name, value in row.items()})
        for row in rows
    )


@functools.cache
def graph_of(language: str) -> Graph:
    """What a scan of a language's project finds."""
    done = scan([PROJECTS / language], settings=Settings(), cache=None, now=0.0)
    return merge(done.observations, complete=done.complete, unseen=done.unseen, at=done.at)


def missing(language: str, row: Construct) -> list[str]:
    """What of a row does not hold, in words; empty when it is right."""
    graph = graph_of(language)
    used = [asset for asset in graph.assets.values() if asset.status in ("", "used")]
    told = [f"{text} is not found" for text in row.find if not _named(used, text)]
    told += [f"{text} is found" for text in row.apart if _named(used, text)]
    told += [f"there is no relation {text}" for text in row.links if not _linked(graph, text)]
    told += [f"{text} is not told" for text in row.effects if not _can(used, text)]
    if row.where and not told:
        places = [e.where for asset in _named(used, row.find[0]) for e in graph.evidence.get(asset.id, ())]
        if not any(row.where in place.lower() for place in places):
            told.append(f"{row.find[0]} is seen in {', '.join(places)}, not in {row.where}")
    return told


def _named(assets: list[Asset], text: str) -> list[Asset]:
    kind, _, name = text.partition(" ")
    return [asset for asset in assets if asset.kind == kind and _fits(asset.name, name)]


def _can(assets: list[Asset], text: str) -> bool:
    tool, effect = text.split(" ")
    return any(effect in (asset.prop("effects") or ()) for asset in _named(assets, f"tool {tool}"))


def _linked(graph: Graph, text: str) -> bool:
    source, verb, target = text.split(" ")
    names = {id: asset.name for id, asset in graph.assets.items()}
    return any(
        r.verb == verb and _fits(names[r.source], source) and _fits(names[r.target], target) for r in graph.relations
    )


def _fits(name: str, wanted: str) -> bool:
    """The name as it is written, or in the spelling of the language; an endpoint by its host."""
    plain = name.casefold().replace("_", "").replace("-", "")
    return wanted == "*" or plain == wanted.casefold().replace("_", "").replace("-", "") or f"//{wanted}" in name
