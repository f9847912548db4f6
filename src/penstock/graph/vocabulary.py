"""The words of Penstock: kinds, verbs, labels, properties, and the values everything else passes around.

Every other file imports these; nothing re-declares them. Reading order: the tables first (what may be said),
then the values (how it is said).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import isfinite
from types import MappingProxyType
from typing import Any, Literal, get_args

from penstock.errors import NotUnderstood

# ── kinds ────────────────────────────────────────────────────────────────────────────────────────────────────────────

Kind = Literal[
    # AI assets: each is part of the AI inventory by itself
    "model", "agent", "application", "assistant", "prompt", "tool", "mcp_server", "skill", "rules_file", "hook",
    "guardrail", "endpoint", "provider", "framework", "pipeline", "registry", "workspace",
    # data
    "dataset", "knowledge_base", "vector_store", "data_store", "log_store", "memory", "content_source",
    # what they run on and as
    "infrastructure", "hardware", "image", "package", "identity", "credential", "repository",
    # people and what they decide
    "team", "person", "process", "decision",
]  # fmt: skip
KINDS: frozenset[str] = frozenset(get_args(Kind))

AI_KINDS: frozenset[str] = frozenset(
    {"model", "agent", "application", "assistant", "prompt", "tool", "mcp_server", "skill", "rules_file", "hook",
     "guardrail", "endpoint", "provider", "framework", "pipeline", "registry", "workspace"}
)  # fmt: skip
DATA_KINDS: frozenset[str] = frozenset(
    {"dataset", "knowledge_base", "vector_store", "data_store", "log_store", "memory", "content_source"}
)
#: In the AI inventory only through a relation to an AI asset; alone they are context.
CONTEXT_KINDS: frozenset[str] = frozenset(
    {"data_store", "infrastructure", "image", "package", "identity", "repository"}
)

#: Spellings met in foreign material, mapped once at the door.
KIND_ALIASES: Mapping[str, str] = MappingProxyType({"compute": "infrastructure", "coding_assistant": "assistant"})

# ── verbs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Verb:
    """One relation word, read aloud: *source verb target*.

    carries: ``contains`` (the receiver holds the data), ``sees`` (it may read it) or None (reach only).
    to: which end receives the labels.
    """

    name: str
    carries: Literal["contains", "sees"] | None = None
    to: Literal["source", "target"] | None = None


def _verbs() -> dict[str, Verb]:
    # labels go against the direction of reading: what is pulled from comes along
    contains_back = [
        "trained_on", "fine_tuned_from", "derived_from", "indexes", "ingests", "loads", "consumes", "serves",
    ]  # fmt: skip
    # labels go with the direction of reading: what is pushed arrives
    contains_on = ["produces", "writes", "copied_to", "logs_to", "remembers_in", "sends_to", "stored_in"]
    # the caller may read what the called one holds or sees
    sees_back = ["retrieves_from", "reads", "uses_model", "uses_tool", "delegates_to", "invokes"]
    reach = [
        "evaluated_on", "embedded_by", "guarded_by", "instructed_by", "exposes_tool", "connects_to", "provided_by",
        "deployed_on", "built_with", "runs_as", "holds", "grants", "can_read", "can_write", "can_admin", "can_assume",
        "reaches", "defined_in", "owned_by", "approved_by", "member_of", "notifies", "supports", "same_as",
    ]  # fmt: skip
    table = {name: Verb(name, "contains", "source") for name in contains_back}
    table |= {name: Verb(name, "contains", "target") for name in contains_on}
    table |= {name: Verb(name, "sees", "source") for name in sees_back}
    table |= {name: Verb(name) for name in reach}
    return table


VERBS: Mapping[str, Verb] = MappingProxyType(_verbs())

# ── labels ───────────────────────────────────────────────────────────────────────────────────────────────────────────

#: Data categories. Their weight (1-4) is the impact of a disclosure (eval/scenarios: 4 special, 3 personal, 1 none);
#: unknown-origin is above clean and below known-sensitive.
LABELS: Mapping[str, int] = MappingProxyType(
    {"phi": 4, "special_category": 4, "minors": 4, "pci": 4, "credentials": 4, "pii": 3, "confidential": 3,
     "trade_secret": 3, "unknown-origin": 2}
)  # fmt: skip
#: Said about data, but no reason to protect it.
MARKS: frozenset[str] = frozenset({"public", "synthetic"})
SENSITIVE: frozenset[str] = frozenset(LABELS) - {"unknown-origin"}

#: Labels and marks as a reader says them.
LABEL_WORDS: Mapping[str, str] = MappingProxyType(
    {"phi": "health data", "special_category": "specially protected personal data", "minors": "children's data",
     "pci": "payment card data", "credentials": "passwords and keys", "pii": "personal data",
     "confidential": "confidential business data", "trade_secret": "trade secrets",
     "unknown-origin": "data of unknown origin", "public": "public data", "synthetic": "synthetic data"}
)  # fmt: skip


def said_labels(labels: Iterable[str]) -> str:
    """Labels in a reader's words, heaviest first: ``health data and personal data``; empty for none."""
    ordered = sorted(set(labels), key=lambda label: (-LABELS.get(label, 0), label))
    words = [LABEL_WORDS.get(label, label) for label in ordered]
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


