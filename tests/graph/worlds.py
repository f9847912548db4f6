"""Small worlds for the tests of the graph: assets by name, and hypothesis strategies over them."""

from __future__ import annotations

from hypothesis import strategies as st

from penstock.graph.graph import Graph
from penstock.graph.identity import asset, relation
from penstock.graph.merge import merge
from penstock.graph.vocabulary import (
    CONFIDENCE_ORDER,
    LABELS,
    MARKS,
    STATUS_ORDER,
    VERBS,
    Asset,
    Complete,
    Evidence,
    Observation,
    Relation,
)

SHOP = "repo:shop"


def seen(
    subject: Asset | Relation, where: str = "app.py:1", *, by: str = "code", confidence: str = "resolved",
    scope: str = SHOP, until: float | None = None, at: float = 0.0,
) -> Observation:  # fmt: skip
    return Observation(subject, Evidence(by, where, confidence, scope=scope, until=until, seen_at=at))


def thing(kind: str, name: str, **more: object) -> Asset:
    return asset(kind, name, scope=SHOP, **more)  # type: ignore[arg-type]


def world(*lines: str, labels: dict[str, str] | None = None, props: dict[str, dict] | None = None,
          complete: tuple[str, ...] = (), by: str = "code", scope: str = SHOP) -> Graph:  # fmt: skip
    """A graph from lines such as ``agent:helper reads dataset:orders``; ids are looked up with ``of``."""
    labels, props = labels or {}, props or {}
    names = {end for line in lines for end in (line.split()[::2])} | set(labels) | set(props)
    observed = [
        seen(thing(*name.split(":"), labels=labels.get(name, "").split(), props=props.get(name)), by=by, scope=scope)
        for name in sorted(names)
    ]
    for line in lines:
        source, verb, target = line.split()
        observed.append(seen(relation(of(source), verb, of(target)), by=by, scope=scope))
    return merge(observed, complete=[Complete(scope, verb, "code") for verb in complete])


def of(name: str) -> str:
    return thing(*name.split(":")).id


_names = st.sampled_from(["a", "b", "c", "d", "e"])
_kinds = st.sampled_from(
    ["agent", "application", "dataset", "data_store", "model", "vector_store", "log_store", "tool"]
)
_props = st.fixed_dictionaries(
    {},
    optional={
        "exposure": st.sampled_from(["internet", "corporate", "private"]),
        "effects": st.lists(st.sampled_from(["read", "write", "email"]), max_size=3),
        "records": st.integers(0, 9),
        "logging": st.booleans(),
        "purpose": st.sampled_from(["x", "y"]),
        "declared_data": st.lists(st.sampled_from(["pii", "phi", "public"]), max_size=2),
    },
)
_labels = st.frozensets(st.sampled_from(sorted({*LABELS, *MARKS})), max_size=3)
_assets = st.builds(
    lambda kind, name, props, labels, status: asset(
        kind, name, scope=SHOP, props=props, labels=labels, status=status
    ),
    _kinds, _names, _props, _labels, st.sampled_from(STATUS_ORDER),
)  # fmt: skip
relations = st.builds(
    lambda source, verb, target: Relation(source.id, verb, target.id), _assets, st.sampled_from(sorted(VERBS)), _assets
)
evidence = st.builds(
    Evidence,
    collector=st.sampled_from(["code", "compose", "catalog", "person:ana", "person:bo"]),
    where=st.sampled_from(["a:1", "a:2", "b:1"]),
    confidence=st.sampled_from(CONFIDENCE_ORDER),
    scope=st.sampled_from([SHOP, "repo:bank", "aws:1"]),
    seen_at=st.sampled_from([0.0, 5.0, 9.0]),
    until=st.sampled_from([None, None, 4.0, 20.0]),
)
observations = st.lists(st.builds(Observation, st.one_of(_assets, relations), evidence), max_size=25)
