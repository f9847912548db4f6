"""Damaged and twisted configuration: a collector may yield less, but never fails. The seed is fixed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

ESTATE = Path(__file__).parents[3] / "examples" / "estate"
ONLY = ["infra.", "assistants.", "organisation."]
NAMES = (
    "*.yaml *.yml CODEOWNERS Dockerfile .mcp.json mcp.json settings.json CLAUDE.md AGENTS.md requirements.txt".split()
)
TWISTS = [
    twist.encode()
    for twist in "[ ] { } : - &a *a << ${ ' \" !!x --- null 7 true ${A:- | @@@ **/ \u202e http://[ :99999 ../".split()
]
TWISTS += [b"\x00", b"\xff", b"\n", b"\t", b": ", b"- ", b"<<: "]


def files() -> dict[str, bytes]:
    return {str(p.relative_to(ESTATE)): p.read_bytes() for n in NAMES for p in ESTATE.rglob(n) if p.is_file()}


#: What the estate does not hold: infrastructure code, flows, catalogues and properties.
MORE = {
    "main.tf": b"""variable "m" { default = "anthropic.claude-v2" }
locals { x = { for k, v in var.m : k => "${v}-${try(local.y[0].z, "a")}" } }
module "m" {
  source = "./m"
  model  = var.m != null ? var.m : local.x["a"]
}
resource "aws_bedrockagent_agent" "a" {
  foundation_model = coalesce(var.m, "amazon.nova-lite-v1:0")
  dynamic "guard" { content { id = aws_bedrock_guardrail.g[0].id } }
}
resource "aws_lambda_function" "f" { environment { variables = { MODEL_ID = var.m } } }
""",
    "m/main.tf": b'variable "model" {}\nresource "aws_sagemaker_endpoint" "e" { name = <<EOT\n${var.model}\nEOT\n}\n',
    "template.yaml": b"""AWSTemplateFormatVersion: "2010-09-09"
Parameters: {M: {Type: String, Default: anthropic.claude-v2}}
Resources:
  F:
    Type: AWS::Lambda::Function
    Properties: {Environment: {Variables: {M: !Ref M, N: !Sub "${M}-${AWS::Region}", O: !Join ["", [a, !Ref M]]}}}
  A: {Type: "AWS::Bedrock::Agent", Properties: {FoundationModel: !If [X, !Ref M, !FindInMap [P, a, b]]}}
""",
    "flow.json": b"""{"name": "f", "nodes": [{"name": "a", "type": "@n8n/n8n-nodes-langchain.agent", "parameters": {}},
 {"name": "m", "type": "@n8n/n8n-nodes-langchain.lmChatOpenAi", "parameters": {"model": {"value": "gpt-4o"}}}],
 "connections": {"m": {"ai_languageModel": [[{"node": "a"}]]}}}""",
    "config.yml": b"""default-model: gpt-4o
apis: {openai: {base-url: "https://api.openai.com/v1", models: {gpt-4o: {max-input-chars: 1, aliases: [a]}}}}
files: {litellm.yaml: "model_list:\\n- litellm_params: {model: azure/gpt-4o}\\n"}
""",
    "config.toml": b'[llm]\nprovider = "openai"\nmodel = "gpt-4o"\ntemperature = 1\n',
    "application.yml": b"spring: {ai: {openai: {chat: {options: {model: '${M:gpt-4o}'}}}}}\n",
    ".github/workflows/ci.yml": b"env: {A: b}\njobs: {t: {env: {C: d}, steps: [{env: {E: f}}]}}\n",
    "graph.yaml": b"""apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {name: g}
spec: {nodes: {root: {steps: [{serviceUrl: "http://a.b.c/d"}, {serviceName: e}]}}}
""",
}


def damaged(data: bytes, dice: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(dice.randrange(1, 6)):
        place = dice.randrange(len(out) + 1)
        match dice.randrange(4):
            case 0:
                out[place:place] = dice.choice(TWISTS)
            case 1:
                del out[place : place + dice.randrange(1, 40)]
            case 2:
                out[place:place] = out[: dice.randrange(1, 60)]
            case _:
                out[place : place + 1] = dice.choice(TWISTS)
    return bytes(out)


def run(look, seed: int) -> None:
    dice = random.Random(seed)
    repositories: dict[str, dict[str, bytes]] = {}
    for path, data in files().items():
        name, _, inner = path.partition("/")
        repositories.setdefault(name, {})[inner or name] = damaged(data, dice)
    repositories["more"] = {path: damaged(data, dice) for path, data in MORE.items()}
    for tree in repositories.values():
        look(tree, only=ONLY)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_configuration_never_fails_a_collector(look, seed):
    run(look, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 200))
def test_much_damaged_configuration_never_fails_a_collector(look, seed):
    run(look, seed)