# ── states ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Status = Literal["used", "declared", "catalogue", "test", "example", "commented"]
#: Best first: one asset with evidence of several keeps the strongest.
STATUS_ORDER: tuple[str, ...] = get_args(Status)

Lifecycle = Literal["current", "stale", "retired"]
Confidence = Literal["declared", "resolved", "inferred", "guessed"]
#: Strongest first.
CONFIDENCE_ORDER: tuple[str, ...] = get_args(Confidence)
Severity = Literal["info", "low", "medium", "high", "critical"]
#: Mildest first, so that an index compares.
SEVERITIES: tuple[str, ...] = get_args(Severity)
Leakage = Literal["verbatim", "extractable", "inferable"]

# ── properties ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Prop:
    """A declared property: its type, the words it may hold, and what it means."""

    name: str
    type: Literal["text", "flag", "number", "word", "words", "record"]
    meaning: str
    words: tuple[str, ...] = ()


def _props() -> dict[str, Prop]:
    def word(name: str, words: str, meaning: str) -> Prop:
        return Prop(name, "word", meaning, tuple(words.split()))

    def words(name: str, allowed: str, meaning: str) -> Prop:
        return Prop(name, "words", meaning, tuple(allowed.split()))

    def flag(name: str, meaning: str) -> Prop:
        return Prop(name, "flag", meaning)

    def text(name: str, meaning: str) -> Prop:
        return Prop(name, "text", meaning)

    def number(name: str, meaning: str) -> Prop:
        return Prop(name, "number", meaning)

    rows = [
        word("exposure", "internet partner corporate private", "who can reach it over the network"),
        word("auth", "none api_key local_key token oidc mtls", "how a caller proves who it is"),
        word("audience", "public customers partners employees machine", "whom it is meant for"),
        text("purpose", "what it is used for"),
        word("env", "prod staging dev research", "environment"),
        text("role", "finer role within its kind, such as embedding, chat, gpu"),
        number("records", "how many records it holds"),
        flag("public_read", "anyone may read it"),
        flag("public_write", "anyone may write it"),
        Prop("declassified", "record", "method, approved_by and date of an accepted declassification"),
        text("deleted_on", "date on which the source was erased"),
        word("format", "safetensors gguf onnx pickle joblib", "format of the weights"),
        text("architecture", "of a model: its family, as its files name it"),
        number("parameters", "of a model: how many numbers it was trained to"),
        text("dtype", "of a model: the kind of most of its numbers, such as BF16"),
        text("quantisation", "of a model: how its numbers were made smaller, such as Q4_K_M or gptq"),
        text("licence", "under which it was published, as its files name it"),
        text("sha256", "of a file of weights"),
        word("verdict", "clean inconclusive review suspicious malicious", "of weights: what loading them would do"),
        word("revision", "pinned floating", "whether an exact version is fetched"),
        word("publisher", "verified unverified internal", "who published it"),
        flag("remote_code", "loading runs code that comes with it"),
        word("signature", "valid none invalid", "signature of the artefact"),
        flag("input_filter", "what goes in is checked"),
        flag("output_filter", "what comes out is checked"),
        flag("grounding_check", "answers are checked against sources"),
        flag("rate_limit", "calls or cost are limited"),
        flag("logging", "calls are logged"),
        words("effects", "read write delete exec network email money deploy physical", "what it can do"),
        flag("sandbox", "what it runs is confined"),
        word("approval", "none required", "whether a person approves each action"),
        word("autonomy", "suggest act", "whether it acts by itself"),
        word("trust", "trusted untrusted", "whether strangers can write the content"),
        flag("human_review", "a person reviews its decisions"),
        flag("disclosure", "people are told that they talk to an AI"),
        flag("rollback", "a bad version can be taken back"),
        number("age_days", "age in days"),
        number("rotation_days", "days between rotations"),
        number("last_used_days", "days since last use"),
        text("scope", "what a credential or identity reaches, in words"),
        word("transport", "stdio http https", "how an MCP server is reached"),
        text("url", "address, without query or credentials"),
        text("command", "program that a configuration names; never started"),
        flag("version_pin", "an exact version is named"),
        text("version", "version in use"),
        flag("definition_changed", "its description changed since it was approved"),
        flag("root", "runs as root"),
        flag("network_isolation", "no way in or out but the declared ones"),
        flag("cmk", "encrypted with the customer's own key"),
        flag("agreement", "a data-processing agreement is in place"),
        text("region", "where it runs or stores"),
        text("tenant", "customer it serves, where one store or role serves several"),
        word("sanction", "sanctioned tolerated unsanctioned unknown", "whether the organisation agreed to it"),
        number("criticality", "of a business process: 1 low to 4 vital"),
        number("tolerable_outage_h", "of a business process: hours it may be down"),
        text("provider", "provider of a hosted model"),
        text("vendor", "who makes it"),
        text("date", "date of a decision"),
        text("what", "what was decided"),
        text("email", "address of a person or team"),
        flag("left", "of a person: no longer with the organisation"),
        text("language", "programming language"),
        text("text_hash", "SHA-256 of a prompt's text; the text itself is not kept"),
        number("text_length", "length of a prompt's text in characters"),
        words("hidden", "invisible tags bidi markup", "how text in it is hidden from a reader"),
        words("dangers", "remote_script exfiltration obfuscated reverse_shell persistence destructive unsafe_mode "
              "poisoned injected plaintext auto_trust full_access broad_permission starts_alone",
              "what a configuration lets happen"),
        words("gives_way", "injection jailbreak encoding leakage exfiltration unsafe_code other",
              "attacks of a red-team run that got through"),
        words("declared_data", " ".join([*LABELS, *sorted(MARKS)]), "labels a team declares; raises, never lowers"),
        words("columns", "", "names of the columns in which labelled data was found"),
        word("volume", "tens hundreds thousands millions billions", "band of its number of records, also if estimated"),
        Prop("entities", "record", "types of sensitive values found, with how many of the sampled values are of each"),
        number("planted", "texts in it that instruct a model"),
        number("flooded", "near-copies in it of one text"),
        number("contradicted", "rows whose class contradicts their text"),
        words("suspect_rows", "", "where in it the suspicious rows stand, and why"),
    ]  # fmt: skip
    return {row.name: row for row in rows}


