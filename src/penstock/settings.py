"""Operator configuration: ``penstock.yaml``, read only from the state directory, ``--config`` or the environment.

Never from inside a scanned tree: what lies there may inform, but never steer.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.errors import NotReachable, NotUnderstood


@dataclass(frozen=True, slots=True)
class Organisation:
    """What the organisation says about itself."""

    name: str = ""
    sector: str = ""
    regions: tuple[str, ...] = ()
    regimes: tuple[str, ...] = ()
    #: None: nothing was said about providers, so none can be unsanctioned.
    sanctioned_providers: tuple[str, ...] | None = None
    #: domains of the organisation: an address on one of them, or below it, is its own; None: nothing was said.
    trusted_domains: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class UpstreamSetting:
    name: str
    base_url: str
    key_env: str = ""
    #: protocols that go here, such as ``anthropic``; without them its name decides
    surfaces: tuple[str, ...] = ()
    #: where data goes that goes there, in the operator's word; conditions and routes speak of it
    region: str = ""
    #: names of upstreams that are asked, in this order, when this one fails
    fallback: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GatewaySetting:
    """What the gateway does where the graph has no say."""

    #: paths that no protocol knows: ``pass`` (judged as text, counted as uninspected) or ``refuse``
    unknown_paths: str = "pass"
    #: what is stopped reads as an answer (``message``) or as the client's own typed error (``error``)
    refusal: str = "message"
    #: keep what was seen in each call (kinds of data and channels, never texts), to try a changed policy on
    record: bool = False
    #: callers without a key or identity: ``refuse``, or ``observe`` (they pass, and become shadow assets)
    unknown_callers: str = "refuse"


@dataclass(frozen=True, slots=True)
class IssuerSetting:
    """Whose signed tokens (JWT) the gateway takes. ``jwks``: where its public keys are, https or a file."""

    issuer: str
    audience: str
    jwks: str
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    #: certificates of who vouches for the address of the keys; a file with a token to ask for them with
    ca_file: str = ""
    token_file: str = ""


@dataclass(frozen=True, slots=True)
class IdentitySetting:
    """Who stands for an application (name or id), without a key: globs of a token's or a certificate's subject."""

    application: str
    issuer: str = ""
    subject: str = ""
    #: a service account of Kubernetes, as ``namespace/name``: its subject in short
    service_account: str = ""
    claims: dict[str, str] = field(default_factory=dict)
    #: subject of a client certificate, as ``CN=support,O=Shop``
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class MatchSetting:
    """What a rule is about; what is not named is not asked for. Names are globs, without regard to case."""

    direction: str = "in"
    application: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    provider: tuple[str, ...] = ()
    tool: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    #: kinds of data in the text (``pii``, ``attack``, ``"*"``); none: the call as such
    data: tuple[str, ...] = ()
    #: entity types, such as ``CREDIT_CARD``
    type: tuple[str, ...] = ()
    #: labels of data that the application touches
    labels: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicySetting:
    """A rule of the operator. One with the id of a rule made from the graph takes its place."""

    id: str
    action: str
    match: MatchSetting = field(default_factory=MatchSetting)
    when: str = ""
    why: str = ""
    message: str = ""
    on_error: str = "stop"
    #: ask: whether a yes is used up by one call, and whether it holds for that conversation only
    single: bool = False
    per_session: bool = False
    #: tag: the word that the event gets
    tag: str = ""
    #: route: the upstream, or ``region:…``; and the model to ask for there
    to: str = ""
    model: str = ""
    #: throttle: calls in so many seconds
    calls: int = 0
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class LimitSetting:
    """What applications (globs of names, or ids) may use: so much per minute, hour, day or 30 days, and of whom."""

    application: tuple[str, ...] = ("*",)
    per: str = "day"
    requests: int = 0
    tokens: int = 0
    #: US dollars
    cost: float = 0.0
    concurrent: int = 0
    models: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    #: tools of MCP servers, as ``server/tool``
    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PriceSetting:
    """US dollars for a million tokens of models whose name matches the glob."""

    model: str
    sent: float
    answered: float


#: Names of times in limits → seconds.
PER = {"minute": 60.0, "hour": 3_600.0, "day": 86_400.0, "month": 2_592_000.0}


@dataclass(frozen=True, slots=True)
class WebhookSetting:
    """Where case changes are sent; ``secret_env`` names the variable that holds the signing secret."""

    url: str
    secret_env: str


@dataclass(frozen=True, slots=True)
class ApprovalSetting:
    """How long people have to answer, and how long an answer holds."""

    #: a wish that nobody answers is off after so many hours; security is told after ``escalate_minutes``
    answer_hours: float = 24.0
    escalate_minutes: float = 60.0
    #: how long a yes to a call lasts unless the approver says otherwise, and at most
    grant_minutes: float = 60.0
    most_grant_hours: float = 24.0
    #: the same wish is not put to anybody again so soon after a no
    refused_minutes: float = 60.0
    #: address of the console as approvers reach it, for the links in messages; without it messages hold none
    link_base: str = ""


@dataclass(frozen=True, slots=True)
class NotifySetting:
    """Where people are told: ``url_env`` names the variable that holds the address, in the notation of apprise."""

    url_env: str
    #: teams and people this address reaches; empty = everybody
    to: tuple[str, ...] = ()
    #: what is told: ``approval``, ``case``
    about: tuple[str, ...] = ("approval", "case")


@dataclass(frozen=True, slots=True)
class TicketSetting:
    """A system that cases are handed on to; ``token_env`` names the variable that holds its token or routing key."""

    kind: str  # jira | servicenow | pagerduty
    address: str
    token_env: str
    user: str = ""
    #: Jira: key of the project
    project: str = ""


@dataclass(frozen=True, slots=True)
class RolesSetting:
    """What people who sign in with OIDC may do: group → viewer, developer, approver or admin."""

    groups: dict[str, str] = field(default_factory=dict)
    #: claim of the token that lists the groups, and the one that names the tenant (empty: tokens need not name one)
    groups_claim: str = "groups"
    tenant_claim: str = ""
    #: for who is in none of the groups; empty = not let in
    otherwise: str = "viewer"


#: What a person may do, the least first; each may do what those before it may.
ROLES = ("viewer", "developer", "approver", "admin")


@dataclass(frozen=True, slots=True)
class Settings:
    organisation: Organisation = field(default_factory=Organisation)
    upstreams: tuple[UpstreamSetting, ...] = ()
    gateway: GatewaySetting = field(default_factory=GatewaySetting)
    webhooks: tuple[WebhookSetting, ...] = ()
    approvals: ApprovalSetting = field(default_factory=ApprovalSetting)
    notify: tuple[NotifySetting, ...] = ()
    roles: RolesSetting = field(default_factory=RolesSetting)
    tickets: tuple[TicketSetting, ...] = ()
    #: asset name or id → team or person; a person's word, above everything a tree declares
    owners: dict[str, str] = field(default_factory=dict)
    #: application name or id → observe | warn | enforce
    modes: dict[str, str] = field(default_factory=dict)
    policy: tuple[PolicySetting, ...] = ()
    limits: tuple[LimitSetting, ...] = ()
    issuers: tuple[IssuerSetting, ...] = ()
    identities: tuple[IdentitySetting, ...] = ()
    prices: tuple[PriceSetting, ...] = ()
    #: paths (globs) the operator excludes from scans
    exclude: tuple[str, ...] = ()
    #: severity → hours until a case of it is due, in place of those that come with Penstock
    due_hours: dict[str, float] = field(default_factory=dict)
    security_team: str = ""
    data_protection_officer: str = ""
    legal: str = ""


#: The file of a state directory that names the configuration its owner last gave with ``--config``.
REMEMBERED = "config-path"
#: How msgspec calls the types of a YAML document, and how a person does.
_TYPES = {"array": "a list", "object": "a mapping", "str": "text", "int": "a number", "float": "a number",
          "bool": "true or false", "null": "nothing", "date": "a date", "datetime": "a date"}  # fmt: skip


def state_directory(given: str | os.PathLike[str] | None = None) -> Path:
    """The state directory: as given, ``$PENSTOCK_STATE``, or the user's state folder. It is not created."""
    if given:
        return Path(given).expanduser().absolute()
    if env := os.environ.get("PENSTOCK_STATE"):
        return Path(env).expanduser().absolute()
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "penstock"


