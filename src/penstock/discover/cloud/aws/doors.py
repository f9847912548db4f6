"""Who can reach what: addresses of functions and APIs, gateways, collections and buckets, each with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from penstock.discover.cloud.aws.listing import Item, Listed
from penstock.discover.cloud.aws.resources import functions_in

#: Ways to authorise a caller, as the services call them → the word of the property.
_AUTH = {"NONE": "none", "AWS_IAM": "token", "JWT": "oidc", "CUSTOM_JWT": "oidc", "CUSTOM": "token",
         "COGNITO_USER_POOLS": "oidc", "AUTHENTICATE_ONLY": "token"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Door:
    """An address that leads to functions, who may come through it, and why we say so."""

    item: Item
    id: str
    name: str
    functions: frozenset[str]
    props: Mapping[str, Any]
    why: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Properties of a resource that a setting states."""

    arn: str
    props: Mapping[str, Any]
    why: str


def doors(listed: Listed) -> Iterator[Door]:
    """Addresses of functions and of APIs that lead to functions."""
    for item in listed.of("functions"):
        yield from _urls(item)
    for item in listed.of("apis"):
        yield from _api(item)
    for item in listed.of("rest-apis"):
        yield from _rest_api(item)


def facts(listed: Listed) -> Iterator[Fact]:
    """What settings state of resources themselves."""
    for item in listed.of("buckets"):
        yield from _bucket(item)
    for item in listed.of("gateways"):
        said = str(item.body.get("authorizerType", ""))
        if item.body.get("gatewayUrl") and said in _AUTH:
            props = {"exposure": "internet", "auth": _AUTH[said], "url": str(item.body["gatewayUrl"])}
            yield Fact(item.arn, props, f"its address is public, its authorizer is {said}")
    for item in listed.of("endpoint-configs"):
        if item.body.get("EnableNetworkIsolation") is True:
            yield Fact(item.arn, {"network_isolation": True}, "EnableNetworkIsolation: true")
    for item in listed.of("runtimes"):
        mode = (item.body.get("networkConfiguration") or {}).get("networkMode")
        if mode == "VPC":
            yield Fact(item.arn, {"network_isolation": True}, "its network mode is VPC")
    guards = {item.body.get("id"): _guardrail(item) for item in listed.of("guardrails")}
    yield from guards.values()
    yield from _aliases(listed, guards)
    yield from _collections(listed)


def _urls(item: Item) -> Iterator[Door]:
    for url in item.body.get("urls") or ():
        auth = str(url.get("AuthType", ""))
        if auth in _AUTH:
            props = {"exposure": "internet", "auth": _AUTH[auth], "url": str(url.get("FunctionUrl", ""))}
            name = f"URL of {item.body.get('FunctionName', '')}"
            why = f"its function URL is public, with authorisation {auth}"
            yield Door(item, f"{item.arn}:url", name, frozenset({item.arn}), props, why)


def _api(item: Item) -> Iterator[Door]:
    integrations = item.body.get("integrations") or ()
    functions = functions_in([each.get("IntegrationUri") for each in integrations])
    if not functions:
        return
    if item.body.get("DisableExecuteApiEndpoint"):
        yield Door(item, item.arn, _named(item), frozenset(functions), {}, "its default address is switched off")
        return
    said = {
        "API_KEY" if each.get("ApiKeyRequired") else str(each.get("AuthorizationType") or "NONE")
        for each in item.body.get("routes") or ()
    }
    url = str(item.body.get("ApiEndpoint", ""))
    yield Door(item, item.arn, _named(item), frozenset(functions), _open(said, url), _why(said))


def _rest_api(item: Item) -> Iterator[Door]:
    resources = item.body.get("resources") or ()
    functions = functions_in(resources)
    if not functions:
        return
    types = (item.body.get("endpointConfiguration") or {}).get("types") or ()
    if "PRIVATE" in types:
        why = "its endpoint is private: only a VPC reaches it"
        yield Door(item, item.arn, _named(item), frozenset(functions), {"exposure": "private"}, why)
        return
    said = {
        "API_KEY"
        if method.get("apiKeyRequired") and method.get("authorizationType", "NONE") == "NONE"
        else str(method.get("authorizationType", "NONE"))
        for resource in resources
        for verb, method in (resource.get("resourceMethods") or {}).items()
        if verb != "OPTIONS" and isinstance(method, Mapping)
    }
    url = f"https://{item.body.get('id')}.execute-api.{item.region}.amazonaws.com"
    yield Door(item, item.arn, _named(item), frozenset(functions), _open(said, url), _why(said))


def _open(said: set[str], url: str) -> dict[str, Any]:
    """A public address; of several ways in the weakest counts."""
    order = ("none", "api_key", "token", "oidc")
    words = {"api_key" if each == "API_KEY" else _AUTH.get(each, "") for each in said} - {""}
    props = {"exposure": "internet", "url": url}
    return props | ({"auth": min(words, key=order.index)} if words else {})


def _why(said: set[str]) -> str:
    return f"its address is public, its routes are authorised by {', '.join(sorted(said)) or 'what is not known'}"