PROPS: Mapping[str, Prop] = MappingProxyType(_props())

#: Properties with a better and a worse: their values from worst to best. A declaration inside a scanned tree may make
#: such a property worse, never better than what else was seen (DESIGN §2, trust of configuration).
WORST_FIRST: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        "exposure": ("internet", "partner", "corporate", "private"),
        "auth": ("none", "local_key", "api_key", "token", "oidc", "mtls"),
        "audience": ("public", "customers", "partners", "employees", "machine"),
        "trust": ("untrusted", "trusted"),
        "approval": ("none", "required"),
        "autonomy": ("act", "suggest"),
        "publisher": ("unverified", "verified", "internal"),
        "revision": ("floating", "pinned"),
        "signature": ("invalid", "none", "valid"),
        "sanction": ("unsanctioned", "unknown", "tolerated", "sanctioned"),
    }
    | dict.fromkeys(("public_read", "public_write", "remote_code", "root", "definition_changed"), (True, False))
    | dict.fromkeys(
        ("input_filter", "output_filter", "grounding_check", "rate_limit", "logging", "sandbox", "human_review",
         "disclosure", "rollback", "version_pin", "network_isolation", "cmk", "agreement"),
        (False, True),
    )
)  # fmt: skip


def check_props(props: Mapping[str, Any], where: str) -> None:
    """Check names and values against the table of properties; None is allowed and means that nothing is known.

    Args:
        where: who speaks, for the error: a collector's name or a place.
    Raises:
        NotUnderstood: a property is not declared, or its value is not of the declared type.
    """
    for name, value in props.items():
        prop = PROPS.get(name)
        if prop is None:
            near = get_close_matches(name, PROPS, n=3)
            raise NotUnderstood(
                f"There is no property {name!r}",
                where,
                f"Close: {', '.join(near)}" if near else "Declare it in graph/vocabulary.py",
            )
        if value is not None and not _fits(prop, value):
            allowed = f" of {', '.join(prop.words)}" if prop.words else ""
            raise NotUnderstood(f"Property {name!r} holds {value!r:.80}", where, f"It takes a {prop.type}{allowed}")


