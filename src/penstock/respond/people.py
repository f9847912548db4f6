"""Who answers for a thing, who may approve, who must know, and who is affected."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from penstock.discover.organisation.parties import party, slug
from penstock.graph import identity
from penstock.graph.graph import Graph
from penstock.graph.vocabulary import DATA_KINDS, Asset, Evidence
from penstock.settings import Settings

#: Personal data of any degree: the data protection officer must know.
PERSONAL = frozenset({"pii", "phi", "minors", "special_category"})
#: Kinds that mean something to a person who asks "who is affected"; everything else is only walked through.
AFFECTED_KINDS = frozenset({"application", "agent", "assistant", "endpoint", "process"})

#: Relations whose source stops working, or changes, when the target does …
DEPENDS_ON_TARGET = (
    "uses_model", "uses_tool", "retrieves_from", "reads", "invokes", "delegates_to", "trained_on", "fine_tuned_from",
    "derived_from", "indexes", "ingests", "loads", "consumes", "serves", "deployed_on", "built_with", "runs_as",
    "connects_to", "provided_by", "embedded_by", "instructed_by",
)  # fmt: skip
#: … and those whose target does when the source does.
DEPENDS_ON_SOURCE = (
    "produces", "writes", "copied_to", "logs_to", "remembers_in", "sends_to", "stored_in", "exposes_tool", "supports",
    "notifies",
)  # fmt: skip

#: Relations that are told where a thing is made or run, not where it is used.
MAKING = (
    "serves", "deployed_on", "trained_on", "fine_tuned_from", "derived_from", "indexes", "ingests", "embedded_by",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody is said to own a thing: who (asset id and name), on whose word, and where that is written."""

    asset: str
    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"


@dataclass(frozen=True, slots=True)
class Ownership:
    """The owner (asset id of a team or person, "" when nobody is known), why, and what contradicts it."""

    asset: str = ""
    name: str = ""
    why: str = "nobody is named as its owner"
    conflicts: tuple[Claim, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.asset)


