from __future__ import annotations

import pickle
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.graph.labels import propagate
from penstock.graph.merge import merge
from penstock.graph.vocabulary import LABELS, MARKS, VERBS, Asset, Relation, Step
from tests.graph.worlds import observations, of, relations, seen, thing, world


def test_a_model_trained_on_personal_data_contains_it_and_so_does_what_is_made_of_it():
    graph = world(
        "model:m trained_on dataset:customers",
        "model:small derived_from model:m",
        "model:tuned fine_tuned_from model:small",
        "endpoint:api serves model:tuned",
        "agent:helper invokes endpoint:api",
        labels={"dataset:customers": "pii"},
    )
    labels = propagate(graph)
    for made in ("model:m", "model:small", "model:tuned", "endpoint:api"):
        assert labels.contains(of(made)) == {"pii"}
    assert labels.contains(of("agent:helper")) == set() and labels.sees(of("agent:helper")) == {"pii"}
    assert labels.proof(of("agent:helper"), "pii") == (
        Step(of("dataset:customers")),
        Step(of("model:m"), "trained_on", False),
        Step(of("model:small"), "derived_from", False),
        Step(of("model:tuned"), "fine_tuned_from", False),
        Step(of("endpoint:api"), "serves", False),
        Step(of("agent:helper"), "invokes", False),
    )


def test_using_a_model_does_not_taint_its_weights():
    graph = world("agent:a reads dataset:d", "agent:a uses_model model:m", "agent:b uses_model model:m",
                  labels={"dataset:d": "phi"})  # fmt: skip
    labels = propagate(graph)
    assert labels.touches(of("model:m")) == set() and labels.touches(of("agent:b")) == set()


def test_what_an_agent_sees_is_held_by_its_log_its_memory_and_whom_it_sends_to():
    graph = world("agent:a uses_tool tool:sql", "tool:sql reads dataset:d", "agent:a logs_to log_store:l",
                  "agent:a remembers_in memory:m", "agent:a sends_to provider:p", "agent:a uses_tool tool:clock",
                  labels={"dataset:d": "pci"})  # fmt: skip
    labels = propagate(graph)
    for holder in ("log_store:l", "memory:m", "provider:p"):
        assert labels.contains(of(holder)) == {"pci"}
    assert labels.sees(of("agent:a")) == labels.sees(of("tool:sql")) == {"pci"}
    assert labels.touches(of("tool:clock")) == set()


def test_keeping_an_agent_in_a_registry_keeps_not_what_it_may_read():
    graph = world("agent:a reads dataset:d", "agent:a stored_in registry:r", labels={"dataset:d": "pii"})
    assert propagate(graph).touches(of("registry:r")) == set()


@pytest.mark.parametrize("verb", [verb for verb, row in VERBS.items() if not row.carries])
def test_reach_carries_no_labels(verb):
    graph = world(f"agent:a {verb} dataset:d", f"dataset:d {verb} agent:b", labels={"dataset:d": "pii"})
    labels = propagate(graph)
    assert labels.touches(of("agent:a")) == labels.touches(of("agent:b")) == set()


@pytest.mark.parametrize("verb", [verb for verb, row in VERBS.items() if row.carries])
def test_each_verb_carries_as_its_row_says(verb):
    row = VERBS[verb]
    line = f"pipeline:x {verb} dataset:d" if row.to == "source" else f"dataset:d {verb} pipeline:x"
    labels = propagate(world(line, labels={"dataset:d": "pii"}))
    assert labels.contains(of("pipeline:x")) == ({"pii"} if row.carries == "contains" else set())
    assert labels.touches(of("pipeline:x")) == {"pii"}


def test_evaluation_data_labels_the_runs_logs_and_not_the_model():
    graph = world("model:m evaluated_on dataset:d", "pipeline:p produces model:m", "pipeline:p logs_to log_store:l",
                  "agent:a uses_model model:m", labels={"dataset:d": "pii"})  # fmt: skip
    labels = propagate(graph)
    assert labels.touches(of("model:m")) == labels.touches(of("pipeline:p")) == labels.touches(of("agent:a")) == set()
    assert labels.contains(of("log_store:l")) == {"pii"}
    assert [step.asset for step in labels.proof(of("log_store:l"), "pii")] == [
        of("dataset:d"), of("model:m"), of("pipeline:p"), of("log_store:l"),
    ]  # fmt: skip


ACCEPTED = {"method": "sums over 150 homes", "approved_by": "dpo", "date": "2026-02-11"}


def _declassified(record, *, scope="aws:1", by="catalog", own="confidential"):
    return world("dataset:sums derived_from dataset:homes", "model:m trained_on dataset:sums",
                 labels={"dataset:homes": "pii phi", "dataset:sums": own},
                 props={"dataset:sums": {"declassified": record}}, scope=scope, by=by)  # fmt: skip


