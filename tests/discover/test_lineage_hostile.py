"""Lineage documents made to hurt: nothing raises, everything is bounded, what comes out can be kept."""

from __future__ import annotations

import copy
import json
import random
import sqlite3
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.discover.collector import COLLECTORS, JOINERS, Fact, File, Source, Yielded
from penstock.discover.data.lineage import openlineage
from penstock.discover.data.lineage.saying import MOST_CLAIMS, Saying
from penstock.discover.data.lineage.weights_files import header, metadata
from penstock.discover.encoding import Sorter
from penstock.discover.registry import Matcher, load
from penstock.graph.identity import file_dataset
from penstock.graph.labels import propagate
from penstock.graph.merge import merge
from penstock.graph.vocabulary import Observation, Unseen

FIXTURES = Path(__file__).parents[1] / "fixtures" / "lineage"
SCOPE = "repo:acme/shop"

#: A document of each format under the name its reader looks for.
SEEDS = {
    "dvc.yaml": "dvc/dvc.yaml",
    "dvc.lock": "dvc/dvc.lock",
    "holdout.csv.dvc": "dvc/data/holdout.csv.dvc",
    "target/manifest.json": "dbt/target/manifest.json",
    "target/catalog.json": "dbt/target/catalog.json",
    "profiles.yml": "dbt/profiles.yml",
    "adapter_config.json": "hub/adapter_config.json",
    "config.json": "hub/config.json",
    "mergekit_config.yml": "hub/mergekit_config.yml",
    "croissant.json": "croissant/croissant.json",
    "model.cdx.json": "bills/model.cdx.json",
    "model.spdx3.json": "bills/model.spdx3.json",
    "job.json": "jobs/sagemaker.json",
    "state.json": "jobs/statemachine.json",
    "bedrock.json": "jobs/bedrock.json",
    "vertex.json": "jobs/vertex.json",
    "azureml.yml": "jobs/azureml.yml",
    "data.yml": "jobs/azureml-data.yml",
}

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(["s3://a/b", "/", "..", "file:", "hf://", "models:/", "a/b", "://", "[", "${x}", "azureml:"])
    | st.sampled_from(["\ud800", "x" * 5_000, "http://[", "a@b://c", "0" * 20, "\n\n", "team:", "@"])
)  # fmt: skip
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def collected(name: str, data: bytes) -> list[Yielded]:
    """What the lineage collectors yield for a file, facts joined, all of it fit to be kept."""
    assert not load()
    collectors = {key: c for key, c in COLLECTORS.items() if key.startswith("lineage.")}
    found: list[Yielded] = []
    for key in Matcher({key: c.reads for key, c in collectors.items()}).names(name):
        found += collectors[key].run(File(name, data, SCOPE))
    facts: dict[str, tuple[Fact, ...]] = {}
    for fact in found:
        if isinstance(fact, Fact):
            facts[fact.kind] = (*facts.get(fact.kind, ()), fact)
    for key, joiner in JOINERS.items():
        if key.startswith("lineage."):
            found += joiner.run(Source(SCOPE, "shop", (name,), facts, {}))
    return kept(found)


def kept(found: Iterable[Yielded]) -> list[Yielded]:
    """The same, after it went through what stores and caches ask of it."""
    listed = list(found)
    sorter = Sorter()
    sorter.take(listed)
    sorter.encoded()
    propagate(merge(item for item in listed if isinstance(item, Observation)))
    assert len(listed) <= 3 * MOST_CLAIMS
    return listed


def damaged(document: Any, choices: random.Random, foreign: Any) -> Any:
    """A document with one of its parts replaced, dropped or doubled."""
    document = copy.deepcopy(document)
    places: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        value = waiting.pop()
        for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            places.append((value, key))
            waiting.append(value[key])
    for _ in range(choices.randint(1, 4)):
        holder, key = choices.choice(places)
        if isinstance(holder, list) and key >= len(holder):
            continue
        match choices.randint(0, 3):
            case 0 if isinstance(holder, dict):
                holder.pop(key, None)
            case 1:
                holder[key] = [holder.get(key) if isinstance(holder, dict) else holder[key]] * 3
            case _:
                holder[key] = foreign
    return document


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), foreign=values)
def test_wrong_shapes_anywhere_raise_nothing(name: str, seed: int, foreign: Any) -> None:
    text = (FIXTURES / SEEDS[name]).read_text()
    document = json.loads(text) if name.endswith(".json") else yaml.safe_load(text)
    collected(name, json.dumps(damaged(document, random.Random(seed), foreign)).encode())


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), foreign=values)
def test_events_of_any_shape_raise_nothing(seed: int, foreign: Any) -> None:
    lines = (FIXTURES / "openlineage" / "events.jsonl").read_text().splitlines()
    choices = random.Random(seed)
    kept(openlineage.parse(damaged(json.loads(choices.choice(lines)), choices, foreign), scope=SCOPE))
    kept(openlineage.parse(foreign))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), foreign=values)