class People:
    """Answers about people for one graph; holds the indexes that make a second question cheap."""

    #: Assets walked, and assets named, when asking who is affected: what a person can still act on.
    WALKED, NAMED = 20_000, 200

    def __init__(self, graph: Graph, settings: Settings) -> None:
        self.graph = graph
        self.settings = settings
        self._owners: dict[str, Ownership] = {}

    def owner(self, asset: str) -> Ownership:
        """Who answers for the asset: on its own account, else through its application, else its repository."""
        if asset not in self._owners:
            self._owners[asset] = self._find_owner(asset)
        return self._owners[asset]

    def approver(self, asset: str, requester: str = "", *, data: Iterable[str] = ()) -> str:
        """Asset id of who may approve an exception for the asset; "" when there is nobody but the requester."""
        return self.approval(asset, requester, data=data)[0]

    def approval(self, asset: str, requester: str = "", *, data: Iterable[str] = ()) -> tuple[str, str]:
        """Who may approve an exception for the asset, and why they: an asset id ("" when there is nobody) and words.

        First who is named as approver, then who owns the data it is about (``data``, or the asset itself if it holds
        data), then the owner's team, then the security team. Never the requester: who asks must not also grant. Never
        who has left: their word is worth no more than anybody's.
        """
        asks = self._ids_of(requester)
        passed: list[str] = []
        for candidate, why in self._candidates(asset, data):
            if not candidate or candidate in asks:
                passed += [f"{self.name(candidate)} asks"] if candidate else []
            elif self.has_left(candidate):
                passed.append(f"{self.name(candidate)} has left")
            else:
                return candidate, "; ".join([why, *dict.fromkeys(passed)])
        return "", "; ".join(["nobody but the requester could be found", *dict.fromkeys(passed)])

    def has_left(self, person: str) -> bool:
        """Whether somebody is known to be no longer with the organisation."""
        known = self.graph.assets.get(person)
        return known is not None and (known.prop("left") is True or known.lifecycle == "retired")

    def known_person(self, name: str) -> str:
        """The id of the person in the graph who goes by a name; "" when there is none."""
        kinds = {id: self.graph.assets[id].kind for id in self._ids_of(name) if id in self.graph.assets}
        return next((id for id, kind in sorted(kinds.items()) if kind == "person"), "")

    def speaks_for(self, name: str, party: str) -> bool:
        """Whether the person who goes by a name is the party, or a member of that team."""
        ids = self._ids_of(name)
        return party in ids or any(r.target == party for id in ids for r in self.graph.out(id, "member_of"))

    def same(self, one: str, other: str) -> bool:
        """Whether two names, handles, addresses or ids mean the same person."""
        return bool(one and other) and (
            one.strip().casefold() == other.strip().casefold() or bool(self._ids_of(one) & self._ids_of(other))
        )

    def informed(self, asset: str, labels: Iterable[str] = ()) -> tuple[str, ...]:
        """Asset ids of who must know: security always, data protection and legal as the data categories demand."""
        labels = set(labels)
        who = [self.settings.security_team]
        if labels & PERSONAL:
            who.append(self.settings.data_protection_officer)
        if "special_category" in labels:
            who.append(self.settings.legal)
        return tuple(dict.fromkeys(self.known_as(name) for name in who if name))

    def affected(self, asset: str) -> tuple[str, ...]:
        """What depends on the asset: business processes first, then what customers face, then the rest; nearest first.

        Bounded: at most ``NAMED`` of what lies within ``WALKED`` assets.
        """
        found: list[tuple[int, int, str]] = []
        seen, todo = {asset}, deque([asset])
        while todo and len(seen) < self.WALKED:
            for nearer in self._dependents(todo.popleft()):
                if nearer in seen:
                    continue
                seen.add(nearer)
                todo.append(nearer)
                thing = self.graph.assets.get(nearer)
                if thing is not None and thing.kind in AFFECTED_KINDS:
                    found.append((_rank_affected(thing), len(found), nearer))
        return tuple(thing for _, _, thing in sorted(found)[: self.NAMED])

    def name(self, asset: str) -> str:
        """The asset's name; for people that only the settings name, that name."""
        known = self.graph.assets.get(asset)
        return known.name if known else self._configured.get(asset, asset)

    def known_as(self, name: str) -> str:
        """The id of the team or person that goes by a name, handle or address; issued if the graph has none."""
        if name in self.graph.assets:
            return name
        meant = party(name) if name else None
        if meant is None:
            return ""
        found = self._by_name.get(meant.name)
        if found is None:
            found = meant.id
            self._by_name[meant.name] = found
            self._configured[found] = name
        return found

    # ── owner ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _find_owner(self, asset: str) -> Ownership:
        for place, through in self._places(asset):
            if claims := sorted(self._claims(place), key=lambda claim: claim[0]):
                return _decide([claim for _, claim in claims], [rank[0] for rank, _ in claims], through)
        return Ownership()

    def _places(self, asset: str) -> Iterator[tuple[str, str]]:
        """Where to look for an owner: the asset, what makes or serves it, its application, its repository."""
        yield asset, ""
        for relation in sorted(self.graph.into(asset, "produces", "exposes_tool"), key=lambda r: r.key):
            yield relation.source, f"through {self.name(relation.source)}, which makes it"
        scopes = self._home(asset)
        if len(scopes) > 1:  # used by many: none of them owns it
            return
        for scope in scopes:
            application = self._application(scope)
            yield application, f"through the application {self.name(application)}"
            for repository in self._repositories(asset, application, scope):
                yield repository, f"through the repository {self.name(repository)}"

    def _home(self, asset: str) -> tuple[str, ...]:
        """The sources the asset belongs to: its own; of a tenant-wide one where it is made or run, else where seen.

        A model that one repository trains and ten use belongs to the one.
        """
        known = self.graph.assets.get(asset)
        if known is not None and known.scope:
            return (known.scope,)
        made = [*self.graph.out(asset, *MAKING), *self.graph.into(asset, "produces")]
        at = {e.scope for relation in made for e in self.graph.evidence.get(relation.key, ())}
        scopes = {scope for scope in at or self.graph.scopes_of(asset) if scope.startswith("repo:")}
        return tuple(sorted(scopes))

    def _application(self, scope: str) -> str:
        """The application that a source is, under the id it is kept under."""
        issued = identity.application(scope).id
        if issued in self.graph.assets:
            return issued
        return self._applications.get(scope, issued)

    def _repositories(self, asset: str, application: str, scope: str) -> Iterator[str]:
        for end in (asset, application):
            yield from sorted(r.target for r in self.graph.out(end, "defined_in"))
        name = scope.partition(":")[2]
        yield identity.asset("repository", name).id

    def _claims(self, place: str) -> Iterator[tuple[tuple[int, float, str], Claim]]:
        """Every claim about the owner of one asset, with its rank: strongest source, then newest, then by id."""
        known = self.graph.assets.get(place)
        if said := self._said_by_operator(place, known):
            owner = self.known_as(said)
            yield (0, 0.0, owner), Claim(owner, self.name(owner), "the operator's configuration says so (owners)")
        for relation in self.graph.out(place, "owned_by"):
            for evidence in self.graph.evidence.get(relation.key, ()):
                if evidence.until is not None and evidence.until < self.graph.at:
                    continue
                rank, why = _source(evidence)
                yield (
                    (rank, -evidence.seen_at if rank == 1 else 0.0, relation.target),
                    Claim(relation.target, self.name(relation.target), why),
                )

    def _said_by_operator(self, place: str, known: Asset | None) -> str:
        owners = self.settings.owners
        return owners.get(place, "") or (owners.get(known.name, "") if known else "")

    # ── approver ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _candidates(self, asset: str, data: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Who may approve, nearest first, and why they."""
        for named in self._named_approvers(asset):
            yield named, "named as its approver"
        for owner in self._data_owners(asset, data):
            yield owner, "owns the data"
        for team in self._teams_of_owner(asset):
            yield team, "the owner's team"
        yield self.known_as(self.settings.security_team), "the security team: nobody nearer may"

    def _ids_of(self, name: str) -> frozenset[str]:
        """Everything a name may stand for: an asset id, a person by handle or address, a team."""
        if not name:
            return frozenset()
        if name in self.graph.assets:
            return frozenset((name,))
        meant = (party(name, otherwise=kind) for kind in ("person", "team"))
        slugs = {slug(name), name.strip().casefold()}
        known = {self._by_name[found] for found in slugs if found in self._by_name}
        return frozenset({asset.id for asset in meant if asset is not None} | known)

    def _named_approvers(self, asset: str) -> Iterator[str]:
        for place, _ in self._places(asset):
            yield from sorted(r.target for r in self.graph.out(place, "approved_by"))

    def _data_owners(self, asset: str, data: Iterable[str]) -> Iterator[str]:
        known = self.graph.assets.get(asset)
        about = tuple(data) or ((asset,) if known is not None and known.kind in DATA_KINDS else ())
        for thing in about:
            yield self.owner(thing).asset

    def _teams_of_owner(self, asset: str) -> Iterator[str]:
        owner = self.owner(asset).asset
        known = self.graph.assets.get(owner)
        if known.kind == "team" if known else owner.startswith("team-"):
            yield owner
        yield from sorted(r.target for r in self.graph.out(owner, "member_of"))

    # ── affected, names ──────────────────────────────────────────────────────────────────────────────────────────

    def _dependents(self, asset: str) -> Iterator[str]:
        yield from sorted(r.source for r in self.graph.into(asset, *DEPENDS_ON_TARGET))
        yield from sorted(r.target for r in self.graph.out(asset, *DEPENDS_ON_SOURCE))

    @cached_property
    def _applications(self) -> dict[str, str]:
        """Scope → the only application in it, for sources whose application is kept under an older id."""
        by_scope: dict[str, list[str]] = {}
        for asset in self.graph.of_kind("application"):
            by_scope.setdefault(asset.scope, []).append(asset.id)
        return {scope: found[0] for scope, found in by_scope.items() if scope and len(found) == 1}

    @cached_property
    def _by_name(self) -> dict[str, str]:
        """Teams before people, under their name as references are read, and under their address."""
        names: dict[str, str] = {}
        for asset in sorted(self.graph.of_kind("person", "team"), key=lambda a: (a.kind != "team", a.id)):
            for name in (slug(asset.name), asset.name.casefold(), str(asset.prop("email") or "").casefold()):
                if name:
                    names.setdefault(name, asset.id)
        return names

    @cached_property
    def _configured(self) -> dict[str, str]:
        return {}


