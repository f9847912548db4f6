"""Which calls are made, as data (pack ``cloud``), and the permissions that they need: nothing else is ever asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from penstock.discover.infra.resources import row_of
from penstock.knowledge.pack import define_pack, load_pack

_FIELD = re.compile(r"\{([\w.]*)\}")
#: Verbs of calls that change nothing.
_READING = ("List", "Get", "Describe", "BatchGet")
#: Permissions that read what is stored, said or answered, not how something is set up.
_DATA = (
    "s3:GetObject*", "s3:ListBucket*", "s3vectors:GetVectors", "s3vectors:ListVectors", "s3vectors:QueryVectors",
    "bedrock:Invoke*", "bedrock:Retrieve*", "bedrock:GetKnowledgeBaseDocuments", "bedrock:ListKnowledgeBaseDocuments",
    "bedrock:GetAgentMemory", "bedrock:ListSessions", "bedrock:GetSession", "bedrock:GetInvocationStep",
    "bedrock-agentcore:GetEvent", "bedrock-agentcore:ListEvents", "bedrock-agentcore:ListMemoryRecords",
    "bedrock-agentcore:GetMemoryRecord", "sagemaker:GetRecord", "sagemaker:BatchGetRecord", "aoss:APIAccessAll",
    "lambda:GetFunction", "lambda:GetLayerVersion", "secretsmanager:GetSecretValue", "ssm:GetParameter*",
)  # fmt: skip


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One call; the header of the pack says what each field means."""

    op: str
    with_: dict[str, Any] = msgspec.field(name="with", default_factory=dict)
    at: str = ""
    as_: str = msgspec.field(name="as", default="")
    may: str = ""
    on: str = "*"


class Listing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One kind of resource and the calls that find it; the header of the pack says what each field means."""

    id: str
    service: str
    list: Call
    type: str = ""
    once: bool = False
    alone: bool = False
    of: str = ""
    into: str = ""
    get: tuple[Call, ...] = ()
    details: tuple[Call, ...] = ()
    arn: str = ""
    name: str = ""
    also: tuple[str, ...] = ()
    refs: dict[str, str] = {}
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()

    def calls(self) -> tuple[Call, ...]:
        return (self.list, *self.get, *self.details)


def listings() -> tuple[Listing, ...]:
    """Every row, those that others are asked for first."""
    return load_pack("cloud").rows


def permission(listing: Listing, call: Call) -> str:
    """The IAM action that a call needs."""
    prefix = load_pack("cloud").header["prefixes"].get(listing.service, listing.service)
    return call.may or f"{prefix}:{call.op}"


def policy() -> dict[str, Any]:
    """The least that an identity needs to be allowed: an IAM policy document."""
    needed: dict[str, set[str]] = {"*": set(load_pack("cloud").header["always"])}
    for listing in listings():
        for call in listing.calls():
            needed.setdefault(call.on, set()).add(permission(listing, call))
    by_actions: dict[tuple[str, ...], list[str]] = {}
    for resource, actions in needed.items():
        by_actions.setdefault(tuple(sorted(actions)), []).append(resource)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": list(actions), "Resource": sorted(on) if len(on) > 1 else on[0]}
            for actions, on in by_actions.items()
        ],
    }


def filled(text: Any, fields: Mapping[str, Any]) -> Any:
    """A parameter with its fields put in.

    Raises:
        KeyError: a field is not there.
    """
    if isinstance(text, list):
        return [filled(each, fields) for each in text]
    if not isinstance(text, str):
        return text
    return _FIELD.sub(lambda match: str(fields[match[1]]), text)


def type_of(arn: str) -> str:
    """The type of the resource that an ARN leads to; empty when it is none that can be told."""
    for pattern, type_ in load_pack("cloud").header["arns"]:
        if fnmatchcase(arn, pattern):
            return str(type_)
    return ""


def _problems(row: Listing) -> Iterator[str]:
    if row.type and row_of(row.type) is None:
        yield f"the pack resources has no row for {row.type}"
    if not row.into and not row.arn:
        yield "nothing identifies its items: give arn, or into"
    for call in row.calls():
        if not call.op.startswith(_READING):
            yield f"{call.op} may change something"
        if call.may and "*" in call.may:
            yield f"{call.may} allows more than one call"


def _examples(row: Listing) -> Iterator[tuple[bool, Any]]:
    """Each permission of the row must apply; none that reads data or changes anything may."""
    yield from ((True, permission(row, call)) for call in row.calls())
    yield from ((False, word.replace("*", "")) for word in _DATA)


def _check(row: Listing, example: Any) -> bool:
    needed = {permission(row, call) for call in row.calls()}
    reads_data = any(fnmatchcase(action, word) for action in needed for word in _DATA)
    return example in needed and not reads_data


define_pack("cloud", Listing, check=_check, validate=_problems, examples=_examples)