def test_an_accepted_declassification_receives_nothing_and_keeps_its_own():
    labels = propagate(_declassified(ACCEPTED))
    assert labels.contains(of("dataset:sums")) == labels.contains(of("model:m")) == {"confidential"}
    assert [note.kind for note in labels.notes(of("dataset:sums"))] == ["declassified"]


def test_a_verified_removal_drops_only_the_categories_it_names():
    labels = propagate(_declassified({**ACCEPTED, "categories": "phi, pci"}))
    assert labels.contains(of("model:m")) == {"pii", "confidential"}


@pytest.mark.parametrize("missing", ACCEPTED)
def test_without_method_approver_or_date_the_label_stays_and_leakage_is_bounded(missing):
    labels = propagate(_declassified({k: v for k, v in ACCEPTED.items() if k != missing}))
    assert "pii" in labels.contains(of("model:m"))
    assert labels.leakage(of("model:m"), "pii") == "inferable"
    assert [note.kind for note in labels.notes(of("dataset:sums"))] == ["unconfirmed"]


def test_a_scanned_tree_cannot_declassify_itself_but_a_person_can():
    inside = _declassified(ACCEPTED, scope="repo:shop", by="ai-system")
    assert "pii" in propagate(inside).contains(of("model:m"))
    outside = _declassified(ACCEPTED, scope="repo:shop", by="person:ana")
    assert "pii" not in propagate(outside).contains(of("model:m"))


def test_a_declassification_ends():
    lines = [seen(thing("dataset", "sums", props={"declassified": {**ACCEPTED, "until": "2026-05-01"}}), scope="aws:1"),
             seen(thing("dataset", "homes", labels=["pii"])),
             seen(Relation(of("dataset:sums"), "derived_from", of("dataset:homes")))]  # fmt: skip
    before, after = merge(lines, at=1_767_225_600.0), merge(lines, at=1_780_000_000.0)
    assert propagate(before).contains(of("dataset:sums")) == set()
    assert propagate(after).contains(of("dataset:sums")) == {"pii"}


def test_an_erased_source_still_taints_and_is_flagged():
    graph = world("model:m trained_on dataset:d", "agent:a uses_model model:m", "agent:b reads dataset:other",
                  labels={"dataset:d": "pii"}, props={"dataset:d": {"deleted_on": "2026-03-01"}})  # fmt: skip
    labels = propagate(graph)
    assert labels.contains(of("model:m")) == {"pii"}
    assert [(note.kind, note.about) for note in labels.notes(of("model:m"))] == [("stale", of("dataset:d"))]
    assert labels.notes(of("agent:b")) == ()


def test_an_index_that_nothing_fills_is_of_unknown_origin_where_all_was_read():
    line = "agent:a retrieves_from vector_store:v"
    assert propagate(world(line)).touches(of("agent:a")) == set()
    labels = propagate(world(line, complete=("indexes", "ingests", "writes")))
    assert labels.contains(of("vector_store:v")) == {"unknown-origin"}
    assert labels.sees(of("agent:a")) == {"unknown-origin"}
    assert [note.kind for note in labels.notes(of("vector_store:v"))] == ["unknown-origin"]


def test_a_hosted_model_is_nobodys_puzzle_and_a_trained_one_without_data_is():
    every = tuple(VERBS)
    assert propagate(world("agent:a uses_model model:m", complete=every)).touches(of("model:m")) == set()
    made = world("pipeline:p produces model:m", "agent:a uses_model model:m", complete=every)
    assert propagate(made).contains(of("model:m")) == {"unknown-origin"}
    known = world("pipeline:p produces model:m", "pipeline:p loads dataset:d", complete=every)
    assert propagate(known).contains(of("model:m")) == set()


def test_leakage_follows_the_worst_way():
    graph = world("model:m trained_on dataset:d", "vector_store:v indexes dataset:d", "agent:a uses_model model:m",
                  "agent:a retrieves_from vector_store:v", labels={"dataset:d": "pii"})  # fmt: skip
    labels = propagate(graph)
    assert labels.leakage(of("dataset:d"), "pii") == "verbatim"
    assert labels.leakage(of("model:m"), "pii") == "extractable"
    assert labels.leakage(of("agent:a"), "pii") == "verbatim"
    assert labels.leakage(of("agent:a"), "phi") is None


def test_of_equally_short_proofs_the_better_evidenced_wins():
    ends = [
        seen(thing("model", "m")),
        seen(thing("dataset", "a", labels=["pii"])),
        seen(thing("dataset", "b", labels=["pii"])),
    ]
    for sure, unsure in ("ab", "ba"):
        links = [
            seen(Relation(of("model:m"), "trained_on", of(f"dataset:{name}")), confidence=confidence)
            for name, confidence in ((sure, "resolved"), (unsure, "guessed"))
        ]
        assert propagate(merge([*ends, *links])).proof(of("model:m"), "pii")[0].asset == of(f"dataset:{sure}")


