"""What rules may read of an asset beyond what was observed: reach, guards, labels, weight. Absent means unknown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

from penstock.assess.high_risk import high_risk_use
from penstock.conditions import SCHEMAS, Field
from penstock.graph import identity
from penstock.graph.graph import Graph
from penstock.graph.labels import Labelling
from penstock.graph.owners import owners_of
from penstock.graph.vocabulary import DATA_KINDS, LABELS, MARKS, SENSITIVE, VERBS, Asset, said_labels
from penstock.knowledge.models import family_of
from penstock.knowledge.providers import AT_HOME
from penstock.settings import Organisation

_EXPOSURES = ("private", "corporate", "partner", "internet")
_DERIVED = {
    "reach": Field("text", frozenset(_EXPOSURES)),
    "anonymous": Field("flag"),
    "untrusted": Field("flag"),
    "guarded_in": Field("flag"),
    "guarded_out": Field("flag"),
    "owned": Field("flag"),
    "revoked": Field("flag"),
    "high_risk": Field("text"),
    "criticality": Field("number"),
    "holders": Field("number"),
    "served": Field("flag"),
}
#: What conditions of rules are checked against.
RULE_SCHEMAS: Mapping[str, Mapping[str, Field]] = MappingProxyType(
    {
        "asset": MappingProxyType({**SCHEMAS["asset"], **_DERIVED}),
        "org": MappingProxyType(
            {name: Field("text") for name in ("name", "sector")}
            | {name: Field("words") for name in ("regions", "regimes")}
        ),
        "path": MappingProxyType({"length": Field("number")}),
    }
)

#: Verbs by which the source makes use of the target: who reaches the source reaches the target through it.
USES = frozenset(
    "invokes uses_tool uses_model delegates_to serves exposes_tool connects_to retrieves_from reads loads runs_as "
    "holds grants deployed_on".split()
)
#: Verbs that show that an application puts something before a model, or before what does.
_ANSWERS = ("instructed_by", "uses_tool", "retrieves_from", "invokes", "delegates_to", "sends_to", "remembers_in")
#: Kinds that somebody reaches, or does not.
_REACHABLE = frozenset(
    {
        "agent",
        "assistant",
        "endpoint",
        "workspace",
        "mcp_server",
        "infrastructure",
        "registry",
        "repository",
        *DATA_KINDS,
    }
)
#: Verbs that give the source power over the target.
_POWER = frozenset("runs_as can_read can_write can_admin can_assume holds grants deployed_on".split())
#: Verbs over which a caller's words reach the called.
_TELLS = frozenset("invokes uses_tool delegates_to writes remembers_in".split())
#: How far use and power are followed; a chain of attack has 4-7 nodes.
_DEPTH = 6
#: Assets looked at in one walk; a hub with more users than this is at its worst values anyway.
_WIDEST = 2_000

#: The weight (1-4) of what a tool can do, as an impact of its own: body and money above data (DESIGN §5 of the score
#: notes: physical or money effect).
EFFECT_WEIGHT: Mapping[str, int] = MappingProxyType(
    {"physical": 4, "money": 3, "deploy": 3, "exec": 3, "delete": 3, "email": 2, "write": 2, "network": 2}
)
#: Effects as a reader says them, after "it can".
EFFECT_WORDS: Mapping[str, str] = MappingProxyType(
    {"physical": "move machines", "money": "move money", "exec": "run code", "email": "send e-mail",
     "network": "reach the network"}
)  # fmt: skip
_REVOKED = re.compile(r"\b(revoked|disabled|deactivated|deleted|expired)\b", re.IGNORECASE)


class Facts:
    """Facts of one graph, worked out when first asked for and kept for the assessment."""

    def __init__(self, graph: Graph, labelling: Labelling, organisation: Organisation) -> None:
        self.graph = graph
        self.labelling = labelling
        self.organisation = organisation
        self._of: dict[str, dict[str, Any]] = {}
        self._users: dict[str, tuple[str, ...]] = {}
        self._impacts: dict[str, tuple[int, str]] = {}
        self._likelihoods: dict[str, tuple[int, int, int, str]] = {}
        self._guards: dict[tuple[str, str, int], bool | None] = {}

    @cached_property
    def org(self) -> dict[str, Any]:
        organisation = self.organisation
        known = {"name": organisation.name, "sector": organisation.sector}
        return {name: value for name, value in known.items() if value} | {
            "regions": organisation.regions,
            "regimes": organisation.regimes,
        }

    def of(self, id: str) -> dict[str, Any]:
        """Every known field of the asset, observed and derived."""
        if id not in self._of:
            asset, labelling = self.graph.assets[id], self.labelling
            contains, sees = labelling.contains(id) | (asset.labels & MARKS), labelling.sees(id)
            fields = {name: value for name, value in asset.props.items() if value is not None} | {
                "id": asset.id,
                "name": asset.name,
                "kind": asset.kind,
                "status": asset.status,
                "lifecycle": asset.lifecycle,
                "contains": contains,
                "sees": sees,
                "touches": contains | sees,
            }
            derived = {
                "reach": self._reach(id),
                "anonymous": self._anonymous(id),
                "untrusted": id in self._untrusted,
                "guarded_in": self._guarded(id, "input_filter"),
                "guarded_out": self._guarded(id, "output_filter"),
                "owned": self._owned(id),
                "revoked": self._revoked(asset),
                "high_risk": high_risk_use(asset.props["purpose"]) if asset.prop("purpose") else None,
                "criticality": max(self._criticalities(id), default=None),
                "sanction": self._sanction(asset),
                "vendor": self._vendor(asset),
                "approval": self._approval(asset),
                "served": self._served(asset) if asset.kind == "model" else None,
                "holders": float(len({r.source for r in self.graph.into(id, "holds", "runs_as")})),
            }
            self._of[id] = fields | {name: value for name, value in derived.items() if value is not None}
        return self._of[id]

    def users(self, id: str) -> tuple[str, ...]:
        """The asset and everything that makes use of it, nearest first."""
        if id not in self._users:
            self._users[id] = tuple(self._walk([id], USES, forward=False))
        return self._users[id]

    def powers(self, ids: Iterable[str]) -> Iterator[str]:
        """The assets and everything they have power over, nearest first."""
        return self._walk(ids, _POWER, forward=True)

    def _walk(self, ids: Iterable[str], verbs: frozenset[str], *, forward: bool) -> Iterator[str]:
        level = list(dict.fromkeys(ids))
        seen = set(level)
        for _ in range(_DEPTH + 1):
            yield from level
            following: list[str] = []
            for id in level:
                relations = self.graph.out(id, *verbs) if forward else self.graph.into(id, *verbs)
                for relation in relations:
                    end = relation.target if forward else relation.source
                    if end not in seen and len(seen) < _WIDEST:
                        seen.add(end)
                        following.append(end)
            level = following

    def _reach(self, id: str) -> str | None:
        """The widest exposure of the asset and its users; unknown when a user without users of its own says none."""
        assets = [self.graph.assets[user] for user in self.users(id)]
        known = [str(asset.prop("exposure")) for asset in assets if asset.prop("exposure") in _EXPOSURES]
        widest = max(known, key=_EXPOSURES.index, default=None)
        if widest == "internet":
            return widest
        doors = [asset for asset in assets if asset.id != id and not any(self.graph.into(asset.id, *USES))]
        return None if any(not door.prop("exposure") for door in doors) else widest

    def _anonymous(self, id: str) -> bool | None:
        doors = [self.graph.assets[user] for user in self.users(id)]
        internet = [door for door in doors if door.prop("exposure") == "internet"]
        if any(door.prop("auth") == "none" for door in internet):
            return True
        if self._reach(id) is None or any(door.prop("auth") is None for door in internet):
            return None
        return False

    @cached_property
    def _untrusted(self) -> frozenset[str]:
        """Assets that text reaches which strangers write. Weights are no text: a model passes none on."""
        graph = self.graph
        doors = [
            asset.id
            for asset in graph.assets.values()
            if asset.prop("trust") == "untrusted"
            or (
                asset.kind in ("application", "agent", "endpoint")
                and asset.prop("exposure") == "internet"
                and (asset.prop("auth") == "none" or asset.prop("audience") in ("public", "customers"))
            )
        ]
        seen, stack = set(doors), list(doors)
        while stack:
            id = stack.pop()
            if graph.assets[id].kind == "model":
                continue
            ends = [r.target for r in graph.out(id) if r.verb in _TELLS or VERBS[r.verb].to == "target"]
            ends += [r.source for r in graph.into(id) if VERBS[r.verb].to == "source" and r.verb not in _TELLS]
            for end in ends:
                if end not in seen:
                    seen.add(end)
                    stack.append(end)
        return frozenset(seen)

    def _guarded(self, id: str, prop: str, depth: int = 3) -> bool | None:
        key = (id, prop, depth)
        if key not in self._guards:
            self._guards[key] = self._guard(id, prop, depth)
        return self._guards[key]

    def _guard(self, id: str, prop: str, depth: int) -> bool | None:
        """Whether a check stands before it: its own, a guardrail's, that of what it calls, or of all its callers."""
        graph, own = self.graph, self.graph.assets[id].prop(prop)
        guards = [graph.assets[r.target].prop(prop) for r in graph.out(id, "guarded_by")]
        called = [graph.assets[r.target].prop(prop) for r in graph.out(id, "uses_model", "sends_to")]
        if own is True or True in guards or (called and all(value is True for value in called)):
            return True
        if depth and self._only_through_guarded_agents(id, prop):
            return True
        if depth and graph.assets[id].prop("exposure") in (None, "private"):
            callers = [r.source for r in graph.into(id, "invokes", "delegates_to", "uses_model", "uses_tool")]
            if callers and all(self._guarded(caller, prop, depth - 1) is True for caller in callers):
                return True
        return False if own is False or (guards and all(value is False for value in guards)) else None

    def _only_through_guarded_agents(self, id: str, prop: str) -> bool:
        """Whether an application talks to models through its agents alone, and each of these is guarded.

        A repository's application is said to invoke every endpoint that its code names; one whose model an agent uses
        is the agent's.
        """
        graph = self.graph
        invoked = [graph.assets[r.target] for r in graph.out(id, "invokes")]
        agents = [asset.id for asset in invoked if asset.kind == "agent"]
        if not agents or not all(self._guarded(agent, prop, 0) is True for agent in agents):
            return False
        used = {r.target for agent in agents for r in graph.out(agent, "uses_model")}
        used |= {r.target for model in list(used) for r in graph.out(model, "derived_from")}
        own = {r.target for r in graph.out(id, "uses_model", "retrieves_from", "sends_to")}
        for called in invoked:
            if called.kind != "agent":
                own |= {r.target for r in graph.out(called.id, "serves")} or {called.id}
        return own <= used

    def _served(self, asset: Asset) -> bool:
        """Whether an endpoint serves the model, or what it is another name or copy of."""
        names = [asset.id, *(r.target for r in self.graph.out(asset.id, "derived_from"))]
        return any(True for name in names for _ in self.graph.into(name, "serves"))

    def _owned(self, id: str) -> bool | None:
        if owners_of(self.graph, id):
            return True
        return False if self.graph.knows_all(id, "owned_by") else None

    def answers(self, id: str) -> bool:
        """Whether it is something that somebody reaches: a service, or an application that does more than train."""
        asset, graph = self.graph.assets[id], self.graph
        if asset.kind != "application":
            return asset.kind in _REACHABLE
        used = [relation.target for relation in graph.out(id, "uses_model")]
        return any(graph.out(id, *_ANSWERS)) or any(not any(graph.into(model, "fine_tuned_from")) for model in used)

    def assistants_of(self, asset: Asset) -> list[Asset]:
        """The assistants by which alone a tool or tool server is used; empty when others use it too."""
        users = [self.graph.assets[r.source] for r in self.graph.into(asset.id, "uses_tool", "connects_to")]
        if any(user.kind != "assistant" for user in users):
            return []
        return sorted(users, key=lambda user: user.id)

    def _approval(self, asset: Asset) -> str | None:
        """What was said of the tool, else of the assistants by which alone it is used: one that asks asks for all."""
        if asset.kind not in ("tool", "mcp_server") or asset.prop("approval"):
            return None
        said = {assistant.prop("approval") for assistant in self.assistants_of(asset)}
        return "none" if "none" in said else "required" if said == {"required"} else None

    def _revoked(self, asset: Asset) -> bool:
        said = [str(asset.prop("scope") or "")]
        said += [str(self.graph.assets[r.target].prop("what") or "") for r in self.graph.out(asset.id, "approved_by")]
        return any(_REVOKED.search(text) for text in said)

    def _criticalities(self, id: str) -> list[float]:
        processes = [self.graph.assets[r.target] for user in self.users(id) for r in self.graph.out(user, "supports")]
        return [float(process.props["criticality"]) for process in processes if process.prop("criticality")]

    @staticmethod
    def _vendor(asset: Asset) -> str | None:
        """Of a model whose id belongs to a known family, who makes it; on a hub only under the maker's own name."""
        if asset.kind != "model" or asset.prop("vendor"):
            return None
        publisher, _, name = asset.name.rpartition("/")
        family = family_of(name)
        if family is None or not family.vendor:
            return None
        own = _words(f"{family.id} {family.vendor}")
        if publisher and not any(one.startswith(word) for one in _words(publisher) for word in own if len(word) > 2):
            return None
        return family.vendor

    def _sanction(self, asset: Asset) -> str | None:
        """What was said of the provider, else whether the organisation's list names it; of a model, its provider's."""
        if asset.prop("sanction") or asset.kind not in ("provider", "model"):
            return None
        provider = self.provider_of(asset)
        if provider is None:
            return "sanctioned" if asset.prop("provider") in AT_HOME else None
        if provider.prop("sanction"):
            return str(provider.prop("sanction"))
        listed = self.organisation.sanctioned_providers
        if listed is None:
            return None
        names = [_words(name) for name in (provider.name, provider.prop("provider"), provider.prop("vendor")) if name]
        agreed = any(_within(_words(one), name) for one in listed for name in names)
        return "sanctioned" if agreed else "unsanctioned"

    def provider_of(self, asset: Asset) -> Asset | None:
        """The provider that a hosted model's texts go to (the asset itself, if it is one); None for what runs here."""
        if asset.kind == "provider":
            return asset
        name = asset.prop("provider")
        if asset.kind != "model" or not name or name in AT_HOME:
            return None
        plain = identity.asset("provider", name)
        return self.graph.assets.get(plain.id, plain)

    # ── weight ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def impact(self, id: str) -> tuple[int, str]:
        """How bad a loss would be, 1 to 4, and why: labels at hand, effects, and the processes that rely on it."""
        if id not in self._impacts:
            self._impacts[id] = self._impact(id)
        return self._impacts[id]

    def _impact(self, id: str) -> tuple[int, str]:
        best = (1, "no sensitive data, effect or critical process is known")
        for near in self.powers([id, *self.users(id)]) if self._bears_power(id) else [id]:
            for label in sorted(self.labelling.touches(near)):
                if LABELS.get(label, 0) > best[0]:
                    where = "" if near == id else f" at {self.graph.assets[near].name}"
                    best = (LABELS[label], f"{said_labels([label])}{where}")
        for effect in self.graph.assets[id].prop("effects") or ():
            if EFFECT_WEIGHT.get(effect, 0) > best[0]:
                best = (EFFECT_WEIGHT[effect], f"it can {EFFECT_WORDS.get(effect, effect)}")
        for user in self.users(id):
            for relation in self.graph.out(user, "supports"):
                process = self.graph.assets[relation.target]
                if (weight := int(process.prop("criticality") or 0)) > best[0]:
                    best = (min(4, weight), f"{process.name} relies on it")
        return best

    def _bears_power(self, id: str) -> bool:
        return self.graph.assets[id].kind not in ("provider", "team", "person", "process", "guardrail")

    def likelihood(self, id: str) -> tuple[int, int, int, str]:
        """How readily it is reached, 1 to 4: (lowest, likely, highest, why). Unknown exposure widens it."""
        if id not in self._likelihoods:
            self._likelihoods[id] = self._likelihood(id)
        return self._likelihoods[id]

    def _likelihood(self, id: str) -> tuple[int, int, int, str]:
        lowest, highest, why = 1, 1, "no way in from outside is known"
        known, widest = False, 1
        for user in self.users(id):
            asset = self.graph.assets[user]
            value = self._door(asset)
            if value is None:
                continue
            known = True
            if asset.prop("exposure") == "internet" and asset.prop("auth") is None:
                widest = 4
            if value > 2 and self._guarded(user, "input_filter") and self._guarded(user, "output_filter"):
                value -= 1
            if value > lowest:
                lowest, why = value, f"{asset.name} is reached from {asset.prop('exposure') or 'outside'}"
        if id in self._untrusted and lowest < 3 and self._from_content(id):
            lowest, why, known = 3, "strangers write what it reads", True
        asset = self.graph.assets[id]
        if asset.kind in ("model", "mcp_server", "tool", "package") and lowest < 3 and self._foreign(asset):
            lowest, why, known = 3, "it comes from outside and may change", True
        highest = max(lowest, widest) if known else 4
        return lowest, lowest if known else 2, highest, why if known else "nobody said who can reach it"

    @staticmethod
    def _door(asset: Asset) -> int | None:
        if asset.prop("public_read") or asset.prop("public_write"):
            return 4
        exposure = asset.prop("exposure")
        if exposure == "internet":
            return 4 if asset.prop("auth") == "none" else 3
        return {"partner": 3, "corporate": 2, "private": 1}.get(str(exposure))

    def _from_content(self, id: str) -> bool:
        return id in self._content_reached

    @cached_property
    def _content_reached(self) -> frozenset[str]:
        """Assets that content of strangers reaches over data, models left out."""
        graph = self.graph
        stack = [asset.id for asset in graph.assets.values() if asset.prop("trust") == "untrusted"]
        seen = set(stack)
        while stack:
            id = stack.pop()
            if graph.assets[id].kind == "model":
                continue
            ends = [r.source for r in graph.into(id) if VERBS[r.verb].to == "source"]
            ends += [r.target for r in graph.out(id) if VERBS[r.verb].to == "target" or r.verb == "uses_tool"]
            new = [end for end in ends if end not in seen]
            seen.update(new)
            stack += new
        return frozenset(seen)

    @staticmethod
    def _foreign(asset: Asset) -> bool:
        return (
            asset.prop("publisher") == "unverified"
            or asset.prop("revision") == "floating"
            or asset.prop("version_pin") is False
            or asset.prop("definition_changed") is True
        )


def sensitive(labels: Iterable[str]) -> list[str]:
    """The labels worth protecting, heaviest first."""
    return sorted(set(labels) & SENSITIVE, key=lambda label: (-LABELS[label], label))


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", str(name).casefold())


def _within(part: list[str], whole: list[str]) -> bool:
    return bool(part) and any(whole[n : n + len(part)] == part for n in range(len(whole)))
