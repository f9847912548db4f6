"""A vLLM stack in Helm values: its models are reached through one router."""

from __future__ import annotations

VALUES = """\
servingEngineSpec:
  modelSpec:
  - {name: own, repository: vllm/vllm-openai, tag: v1, modelURL: acme/own-7b,
     initContainer: {name: wait, image: vllm/vllm-openai}}
routerSpec:
  repository: acme/router
"""


def test_the_router_serves_what_stands_behind_it(look):
    seen = look({"values.yaml": VALUES}, only=["infra.helm"])
    assert seen.links("serves") == {("own", "serves", "acme/own-7b"), ("router", "serves", "acme/own-7b")}
    assert set(seen.names("endpoint")) == {"own", "router"}


def test_a_router_that_is_off_or_of_something_else_is_none(look):
    off = VALUES + "  enableRouter: false\n"
    assert look({"values.yaml": off}, only=["infra.helm"]).names("endpoint") == ["own"]
    assert look({"values.yaml": "routerSpec: {replicas: 2}\n"}, only=["infra.helm"]).names("endpoint") == []