def _named(item: Item) -> str:
    return str(item.body.get("Name") or item.body.get("name") or item.arn.rpartition("/")[2])


def _bucket(item: Item) -> Iterator[Fact]:
    block = item.body.get("publicAccessBlock") or {}
    shut = block.get("BlockPublicPolicy") and block.get("RestrictPublicBuckets") and block.get("IgnorePublicAcls")
    if block.get("RestrictPublicBuckets") is not True and (item.body.get("policyStatus") or {}).get("IsPublic") is True:
        yield Fact(item.arn, {"public_read": True}, "its policy is public and nothing blocks public access")
    elif shut:
        yield Fact(item.arn, {"public_read": False}, "public access is blocked")
    rules = (item.body.get("encryption") or {}).get("Rules") or ()
    keys = [(each.get("ApplyServerSideEncryptionByDefault") or {}).get("KMSMasterKeyID") for each in rules]
    if rules:
        why = "it is encrypted with a key of the customer" if any(keys) else "it is encrypted with a key of AWS"
        yield Fact(item.arn, {"cmk": any(bool(key) for key in keys)}, why)


def _guardrail(item: Item) -> Fact:
    """Which way a guardrail looks; a filter of strength NONE does not."""
    filters = (item.body.get("contentPolicy") or {}).get("filters") or ()
    inward = any(each.get("inputStrength", "NONE") != "NONE" for each in filters)
    outward = any(each.get("outputStrength", "NONE") != "NONE" for each in filters)
    others = [word for word in ("topicPolicy", "wordPolicy", "sensitiveInformationPolicy") if item.body.get(word)]
    grounding = bool(item.body.get("contextualGroundingPolicy"))
    props = {
        "input_filter": inward or bool(others), "output_filter": outward or bool(others), "grounding_check": grounding
    }  # fmt: skip
    told = [*(["contentPolicy"] if inward or outward else []), *others]
    return Fact(item.arn, props, f"it has {', '.join(told) or 'no filter at all'}")


def _aliases(listed: Listed, guards: Mapping[Any, Fact]) -> Iterator[Fact]:
    """What an alias lets through is decided by the guardrail of its agent alone."""
    agents = {item.body.get("agentId"): item for item in listed.of("agents")}
    for item in listed.of("agent-aliases"):
        if (agent := agents.get(item.body.get("agentId"))) is None:
            continue
        named = (agent.body.get("guardrailConfiguration") or {}).get("guardrailIdentifier")
        if not named:
            why = f"its agent {agent.body.get('agentName')} has no guardrail"
            yield Fact(item.arn, {"input_filter": False, "output_filter": False}, why)
        elif (guard := guards.get(str(named).rpartition("/")[2])) is not None:
            props = {key: guard.props[key] for key in ("input_filter", "output_filter")}
            yield Fact(item.arn, props, f"the guardrail of its agent: {guard.why}")


def _collections(listed: Listed) -> Iterator[Fact]:
    """Network policies name collections by pattern; the one that opens it to the public wins."""
    policies = [(item, rule) for item in listed.of("collection-network") for rule in _rules(item.body.get("policy"))]
    for item in listed.of("collections"):
        name = f"collection/{item.body.get('name', '')}"
        about = [
            (policy, rule)
            for policy, rule in policies
            if policy.region == item.region
            and any(each.get("ResourceType") == "collection" and _names(each, name) for each in rule.get("Rules") or ())
        ]
        for policy, rule in about:
            if rule.get("AllowFromPublic") is True:
                why = f"the network policy {policy.body.get('name')} lets the public in"
                yield Fact(item.arn, {"exposure": "internet", "auth": "token"}, why)
                break
        else:
            if about:
                why = f"the network policy {about[0][0].body.get('name')} lets only VPC endpoints in"
                yield Fact(item.arn, {"exposure": "private"}, why)


def readers(listed: Listed) -> Iterator[tuple[str, Item, str]]:
    """(principal, collection, policy) of those who may read documents of collections."""
    collections = listed.of("collections")
    for policy in listed.of("collection-access"):
        for statement in _rules(policy.body.get("policy")):
            read = [
                rule
                for rule in statement.get("Rules") or ()
                if {"aoss:*", "aoss:ReadDocument"} & set(rule.get("Permission") or ())
            ]
            for item in collections:
                name = str(item.body.get("name", ""))
                if item.region == policy.region and any(
                    _names(rule, f"collection/{name}") or _names(rule, f"index/{name}/*") for rule in read
                ):
                    for principal in statement.get("Principal") or ():
                        yield str(principal), item, str(policy.body.get("name", ""))


def _names(rule: Mapping[str, Any], name: str) -> bool:
    return any(fnmatchcase(name, str(pattern)) for pattern in rule.get("Resource") or ())


def _rules(policy: Any) -> Iterable[Mapping[str, Any]]:
    if isinstance(policy, str):
        try:
            policy = json.loads(policy)
        except (ValueError, RecursionError):
            return []
    listed = policy if isinstance(policy, list) else [policy]
    return [each for each in listed if isinstance(each, Mapping)]
