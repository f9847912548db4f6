"""A removal of labels that is only proposed changes nothing of what is judged; one in force does, until it ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from penstock.assess.assessment import Assessment
from penstock.assess.engine import assess
from penstock.graph.labels import propagate
from penstock.graph.merge import merge
from penstock.graph.vocabulary import VERBS, Asset, Complete, Evidence, Observation
from penstock.settings import Organisation
from tests.world import World

NOW = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
PROPOSAL = {"method": "names replaced", "proposed_by": "ai-system.yaml"}
ACCEPTED = {**PROPOSAL, "approved_by": "Kim", "date": "2026-05-01", "until": "2026-12-01"}
ENDED = {**ACCEPTED, "until": "2026-05-20"}
PARTIAL = {**ACCEPTED, "categories": "phi"}


def judged(record: Mapping[str, Any] | None, *, collector: str = "person:Kim", erased: bool = False) -> Assessment:
    """public application → agent → model → masked set → the set it was made from, which the record is about."""
    world = World()
    world.application("desk", exposure="internet", auth="none", audience="public").invokes("bot", kind="agent")
    world.agent("bot").uses_model("house").retrieves_from("index")
    world.model("house").trained_on("masked")
    world.vector_store("index").indexes("masked")
    world.dataset("customers", contains="pii", **({"deleted_on": "2026-04-01"} if erased else {}))
    world.dataset("masked").derived_from("customers", kind="dataset")
    seen = [*world.assets.values(), *world.relations]
    found = [Observation(one, Evidence("test", "test", "declared", scope=world.scope)) for one in seen]
    if record is not None:
        about = world.assets["masked"]
        scope = "words" if collector.startswith("person:") else world.scope
        word = Asset(about.id, about.kind, about.name, about.scope, {"declassified": dict(record)})
        found.append(Observation(word, Evidence(collector, "test", "declared", scope=scope)))
    graph = merge(found, complete=[Complete(world.scope, verb, "test") for verb in VERBS], at=NOW)
    return assess(graph, propagate(graph), Organisation(), now=NOW)


def told(assessment: Assessment) -> tuple[object, ...]:
    findings = [(one.rule, one.subject, one.severity, one.score, one.path) for one in assessment.findings]
    return findings, [path.hops for path in assessment.paths]


@pytest.mark.parametrize("erased", [False, True])
@pytest.mark.parametrize(
    ("record", "collector"),
    [
        (PROPOSAL, "declaration"),
        (ACCEPTED, "declaration"),
        (ACCEPTED, "openlineage"),
        (PROPOSAL, "person:Kim"),
        (ENDED, "person:Kim"),
    ],
)
def test_a_proposal_and_an_acceptance_that_ended_change_no_path_no_finding_and_no_score(
    record: Mapping[str, Any], collector: str, erased: bool
) -> None:
    assert told(judged(record, collector=collector, erased=erased)) == told(judged(None, erased=erased))


def test_an_acceptance_in_force_closes_the_path_through_it() -> None:
    assert judged(None).paths
    assert judged(ACCEPTED).paths == ()


def test_an_acceptance_for_other_labels_closes_nothing() -> None:
    assert told(judged(PARTIAL)) == told(judged(None))


def test_what_was_made_of_an_erased_set_is_to_be_rebuilt_unless_the_removal_is_in_force() -> None:
    def subjects(record: Mapping[str, Any], collector: str = "person:Kim") -> int:
        found = judged(record, collector=collector, erased=True).findings
        return sum(one.title.startswith("The source was erased") for one in found)

    assert subjects(PROPOSAL, "declaration") == subjects(ENDED) == subjects(PARTIAL) > subjects(ACCEPTED) == 0
