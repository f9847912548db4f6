"""The policy snapshot: all the gateway knows, as one dated value that is swapped whole.

It is compiled elsewhere from the graph; the gateway only reads it and never opens the store.
"""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.protect.asking import Grant


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with spans of some categories in one direction, or with a call as such (no categories).

    The most severe action of all matching rules wins; ``policy.ACTIONS`` has their order. What a rule does not name it
    does not ask for. Patterns are shell globs, compared without regard to case.
    """

    id: str
    direction: str  # "in": what the caller sends · "out": what the model answers
    categories: tuple[str, ...]  # data categories, ("*",), or none: the rule is about the call, whatever it holds
    action: str
    why: str
    findings: tuple[str, ...] = ()
    types: tuple[str, ...] = ()  # entity types; empty = all of the categories
    channels: tuple[str, ...] = ()  # channels of the text (``exchange.CHANNELS``)
    models: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()  # names of upstreams
    tools: tuple[str, ...] = ()  # names of tools the model is offered
    when: str = ""  # a condition in CEL about ``call`` and ``application``
    #: What becomes of a text that the detectors failed on, when the rule is enforced: allow | ask | stop. ``ask`` stops
    #: it and names who may approve. A condition of which something is unknown holds, unless this is ``allow``. An
    #: observing rule never stops, so it has no say.
    on_error: str = "stop"
    message: str = ""  # what the person reads instead of ``why``
    #: ask: whether a person's yes is used up by one call, and whether it holds for that conversation only
    single: bool = False
    per_session: bool = False
    tag: str = ""  # tag: the word the event gets
    to: str = ""  # route: the upstream's name, or ``region:<its region>``
    model: str = ""  # route: the model to ask for there; empty = the same
    calls: int = 0  # throttle: calls in ``seconds``
    seconds: float = 60.0


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """How much an application may use in a time: 0 = no limit. Prices are in US dollars."""

    seconds: float
    requests: int = 0
    tokens: int = 0
    cost: float = 0.0


class ToolPin(msgspec.Struct, frozen=True, kw_only=True):
    """A definition of an MCP server's tool that a person approved. ``digest``: ``protect.mcp.definition.digest``."""

    server: str
    tool: str
    digest: str
    approved_by: str = ""


class KnownTool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as the inventory knows it. labels: kinds of data its results may hold; trust: trusted | untrusted | ""."""

    name: str
    server: str = ""
    effects: tuple[str, ...] = ()
    trust: str = ""
    labels: tuple[str, ...] = ()


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """An application behind a virtual key."""

    application: str  # asset id
    name: str
    #: observe: every action is reduced to a note · warn: the same, and the answer's headers say so · enforce
    mode: str = "observe"
    owner: str = ""
    approver: str = ""
    rules: tuple[Rule, ...] = ()
    models: tuple[str, ...] = ()  # allowed model names (globs); empty = any
    providers: tuple[str, ...] = ()  # allowed upstreams (globs); empty = any
    tools: tuple[str, ...] = ()  # MCP tools that may be used, as ``server/tool`` (globs); empty = any
    limits: tuple[Limit, ...] = ()
    concurrent: int = 0  # calls at the same time; 0 = no limit
    uninspected: tuple[str, ...] = ()  # path prefixes that may pass without being understood, whatever else is said
    unknown_paths: str = "pass"  # pass (judged as far as they are JSON or text, and counted) | refuse
    refusal: str = "message"  # message: what is stopped reads as an answer · error: as the client's typed error
    known_tools: tuple[KnownTool, ...] = ()  # tools that it uses, as far as the inventory knows them
    #: What conditions may ask of the application: its properties and the labels it contains, sees and touches.
    about: dict[str, Any] = {}


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """Where calls go. The credential is read by the gateway from the environment, never written here."""

    name: str
    base_url: str
    key_env: str = ""
    #: Surfaces that go here (``anthropic``, or ``openai.chat``); when none says so, the name decides, then the order.
    surfaces: tuple[str, ...] = ()
    region: str = ""  # where the data goes, in the operator's word
    fallback: tuple[str, ...] = ()  # upstreams that are asked, in this order, when this one fails


class Issuer(msgspec.Struct, frozen=True, kw_only=True):
    """Whose signed tokens are taken: name, audience and algorithms must all be as said. ``jwks``: https, or a file."""

    issuer: str
    audience: str
    jwks: str
    algorithms: tuple[str, ...]
    ca_file: str = ""  # who vouches for the address of the keys, when the system's authorities do not
    token_file: str = ""  # a token to ask for the keys with


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who stands for an application: a token's subject (and claims) of an issuer, or a certificate's. Globs."""

    caller: Caller
    issuer: str = ""
    subject: str = ""
    claims: dict[str, str] = {}
    certificate: str = ""


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars for a million tokens, sent and answered, of the models whose name matches the glob."""

    model: str
    sent: float
    answered: float


class PolicySnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """version counts up; callers are keyed by the SHA-256 (hex) of their virtual key."""

    format: int = 1
    version: int
    made_at: float
    tenant: str = "default"
    callers: dict[str, Caller] = {}
    upstreams: tuple[Upstream, ...] = ()
    #: whose tokens are taken, and which subjects stand for which callers: the first that matches
    issuers: tuple[Issuer, ...] = ()
    identities: tuple[Identity, ...] = ()
    #: what an unknown caller gets: "refuse", or the rules of this caller (application "")
    unknown: Caller | None = None
    #: what people allowed, each until its end
    grants: tuple[Grant, ...] = ()
    #: tools as people approved them; a tool that is defined otherwise has changed
    tools: tuple[ToolPin, ...] = ()
    #: the operator's own prices, asked before those that come with Penstock
    prices: tuple[Price, ...] = ()
    #: whether what is seen in calls is recorded (never texts), so that a changed policy can be tried on it
    records: bool = False


def encode(snapshot: PolicySnapshot) -> bytes:
    return msgspec.json.encode(snapshot)


def decode(data: bytes) -> PolicySnapshot:
    """Raises msgspec.ValidationError or msgspec.DecodeError when the bytes are no snapshot."""
    return msgspec.json.decode(data, type=PolicySnapshot)