def test_damaged_mlflow_stores_raise_nothing(seed: int, foreign: Any) -> None:
    choices = random.Random(seed)
    root = FIXTURES / "mlflow"
    assert not load()
    found: list[Yielded] = []
    collectors = {key: c for key, c in COLLECTORS.items() if key.startswith("lineage.mlflow")}
    matcher = Matcher({key: c.reads for key, c in collectors.items()})
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_dir() or choices.random() < 0.2:
            continue
        text = path.read_text()
        if path.suffix == ".yaml" and choices.random() < 0.5:
            text = yaml.safe_dump(damaged(yaml.safe_load(text), choices, foreign), allow_unicode=True)
        for key in matcher.names(name):
            found += collectors[key].run(File(name, text.encode("utf-8", "replace"), SCOPE))
    facts = tuple(item for item in found if isinstance(item, Fact))
    kept([*found, *JOINERS["lineage.mlflow"].run(Source(SCOPE, "shop", (), {"lineage.mlflow": facts}, {}))])


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_headers_of_any_bytes_raise_nothing(data: bytes) -> None:
    header(b"GGUF" + struct.pack("<I", 3) + data)
    metadata(struct.pack("<Q", len(data)) + b"{" + data)
    collected("x.gguf", b"GGUF\x03\0\0\0" + data)
    collected("x.safetensors", struct.pack("<Q", len(data) + 1) + b"{" + data)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_flipped_bytes_of_a_database_raise_nothing(seed: int) -> None:
    choices = random.Random(seed)
    data = bytearray(database())
    for _ in range(choices.randint(1, 40)):
        data[choices.randrange(len(data))] = choices.randrange(256)
    collected("mlflow.db", bytes(data[: choices.randint(100, len(data))]))


