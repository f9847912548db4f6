"""The policy snapshot: all the gateway knows, as one dated value that is swapped whole.

It is compiled elsewhere from the graph; the gateway only reads it and never opens the store.
"""

from __future__ import annotations

import msgspec

from penstock.protect.asking import Grant


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with spans of some categories in one direction.

    The most severe action of all matching rules wins: stop > redact > observe.
    """

    id: str
    direction: str  # "in": what the caller sends · "out": what the model answers
    categories: tuple[str, ...]  # data categories, or ("*",)
    action: str  # observe | redact | stop
    why: str
    findings: tuple[str, ...] = ()
    types: tuple[str, ...] = ()  # entity types; empty = all of the categories
    #: What becomes of a text that the detectors failed on, when the rule is enforced: allow | ask | stop. ``ask`` stops
    #: it and names who may approve. An observing rule never stops, so it has no say.
    on_error: str = "stop"


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """An application behind a virtual key."""

    application: str  # asset id
    name: str
    mode: str = "observe"  # observe | enforce: observing, every action is reduced to a note
    owner: str = ""
    approver: str = ""
    rules: tuple[Rule, ...] = ()
    models: tuple[str, ...] = ()  # allowed model names; empty = any
    uninspected: tuple[str, ...] = ()  # path prefixes that may pass without being understood, whatever else is said
    unknown_paths: str = "pass"  # pass (judged as far as they are JSON or text, and counted) | refuse
    refusal: str = "message"  # message: what is stopped reads as an answer · error: as the client's typed error


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """Where calls go. The credential is read by the gateway from the environment, never written here."""

    name: str
    base_url: str
    key_env: str = ""
    #: Surfaces that go here (``anthropic``, or ``openai.chat``); when none says so, the name decides, then the order.
    surfaces: tuple[str, ...] = ()


class PolicySnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """version counts up; callers are keyed by the SHA-256 (hex) of their virtual key."""

    format: int = 1
    version: int
    made_at: float
    tenant: str = "default"
    callers: dict[str, Caller] = {}
    upstreams: tuple[Upstream, ...] = ()
    #: what an unknown caller gets: "refuse", or the rules of this caller (application "")
    unknown: Caller | None = None
    #: what people allowed, each until its end
    grants: tuple[Grant, ...] = ()


def encode(snapshot: PolicySnapshot) -> bytes:
    return msgspec.json.encode(snapshot)


def decode(data: bytes) -> PolicySnapshot:
    """Raises msgspec.ValidationError or msgspec.DecodeError when the bytes are no snapshot."""
    return msgspec.json.decode(data, type=PolicySnapshot)