def test_what_is_not_known_has_no_labels():
    labels = propagate(world(labels={"dataset:d": "pii"}))
    assert labels.touches("nobody") == set() and labels.proof("nobody", "pii") == () and labels.notes("nobody") == ()
    assert labels.proof(of("dataset:d"), "pii") == (Step(of("dataset:d")),)
    assert list(labels.holding("pii")) == [of("dataset:d")] and list(labels.holding("phi")) == []


def test_marks_do_not_travel():
    labels = propagate(world("model:m trained_on dataset:d", labels={"dataset:d": "public synthetic"}))
    assert labels.touches(of("model:m")) == labels.touches(of("dataset:d")) == set()


def test_a_labelling_crosses_processes():
    graph = world("model:m trained_on dataset:d", labels={"dataset:d": "pii"})
    labels = pickle.loads(pickle.dumps(propagate(graph)))
    assert labels.contains(of("model:m")) == {"pii"}


@given(observations, st.lists(relations, max_size=5))
def test_propagation_is_monotone_and_ends(observed, more):
    before = merge(observed)
    known = [seen(r) for r in more if r.source in before.assets and r.target in before.assets]
    after = merge([*observed, *known])
    few, many = propagate(before), propagate(after)
    for id in before.assets:
        assert few.contains(id) <= many.contains(id) and few.sees(id) <= many.sees(id)


@given(observations)
def test_the_walk_agrees_with_the_rules_applied_until_nothing_changes(observed):
    graph = merge(observed)
    labels = propagate(graph)
    contains = {id: set(asset.labels) - MARKS for id, asset in graph.assets.items()}
    sees: dict[str, set[str]] = {id: set() for id in graph.assets}
    while _apply_once(graph.relations, contains, sees):
        pass
    for id in graph.assets:
        assert (labels.contains(id), labels.sees(id)) == (contains[id], sees[id])


def _apply_once(relations: tuple[Relation, ...], contains: dict[str, set[str]], sees: dict[str, set[str]]) -> bool:
    size = sum(map(len, (*contains.values(), *sees.values())))
    for r in relations:
        verb = VERBS[r.verb]
        giver, receiver = (r.target, r.source) if verb.to == "source" else (r.source, r.target)
        if verb.carries == "sees":
            sees[receiver] |= contains[giver] | sees[giver]
        elif verb.carries == "contains":
            contains[receiver] |= contains[giver]
            if r.verb in ("serves", "loads"):
                sees[receiver] |= sees[giver]
            elif r.verb != "stored_in":
                contains[receiver] |= sees[giver]
        elif r.verb == "evaluated_on":
            runs, new = {r.source}, {r.source}
            while new:
                new = {p.source for p in relations if p.verb == "produces" and p.target in new} - runs
                runs |= new
            for log in relations:
                if log.verb == "logs_to" and log.source in runs:
                    contains[log.target] |= contains[r.target]
    return sum(map(len, (*contains.values(), *sees.values()))) > size


@given(observations)
def test_every_proof_walks_real_relations_from_an_origin(observed):
    graph = merge(observed)
    labels = propagate(graph)
    keys = {r.key for r in graph.relations}
    for id in graph.assets:
        for label in labels.touches(id):
            assert label in LABELS
            proof = labels.proof(id, label)
            assert label in graph.assets[proof[0].asset].labels and proof[-1].asset == id
            for here, step in pairwise(proof):
                ends = (here.asset, step.asset) if step.forward else (step.asset, here.asset)
                assert (ends[0], step.verb, ends[1]) in keys
            assert labels.leakage(id, label)


def test_a_long_chain_with_a_circle_ends():
    chain = {
        f"d{n}": Asset(f"d{n}", "dataset", f"d{n}", labels=frozenset({"pii"} if n == 0 else ())) for n in range(2000)
    }
    links = [seen(Relation(f"d{n + 1}", "derived_from", f"d{n}")) for n in range(1999)]
    links.append(seen(Relation("d0", "derived_from", "d1999")))
    labels = propagate(merge([*map(seen, chain.values()), *links]))
    assert len(labels.proof("d1999", "pii")) == 2000


def test_labels_travel_along_the_relations_that_bring_them():
    graph = world("model:m trained_on dataset:d", "model:m trained_on dataset:clean", "agent:a uses_model model:m",
                  "agent:a owned_by team:t", labels={"dataset:d": "pii"})  # fmt: skip
    assert propagate(graph).travelling() == {
        (of("model:m"), "trained_on", of("dataset:d")): {"pii"},
        (of("agent:a"), "uses_model", of("model:m")): {"pii"},
    }