def check_labels(labels: Iterable[str], where: str) -> None:
    """Check that every label is a data category or a mark. Raises NotUnderstood."""
    if unknown := sorted(set(labels) - set(LABELS) - MARKS):
        raise NotUnderstood(f"There is no label {unknown[0]!r}", where, f"Labels: {', '.join([*LABELS, *MARKS])}")


def _fits(prop: Prop, value: object) -> bool:
    match prop.type:
        case "text":
            return isinstance(value, str)
        case "flag":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
        case "word":
            return isinstance(value, str) and value in prop.words
        case "words":
            return isinstance(value, list | tuple | set | frozenset) and all(
                isinstance(word, str) and (not prop.words or word in prop.words) for word in value
            )
        case "record":
            return isinstance(value, Mapping) and all(
                isinstance(key, str) and (entry is None or isinstance(entry, str | int | float | bool))
                for key, entry in value.items()
            )


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Asset:
    """A thing that AI is made of, uses or touches.

    In an observation ``id`` is the id that identity issues from kind, scope and key; in a merged graph it is the id
    kept since first sight. ``labels`` are what the asset itself was seen to hold, before propagation.
    """

    id: str
    kind: str
    name: str
    scope: str = ""
    props: Mapping[str, Any] = field(default_factory=dict)
    labels: frozenset[str] = frozenset()
    status: str = "used"
    #: Ids under which the same thing was known before (a rename said by a person or by version control).
    formerly: tuple[str, ...] = ()
    first_seen: float = 0.0
    last_seen: float = 0.0
    lifecycle: str = "current"

    def prop(self, name: str) -> Any:
        """The property, or None when nothing is known about it (absent is unknown, never false)."""
        return self.props.get(name)