def load_settings(state: Path, given: str | os.PathLike[str] | None = None) -> Settings:
    """Settings from ``given``, ``$PENSTOCK_CONFIG``, the file remembered, or ``<state>/penstock.yaml``; else defaults.

    Every command derives risks, cases and the gateway's policy anew; were the file only read where ``--config`` is
    typed, the next command without it would undo what the file says.

    Raises:
        NotReachable: a file that was named does not exist.
        NotUnderstood: it does not parse, or names a setting that does not exist.
    """
    own = state / "penstock.yaml"
    path = Path(given or os.environ.get("PENSTOCK_CONFIG") or remembered(state) or own)
    if not path.is_file():
        if given or os.environ.get("PENSTOCK_CONFIG"):
            raise NotReachable("There is no such configuration file", str(path), "Check --config or PENSTOCK_CONFIG")
        if path != own:
            raise NotReachable(
                "The configuration file of this state is gone",
                str(path),
                f"Name another with --config, or go without: rm {state / REMEMBERED}",
            )
        return Settings()
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotReachable(
            f"The configuration cannot be read: {error.strerror}", str(path), "Make it readable"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise NotUnderstood(
            "The configuration is not readable as YAML", str(path), " ".join(str(error).split())
        ) from error
    return parse_settings({} if document is None else document, str(path))


def remembered(state: Path) -> str:
    """The configuration file that this state directory was last used with; empty when there was none."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return (state / REMEMBERED).read_text(encoding="utf-8").strip()
    return ""


def remember(state: Path, given: str | os.PathLike[str]) -> None:
    """Keep ``given`` as this state's configuration; its own ``penstock.yaml`` needs no keeping.

    Raises:
        NotReachable: the state directory cannot be written.
    """
    path = Path(given).absolute()
    try:
        if path == state / "penstock.yaml":
            (state / REMEMBERED).unlink(missing_ok=True)
        elif remembered(state) != str(path):
            (state / REMEMBERED).write_text(f"{path}\n", encoding="utf-8")
    except OSError as error:
        raise NotReachable(
            f"The state directory cannot be written: {error.strerror}", str(state), "Name another with --state"
        ) from error


def parse_settings(document: Any, where: str) -> Settings:
    """Check a parsed configuration once, at the door.

    Raises:
        NotUnderstood: a setting does not exist or has a value of the wrong type.
    """
    import msgspec

    if not isinstance(document, dict):
        raise NotUnderstood("The configuration is not a mapping", where, "See docs/configuration.md")
    said = {name: value for name, value in document.items() if value is not None}
    _names(said, Settings, "", where)
    _names(said.get("organisation"), Organisation, "organisation.", where)
    for name, part in (("gateway", GatewaySetting), ("approvals", ApprovalSetting), ("roles", RolesSetting)):
        _names(said.get(name), part, f"{name}.", where)
    for section, kind in (
        ("upstreams", UpstreamSetting), ("webhooks", WebhookSetting), ("notify", NotifySetting),
        ("policy", PolicySetting), ("limits", LimitSetting), ("prices", PriceSetting), ("tickets", TicketSetting),
        ("issuers", IssuerSetting), ("identities", IdentitySetting),
    ):  # fmt: skip
        rows = said.get(section)
        for number, row in enumerate(rows if isinstance(rows, list) else ()):
            _names(row, kind, f"{section}[{number}].", where)
            if kind is PolicySetting and isinstance(row, dict):
                _names(row.get("match"), MatchSetting, f"{section}[{number}].match.", where)
    try:
        settings = msgspec.convert(said, Settings)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at ")
        setting = place.strip("`").removeprefix("$").lstrip(".") or "the configuration"
        problem = re.sub(r"Object missing required field `(\w+)`", r"\1 is missing", problem)
        said_so = re.sub(r"`(\w+)`", lambda match: _TYPES.get(match[1], match[0]), problem.replace(" | null`", "`"))
        raise NotUnderstood(f"The setting {setting} is not as it must be", where, said_so) from error
    if wrong := sorted(set(settings.modes.values()) - {"observe", "warn", "enforce"}):
        raise NotUnderstood(f"Unknown mode {wrong[0]!r}", f"{where}: modes", "Use observe, warn or enforce")
    if wrong := sorted({*settings.roles.groups.values(), settings.roles.otherwise or "viewer"} - set(ROLES)):
        raise NotUnderstood(f"Unknown role {wrong[0]!r}", f"{where}: roles", f"Use one of {', '.join(ROLES)}")
    for name, length in (
        ("answer_hours", settings.approvals.answer_hours),
        ("escalate_minutes", settings.approvals.escalate_minutes),
        ("grant_minutes", settings.approvals.grant_minutes),
        ("most_grant_hours", settings.approvals.most_grant_hours),
        ("refused_minutes", settings.approvals.refused_minutes),
    ):
        if not 0 < length <= 24 * 366:
            raise NotUnderstood(f"{length:g} is no length of time", f"{where}: approvals.{name}", "Give one above 0")
    for limit in settings.limits:
        if limit.per not in PER:
            raise NotUnderstood(f"{limit.per!r} is no time of a limit", f"{where}: limits", f"Use {', '.join(PER)}")
    for name, value, allowed in (
        ("unknown_paths", settings.gateway.unknown_paths, ("pass", "refuse")),
        ("refusal", settings.gateway.refusal, ("message", "error")),
        ("unknown_callers", settings.gateway.unknown_callers, ("refuse", "observe")),
    ):
        if value not in allowed:
            place = f"{where}: gateway.{name}"
            raise NotUnderstood(f"{value!r} is no value of this setting", place, f"Use {' or '.join(allowed)}")
    return settings


def _names(said: Any, kind: type, prefix: str, where: str) -> None:
    """Raise for a setting that does not exist, with the nearest that does."""
    known = list(kind.__dataclass_fields__)  # type: ignore[attr-defined]
    for name in said if isinstance(said, dict) else ():
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise NotUnderstood(f"Unknown setting {prefix}{name}", where, f"{hint}Known: {', '.join(sorted(known))}")
