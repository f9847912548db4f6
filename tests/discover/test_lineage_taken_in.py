"""Lineage that is handed over: files, a server, events; what is kept, what replaces what, what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.discover.data.lineage import taken_in
from penstock.errors import NotReachable, NotUnderstood, WrongUse
from penstock.graph.store import open_store
from penstock.graph.store.protocol import Scan, Store
from penstock.graph.vocabulary import Evidence, Observation
from tests.discover.test_lineage_server import Fake

SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json"


def event(job: str, inputs: list[str], outputs: list[str], **facets: Any) -> dict[str, Any]:
    def about(name: str) -> dict[str, Any]:
        return {"namespace": "postgres://db:5432", "name": name, "facets": facets.get(name.split(".")[-1], {})}

    return {
        "eventType": "COMPLETE",
        "eventTime": "2026-11-01T00:00:00Z",
        "producer": "https://example.com/etl",
        "schemaURL": SCHEMA,
        "run": {"runId": "0195b7a0-0000-7000-8000-000000000001"},
        "job": {"namespace": "etl", "name": job},
        "inputs": [about(name) for name in inputs],
        "outputs": [about(name) for name in outputs],
    }


TAGGED = {"tags": {"tags": [{"key": "pii", "value": "true"}]}}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "penstock.db")
    yield opened
    opened.close()


def links(store: Store) -> set[tuple[str, str, str]]:
    graph = store.graph()
    names = {id: asset.name.rpartition("/")[2] for id, asset in graph.assets.items()}
    return {(names[r.source], r.verb, names[r.target]) for r in graph.relations}


def test_events_of_a_file_are_kept_and_a_newer_file_replaces_them(tmp_path: Path, store: Store) -> None:
    log = tmp_path / "log-of-october.txt"  # whatever it is called
    log.write_text("\n".join(json.dumps(event(job, ["shop.public.orders"], [f"shop.public.{job}"])) for job in "ab"))
    store.ingest(taken_in.files([str(log)], now=1.0))
    assert {("a", "loads", "orders"), ("b", "writes", "b")} <= links(store)
    log.write_text(json.dumps(event("b", ["shop.public.orders"], ["shop.public.b"])))
    store.ingest(taken_in.files([str(log)], now=2.0))
    assert not [link for link in links(store) if "a" in link]
    assert ("b", "writes", "b") in links(store)


def test_what_is_sent_adds_and_no_scan_takes_it_back(store: Store) -> None:
    store.ingest(taken_in.events([event("a", ["shop.public.people"], ["shop.public.a"], people=TAGGED)], now=1.0))
    store.ingest(taken_in.events([event("b", ["shop.public.a"], ["shop.public.b"])], now=2.0))
    store.ingest(Scan((), scopes=("repo:shop",), finished=("repo:shop",), at=3.0))
    assert {("a", "loads", "people"), ("b", "writes", "b")} <= links(store)
    people = next(asset for asset in store.graph().assets.values() if asset.name.endswith("people"))
    assert "pii" in people.labels
    assert {e.scope for e in store.graph().evidence[people.id]} == {taken_in.RECEIVED}


def test_the_same_event_sent_twice_says_nothing_new(store: Store) -> None:
    first = taken_in.events([event("a", ["shop.public.people"], ["shop.public.a"])], now=1.0)
    store.ingest(first)
    before = store.graph()
    store.ingest(taken_in.events([event("a", ["shop.public.people"], ["shop.public.a"])], now=2.0))
    assert store.graph().assets.keys() == before.assets.keys()
    assert [r.key for r in store.graph().relations] == [r.key for r in before.relations]


def test_a_dbt_manifest_and_its_catalog_are_read_together(tmp_path: Path, store: Store) -> None:
    node = {"resource_type": "model", "name": "people", "database": "shop", "schema": "public", "alias": "people",
            "tags": ["pii"], "depends_on": {"nodes": []}, "columns": {}}  # fmt: skip
    manifest = {
        "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
                     "adapter_type": "postgres"},
        "nodes": {"model.shop.people": node}, "sources": {}, "exposures": {},
    }  # fmt: skip
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    store.ingest(taken_in.files([str(tmp_path / "manifest.json")], now=1.0))
    assert any("people" in asset.name and "pii" in asset.labels for asset in store.graph().of_kind("dataset"))


def test_a_server_is_a_source_of_its_own(store: Store) -> None:
    import threading

    fake = Fake()
    thread = threading.Thread(target=fake.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        found = taken_in.server(fake.url, token="t0ken", now=1.0)
    finally:
        fake.server.shutdown()
        thread.join()
        fake.server.server_close()
    assert found.finished == found.scopes == (f"mlflow:{fake.url.removeprefix('http://')}",)
    store.ingest(found)
    assert any(verb == "trained_on" for _, verb, _ in links(store))
    gone = taken_in.server(fake.url, now=2.0)  # nobody answers any more: nothing is retired
    assert gone.finished == () and gone.unseen
    store.ingest(gone)
    assert any(verb == "trained_on" for _, verb, _ in links(store))


@pytest.mark.parametrize(
    ("written", "error"),
    [("{}", NotUnderstood), ("not json", NotUnderstood), ("", NotUnderstood), (None, NotReachable)],
)
def test_a_file_that_says_nothing_is_refused(tmp_path: Path, written: str | None, error: type[Exception]) -> None:
    place = tmp_path / "any.json"
    if written is not None:
        place.write_text(written)
    with pytest.raises(error):
        taken_in.files([str(place)], now=1.0)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "mlflow.example.com", "http://", "http://me:secret@host"])
def test_only_a_web_address_without_a_password_is_asked(url: str) -> None:
    with pytest.raises(WrongUse) as refused:
        taken_in.server(url, now=1.0)
    assert "secret" not in str(refused.value) + str(refused.value.where)


def test_what_is_no_event_is_refused_whole() -> None:
    with pytest.raises(NotUnderstood, match="no event"):
        taken_in.events([event("a", [], ["shop.public.a"]), {"hello": "world"}], now=1.0)


def test_events_have_a_collector_and_scope_of_their_own() -> None:
    found = taken_in.events([event("a", ["shop.public.people"], ["shop.public.a"])], now=1.0)
    assert {(o.evidence.collector, o.evidence.scope) for o in found.observations} == {
        ("lineage.openlineage", taken_in.RECEIVED)
    }
    assert found.scopes == () and all(
        isinstance(o, Observation) and isinstance(o.evidence, Evidence) for o in found.observations
    )
