"""``penstock data``: the map, what holds some data, and why, over a state that a scan has filled."""

from __future__ import annotations

import contextlib
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from penstock.cli.commands.data import command
from penstock.errors import NotReachable, NotUnderstood, WrongUse
from penstock.graph import identity
from penstock.graph.store import open_store
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import Asset, Evidence, Observation
from penstock.report.datamap.documents import schema

Asked = Callable[..., str]


@pytest.fixture
def ask(shop: Path) -> Asked:
    """Run ``penstock data …`` on the scanned shop; what it prints."""

    def ask_(*words: str | Path) -> str:
        given = [*map(str, words), "--state", str(shop / "state")]
        done = CliRunner().invoke(command, given, standalone_mode=False, catch_exceptions=False)
        if done.exception:
            raise done.exception
        return done.stdout

    return ask_


def test_the_map_is_a_table_by_default(ask: Asked) -> None:
    told = ask("map")
    assert "Sources" in told and "data/customers.csv" in told and "pii" in told
    assert "\x1b" not in told


def test_the_map_around_an_asset_and_along_a_label_are_smaller(ask: Asked) -> None:
    whole, around = (json.loads(ask("map", *more, "--format", "json")) for more in ((), ("app/data/customers.csv",)))
    label = json.loads(ask("map", "--label", "personal data", "--format", "json"))
    for made in (whole, around, label):
        jsonschema.Draft202012Validator(schema()).validate(made)
    assert 0 < len(around["boxes"]) <= len(whole["boxes"])
    assert set(label["labels"]) == {"pii"}


@pytest.mark.parametrize("format_", ["svg", "html", "json", "table"])
def test_the_map_is_written_into_a_file(ask: Asked, tmp_path: Path, format_: str) -> None:
    out = tmp_path / "map.file"
    assert ask("map", "--format", format_, "--out", out) == ""
    text = out.read_text(encoding="utf-8")
    assert "data/customers.csv" in text
    if format_ == "svg":
        assert ET.fromstring(text).tag.endswith("svg")


def test_a_file_that_cannot_be_written_and_a_link_are_refused(ask: Asked, tmp_path: Path) -> None:
    with pytest.raises(NotReachable, match="cannot be written"):
        ask("map", "--out", tmp_path / "no" / "such" / "place")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WrongUse, match="link"):
        ask("map", "--out", tmp_path / "link")


def test_where_lists_what_contains_a_label_and_what_may_see_it(ask: Asked) -> None:
    assert "contains" in ask("where", "pii") and "sees" in ask("where", "pii")
    told = json.loads(ask("where", "pii", "--kind", "datasets", "--format", "json"))
    jsonschema.Draft202012Validator(schema()).validate(told)
    assert [asset["kind"] for asset in told["assets"]] == ["dataset"]
    assert told["assets"][0]["hops"] == 0 and told["assets"][0]["leakage"] == "verbatim"
    assert "Nothing is known to touch health data" in ask("where", "phi")


def test_why_proves_it_with_the_place_of_each_hop(ask: Asked) -> None:
    holder = json.loads(ask("where", "pii", "--format", "json"))["assets"][-1]
    told = json.loads(ask("why", holder["id"], "pii", "--format", "json"))
    jsonschema.Draft202012Validator(schema()).validate(told)
    (reason,) = told["labels"]
    assert len(reason["proof"]) == holder["hops"] + 1 and all(hop["evidence"] for hop in reason["proof"])
    assert "app/agent.py" in ask("why", holder["id"])


@pytest.mark.parametrize(
    ("words", "complaint"),
    [(("where", "pi"), "no label"), (("why", "nobody-at-all"), "no asset"), (("map", "--label", "public"), "a mark")],
)  # fmt: skip
def test_what_is_not_there_is_told(ask: Asked, words: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(WrongUse, match=complaint):
        ask(*words)


def test_a_described_removal_counts_when_somebody_confirms_it(ask: Asked, shop: Path) -> None:
    assert "Nothing waits" in ask("confirm")
    with contextlib.closing(open_store(shop / "state" / "penstock.db")) as store:
        graph = store.graph()
        (table,) = [asset for asset in graph.of_kind("dataset") if "pii" in asset.labels]
        sums = Asset("data-sums", "dataset", "sums.csv", table.scope, {"declassified": {"method": "sums of 150 homes"}})
        place = Evidence("organisation.declaration", "ai-system.yaml:9", "declared", (), table.scope)
        told = (sums, identity.relation(sums, "derived_from", table))
        store.ingest(Scan(tuple(Observation(one, place) for one in told), at=store.scans()[0][0] + 1))
    assert "sums of 150 homes" in ask("confirm")
    assert "unconfirmed" in ask("why", "sums.csv", "pii")
    with pytest.raises(WrongUse, match="a name and a reason"):
        ask("confirm", "sums.csv", "--by", "dana")
    said = ask("confirm", "sums.csv", "--by", "dana", "--why", "I read the job")
    assert "accepted by dana" in said and "personal data" in said
    assert "not known to touch" in ask("why", "sums.csv") and "declassified" in ask("why", "sums.csv")
    with contextlib.closing(open_store(shop / "state" / "penstock.db")) as store:
        assert "confirmed that labels are removed" in store.audit_trail()[0][2]


def test_exported_lineage_is_taken_in_and_carries_labels(ask: Asked, tmp_path: Path) -> None:
    tagged = {"tags": {"tags": [{"key": "phi", "value": "true"}]}}
    about = {"namespace": "postgres://db", "name": "ward.public.patients", "facets": tagged}
    event = {
        "eventTime": "2026-11-01T00:00:00Z", "producer": "https://example.com/etl", "eventType": "COMPLETE",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
        "job": {"namespace": "etl", "name": "nightly"},
        "inputs": [about], "outputs": [{"namespace": "postgres://db", "name": "ward.public.features"}],
    }  # fmt: skip
    log = tmp_path / "events.jsonl"
    log.write_text(json.dumps(event))
    assert "statements about them" in ask("import", log)
    held = json.loads(ask("where", "phi", "--format", "json"))["assets"]
    assert any("features" in asset["name"] for asset in held), held


def test_what_holds_no_lineage_is_refused(ask: Asked, tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text("{}")
    with pytest.raises(NotUnderstood):
        ask("import", tmp_path / "notes.json")
    with pytest.raises(WrongUse):
        ask("import", "mlflow", "file:///etc/passwd")