def database(*statements: str) -> bytes:
    """A small MLflow store in the schema of 3.x, and whatever else."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(
        """
        create table runs (run_uuid text, name text, lifecycle_stage text, artifact_uri text, experiment_id integer);
        create table params (key text, value text, run_uuid text);
        create table tags (key text, value text, run_uuid text);
        create table datasets (
            dataset_uuid text, name text, dataset_source_type text, dataset_source text, dataset_schema text
        );
        create table inputs (
            input_uuid text, source_type text, source_id text, destination_type text, destination_id text
        );
        create table input_tags (input_uuid text, name text, value text);
        create table logged_models (model_id text, name text, artifact_location text, source_run_id text);
        create table model_versions (name text, version integer, current_stage text, source text, run_id text);
        create table registered_model_aliases (alias text, version integer, name text);
        insert into runs values ('r1', 'first', 'active', '/home/ada/shop/mlruns/1/r1/artifacts', 1),
                                ('r2', 'gone', 'deleted', '', 1);
        insert into tags values ('mlflow.source.name', 'train.py', 'r1');
        insert into datasets values ('d1', 'people', 'local', '{"uri": "/home/ada/shop/data/people.csv"}', '');
        insert into inputs values ('i1', 'DATASET', 'd1', 'RUN', 'r1'),
                                  ('i2', 'RUN_OUTPUT', 'r1', 'MODEL_OUTPUT', 'm-1');
        insert into logged_models values ('m-1', 'model', 's3://acme/m-1', null);
        insert into model_versions values ('churn', 1, 'None', 'models:/m-1', 'r1');
        insert into registered_model_aliases values ('champion', 1, 'churn');
        """
    )
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    return connection.serialize()


def triples(found: Iterable[Yielded]) -> set[tuple[str, str, str]]:
    graph = merge(item for item in found if isinstance(item, Observation))
    return {(graph.assets[r.source].name, r.verb, graph.assets[r.target].name) for r in graph.relations}


def test_a_database_is_read_without_its_file() -> None:
    links = triples(collected("mlflow.db", database()))
    assert {
        ("first", "loads", "data/people.csv"),
        ("models:/m-1", "trained_on", "data/people.csv"),
        ("models:/churn/1", "derived_from", "models:/m-1"),
        ("models:/churn@champion", "derived_from", "models:/churn/1"),
        ("m-1", "derived_from", "models:/m-1"),
        ("first", "defined_in", "train.py"),
    } <= links
    assert "gone" not in {name for name, _, _ in links}


def test_a_database_in_write_ahead_mode_is_read(tmp_path: Path) -> None:
    place = tmp_path / "mlflow.db"
    place.write_bytes(database())
    connection = sqlite3.connect(place)
    connection.execute("pragma journal_mode = wal")
    connection.close()
    assert ("first", "loads", "data/people.csv") in triples(collected("mlflow.db", place.read_bytes()))


def test_a_view_that_never_ends_is_not_followed() -> None:
    endless = (
        "create view aliases as with recursive c(x) as (select 1 union all select x + 1 from c) "
        "select 'a' as alias, x as version, 'n' as name from c"
    )
    data = database("drop table registered_model_aliases", endless)
    assert ("first", "loads", "data/people.csv") in triples(collected("mlflow.db", data))
    # the view takes the place of a table that is read: only tables are
    data = database(
        "drop table registered_model_aliases", endless.replace("view aliases", "view registered_model_aliases")
    )
    assert ("first", "loads", "data/people.csv") in triples(collected("mlflow.db", data))


@pytest.mark.parametrize("name", [*SEEDS, "README.md", "lineage.jsonl", "MLmodel", "meta.yaml", "mlflow.db"])
@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe\0\0", b"[" * 300_000, b'{"a":' * 100_000, b"- " * 20_000, b"\0" * 10_000, b"---\n" * 5_000],
    ids=["empty", "bytes", "brackets", "nested", "dashes", "zeros", "documents"],
)
def test_files_that_are_no_documents(name: str, content: bytes) -> None:
    for marker in (b"", (FIXTURES / SEEDS[name]).read_bytes() if name in SEEDS else b"mlflow_version: 1\nrun_id: x\n"):
        assert all(isinstance(item, Observation | Unseen | Fact) for item in collected(name, marker + content))


def test_anchors_that_explode_cost_a_row() -> None:
    layers = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    layers += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    bomb = "\n".join(layers) + "\nstages: *a11\n"
    (row,) = collected("dvc.yaml", bomb.encode())
    assert isinstance(row, Unseen)
    card = f"---\nbase_model: a/b\n{bomb}---\n"
    assert [type(item) for item in collected("README.md", card.encode())] == [Unseen]


def test_a_stage_of_many_inputs_and_outputs_goes_through_its_pipeline() -> None:
    deps = "".join(f"    - data/{n}.csv\n" for n in range(1_000))
    outs = "".join(f"    - models/{n}.pt\n" for n in range(1_000))
    found = collected("dvc.yaml", f"stages:\n  train:\n    cmd: make\n    deps:\n{deps}    outs:\n{outs}".encode())
    assert len(found) == 2 * (1_000 + 1_000) + 1
    assert {verb for _, verb, _ in triples(found)} == {"loads", "produces"}


def test_a_document_of_too_many_claims_says_so() -> None:
    saying = Saying("lineage.dvc", SCOPE, "dvc.yaml", most=100)
    for number in range(105):
        saying.asset(file_dataset(f"{number}.csv", SCOPE), saying.at(1))
    found = list(saying)
    assert saying.full and len(found) == 101
    assert isinstance(found[-1], Unseen)


def test_lines_that_are_no_events_are_counted() -> None:
    line = (FIXTURES / "openlineage" / "events.jsonl").read_text().splitlines()[0]
    found = collected("lineage.jsonl", f"{line}\nnot json\n{{broken\n{line}\n".encode())
    assert [item.why for item in found if isinstance(item, Unseen)] == ["2 lines hold no JSON"]
    assert triples(found)


def test_credentials_in_addresses_are_dropped() -> None:
    event = json.loads((FIXTURES / "openlineage" / "events.jsonl").read_text().splitlines()[0])
    event["inputs"][0]["namespace"] = "postgres://admin:hunter2hunter2@wh.acme.example:5432"
    event["outputs"][0] = {"namespace": "https://x.blob.core.windows.net", "name": "a/b?sig=hunter2hunter2"}
    assert "hunter2" not in repr(list(openlineage.parse(event)))
