"""After a change only what it can reach is labelled anew, and it comes out as if everything had been."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from penstock.graph.diff import diff
from penstock.graph.graph import Graph
from penstock.graph.labels import Labelling, propagate
from penstock.graph.merge import merge
from penstock.graph.vocabulary import LABELS, VERBS, Complete, Evidence, Observation, Relation
from tests.graph.worlds import SHOP, of, thing, world

_ends = st.sampled_from(
    [
        f"{kind}:{name}"
        for kind in ("dataset", "model", "agent", "pipeline", "vector_store", "log_store")
        for name in "ab"
    ]
)
_evidence = st.builds(
    Evidence,
    collector=st.sampled_from(["code", "catalog", "person:ana"]),
    where=st.just("a:1"),
    confidence=st.sampled_from(["declared", "resolved", "guessed"]),
    scope=st.sampled_from([SHOP, "aws:1"]),
)
_removals = st.fixed_dictionaries(
    {"method": st.just("sums"), "approved_by": st.sampled_from(["dpo", ""]), "date": st.just("2026-02-11")},
    optional={
        "until": st.sampled_from(["2026-05-01", "2027-05-01"]),
        "categories": st.sampled_from(["pii", "phi, pci"]),
        "sources": st.sampled_from([of("dataset:a"), "b"]),
    },
)
_props = st.fixed_dictionaries({}, optional={"declassified": _removals, "deleted_on": st.just("2026-03-01")})
_labels = st.sampled_from(["", "", "pii", "phi", "pii phi", "unknown-origin", "public"])
_assets = st.builds(
    lambda name, labels, props, evidence: Observation(
        thing(*name.split(":"), labels=labels.split(), props=props), evidence
    ),
    _ends, _labels, _props, _evidence,
)  # fmt: skip
_relations = st.builds(
    lambda source, verb, target, props, evidence: Observation(Relation(of(source), verb, of(target), props), evidence),
    _ends,
    st.sampled_from([verb for verb, row in VERBS.items() if row.carries or verb == "evaluated_on"]),
    _ends,
    st.sampled_from([{}, {}, {"leakage": "inferable"}]),
    _evidence,
)
_observed = st.lists(st.one_of(_assets, _relations, _relations), min_size=1, max_size=30)


@st.composite
def _histories(draw: st.DrawFn) -> list[Graph]:
    """A graph and what it becomes by a few edits, each of which takes some claims away and makes some."""
    standing = draw(_observed)
    graphs = []
    for _ in range(draw(st.integers(2, 4))):
        complete = draw(st.sampled_from([(), tuple(VERBS), ("indexes", "ingests", "writes")]))
        at = draw(st.sampled_from([0.0, 1_780_000_000.0]))
        scopes = (SHOP, "aws:1")
        graphs.append(merge(standing, complete=[Complete(s, v, "code") for s in scopes for v in complete], at=at))
        gone = draw(st.sets(st.integers(0, len(standing) - 1), max_size=6)) if standing else set()
        standing = [o for n, o in enumerate(standing) if n not in gone] + draw(st.lists(_relations, max_size=3))
        standing += draw(st.lists(_assets, max_size=2))
    return graphs


def told(labelling: Labelling, graph: Graph) -> dict[str, object]:
    """Everything a labelling says."""
    return {
        id: (
            labelling.contains(id),
            labelling.sees(id),
            [(labelling.proof(id, label), labelling.leakage(id, label)) for label in LABELS],
            labelling.notes(id),
            labelling.arriving(id),
        )
        for id in [*graph.assets, "nobody"]
    } | {
        "travelling": labelling.travelling(),
        **{label: (list(labelling.holding(label)), list(labelling.touching(label))) for label in LABELS},
    }


@given(_histories())
def test_labelling_after_changes_agrees_with_labelling_anew(graphs):
    labelling = propagate(graphs[0])
    for before, graph in pairwise(graphs):
        labelling = propagate(graph, after=labelling, changes=diff(before, graph))
        assert told(labelling, graph) == told(propagate(graph), graph)


def test_the_changes_need_not_be_given():
    before = world("model:m trained_on dataset:d", labels={"dataset:d": "pii"})
    after = world("model:m trained_on dataset:d", "agent:a uses_model model:m", labels={"dataset:d": "pii phi"})
    labels = propagate(after, after=propagate(before))
    assert labels.sees(of("agent:a")) == {"pii", "phi"}


def test_a_circle_does_not_hold_itself_up():
    circle = ("model:a derived_from model:b", "model:b derived_from model:c", "model:c derived_from model:a")
    before = world(*circle, "model:a trained_on dataset:d", labels={"dataset:d": "pii"})
    after = world(*circle, labels={"dataset:d": "pii"})
    labels = propagate(after, after=propagate(before))
    assert not any(labels.touches(of(f"model:{name}")) for name in "abc")
    assert propagate(before, after=labels).contains(of("model:b")) == {"pii"}


def test_the_labelling_before_stays_as_it_was():
    before = world("model:m trained_on dataset:d", labels={"dataset:d": "pii"})
    first = propagate(before)
    propagate(world("model:m trained_on dataset:d", labels={"dataset:d": "phi"}), after=first)
    assert first.contains(of("model:m")) == {"pii"}


def test_many_changes_at_once_are_one_new_labelling():
    chain = [f"dataset:{n} derived_from dataset:{n // 2}" for n in range(1, 1500)]
    labels = propagate(world(*chain, labels={"dataset:0": "pii"}), after=propagate(world("agent:a reads dataset:0")))
    assert labels.contains(of("dataset:1499")) == {"pii"}


def test_an_ended_acceptance_counts_no_more_though_nothing_changed():
    record = {"method": "sums", "approved_by": "dpo", "date": "2026-02-11", "until": "2026-05-01"}
    graph = world("dataset:sums derived_from dataset:homes", labels={"dataset:homes": "pii"},
                  props={"dataset:sums": {"declassified": record}}, scope="aws:1")  # fmt: skip
    early, late = replace(graph, at=1_767_225_600.0), replace(graph, at=1_780_000_000.0)
    first = propagate(early)
    assert first.contains(of("dataset:sums")) == set()
    assert propagate(late, after=first).contains(of("dataset:sums")) == {"pii"}


def test_what_hangs_on_a_scan_being_complete_follows_it():
    line = "agent:a retrieves_from vector_store:v"
    first = propagate(world(line, complete=("indexes", "ingests", "writes")))
    assert first.contains(of("vector_store:v")) == {"unknown-origin"}
    second = propagate(world(line), after=first)
    assert second.touches(of("agent:a")) == set()
    graph = world(line, complete=("indexes", "ingests", "writes"))
    assert propagate(graph, after=second).sees(of("agent:a")) == {"unknown-origin"}


def test_relations_to_assets_that_went_count_no_more():
    graph = world("model:m trained_on dataset:d", labels={"dataset:d": "pii"})
    without = replace(graph, assets={id: a for id, a in graph.assets.items() if a.kind == "model"}, relations=())
    assert propagate(without, after=propagate(graph)).contains(of("model:m")) == set()
