"""Many observations become one graph: a pure fold over the set of claims, whatever their order or number.

Each observation claims exactly the name, kind, status, properties and labels its value carries. Claims that agree add
evidence; claims that differ are settled the same way every time, and the losers are kept so that a person can see the
conflict. The order that settles them:

1. a claim that may not lower a risk comes last (a declaration inside a scanned tree against what else was seen there);
2. confidence (declared > resolved > inferred > guessed), then a person's word before a collector's, the newer first;
3. status (used before declared before … commented);
4. for a kind, the more specific one; then the content of the evidence, so that no tie is left.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable, Mapping, Sequence
from typing import Any

from penstock.errors import NotUnderstood
from penstock.graph.graph import Graph
from penstock.graph.vocabulary import (
    CONFIDENCE_ORDER,
    KINDS,
    LABELS,
    MARKS,
    PROPS,
    STATUS_ORDER,
    VERBS,
    WORST_FIRST,
    Asset,
    Complete,
    Evidence,
    Observation,
    Relation,
    Unseen,
    check_labels,
    check_props,
)

#: Of two kinds that one thing may be, the one that says more about it. An agent decides for itself, an application
#: need not; a log or outside content is a special sort of data; a knowledge base is an index with its documents.
_MORE_SPECIFIC = (
    "agent", "application", "log_store", "content_source", "dataset", "data_store", "knowledge_base", "vector_store",
)  # fmt: skip

_CONFIDENCE = {word: rank for rank, word in enumerate(CONFIDENCE_ORDER)}
_STATUS = {word: rank for rank, word in enumerate(STATUS_ORDER)}
_SPECIFICITY = {kind: rank for rank, kind in enumerate(_MORE_SPECIFIC)}

Claim = tuple[object, Evidence]
RelationKey = tuple[str, str, str]


def merge(
    observations: Iterable[Observation],
    *,
    complete: Iterable[Complete] = (),
    unseen: Iterable[Unseen] = (),
    kept: Mapping[str, str] | None = None,
    at: float = 0.0,
    checked: bool = False,
) -> Graph:
    """The graph that a set of observations describes.

    A relation whose end nobody described is kept out, named as Unseen, and takes the completeness of its verb in its
    scope with it: it is there, only half known, so its absence must not be read.

    Args:
        kept: issued id → the id under which the thing has been known since first sight.
        at: the time for which the graph is wanted, seconds since the epoch; words whose end date has passed by then
            do not count.
        checked: the observations have been through ``check`` already, as those of a store have.
    Raises:
        NotUnderstood: an observation names an undeclared kind, verb, property or label. Observations come from our
            own collectors, so this is a defect there, not a property of what was scanned.
    """
    kept = kept or {}
    things: dict[str, list[tuple[Asset, Evidence]]] = {}
    links: dict[RelationKey, list[tuple[Relation, Evidence]]] = {}
    for observation in observations:
        subject, evidence = observation.subject, observation.evidence
        if evidence.until is not None and evidence.until <= at:
            continue
        if not checked:
            check(observation)
        if isinstance(subject, Asset):
            things.setdefault(_kept(subject.id, kept), []).append((subject, evidence))
        else:
            key = (_kept(subject.source, kept), subject.verb, _kept(subject.target, kept))
            links.setdefault(key, []).append((subject, evidence))

    claims: dict[tuple[str, str], tuple[Claim, ...]] = {}
    seen: dict[str | RelationKey, tuple[Evidence, ...]] = {}
    merged = []
    for id, thing in things.items():
        seen[id] = _strongest_first(thing)
        merged.append(_asset(id, thing, seen[id], claims))
    merged.sort(key=lambda asset: (asset.kind, asset.name.casefold(), asset.id))

    relations = []
    dangling: list[tuple[RelationKey, Evidence]] = []
    for key, link in sorted(links.items()):
        if key[0] not in things or key[2] not in things:
            dangling += [(key, evidence) for evidence in _strongest_first(link)]
        elif key[0] != key[2] or key[1] != "same_as":
            relations.append(Relation(*key, _relation_props(link)))
            seen[key] = _strongest_first(link)

    half_known = {(evidence.scope, verb) for (_, verb, _), evidence in dangling}
    gaps = {*unseen, *(_half(key, evidence, things) for key, evidence in dangling)}
    return Graph(
        assets={asset.id: asset for asset in merged},
        relations=tuple(relations),
        evidence=seen,
        claims=claims,
        complete=frozenset((c.scope, c.verb) for c in complete) - half_known,
        unseen=tuple(sorted(gaps, key=_unseen_order)),
        at=at,
    )


def _key(evidence: Evidence) -> tuple[Any, ...]:
    """A total order on evidence, strongest first."""
    person = evidence.collector.startswith("person:")
    return (
        _CONFIDENCE[evidence.confidence],
        not person,
        -evidence.seen_at if person else 0.0,
        evidence.collector,
        evidence.scope,
        evidence.where,
        evidence.chain,
        -evidence.seen_at,
        evidence.until is None,
        evidence.until or 0.0,
    )


def _strongest_first(said: Sequence[tuple[Any, Evidence]]) -> tuple[Evidence, ...]:
    """The distinct evidence of some claims."""
    if len(said) == 1:
        return (said[0][1],)
    return tuple(sorted({evidence for _, evidence in said}, key=_key))


def _asset(
    id: str,
    said: list[tuple[Asset, Evidence]],
    evidence: tuple[Evidence, ...],
    claims: dict[tuple[str, str], tuple[Claim, ...]],
) -> Asset:
    """The one asset that what is said about it makes; what was claimed for its properties goes into ``claims``."""
    kind, name, scope = _identity(id, said, claims)
    by_prop: dict[str, list[tuple[object, Asset, Evidence]]] = {}
    for subject, place in said:
        for prop, value in subject.props.items():
            if value is not None:
                by_prop.setdefault(prop, []).append((_plain(value), subject, place))
    props: dict[str, Any] = {}
    labels = {label for subject, _ in said for label in subject.labels}
    for prop in sorted(by_prop):
        ranked = claims[id, prop] = _ranked(by_prop[prop], prop=prop)
        props[prop] = _settled(prop, ranked)
        if prop == "declared_data":  # a team's own word raises, never lowers
            labels.update(word for value, _ in ranked if isinstance(value, list) for word in value)
    return Asset(
        id=id,
        kind=kind,
        name=name,
        scope=scope,
        props=props,
        labels=frozenset(labels),
        status=min((subject.status for subject, _ in said), key=_STATUS.__getitem__),
        formerly=tuple(sorted({old for subject, _ in said for old in subject.formerly if old != id})),
        first_seen=min(place.seen_at for place in evidence),
        last_seen=max(place.seen_at for place in evidence),
    )


def _identity(
    id: str, said: list[tuple[Asset, Evidence]], claims: dict[tuple[str, str], tuple[Claim, ...]]
) -> tuple[str, str, str]:
    """Kind, name and scope; where they are contested, what was claimed goes into ``claims``."""
    first = said[0][0]
    if all(s.kind == first.kind and s.name == first.name and s.scope == first.scope for s, _ in said):
        return first.kind, first.name, first.scope
    kinds = _ranked([(s.kind, s, e) for s, e in said], specificity=True)
    names = _ranked([(s.name, s, e) for s, e in said])
    for about, ranked in (("kind", kinds), ("name", names)):
        if len({value for value, _ in ranked}) > 1:
            claims[id, about] = ranked
    scopes = _ranked([(s.scope, s, e) for s, e in said])
    return str(kinds[0][0]), str(names[0][0]), str(scopes[0][0])


def _ranked(
    said: list[tuple[object, Asset, Evidence]], *, prop: str = "", specificity: bool = False
) -> tuple[Claim, ...]:
    """The distinct claims, the winner first."""
    if len(said) == 1:
        return ((said[0][0], said[0][2]),)
    floor = _worst_seen(prop, said)

    def key(claim: tuple[object, Asset, Evidence]) -> tuple[Any, ...]:
        value, subject, evidence = claim
        confidence, person, newest, *rest = _key(evidence)
        kind = _SPECIFICITY.get(subject.kind, len(_SPECIFICITY)) if specificity else 0
        return (
            _lowers(prop, value, evidence, floor),
            confidence,
            person,
            newest,
            kind if specificity else _STATUS[subject.status],
            *rest,
            repr(value),
        )

    distinct: dict[Hashable, Claim] = {}
    for value, _, evidence in sorted(said, key=key):
        distinct.setdefault((repr(value), evidence), (value, evidence))
    return tuple(distinct.values())


def _worst_seen(prop: str, said: list[tuple[object, Asset, Evidence]]) -> int | None:
    """The worst value of an ordered property that somebody saw rather than declared inside a tree."""
    ranks = WORST_FIRST.get(prop)
    if ranks is None:
        return None
    seen = [
        ranks.index(value) for value, _, e in said if value in ranks and not in_tree(e) and e.confidence != "guessed"
    ]
    return min(seen, default=None)


def _lowers(prop: str, value: object, evidence: Evidence, floor: int | None) -> bool:
    """Whether a claim from inside a scanned tree would make a risk look smaller than what else was seen."""
    if not in_tree(evidence):
        return False
    if prop == "declassified":
        return True
    ranks = WORST_FIRST.get(prop, ())
    return floor is not None and value in ranks and ranks.index(value) > floor


def in_tree(evidence: Evidence) -> bool:
    """Whether this is somebody's word written inside a scanned tree, rather than seen there or said outside it."""
    return (
        evidence.confidence == "declared"
        and evidence.scope.startswith("repo:")
        and not evidence.collector.startswith("person:")
    )


