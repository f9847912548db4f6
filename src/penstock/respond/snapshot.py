"""The policy snapshot, compiled from the graph: what the gateway does for each caller, and why."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from penstock.errors import NotReachable
from penstock.graph.graph import Graph
from penstock.graph.store.protocol import AccessKey
from penstock.graph.vocabulary import SENSITIVE, Asset, Case, Finding, Step, said_labels
from penstock.knowledge.providers import AT_HOME
from penstock.protect.declared import check, check_identities, rules_for
from penstock.protect.facts import named
from penstock.protect.policy import ATTACK
from penstock.protect.snapshot import (
    Caller,
    Identity,
    Issuer,
    KnownTool,
    Limit,
    PolicySnapshot,
    Price,
    Rule,
    Upstream,
    decode,
    encode,
)
from penstock.respond.people import People
from penstock.settings import PER, Settings

if TYPE_CHECKING:
    from penstock.graph.labels import Labelling

#: Channels of texts that nobody wrote who may tell the model what to do.
_FROM_ELSEWHERE = ("tool_result", "document", "file")
#: How far a caller's own agents are followed: an agent that hands on to another is still the application that calls.
HANDS_ON = ("invokes", "delegates_to")
AGENTS = 200
#: How an application comes by its tools, and how many of one are known to the gateway.
_USES = ("uses_tool", "exposes_tool", "connects_to", "invokes")
TOOLS = 2_000


def compile_snapshot(
    graph: Graph,
    labelling: Labelling,
    findings: Iterable[Finding],
    cases: Iterable[Case],
    keys: Iterable[AccessKey],
    settings: Settings,
    *,
    version: int,
    now: float,
    tenant: str = "default",
) -> PolicySnapshot:
    """What the gateway is to do, for every virtual key that is in use.

    Each sensitive label that an application touches becomes a rule on what it is answered; it names the proof in
    words and the findings it serves. Credentials are always kept out of answers and noted in what is sent. Personal
    data sent to a provider the organisation did not sanction is noted. Whether a rule acts or only observes is the
    operator's ``modes`` setting for the application; it observes unless told otherwise. Rules that the operator wrote
    stand beside these, or in place of the one whose id they have.

    Raises:
        NotUnderstood: a rule of the operator cannot be put in force.
    """
    check(settings, "penstock.yaml")
    check_identities(settings, "penstock.yaml")
    people, index = People(graph, settings), _Index.of(findings, cases)
    callers: dict[str, Caller] = {}
    made: dict[str, Caller] = {}
    for key in sorted(keys, key=lambda key: key.id):
        if key.revoked_at is not None and key.revoked_at <= now:
            continue
        if key.application not in made:
            made[key.application] = _caller(key.application, key.name, graph, labelling, index, settings, people)
        callers[key.sha256] = made[key.application]
    identities: list[Identity] = []
    for row in settings.identities:
        application = _meant(graph, row.application)
        if application is None:
            continue  # not found yet, or several: its callers are unknown until it is
        if application not in made:
            made[application] = _caller(application, row.application, graph, labelling, index, settings, people)
        account = "system:serviceaccount:" + row.service_account.replace("/", ":") if row.service_account else ""
        identities.append(
            Identity(
                caller=made[application], issuer=row.issuer, subject=account or row.subject, claims=row.claims,
                certificate=row.certificate,
            )
        )  # fmt: skip
    issuers = tuple(
        Issuer(
            issuer=i.issuer, audience=i.audience, jwks=i.jwks, algorithms=i.algorithms, ca_file=i.ca_file,
            token_file=i.token_file,
        )
        for i in settings.issuers
    )  # fmt: skip
    upstreams = tuple(
        Upstream(
            name=u.name, base_url=u.base_url, key_env=u.key_env, surfaces=u.surfaces, region=u.region,
            fallback=u.fallback,
        )
        for u in settings.upstreams
    )  # fmt: skip
    prices = tuple(Price(model=p.model, sent=p.sent, answered=p.answered) for p in settings.prices)
    return PolicySnapshot(
        version=version, made_at=now, tenant=tenant, callers=callers, upstreams=upstreams, prices=prices,
        records=settings.gateway.record, issuers=issuers, identities=tuple(identities),
        unknown=_unknown(settings) if settings.gateway.unknown_callers == "observe" else None,
    )  # fmt: skip


def same_content(one: PolicySnapshot, other: PolicySnapshot) -> bool:
    """Whether two snapshots would make the gateway do the same; version and date do not count."""
    return msgspec.structs.replace(one, version=0, made_at=0.0) == msgspec.structs.replace(
        other, version=0, made_at=0.0
    )


def read_snapshot(path: Path) -> PolicySnapshot | None:
    """The snapshot in a file; None when there is none or it is not readable as one (it is then made anew)."""
    try:
        return decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None


def write_snapshot(path: Path, snapshot: PolicySnapshot) -> None:
    """Put the snapshot in place whole: a reader sees the old one or the new one, also after a crash.

    Raises:
        NotReachable: the folder cannot be written, or the disk is full; the old snapshot is still in place.
    """
    temporary: str | None = None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
        with os.fdopen(handle, "wb") as file:
            file.write(encode(snapshot))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
        temporary = None
        _sync_folder(path.parent)
    except OSError as error:
        raise NotReachable(
            "The policy snapshot cannot be written", str(path), f"{error.strerror}; the last one stays in force"
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Index:
    """Findings by the assets they are about, and the case of each, so that a thousand callers cost no million looks."""

    findings: Mapping[str, tuple[Finding, ...]]
    case_of: Mapping[str, tuple[int, Case]]

    @classmethod
    def of(cls, findings: Iterable[Finding], cases: Iterable[Case]) -> _Index:
        by_asset: dict[str, list[Finding]] = {}
        for finding in findings:
            for asset in _assets_of(finding) | set(finding.related):
                by_asset.setdefault(asset, []).append(finding)
        placed = sorted(enumerate(cases), key=lambda at: at[1].state != "resolved")  # an open case wins a finding
        graveness = {finding: (place, case) for place, case in placed for finding in case.findings}
        return cls({asset: tuple(found) for asset, found in by_asset.items()}, graveness)

    def about(self, assets: Iterable[str]) -> tuple[Finding, ...]:
        return tuple({f.id: f for asset in sorted(assets) for f in self.findings.get(asset, ())}.values())

    def cases_of(self, findings: Iterable[Finding]) -> tuple[Case, ...]:
        """The cases the findings belong to, in the order given: gravest first."""
        found = {self.case_of[f.id][0]: self.case_of[f.id][1] for f in findings if f.id in self.case_of}
        return tuple(case for _, case in sorted(found.items()))


# ── one caller ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _meant(graph: Graph, said: str) -> str | None:
    """The one asset that calls by this id or name."""
    if said in graph.assets:
        return said
    found = [
        asset.id
        for asset in graph.assets.values()
        if asset.kind in _CALLERS and asset.name == said and asset.lifecycle != "retired"
    ]
    applications = [one for one in found if graph.assets[one].kind == "application"]
    meant = applications or found
    return meant[0] if len(meant) == 1 else None


#: Kinds of assets that call models.
_CALLERS = frozenset({"application", "agent", "assistant"})


def _unknown(settings: Settings) -> Caller:
    """Who calls without a key or an identity: it passes, is observed, and what leaves with it is noted."""
    why = "nobody knows who calls"
    return Caller(
        application="",
        name="an unknown caller",
        rules=tuple(
            Rule(id=f"in-unknown-{label}", direction="in", categories=(label,), action="observe", why=why)
            for label in sorted(SENSITIVE)
        ),
        unknown_paths=settings.gateway.unknown_paths,
        refusal=settings.gateway.refusal,
    )


def _caller(
    caller: str,
    called: str,
    graph: Graph,
    labelling: Labelling,
    index: _Index,
    settings: Settings,
    people: People,
) -> Caller:
    application = graph.assets.get(caller)
    name = application.name if application else called
    parts = _parts(graph, caller)
    concerned = index.about(parts)
    owner = people.owner(caller)
    about = _about(application, labelling, parts)
    declared = rules_for(settings.policy, application=caller, name=name, about=about)
    replaced = {setting.id for setting, _ in declared}
    rules = [
        *(rule for _, rule in declared if rule.action != "allow"),
        *(rule for rule in _rules(graph, labelling, parts, concerned, settings) if rule.id not in replaced),
    ]
    limits = [row for row in settings.limits if named(name, row.application) or caller in row.application]
    return Caller(
        application=caller,
        name=name,
        mode=settings.modes.get(caller) or settings.modes.get(name) or "observe",
        owner=owner.name,
        approver=_approver(people, caller, owner.asset, index.cases_of(concerned)),
        rules=tuple(rules),
        models=tuple(sorted({model for row in limits for model in row.models})),
        providers=tuple(sorted({provider for row in limits for provider in row.providers})),
        tools=tuple(sorted({tool for row in limits for tool in row.tools})),
        limits=tuple(
            Limit(seconds=PER[row.per], requests=row.requests, tokens=row.tokens, cost=row.cost)
            for row in limits
            if row.requests or row.tokens or row.cost
        ),
        concurrent=min((row.concurrent for row in limits if row.concurrent), default=0),
        known_tools=_known_tools(graph, labelling, parts),
        about=about if any(rule.when for rule in rules) else {},
        unknown_paths=settings.gateway.unknown_paths,
        refusal=settings.gateway.refusal,
    )


def _known_tools(graph: Graph, labelling: Labelling, parts: Iterable[str]) -> tuple[KnownTool, ...]:
    """The tools that an application and its agents use, by themselves or of the servers they are connected to."""
    found: dict[str, KnownTool] = {}
    used = [relation.target for part in sorted(parts) for relation in graph.out(part, *_USES)]
    servers = [asset for one in used if (asset := graph.assets.get(one)) is not None and asset.kind == "mcp_server"]
    offered = [(graph.assets.get(r.target), server) for server in servers for r in graph.out(server.id, "exposes_tool")]
    for tool, server in [*((graph.assets.get(one), None) for one in used), *offered]:
        if tool is None or tool.kind != "tool" or len(found) >= TOOLS:
            continue
        effects, trust = tool.prop("effects"), tool.prop("trust")
        known = KnownTool(
            name=tool.name,
            server=server.name if server else "",
            effects=tuple(sorted(effects)) if isinstance(effects, list | tuple | set | frozenset) else (),
            trust=trust if trust in ("trusted", "untrusted") else "",
            labels=tuple(sorted(labelling.touches(tool.id) & SENSITIVE)),
        )
        if known.effects or known.trust or known.labels:
            found[tool.id] = known
    return tuple(found[name] for name in sorted(found))


def _about(application: Asset | None, labelling: Labelling, parts: Iterable[str]) -> dict[str, Any]:
    """What conditions may ask of an application: its properties, and the labels it and its agents have to do with."""
    if application is None:
        return {}
    found: dict[str, Any] = {
        field: sorted({label for part in parts for label in labels(part)})
        for field, labels in (
            ("contains", labelling.contains), ("sees", labelling.sees), ("touches", labelling.touches)
        )
    }  # fmt: skip
    plain = {
        name: sorted(value) if isinstance(value, set | frozenset) else value
        for name, value in application.props.items()
        if isinstance(value, str | bool | int | float | list | tuple | set | frozenset)
    }
    named = {"id": application.id, "name": application.name, "kind": application.kind}
    return {**plain, **found, **named, "status": application.status}


def _parts(graph: Graph, application: str) -> frozenset[str]:
    """The application and the agents it hands its calls on to."""
    parts, todo = {application}, [application]
    while todo and len(parts) < AGENTS:
        for relation in graph.out(todo.pop(), *HANDS_ON):
            target = graph.assets.get(relation.target)
            if target is not None and target.kind == "agent" and relation.target not in parts:
                parts.add(relation.target)
                todo.append(relation.target)
    return frozenset(parts)


def _rules(
    graph: Graph, labelling: Labelling, parts: frozenset[str], findings: tuple[Finding, ...], settings: Settings
) -> Iterator[Rule]:
    touched = {label: part for part in sorted(parts, reverse=True) for label in labelling.touches(part) & SENSITIVE}
    for label in sorted(touched.keys() | {"credentials"}):
        about = tuple(sorted(f.id for f in findings if _is_about(f, label, labelling)))
        if part := touched.get(label):
            why = f"{said_labels((label,))} can reach it: {_words(graph, labelling.proof(part, label))}"
        else:
            why = "passwords and keys have no place in an answer"
        yield Rule(id=f"out-{label}", direction="out", categories=(label,), action="redact", why=why, findings=about)
    yield Rule(
        id="in-credentials",
        direction="in",
        categories=("credentials",),
        action="observe",
        why="passwords and keys in a prompt reach the provider and its logs",
    )
    acts = "stop" if touched else "ask"
    yield Rule(
        id="in-attack-user", direction="in", categories=(ATTACK,), channels=("user",), action="observe",
        why="somebody may be trying to talk the model out of its instructions",
    )  # fmt: skip
    yield Rule(
        id="in-attack-suspected", direction="in", categories=(ATTACK,), types=("SUSPECTED_INJECTION",),
        channels=_FROM_ELSEWHERE, action="observe", why="what a tool or a document says may be meant for the model",
    )  # fmt: skip
    for direction in ("in", "out"):  # "out": what an MCP server answers
        yield Rule(
            id=f"{direction}-attack-content", direction=direction, categories=(ATTACK,), types=("INJECTION",),
            channels=_FROM_ELSEWHERE, action=acts, single=True,
            why="what a tool or a document says gives the model orders; only the person who asks may do that",
        )  # fmt: skip
    if strangers := _unsanctioned(graph, parts, settings):
        yield Rule(
            id="in-unsanctioned",
            direction="in",
            categories=("pii", "phi", "pci", "minors", "special_category"),
            action="observe",
            why=f"it uses {', '.join(strangers)}, which the organisation has not sanctioned",
        )


def _is_about(finding: Finding, label: str, labelling: Labelling) -> bool:
    """Whether the label lies on the finding's path."""
    return any(label in labelling.contains(asset) or label in labelling.sees(asset) for asset in _assets_of(finding))


