"""A server judges after a small change what the change reaches, and says what judging everything would say."""

from __future__ import annotations

from dataclasses import replace

from penstock.assess.engine import assess
from penstock.graph.labels import propagate
from penstock.respond.refresh import JUDGE_ALL_EVERY, judged_anew
from tests.assess.test_assessing import leak, random_world
from tests.world import World


def test_a_small_change_does_not_judge_everything_again() -> None:
    world = leak(World())
    for number in range(40):
        world.agent(f"other {number}", exposure="internet", auth="none").reads(f"table {number}", contains="pii")
    kept = judged_anew(None, world.graph(), world.organisation, now=0.0)
    assert kept.standing.judged_again == len(kept.graph.assets)
    world.thing("agent", "other 3", auth="oidc")
    after = world.graph()
    kept = judged_anew(kept, after, world.organisation, now=60.0)
    assert kept.standing.judged_again < 40
    said = kept.standing.assessment(now=60.0)
    whole = assess(after, propagate(after), world.organisation, now=60.0)
    assert (said.findings, said.questions, said.paths) == (whole.findings, whole.questions, whole.paths)


def test_an_asset_seen_in_another_source_is_judged_again() -> None:
    world = random_world(3)
    graph = world.graph()
    kept = judged_anew(None, graph, world.organisation, now=0.0)
    one = min(graph.assets)
    seen = tuple(replace(evidence, scope="repo:elsewhere") for evidence in graph.evidence[one])
    after = replace(graph, evidence={**graph.evidence, one: seen})
    kept = judged_anew(kept, after, world.organisation, now=1.0)
    whole = assess(after, propagate(after), world.organisation, now=1.0)
    said = kept.standing.assessment(now=1.0)
    assert (said.findings, said.questions) == (whole.findings, whole.questions)


def test_another_organisation_and_another_day_judge_everything() -> None:
    world = leak(World())
    graph = world.graph()
    kept = judged_anew(None, graph, world.organisation, now=0.0)
    assert judged_anew(kept, graph, world.organisation, now=5.0).standing is kept.standing
    other = replace(world.organisation, sector="health")
    assert judged_anew(kept, graph, other, now=5.0).standing is not kept.standing
    assert judged_anew(kept, graph, world.organisation, now=JUDGE_ALL_EVERY).standing is not kept.standing