def _settled(prop: str, ranked: tuple[Claim, ...]) -> Any:
    """The value that stands: the winner's; of word lists the union, unless a person named them."""
    value, evidence = ranked[0]
    declared = PROPS.get(prop)
    if declared and declared.type == "words" and not evidence.collector.startswith("person:"):
        return sorted({word for value, _ in ranked if isinstance(value, list) for word in value})
    return value


def _plain(value: Any) -> Any:
    """Word lists sorted and records as dicts, so that equal values look equal."""
    if isinstance(value, list | tuple | set | frozenset):
        return sorted(value)
    return dict(sorted(value.items())) if isinstance(value, Mapping) else value


def _relation_props(said: list[tuple[Relation, Evidence]]) -> dict[str, Any]:
    """Properties of a relation, each from the strongest evidence that names it."""
    speaking = [(relation.props, evidence) for relation, evidence in said if relation.props]
    props: dict[str, Any] = {}
    for named, _ in sorted(speaking, key=lambda pair: (_key(pair[1]), repr(sorted(pair[0].items())))):
        for name, value in named.items():
            if value is not None:
                props.setdefault(name, _plain(value))
    return dict(sorted(props.items()))


def _kept(id: str, kept: Mapping[str, str]) -> str:
    """The kept id, through any number of renames."""
    if id not in kept:
        return id
    seen = {id}
    while (known := kept.get(id, id)) not in seen:
        seen.add(id := known)
    return id