def _assets_of(finding: Finding) -> frozenset[str]:
    return frozenset((finding.subject, *(step.asset for step in finding.path)))


def _words(graph: Graph, proof: Iterable[Step]) -> str:
    """A proof as a sentence: names joined by arrows, from where the data lies to who is answered."""
    names = (graph.assets[step.asset].name if step.asset in graph.assets else step.asset for step in proof)
    return " → ".join(names) or "it holds such data itself"


def _unsanctioned(graph: Graph, parts: frozenset[str], settings: Settings) -> tuple[str, ...]:
    """Providers of the models in use that are not on the organisation's list; none when it keeps no list."""
    allowed = settings.organisation.sanctioned_providers
    if allowed is None:
        return ()
    known = {name.casefold() for name in allowed} | AT_HOME
    models = (graph.assets.get(r.target) for part in parts for r in graph.out(part, "uses_model"))
    providers = {str(model.prop("provider") or "") for model in models if model is not None}
    return tuple(sorted(name for name in providers if name and name.casefold() not in known))


def _approver(people: People, application: str, owner: str, cases: Iterable[Case]) -> str:
    """Who can allow an exception, by name: the approver of the gravest case it is in, else the usual one."""
    named = (case.approver for case in cases if case.approver)
    approver = next(named, "") or people.approver(application, owner)
    return people.name(approver) if approver else ""


def _sync_folder(folder: Path) -> None:
    """Make the rename durable, where the system lets a folder be synced."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