#: Collector → rank and words. A person's word ranks 1; what is not listed (cloud tags, labels) ranks between
#: code owners and committers.
_SOURCES = {
    "organisation.declaration": (2, "its team declares it"),
    "organisation.backstage": (3, "the service catalogue says so"),
    "organisation.codeowners": (4, "the code owners file says so"),
    "organisation.committers": (6, "a guess: most of the commits are theirs"),
}
_TAGS, _COMMITTERS = 5, 6


def _source(evidence: Evidence) -> tuple[int, str]:
    """How strong a claim about an owner is (0 is the operator), and the reason in words."""
    if evidence.collector.startswith("person:"):
        return 1, f"{evidence.collector.removeprefix('person:')} said so ({evidence.where})"
    rank, words = _SOURCES.get(evidence.collector, (_TAGS, f"{evidence.collector} says so"))
    return rank, f"{words} ({evidence.where})"


def _decide(claims: list[Claim], ranks: list[int], through: str) -> Ownership:
    """The strongest claim wins; other sources that name somebody else contradict it.

    Committers are a guess and contradict nobody; two owners named at the same place share, they do not contradict.
    """
    best = claims[0]
    others: dict[str, Claim] = {}
    for claim, rank in zip(claims[1:], ranks[1:], strict=True):
        if claim.asset != best.asset and claim.why != best.why and rank != _COMMITTERS:
            others.setdefault(claim.asset, claim)
    why = f"{best.why}, {through}" if through else best.why
    return Ownership(best.asset, best.name, why, tuple(others.values()))


def _rank_affected(asset: Asset) -> int:
    if asset.kind == "process":
        return 0
    faces_customers = asset.prop("exposure") == "internet" or asset.prop("audience") in ("public", "customers")
    return 1 if faces_customers else 2
