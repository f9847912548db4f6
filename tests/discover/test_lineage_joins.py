"""Documents of other tools meet what code, data files and infrastructure show: labels arrive where the data does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.discover.scan import scan
from penstock.graph.graph import Graph
from penstock.graph.labels import Labelling, propagate
from penstock.graph.merge import merge
from penstock.graph.vocabulary import Asset
from penstock.settings import Settings

FIXTURES = Path(__file__).parents[1] / "fixtures" / "lineage"

PEOPLE = "id,email,phone\n" + "".join(f"{n},person{n}@mailhaven.org,+49 171 12345{n:02}\n" for n in range(40))


def scanned(root: Path, *folders: str) -> Graph:
    """The graph of whole scans, as the command makes it."""
    from penstock.work.workers import Workers

    with Workers(0) as workers:
        targets = [root / folder for folder in folders] or [root]
        found = scan(targets, settings=Settings(), cache=None, workers=workers, now=1.0)
    assert not [row for row in found.unseen if not row.skipped], found.unseen
    return merge(found.observations, complete=found.complete, unseen=found.unseen)


def write(root: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())


def one(graph: Graph, kind: str, name: str) -> Asset:
    (found,) = [asset for asset in graph.of_kind(kind) if asset.name == name]
    return found


def way(graph: Graph, labelling: Labelling, asset: Asset, label: str = "pii") -> list[str]:
    return [graph.assets[step.asset].name for step in labelling.proof(asset.id, label)]


def test_a_file_with_people_reaches_the_agent_through_a_dvc_stage(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    stage = "cmd: python src/train.py\n    deps: [src/train.py, data/people.csv]\n    outs: [models/churn]"
    write(
        root,
        {
            "data/people.csv": PEOPLE,
            "dvc.yaml": f"stages:\n  train:\n    {stage}\n",
            "app/agent.py": (
                "from langchain.agents import create_agent\nfrom transformers import AutoModelForCausalLM\n"
                'model = AutoModelForCausalLM.from_pretrained("./models/churn")\n'
                "agent = create_agent(model=model, tools=[])\n"
            ),
        },
    )
    graph = scanned(root)
    labelling = propagate(graph)
    model = one(graph, "model", "models/churn")
    assert labelling.contains(model.id) == {"pii"}
    assert way(graph, labelling, model) == ["data/people.csv", "models/churn"]
    (agent,) = graph.of_kind("agent")
    assert labelling.sees(agent.id) == {"pii"} and not labelling.contains(agent.id)
    assert way(graph, labelling, agent) == ["data/people.csv", "models/churn", agent.name]
    (evidence,) = graph.evidence[model.id, "trained_on", one(graph, "dataset", "data/people.csv").id]
    assert evidence.where == "dvc.yaml:2"


def test_a_model_that_code_loads_by_its_alias_holds_what_its_run_read(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    tracked = FIXTURES / "mlflow"
    write(
        root, {path.relative_to(tracked).as_posix(): path.read_bytes() for path in tracked.rglob("*") if path.is_file()}
    )
    write(
        root,
        {
            "data/people.csv": PEOPLE,
            "serve.py": 'import mlflow\n\nmodel = mlflow.pyfunc.load_model("models:/churn@champion")\n',
        },
    )
    graph = scanned(root)
    labelling = propagate(graph)
    (application,) = graph.of_kind("application")
    assert labelling.sees(application.id) == {"pii"}
    assert way(graph, labelling, application) == [
        "data/people.csv", "models:/m-64d40b85664b4e69b649c0d1544e2b4a", "models:/churn/1", "models:/churn@champion",
        application.name,
    ]  # fmt: skip


def test_a_table_of_one_repository_taints_a_job_of_another(tmp_path: Path) -> None:
    warehouse = FIXTURES / "dbt"
    files = {
        path.relative_to(warehouse).as_posix(): path.read_bytes() for path in warehouse.rglob("*") if path.is_file()
    }
    write(tmp_path / "warehouse", files)
    write(tmp_path / "jobs", {"lineage.jsonl": (FIXTURES / "openlineage" / "events.jsonl").read_bytes()})
    write(
        tmp_path / "infra",
        {
            "job.json": (FIXTURES / "jobs" / "sagemaker.json").read_bytes(),
            "main.tf": 'resource "aws_sagemaker_model" "churn" {\n  name = "churn"\n  execution_role_arn = "x"\n'
            '  primary_container {\n    image = "x"\n'
            '    model_data_url = "s3://acme-models/churn/churn-2026-05-04/output/model.tar.gz"\n  }\n}\n'
            'resource "aws_sagemaker_endpoint_configuration" "churn" {\n  name = "churn"\n'
            '  production_variants {\n    variant_name = "a"\n    model_name = aws_sagemaker_model.churn.name\n  }\n}\n'
            'resource "aws_sagemaker_endpoint" "churn" {\n  name = "churn"\n'
            "  endpoint_config_name = aws_sagemaker_endpoint_configuration.churn.name\n}\n",
        },
    )
    graph = scanned(tmp_path, "warehouse", "jobs", "infra")
    labelling = propagate(graph)
    (endpoint,) = graph.of_kind("endpoint")
    assert "pii" in labelling.contains(endpoint.id)
    assert way(graph, labelling, endpoint)[-3:] == ["s3://acme-lake/clean/customers", "model.tar.gz", endpoint.name]


def test_training_code_and_a_card_speak_of_one_hub_model(tmp_path: Path) -> None:
    write(
        tmp_path / "shop",
        {
            "tickets.jsonl": "".join(
                json.dumps({"text": f"write to person{n}@mailhaven.org"}) + "\n" for n in range(40)
            ),
            "out/README.md": "---\nbase_model: acme/private-base\ndatasets: [acme/tickets]\n---\n",
            "ask.py": 'from transformers import AutoModel\nm = AutoModel.from_pretrained("./out")\n',
        },
    )
    graph = scanned(tmp_path / "shop")
    out = one(graph, "model", "out")
    assert {relation.target for relation in graph.out(out.id, "trained_on", "fine_tuned_from")} == {
        one(graph, "dataset", "acme/tickets").id, one(graph, "model", "acme/private-base").id,
    }  # fmt: skip
    assert [relation.source for relation in graph.into(out.id, "uses_model")]


def test_a_path_of_another_machine_is_the_file_of_the_source(tmp_path: Path) -> None:
    event = {
        "eventTime": "2026-05-04T02:10:00Z", "producer": "https://acme.example",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "job": {"namespace": "cron", "name": "embed"}, "run": {"runId": "1"},
        "inputs": [{"namespace": "file", "name": "/srv/checkout/data/people.csv"}],
        "outputs": [{"namespace": "s3://acme-vectors", "name": "people"}],
    }  # fmt: skip
    write(tmp_path / "shop", {"data/people.csv": PEOPLE, "logs/lineage.json": json.dumps(event)})
    graph = scanned(tmp_path / "shop")
    assert propagate(graph).contains(one(graph, "dataset", "s3://acme-vectors/people").id) == {"pii"}


def test_a_common_name_is_no_proof_of_the_same_file(tmp_path: Path) -> None:
    event = {
        "eventTime": "x", "producer": "y", "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
        "job": {"namespace": "cron", "name": "embed"},
        "inputs": [{"namespace": "file", "name": "/srv/other/people.csv"}],
    }  # fmt: skip
    write(tmp_path / "shop", {"people.csv": PEOPLE, "lineage.json": json.dumps(event)})
    graph = scanned(tmp_path / "shop")
    assert not propagate(graph).contains(one(graph, "pipeline", "embed").id)


LOOKALIKES: dict[str, str] = {
    "conda/meta.yaml": "package:\n  name: shop\n  version: '1'\nsource:\n  path: ..\nbuild:\n  number: 0\n",
    "docs/README.md": "---\ntitle: Guide\ntags: [pii, model]\nlicense: MIT\n---\n# Guide\n",
    "README.md": "# Shop\n\n---\nbase_model: x/y\n---\n",
    "web/manifest.json": json.dumps({"name": "Shop", "short_name": "s", "icons": [], "start_url": "/"}),
    "catalog.json": json.dumps({"metadata": {"name": "shop"}, "nodes": {"a": {"columns": {"email": {}}}}}),
    "config.json": json.dumps({"_name_or_path": "a/b", "port": 80}),
    "adapter_config.json": json.dumps({"base_model_name_or_path": "a/b"}),
    "merge.yaml": "strategy: merge_method\nmodels: [a]\n",
    "profiles.yml": "shop:\n  outputs:\n    x: 1\n",
    "events.jsonl": '{"job": {"name": "x"}, "inputs": []}\n{"event": "click"}\n',
    "lineage.json": json.dumps({"family": [{"name": "ada"}]}),
    "metadata.json": json.dumps({"@type": "sc:Dataset", "name": "x", "distribution": []}),
    "bom.json": json.dumps({"bomFormat": "CycloneDX", "components": [{"type": "library", "name": "x", "data": []}]}),
    "spdx.json": json.dumps({"spdxVersion": "SPDX-2.3", "packages": [{"name": "x"}]}),
    "upload.json": json.dumps(
        {"InputDataConfig": [{"S3Uri": "s3://a/b"}], "OutputDataConfig": {"S3OutputPath": "s3://c"}}
    ),
    "compose.yml": "services:\n  db:\n    image: postgres\n    environment: {S3Uri: 's3://a/b'}\n",
    "dvc.yaml": "services: {}\n",
    "note.dvc": "outs:\n- path: x.csv\n",
    "x.gguf": "not weights",
    "x.safetensors": "not weights either",
    "MLmodel": "flavors: [vanilla, chocolate]\n",
    "mlflow.db": "text",
    "params.yaml": "base_model: x/y\n",
}


@pytest.mark.parametrize("name", LOOKALIKES)
def test_what_only_looks_like_a_document_says_nothing(name: str, look: Callable[..., Any]) -> None:
    seen = look({name: LOOKALIKES[name]}, only=["lineage."])
    assert not seen.graph.assets and not seen.notes


@pytest.mark.slow
@pytest.mark.parametrize("format", ["dvc", "openlineage", "dbt"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edges=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=24), tagged=st.sets(st.integers(0, 11))
)
def test_labels_reach_what_was_made_from_them_and_nothing_else(
    look: Callable[..., Any], format: str, edges: list[tuple[int, int]], tagged: set[int]
) -> None:
    """A random flow of twelve datasets, written in each format: the labels that come out are the closure."""
    flow = {(min(edge), max(edge)) for edge in edges if edge[0] != edge[1]}
    wanted = set(tagged)
    for source, target in sorted(flow, key=lambda edge: edge[1]):
        if source in wanted:
            wanted.add(target)
    seen = look(WRITERS[format](flow, tagged), only=["lineage."])
    labelling = propagate(seen.graph)
    numbers = {asset.id: int(re.findall(r"t(\d+)", asset.name)[0]) for asset in seen.graph.of_kind("dataset")}
    assert {number for edge in flow for number in edge} <= set(numbers.values())
    assert {numbers[id_] for id_ in numbers if labelling.contains(id_)} == wanted & set(numbers.values())


def _dvc(flow: set[tuple[int, int]], tagged: set[int]) -> dict[str, str]:
    stages = {
        f"s{target}": {
            "cmd": f"python s{target}.py",
            "deps": [f"s{target}.py", *(f"data/t{source}.csv" for source, end in sorted(flow) if end == target)],
            "outs": [{f"data/t{target}.csv": {"cache": False}}],
        }
        for target in sorted({target for _, target in flow})
    }
    files = {f"data/t{n}.csv.dvc": f"outs:\n- path: t{n}.csv\n  md5: x\n  labels: [pii]\n" for n in tagged}
    return {**files, "dvc.yaml": json.dumps({"stages": stages})}


def _openlineage(flow: set[tuple[int, int]], tagged: set[int]) -> dict[str, str]:
    def data(number: int) -> dict[str, Any]:
        tags = {"tags": {"tags": [{"key": "pii", "value": "true"}]}} if number in tagged else {}
        return {"namespace": "s3://acme", "name": f"t{number}.parquet", "facets": tags}

    head = {"eventTime": "x", "producer": "y", "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json"}
    events: list[dict[str, Any]] = [{**head, "dataset": data(number)} for number in tagged]
    for target in {target for _, target in flow}:
        inputs = [data(source) for source, end in flow if end == target]
        job = {"namespace": "cron", "name": f"make-{target}"}
        events.append({**head, "job": job, "run": {}, "inputs": inputs, "outputs": [data(target)]})
    return {"events.jsonl": "\n".join(map(json.dumps, events))}


def _dbt(flow: set[tuple[int, int]], tagged: set[int]) -> dict[str, str]:
    nodes = {
        f"model.p.t{n}": {
            "resource_type": "model", "database": "d", "schema": "s", "name": f"t{n}", "columns": {},
            "tags": ["pii"] if n in tagged else [],
            "depends_on": {"nodes": [f"model.p.t{source}" for source, target in flow if target == n]},
        }
        for n in range(12)
    }  # fmt: skip
    metadata = {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v10.json", "adapter_type": "snowflake"}
    return {"target/manifest.json": json.dumps({"metadata": metadata, "nodes": nodes})}


WRITERS: dict[str, Callable[[set[tuple[int, int]], set[int]], dict[str, str]]] = {
    "dvc": _dvc, "openlineage": _openlineage, "dbt": _dbt,
}  # fmt: skip
