"""An account over the real protocol: what is found, how it hangs together, and what a failing API costs."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from penstock.assess.engine import assess
from penstock.discover.cloud.aws.calls import listings, permission, policy
from penstock.discover.cloud.aws.scan import scan
from penstock.discover.cloud.aws.session import signed_in
from penstock.graph.labels import propagate
from penstock.graph.merge import merge
from penstock.graph.store import open_store
from penstock.graph.vocabulary import Asset, Relation
from penstock.settings import Organisation
from tests.discover.cloud.aws_answers import CLAUDE, SECRET, answers
from tests.discover.cloud.aws_world import CREDENTIALS, REGION, Recorded, Refused, serving

NOW = 1_760_000_000.0


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")


def looked(monkeypatch, recorded, where: Path, *, done=True):
    with serving(recorded) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        found, journal = scan(signed_in(), (REGION,), state=where, now=NOW)
    journal.done() if done else journal.close()
    return found


@pytest.fixture
def found(monkeypatch, tmp_path):
    return looked(monkeypatch, Recorded(answers()), tmp_path)


def told(found):
    """Assets by name and kind, and relations as (name, verb, name)."""
    assets = {}
    for one in found.observations:
        if isinstance(one.subject, Asset):
            assets[one.subject.id] = one.subject
    relations = {
        (assets[one.subject.source].name, one.subject.verb, assets[one.subject.target].name)
        for one in found.observations
        if isinstance(one.subject, Relation)
    }
    return {(asset.kind, asset.name) for asset in assets.values()}, relations


def ids(found):
    return {one.subject.id for one in found.observations if isinstance(one.subject, Asset)}


def test_nothing_is_left_unseen_in_an_account_that_answers(found):
    assert [gap for gap in found.unseen if not gap.skipped] == []
    assert set(found.finished) == set(found.scopes)


def test_an_agent_is_found_with_all_it_is_made_of(found):
    _, relations = told(found)
    assert {
        ("support-agent", "uses_model", CLAUDE),
        ("support-agent", "retrieves_from", "tickets-base"),
        ("support-agent", "guarded_by", "manners"),
        ("support-agent", "runs_as", "agent-role"),
        ("support-agent", "uses_tool", "refunds"),
        ("live", "invokes", "support-agent"),
        ("tickets-base", "ingests", "tickets"),
        ("tickets", "consumes", "tickets-of-customers"),
        ("tickets-base", "stored_in", "tickets"),
        ("tickets-base", "embedded_by", "amazon.titan-embed-text-v2:0"),
        ("gate", "exposes_tool", "refund-target"),
        ("customers", "stored_in", "features-of-customers"),
    } <= relations


def test_who_calls_ai_is_an_application_and_who_does_not_is_not_there(found):
    assets, relations = told(found)
    assert ("application", "ask") in assets and ("application", "writer") in assets
    assert {
        ("ask", "invokes", "support-agent"),
        ("ask", "invokes", "live"),
        ("writer", "uses_model", CLAUDE),
    } <= relations
    assert not {name for _, name in assets} & {"resize", "holiday-pictures", "payroll-2024"}


def test_the_tickets_of_customers_carry_their_label_to_the_public_url_and_raise_the_finding(found):
    graph = merge(found.observations, complete=found.complete, unseen=found.unseen, at=NOW)
    labelling = propagate(graph)
    by_name = {(asset.kind, asset.name): asset.id for asset in graph.assets.values()}
    for end in (
        ("data_store", "tickets-of-customers"),
        ("content_source", "tickets"),
        ("knowledge_base", "tickets-base"),
    ):
        assert "pii" in labelling.contains(by_name[end]), end
    for end in (("agent", "support-agent"), ("endpoint", "live"), ("application", "ask"), ("endpoint", "URL of ask")):
        assert "pii" in labelling.sees(by_name[end]), end
    proof = [graph.assets[step.asset].name for step in labelling.proof(by_name["endpoint", "URL of ask"], "pii")]
    assert proof[:4] == ["tickets-of-customers", "tickets", "tickets-base", "support-agent"]
    assert proof[-1] == "URL of ask"
    assessment = assess(graph, labelling, Organisation(), now=NOW)
    rules = {(finding.rule, graph.assets[finding.subject].name) for finding in assessment.findings}
    assert ("PS106", "ask") in rules


def test_what_is_open_says_why(found):
    open_ = {
        (one.subject.name, one.subject.props["exposure"], one.subject.props.get("auth")): one.evidence.chain[0]
        for one in found.observations
        if isinstance(one.subject, Asset) and "exposure" in one.subject.props
    }
    assert "function URL is public" in open_["URL of ask", "internet", "none"]
    assert "authorised by JWT" in open_["shop-api", "internet", "oidc"]
    assert "network policy open" in open_["tickets", "internet", "token"]
    assert "authorizer is NONE" in open_["gate", "internet", "none"]


def test_a_role_reads_what_its_policies_let_it_and_not_more_surely(found):
    names = {one.subject.id: one.subject.name for one in found.observations if isinstance(one.subject, Asset)}
    reach = {
        (names[one.subject.source], names[one.subject.target]): (one.evidence.confidence, one.evidence.chain)
        for one in found.observations
        if isinstance(one.subject, Relation) and one.subject.verb == "can_read"
    }
    assert reach["base-role", "tickets-of-customers"][0] == "resolved"
    assert ("base-role", "tickets") in reach
    assert ("refund-role", "payroll-2024") not in reach
    assert ("ask-role", "tickets-of-customers") not in reach
    assert ("refund-role", "tickets-of-customers") in reach


def test_neither_secrets_nor_prompts_are_kept_anywhere(monkeypatch, tmp_path):
    found = looked(monkeypatch, Recorded(answers()), tmp_path, done=False)
    written = (tmp_path / "cloud" / "aws-123456789012.jsonl").read_text()
    for text in (SECRET, "Be kind", "secret discount"):
        assert text not in written and text not in repr(found)
    assert "AGENT00001" in written
    assert (tmp_path / "cloud" / "aws-123456789012.jsonl").stat().st_mode & 0o077 == 0


def test_what_is_called_is_exactly_what_the_policy_allows(monkeypatch, tmp_path):
    """Every row answers with at least one item, so that every call of every row is made."""
    recorded = Recorded(answers())
    looked(monkeypatch, recorded, tmp_path)
    rows = {(row.service, call.op): permission(row, call) for row in listings() for call in row.calls()}
    called = {rows[call] for call in recorded.calls if call in rows}
    allowed = {action for said in policy()["Statement"] for action in said["Action"]}
    assert called <= allowed
    assert {call for call in recorded.calls if call not in rows} == {("sts", "GetCallerIdentity")}


def test_a_missing_permission_is_a_gap_that_names_it_and_nothing_there_is_taken_for_gone(monkeypatch, tmp_path):
    store = open_store(tmp_path / "penstock.db")
    store.ingest(looked(monkeypatch, Recorded(answers()), tmp_path))
    before = set(store.graph().assets)
    refusing = answers()
    refusing["bedrock-agent"]["ListKnowledgeBases"] = lambda _: Refused(403, "AccessDeniedException")
    refusing["s3"]["ListBuckets"] = lambda _: Refused(403, "AccessDenied")
    found = looked(monkeypatch, Recorded(refusing), tmp_path)
    gaps = {gap.hint for gap in found.unseen if not gap.skipped}
    assert gaps == {"Allow bedrock:ListKnowledgeBases", "Allow s3:ListAllMyBuckets"}
    store.ingest(found)
    after = store.graph()
    assert set(after.assets) >= before
    assert {after.assets[id_].lifecycle for id_ in before} <= {"current", "stale"}
    store.close()


def test_what_is_gone_from_a_whole_listing_is_retired(monkeypatch, tmp_path):
    store = open_store(tmp_path / "penstock.db")
    store.ingest(looked(monkeypatch, Recorded(answers()), tmp_path))
    without = answers()
    without["bedrock-agent"]["ListPrompts"] = {"promptSummaries": []}
    changes = store.ingest(looked(monkeypatch, Recorded(without), tmp_path))
    assert "greeting" not in {asset.name for asset in store.graph().assets.values() if asset.lifecycle == "current"}
    assert changes
    store.close()


def test_credentials_that_end_in_the_middle_keep_what_was_found_and_the_next_run_goes_on(monkeypatch, tmp_path):
    ending = answers()
    ended = []

    def end(_):
        ended.append(1)
        return Refused(403, "ExpiredTokenException")

    ending["bedrock-agent"]["GetDataSource"] = end
    first = looked(monkeypatch, Recorded(ending), tmp_path, done=False)
    assert ended
    assert any("credentials were no longer taken" in gap.why for gap in first.unseen)
    assert first.finished == ()
    again = Recorded(answers())
    second = looked(monkeypatch, again, tmp_path)
    assert ids(second) >= ids(first)
    assert set(second.finished) == set(second.scopes)
    assert Counter(again.calls)["bedrock-agent", "GetDataSource"] == 1
    assert Counter(again.calls)["bedrock-agent", "ListKnowledgeBases"] == 0
    fresh = Recorded(answers())
    looked(monkeypatch, fresh, tmp_path / "fresh")
    assert len(again.calls) < len(fresh.calls), "what the first run listed is not asked for again"


def test_a_listing_that_never_ends_does(monkeypatch, tmp_path):
    endless = answers()
    endless["bedrock-agent"]["ListPrompts"] = {**endless["bedrock-agent"]["ListPrompts"], "nextToken": "same"}
    found = looked(monkeypatch, Recorded(endless), tmp_path)
    assert [gap.why for gap in found.unseen if not gap.skipped] == [
        "it never comes to an end: the same page again, or too many"
    ]
    assert not [scope for scope in found.finished if scope.endswith(":prompts")]


def test_half_a_page_is_a_gap(monkeypatch, tmp_path):
    half = answers()
    half["bedrock-agent"]["ListFlows"] = lambda _: json.dumps({"flowSummaries": []}).encode()[:10]
    found = looked(monkeypatch, Recorded(half), tmp_path)
    assert [gap.what for gap in found.unseen if not gap.skipped] == ["flows"]
    assert ("agent", "support-agent") in told(found)[0]


def test_another_account_of_the_organisation_is_told(found):
    assert [gap.what for gap in found.unseen if gap.skipped and "account" in gap.where] == ["research"]


def test_tags_say_whose_it_is_and_what_it_holds(found):
    _, relations = told(found)
    assert ("support-agent", "owned_by", "support") in relations
    assert ("tickets-of-customers", "owned_by", "support") in relations
    labels = {one.subject.name: one.subject.labels for one in found.observations
              if isinstance(one.subject, Asset) and one.subject.labels}  # fmt: skip
    assert labels["tickets-of-customers"] == {"pii"}