@dataclass(frozen=True, slots=True)
class Relation:
    """*source verb target*, by asset ids, directed as read aloud."""

    source: str
    verb: str
    target: str
    props: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        return self.source, self.verb, self.target


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why we say so: who saw it, where, how surely, and the steps that led there.

    Args:
        collector: name of the collector, or ``person:<name>`` for a person's word.
        where: ``path:line``, ARN, span id, log line: something a reader can open.
        scope: the scan scope it belongs to, such as ``repo:shop/assistant``; only a complete scan of it retires it.
        chain: human-readable steps from the place to the value, first step first.
        seen_at: seconds since the epoch; stamped at ingestion, because collectors have no clock.
        until: end date of a person's word in seconds since the epoch, None for no end.
    """

    collector: str
    where: str
    confidence: str = "resolved"
    chain: tuple[str, ...] = ()
    scope: str = ""
    seen_at: float = 0.0
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """An asset or a relation, with the evidence for exactly what this value claims."""

    subject: Asset | Relation
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Unseen:
    """What could not be read, reached, parsed or permitted; a deliberate skip (``skipped``) is a note, no failure."""

    where: str
    what: str
    why: str
    hint: str = ""
    collector: str = ""
    scope: str = ""
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Complete:
    """A collector saw every ``verb`` relation there is in ``scope``; only there may a rule read absence."""

    scope: str
    verb: str
    collector: str


#: Scopes that nobody looks through, they only add to what scans see: traffic of the gateway, and people's words. They
#: hold all that was called or said, so they put no absence in doubt; nor do they prove one, for they are no search.
ADDING_SCOPES: frozenset[str] = frozenset({"gateway", "words"})


@dataclass(frozen=True, slots=True)
class Step:
    """One hop of a path: the asset, and the verb that led from the hop before (empty on the first).

    ``forward`` is False when the relation was walked against its direction.
    """

    asset: str
    verb: str = ""
    forward: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that fired: what, on which asset, along which path, how bad, and what to do.

    ``id`` is the fingerprint of (rule, subject, cause): equal across scans. ``score`` is 0-100 and orders findings;
    ``terms`` explain it (term name → value with its reason).
    """

    id: str
    rule: str
    subject: str
    title: str
    severity: str
    explanation: str
    fix: str
    path: tuple[Step, ...] = ()
    score: float = 0.0
    score_range: tuple[float, float] = (0.0, 0.0)
    terms: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[Mapping[str, str], ...] = ()
    related: tuple[str, ...] = ()
    fix_at: str = ""
    root: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What only a person can say: asked instead of guessed. ``prop`` or ``verb`` names what is missing."""

    asset: str
    about: str
    rule: str = ""
    prop: str = ""
    verb: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at run time, tied to assets. Texts are never kept, only types, counts and hashes."""

    id: str
    at: float
    kind: str  # call | alert
    application: str  # asset id of the caller; "" when unknown
    surface: str = ""
    provider: str = ""
    model: str = ""
    verdict: str = "allow"  # allow | observe | redact | stop
    rules: tuple[str, ...] = ()
    #: category → how many spans were seen, by direction: "in.pii", "out.credentials"
    seen: Mapping[str, int] = field(default_factory=dict)
    finding_ids: tuple[str, ...] = ()
    props: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CaseChange:
    """One line of a case's history."""

    at: float
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class Case:
    """Findings and events with one root cause, a person who answers for it, and a state."""

    id: str
    fingerprint: str
    title: str
    severity: str
    state: str = "open"  # open | snoozed | accepted | resolved
    owner: str = ""  # asset id of a team or person; "" = unknown, said so
    owner_why: str = ""
    approver: str = ""
    informed: tuple[str, ...] = ()
    affected: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    event_count: int = 0
    opened_at: float = 0.0
    changed_at: float = 0.0
    until: float | None = None
    history: tuple[CaseChange, ...] = field(default=())
    due: float | None = None  # when it is to be dealt with, in seconds since the epoch
    escalated_at: float | None = None
    #: What a person put here: fingerprints of other cases, and ``finding <id>``.
    holds: tuple[str, ...] = ()
    merged_into: str = ""  # case id
