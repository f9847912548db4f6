"""Functions and container services that call AI, by what they are given and by what their role is there for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from penstock.discover.cloud.aws import reach
from penstock.discover.cloud.aws.listing import Item, Listed
from penstock.discover.cloud.aws.resources import texts, thing
from penstock.discover.cloud.things import Index, Thing
from penstock.discover.infra.resources import row_of

#: What a role is allowed in so many words when what it is for calls AI.
ACTIONS = (
    "bedrock:InvokeModel", "bedrock:InvokeAgent", "bedrock:InvokeFlow", "bedrock:Retrieve",
    "bedrock:RetrieveAndGenerate", "bedrock-agentcore:InvokeAgentRuntime", "bedrock-agentcore:InvokeGateway",
    "sagemaker:InvokeEndpoint", "s3vectors:QueryVectors",
)  # fmt: skip
#: An id of a Bedrock model, bare, of a profile over regions, or as an ARN.
_MODEL = re.compile(
    r"(?:arn:[\w-]+:bedrock:[\w-]*:\d*:(?:foundation-model|inference-profile)/)?"
    r"(?P<id>(?:(?:us|eu|apac|global|us-gov)\.)?(?:anthropic|amazon|meta|mistral|cohere|ai21|deepseek|openai|qwen|stability|"
    r"writer|luma|twelvelabs)\.[a-z0-9][\w.:-]+)\Z"
)


def callers(listed: Listed, things: Mapping[str, Thing], index: Index) -> Iterator[Thing]:
    """Each function or service that calls AI as an application, with what it was seen to call.

    What an agent's tools are run by is a tool and stays one.
    """
    policies = {item.arn: item.body for item in listed.of("policies")}
    roles = {item.arn: reach.role(item.body, policies) for item in listed.of("identities")}
    tools = {
        target
        for each in things.values()
        if (row := row_of(each.type)) is not None and not row.linked
        for key, said in texts(each.body)
        if (target := index.led_to(said, key))
    }
    for item in (*listed.of("functions"), *listed.of("container-services")):
        if item.arn in tools:
            continue
        models, targets = _given(item, things, index)
        who = roles.get(_role_of(item))
        permitted = dict(reach.named(who, ACTIONS)) if who is not None else {}
        targets |= {target for arn in permitted if "*" not in arn and (target := index.led_to(arn, "arn"))}
        models |= {match["id"] for arn in permitted if "*" not in arn and (match := _MODEL.match(arn))}
        if models or targets or permitted:
            body: dict[str, Any] = {"modelId": sorted(models), "calls": sorted(targets)}
            yield thing(item, "aws:calls-ai", **body)


def may_guard(listed: Listed) -> bool:
    """Whether a role of code may ask a guardrail; without that permission no call of it can name one."""
    policies = {item.arn: item.body for item in listed.of("policies")}
    running = {_role_of(item) for item in (*listed.of("functions"), *listed.of("container-services"))}
    return any(
        reach.may(reach.role(item.body, policies), "bedrock:ApplyGuardrail", guardrail.arn)[0] != "denied"
        for item in listed.of("identities")
        if item.arn in running
        for guardrail in listed.of("guardrails")
    )


def _role_of(item: Item) -> str:
    return str(item.body.get("Role") or (item.body.get("task") or {}).get("taskRoleArn") or "")


def _given(item: Item, things: Mapping[str, Thing], index: Index) -> tuple[set[str], set[str]]:
    """(models, resources of AI) that its environment names."""
    models: set[str] = set()
    targets: set[str] = set()
    for key, said in texts([item.body.get("Environment"), item.body.get("task")]):
        if match := _MODEL.match(said):
            models.add(match["id"])
        elif target := index.led_to(said, key):
            row = row_of(things[target].type) if target in things else None
            if row is not None and not row.linked:
                targets.add(target)
    return models, targets
