"""A person's word is an observation too: who said it, about what, why, until when."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from penstock.discover.organisation.parties import business_process, party, slug
from penstock.errors import WrongUse
from penstock.graph import identity
from penstock.graph.diff import Changes
from penstock.graph.graph import Graph
from penstock.graph.store.protocol import Scan, Store
from penstock.graph.vocabulary import PROPS, VERBS, Asset, Complete, Evidence, Observation, check_props
from penstock.respond.people import People
from penstock.settings import Settings

#: The scope of people's words. It is added to and never looked through: silence takes nothing back.
SCOPE = "words"
#: Properties a person may state: all but those that only evidence or an approval may set.
BY_HAND: frozenset[str] = frozenset(name for name, prop in PROPS.items() if prop.type != "record") - {
    "declassified", "text_hash", "text_length", "hidden", "columns", "definition_changed",
    "dangers", "volume", "planted", "flooded", "contradicted", "suspect_rows",
}  # fmt: skip
#: Longest name of a business process, in characters.
LONGEST_NAME = 200
#: Name under which the store keeps which teams and people the settings named last.
NAMED = "settings.people"


def say(
    store: Store,
    who: str,
    asset: str,
    *,
    props: Mapping[str, Any] | None = None,
    owner: str = "",
    process: str = "",
    why: str = "",
    until: float | None = None,
    now: float,
) -> Changes:
    """Take down what a person says about an asset: properties, its owner, a business process that relies on it.

    Args:
        who: name of the person, shown wherever the word counts.
        owner: name, handle, address or id of a team or person.
        process: name or id of a business process.
        why: the reason, shown beside the word as its evidence.
        until: end of the word in seconds since the epoch, None for no end.
    Raises:
        WrongUse: nobody says it, nothing is said, the asset is not known, a property is not declared, the end is past.
        NotUnderstood: a property does not take such a value.
    """
    graph = store.graph()
    subject = graph.assets.get(asset)
    if not who.strip():
        raise WrongUse("Nobody says this", hint="Give the name of the person whose word it is")
    if subject is None:
        raise WrongUse("There is no such asset", asset, "penstock assets lists them with their ids")
    if not props and not owner and not process:
        raise WrongUse("Nothing is said about the asset", asset, "Give an owner, a business process or a property")
    if unknown := sorted(set(props or ()) - set(PROPS)):
        raise WrongUse(f"There is no property {unknown[0]!r}", asset, "docs/concepts.md lists them")
    check_props(props or {}, asset)
    if until is not None and until <= now:
        raise WrongUse("The end date is past", asset)
    reason = (why.strip(),) if why.strip() else ()
    evidence = Evidence(f"person:{who.strip()}", f"said by {who.strip()}", "declared", reason, SCOPE, now, until)
    changes = store.ingest(as_scan(_said(graph, subject, props or {}, owner, process, evidence), now))
    told = [f"{name} = {value}" for name, value in sorted((props or {}).items())]
    told += [f"owner {owner}"] if owner else []
    told += [f"process {process}"] if process else []
    store.audit(who.strip(), f"said: {', '.join(told)}{': ' if reason else ''}{why.strip()}", asset, now)
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
    changes = store.ingest(as_scan((Observation(named, evidence) for named in new), now))
    store.put(NAMED, stamp)
    return changes


def as_scan(said: Iterable[Observation], at: float) -> Scan:
    """Words as something a store takes in.

    They look at no scope, so they retire nothing. They vouch for every verb: what anybody said is all there, so that
    a word about a thing puts nothing in doubt that a scan of it knows.
    """
    return Scan(tuple(said), tuple(Complete(SCOPE, verb, "person") for verb in VERBS), at=at)


def _said(
    graph: Graph, subject: Asset, props: Mapping[str, Any], owner: str, process: str, evidence: Evidence
) -> Iterator[Observation]:
    if props:
        yield Observation(_about(subject, props), evidence)
    if owner:
        named = _person(graph, owner)
        yield Observation(named, evidence)
        yield Observation(identity.relation(subject, "owned_by", named), evidence)
    if process:
        relying = _process(graph, process)
        yield Observation(relying, evidence)
        yield Observation(identity.relation(subject, "supports", relying), evidence)


def _about(subject: Asset, props: Mapping[str, Any]) -> Asset:
    """The asset carrying only what is said now: a word about one property claims no other."""
    return Asset(subject.id, subject.kind, subject.name, subject.scope, dict(props), status=subject.status)


def _person(graph: Graph, name: str) -> Asset:
    """The team or person meant: one the graph knows, else a new one.

    Of a known one only its id, kind and name are said again: the word is about the relation.

    Raises:
        WrongUse: the name is none.
    """
    found = People(graph, Settings()).known_as(name)
    if known := graph.assets.get(found):
        return _about(known, {})
    meant = party(name)
    if meant is None:
        raise WrongUse("This names neither a team nor a person", name, "Give a name, a handle or an address")
    return replace(meant, name=name.strip()) if slug(name) == meant.name else meant  # shown as it was written


def _process(graph: Graph, name: str) -> Asset:
    """The business process meant: one the graph knows by id or name, else a new one.

    Raises:
        WrongUse: the name is none.
    """
    wanted = name.strip().casefold()
    known = next((p for p in graph.of_kind("process") if wanted in (p.id.casefold(), p.name.casefold())), None)
    if known is None and (not slug(name) or len(name) > LONGEST_NAME):
        raise WrongUse("This names no business process", name[:LONGEST_NAME], "Give it a short name in words")
    meant = business_process(name)
    return _about(known or graph.assets.get(meant.id) or meant, {})