def check(observation: Observation) -> None:
    """Check an observation against the vocabulary. Raises NotUnderstood with the collector and its place."""
    subject, evidence = observation.subject, observation.evidence
    if evidence.confidence not in _CONFIDENCE:
        raise NotUnderstood(f"There is no confidence {evidence.confidence!r}", evidence.collector)
    if isinstance(subject, Asset):
        _check_asset(subject, evidence)
    else:
        _check_relation(subject, evidence)


def _check_asset(subject: Asset, evidence: Evidence) -> None:
    if subject.kind not in KINDS:
        raise NotUnderstood(f"There is no kind {subject.kind!r}", f"{evidence.collector} at {evidence.where}")
    if subject.status not in _STATUS:
        raise NotUnderstood(f"There is no status {subject.status!r}", f"{evidence.collector} at {evidence.where}")
    if subject.props:
        check_props(subject.props, f"{evidence.collector} at {evidence.where}")
    if subject.labels and not subject.labels <= _LABELS:
        check_labels(subject.labels, f"{evidence.collector} at {evidence.where}")


def _check_relation(subject: Relation, evidence: Evidence) -> None:
    """Properties of a relation qualify it: declared names must fit their type, other names may hold what JSON holds."""
    if subject.verb not in VERBS:
        raise NotUnderstood(f"There is no verb {subject.verb!r}", f"{evidence.collector} at {evidence.where}")
    if subject.props:
        known = {name: value for name, value in subject.props.items() if name in PROPS}
        check_props(known, f"{evidence.collector} at {evidence.where}")


_LABELS = frozenset(LABELS) | MARKS


def _half(key: RelationKey, evidence: Evidence, things: Container[str]) -> Unseen:
    source, verb, target = key
    missing = " and ".join(end for end in dict.fromkeys((source, target)) if end not in things)
    return Unseen(
        where=evidence.where,
        what=f"{source} {verb} {target}",
        why=f"nobody described {missing}",
        hint="Scan the source that holds it",
        collector=evidence.collector,
        scope=evidence.scope,
    )


def _unseen_order(entry: Unseen) -> tuple[Any, ...]:
    return entry.scope, entry.where, entry.what, entry.why, entry.hint, entry.collector, entry.skipped
