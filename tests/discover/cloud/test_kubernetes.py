"""A list of everything in a cluster, as kubectl writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.discover.cloud import taken_in
from penstock.discover.collector import Fact, File
from penstock.discover.infra.kubernetes import manifests
from penstock.errors import NotUnderstood
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import Asset, Observation, Relation


def resource(kind: str, name: str, namespace: str = "ai", meta: dict[str, Any] | None = None, **body: Any) -> Any:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **(meta or {})}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **body}


def pod(image: str, *args: str) -> dict[str, Any]:
    container = {
        "name": "main", "image": image, "args": list(args), "ports": [{"containerPort": 8000}],
        "env": [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hf-token", "key": "token"}}}],
        "resources": {"limits": {"nvidia.com/gpu": "1"}},
    }  # fmt: skip
    return {
        "metadata": {"labels": {"app": "chat"}},
        "spec": {"serviceAccountName": "runner", "containers": [container]},
    }


CHAT = pod("vllm/vllm-openai:v0.10.2", "--model", "Qwen/Qwen3-8B")
CLUSTER = [
    resource("Namespace", "kube-system", "", {"uid": "c0ffee"}),
    resource("Deployment", "chat", spec={"template": CHAT}),
    resource("Pod", "chat-1", meta={"ownerReferences": [{"kind": "ReplicaSet", "name": "chat-1"}]}, spec=CHAT["spec"]),
    resource("Deployment", "shop", spec={"template": pod("nginx:1.29")}),
    resource("Service", "chat", spec={"type": "LoadBalancer", "selector": {"app": "chat"}, "ports": [{"port": 8000}]}),
    resource("Secret", "hf-token", data={"token": "aGZfYWJjZGVmZ2hpamtsbW5vcA=="}),
    resource("ClusterRole", "reader", "", rules=[{"resources": ["secrets"], "verbs": ["get", "list"]},
                                                 {"resources": ["pods/exec"], "verbs": ["create"]}]),
    resource("ClusterRoleBinding", "runs", "", roleRef={"kind": "ClusterRole", "name": "reader"},
             subjects=[{"kind": "ServiceAccount", "name": "runner", "namespace": "ai"}]),
    resource("Node", "gpu-1", "", {"labels": {"nvidia.com/gpu.product": "H200", "nvidia.com/mig.strategy": "mixed",
                                             "nvidia.com/cuda.driver-version.full": "570.86.15",
                                             "nvidia.com/cuda.runtime-version.full": "12.8"}},
             status={"capacity": {"nvidia.com/gpu": "8"}}),
    resource("Node", "plain-1", "", status={"capacity": {"cpu": "8"}}),
    resource("InferenceService", "scorer", spec={"predictor": {"model": {"storageUri": "s3://models/scorer"}}}),
]  # fmt: skip


def written(folder: Path, listed: list[Any]) -> Path:
    path = folder / "cluster.json"
    path.write_text(json.dumps({"apiVersion": "v1", "items": listed, "kind": "List"}))
    return path


@pytest.fixture
def found(tmp_path: Path) -> Scan:
    path = written(tmp_path, CLUSTER)
    assert taken_in.is_export(path)
    return taken_in.file(path, now=1.0)


def assets(scan: Scan) -> dict[str, Asset]:
    merged: dict[str, Asset] = {}
    for said in (o.subject for o in scan.observations if isinstance(o.subject, Asset)):
        before = merged.get(said.name)
        props = {**(before.props if before else {}), **said.props}
        merged[said.name] = Asset(said.id, said.kind, said.name, said.scope, props)
    return merged


def ties(scan: Scan) -> set[tuple[str, str, str]]:
    names = {o.subject.id: o.subject.name for o in scan.observations if isinstance(o.subject, Asset)}
    said = (o.subject for o in scan.observations if isinstance(o.subject, Relation))
    return {(names[r.source], r.verb, names[r.target]) for r in said}


def test_a_server_of_models_is_found_with_its_model_its_way_in_its_account_and_its_secrets(found: Scan) -> None:
    assert {
        ("chat", "serves", "Qwen/Qwen3-8B"), ("chat", "runs_as", "runner"), ("chat", "holds", "hf-token"),
    } <= ties(found)  # fmt: skip
    assert assets(found)["chat"].props["exposure"] == "internet"
    assert found.scopes == ("cloud:k8s:c0ffee",)


def test_what_roles_grant_is_said_of_the_account_with_the_bindings_that_do(found: Scan) -> None:
    account = assets(found)["runner"]
    assert account.props["scope"] == "reads secrets in every namespace; runs commands in pods in every namespace"
    steps = next(
        o.evidence.chain for o in found.observations if isinstance(o.subject, Asset) and o.subject.id == account.id
    )
    assert any("ClusterRoleBinding runs gives ClusterRole reader" in step for step in steps)


def test_nodes_with_accelerators_are_hardware_with_the_versions_that_they_state(found: Scan) -> None:
    node = assets(found)["H200 of gpu-1"]
    assert (node.kind, node.props["version"]) == ("hardware", "driver 570.86.15, CUDA 12.8")
    assert not [name for name in assets(found) if "plain-1" in name]


def test_custom_resources_are_read_as_in_manifests(found: Scan) -> None:
    assert ("scorer", "serves", "scorer") in ties(found)


def test_ordinary_workloads_and_what_other_workloads_made_are_left_out(found: Scan) -> None:
    assert not {"shop", "chat-1"} & set(assets(found))


def test_no_value_of_a_secret_is_kept(found: Scan) -> None:
    assert "aGZfYWJj" not in repr(found)


def test_a_list_that_breaks_off_gives_what_came_before_and_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, CLUSTER)
    path.write_text(path.read_text()[:2_000])
    scan = taken_in.file(path, now=1.0)
    assert scan.unseen and not scan.finished


def test_an_empty_torso_is_told_in_three_parts(tmp_path: Path) -> None:
    path = tmp_path / "cluster.json"
    path.write_text('{"apiVersion": "v1", "items": [{"kind": ')
    with pytest.raises(NotUnderstood):
        taken_in.file(path, now=1.0)


def test_the_same_list_in_a_folder_gives_the_same_facts() -> None:
    data = json.dumps({"apiVersion": "v1", "items": CLUSTER, "kind": "List"}).encode()
    given = list(manifests(File("dump/cluster.json", data, "repo:x")))
    assert {f.value["name"] for f in given if isinstance(f, Fact) and f.kind == "k8s"} >= {"chat", "shop"}
    assert any(isinstance(o, Observation) for o in given)
