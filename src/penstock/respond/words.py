"""A person's word is an observation too: who said it, about what, until when."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from penstock.discover.organisation.parties import party
from penstock.errors import WrongUse
from penstock.graph import identity
from penstock.graph.diff import Changes
from penstock.graph.graph import Graph
from penstock.graph.store.protocol import Scan, Store
from penstock.graph.vocabulary import PROPS, Asset, Evidence, Observation
from penstock.respond.people import People
from penstock.settings import Settings

#: The scope of people's words. It is never finished: silence takes nothing back.
SCOPE = "words"
#: Name under which the store keeps which teams and people the settings named last.
NAMED = "settings.people"


def say(
    store: Store,
    who: str,
    asset: str,
    *,
    props: Mapping[str, Any] | None = None,
    owner: str = "",
    until: float | None = None,
    now: float,
) -> Changes:
    """Take down what a person says about an asset: properties, its owner, or both.

    Args:
        who: name of the person, shown wherever the word counts.
        owner: name, handle, address or id of a team or person.
        until: end of the word in seconds since the epoch, None for no end.
    Raises:
        WrongUse: nobody says it, nothing is said, the asset is not known, a property is not declared, the end is past.
    """
    graph = store.graph()
    subject = graph.assets.get(asset)
    if not who.strip():
        raise WrongUse("Nobody says this", hint="Give the name of the person whose word it is")
    if subject is None:
        raise WrongUse("There is no such asset", asset, "penstock inventory lists them with their ids")
    if not props and not owner:
        raise WrongUse("Nothing is said about the asset", asset, "Give an owner or a property")
    if unknown := sorted(set(props or ()) - set(PROPS)):
        raise WrongUse(f"There is no property {unknown[0]!r}", asset, "docs/vocabulary.md lists them")
    if until is not None and until <= now:
        raise WrongUse("The end date is past", asset)
    evidence = Evidence(f"person:{who.strip()}", f"said by {who.strip()}", "declared", (), SCOPE, now, until)
    said: list[Observation] = []
    if props:
        said.append(Observation(_about(subject, props), evidence))
    if owner:
        named = _person(graph, owner)
        said.append(Observation(named, evidence))
        said.append(Observation(identity.relation(subject, "owned_by", named), evidence))
    changes = store.ingest(Scan(tuple(said), scopes=(SCOPE,), at=now))
    what = ", ".join(
        [*(f"{name} = {value}" for name, value in sorted((props or {}).items())), *([owner] if owner else [])]
    )
    store.audit(who.strip(), f"said: {what}", asset, now)
    return changes


def know_people_of(settings: Settings, store: Store, now: float) -> Changes:
    """Make the teams and people that the settings name known to the graph, so that pages can show them by name."""
    names = {*settings.owners.values(), settings.security_team, settings.data_protection_officer, settings.legal} - {""}
    stamp = hashlib.sha256("\0".join(sorted(names)).encode()).hexdigest()
    if not names or store.get(NAMED) == stamp:
        return Changes()
    graph = store.graph()
    evidence = Evidence("person:operator", "penstock.yaml", "declared", (), SCOPE, now)
    new = [named for name in sorted(names) if (named := _person(graph, name)).id not in graph.assets]
    changes = store.ingest(Scan(tuple(Observation(named, evidence) for named in new), scopes=(SCOPE,), at=now))
    store.put(NAMED, stamp)
    return changes


def _about(subject: Asset, props: Mapping[str, Any]) -> Asset:
    """The asset carrying only what is said now: a word about one property claims no other."""
    return Asset(subject.id, subject.kind, subject.name, subject.scope, dict(props), status=subject.status)


def _person(graph: Graph, name: str) -> Asset:
    """The team or person meant: one the graph knows, else a new one.

    Raises:
        WrongUse: the name is none.
    """
    found = People(graph, Settings()).known_as(name)
    if known := graph.assets.get(found):
        return known
    meant = party(name)
    if meant is None:
        raise WrongUse("This names neither a team nor a person", name, "Give a name, a handle or an address")
    return meant
