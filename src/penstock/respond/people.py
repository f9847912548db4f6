"""Who answers for a thing, who may approve, who must know, and who is affected."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from penstock.discover.organisation.parties import party, slug
from penstock.graph.graph import Graph
from penstock.graph.owners import Place, places_of
from penstock.graph.vocabulary import DATA_KINDS, VERBS, Asset, Evidence
from penstock.respond.names import Names
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
    """The owner (asset id of a team or person, "" when nobody is known), why, and what contradicts it.

    left: who is named too but has left the organisation; they answer for nothing any more.
    """

    asset: str = ""
    name: str = ""
    why: str = "nobody is named as its owner"
    conflicts: tuple[Claim, ...] = ()
    left: tuple[Claim, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.asset)


class People:
    """Answers about people for one graph; holds the indexes that make a second question cheap."""

    #: Assets walked, and assets named, when asking who is affected: what a person can still act on.
    WALKED, NAMED = 20_000, 200

    def __init__(self, graph: Graph, settings: Settings) -> None:
        self.graph = graph
        self.settings = settings
        self.names = Names(graph)
        self._owners: dict[str, Ownership] = {}

    def owner(self, asset: str) -> Ownership:
        """Who answers for the asset: on its own account, else through its application, else its repository.

        What somebody says in so many words (the operator, a person, a declaration, a catalogue) comes before code
        owners, they before tags and on-call tools, those before committers; of equal strength the nearest counts.
        """
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
        asks = frozenset(also for id in self._ids_of(requester) for also in self.names.also(id))
        passed: list[str] = []
        for named, why in self._candidates(asset, data):
            candidate = self.names.party(named)
            if not candidate or candidate in asks or self.names.is_only(candidate, asks):
                passed += [f"{self.name(candidate)} asks"] if candidate else []
            elif self.has_left(candidate):
                passed.append(f"{self.name(candidate)} has left")
            else:
                return candidate, "; ".join([why, *dict.fromkeys(passed)])
        return "", "; ".join(["nobody but the requester could be found", *dict.fromkeys(passed)])

    def has_left(self, party: str) -> bool:
        """Whether somebody is known to be no longer with the organisation; a team, when all its known members are."""
        return self.names.has_left(party)

    def known_person(self, name: str) -> str:
        """The id of the person in the graph who goes by a name; "" when there is none."""
        kinds = {id: self.graph.assets[id].kind for id in self._ids_of(name) if id in self.graph.assets}
        return next((id for id, kind in sorted(kinds.items()) if kind == "person"), "")

    def speaks_for(self, name: str, party: str) -> bool:
        """Whether the person who goes by a name is the party, or a member of that team."""
        ids = {also for id in self._ids_of(name) for also in self.names.trusted(id)}
        return party in ids or bool(ids & self.names.members(party))

    def same(self, one: str, other: str) -> bool:
        """Whether two names, handles, addresses or ids mean the same person."""
        if not one or not other:
            return False
        ids = [{also for id in self._ids_of(name) for also in self.names.also(id)} for name in (one, other)]
        return one.strip().casefold() == other.strip().casefold() or bool(ids[0] & ids[1])

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
        itself = self.names.things(asset)
        seen, todo = set(itself), deque(itself)
        while todo and len(seen) < self.WALKED:
            for nearer in self._dependents(todo.popleft()):
                if nearer in seen:
                    continue
                seen.add(nearer)
                todo.append(nearer)
                thing = self.graph.assets.get(nearer)
                if thing is not None and thing.kind in AFFECTED_KINDS and self.names.thing(nearer) == nearer:
                    found.append((_rank_affected(thing), len(found), nearer))
        return tuple(thing for _, _, thing in sorted(found)[: self.NAMED])

    def data_owners(self, asset: str) -> dict[str, Ownership]:
        """Data that the asset holds or may read, nearest first, with who owns it; only where somebody is known."""
        found: dict[str, Ownership] = {}
        itself = self.names.things(asset)
        seen, todo = set(itself), deque(itself)
        while todo and len(seen) < self.WALKED and len(found) < self.NAMED:
            here = todo.popleft()
            known = self.graph.assets.get(here)
            if known is not None and known.kind in DATA_KINDS and (owner := self.owner(here)):
                found[here] = owner
            for source in self._origins(here):
                for nearer in self.names.things(source):
                    if nearer not in seen:
                        seen.add(nearer)
                        todo.append(nearer)
        return found

    def processes(self, asset: str) -> dict[str, float | None]:
        """Business processes that rely on the asset, the gravest first, with how grave: 1 low to 4 vital, None unknown.

        One that says only how long it may be down is as grave as that: 1 hour 4, 4 hours 3, 24 hours 2, longer 1.
        """
        names = (*self.names.things(asset), *(a.asset for a in self._around(asset) if a.how == "application"))
        reached = {id for name in names for id in (name, *self.affected(name))}
        told = {id: self._gravity(self.graph.assets[id]) for id in reached if self._is_process(id)}
        return dict(sorted(told.items(), key=lambda row: (-(row[1] or 0), self.name(row[0]))))

    def criticality(self, asset: str) -> float | None:
        """How grave a loss of the asset is, 1 low to 4 vital: what is said of it, or of a process that relies on it."""
        own = [self.graph.assets[id].prop("criticality") for id in self._same_system(asset)]
        said = [level for level in (*own, *self.processes(asset).values()) if level is not None]
        return max(said, default=None)

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
        found = [
            (_strength(rank[0]), near, rank, claim, through)
            for near, place, through in self._places(asset)
            for rank, claim in self._claims(place)
        ]
        found.sort(key=lambda one: (one[0], one[1], one[2]))
        left = tuple(dict.fromkeys(one[3] for one in found if self.has_left(one[3].asset)))
        here = [one for one in found if not self.has_left(one[3].asset)]
        if not here:
            gone = "; ".join(f"{claim.name} has left ({claim.why})" for claim in left)
            return Ownership(why=f"nobody is named who is still here: {gone}", left=left) if left else Ownership()
        _, near, _, best, through = here[0]
        others = [(claim, rank[0]) for _, at, rank, claim, _ in here[1:] if at in (0, near)]
        return _decide(best, others, through, left)

    def _places(self, asset: str) -> Iterator[tuple[int, str, str]]:
        """Where to look for an owner: the asset, what makes or serves it, its application, its repository; each also
        under the name by which catalogues know it. With how far away each is, and how it is told."""
        for near, place in enumerate(self._around(asset)):
            through = _THROUGH[place.how].format(self.name(place.asset))
            for known_as in self.names.things(place.asset):
                yield near, known_as, through

    def _around(self, asset: str) -> Iterator[Place]:
        """Itself and what it is a part of; what is known by name alone is no part of the catalogue that names it."""
        main = self.names.thing(asset)
        if self.names.is_only_named(main):
            yield Place(main, "itself")
        else:
            yield from places_of(self.graph, main)

    def _claims(self, place: str) -> Iterator[tuple[tuple[float, float, str], Claim]]:
        """Every claim about the owner of one asset, with its rank: strongest source, then newest, then by id."""
        known = self.graph.assets.get(place)
        if said := self._said_by_operator(place, known):
            owner = self.names.party(self.known_as(said))
            yield (0, 0.0, owner), Claim(owner, self.name(owner), "the operator's configuration says so (owners)")
        for relation in self.graph.out(place, "owned_by"):
            for evidence in self.graph.evidence.get(relation.key, ()):
                if evidence.until is not None and evidence.until < self.graph.at:
                    continue
                rank, why = _source(evidence, known)
                owner = self.names.party(relation.target)
                yield (rank, -evidence.seen_at if rank == 1 else 0.0, owner), Claim(owner, self.name(owner), why)

    def _said_by_operator(self, place: str, known: Asset | None) -> str:
        return self.settings.owners.get(place, "") or (self._said_owners.get(slug(known.name), "") if known else "")

    @cached_property
    def _said_owners(self) -> dict[str, str]:
        """Names as the operator writes them, however they are spelled."""
        return {slug(name): owner for name, owner in self.settings.owners.items()}

    # ── approver ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _candidates(self, asset: str, data: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Who may approve, nearest first, and why they."""
        for named in self._named_approvers(asset):
            yield named, "named as its approver"
        for owner in self._data_owners(asset, data):
            yield owner, "owns the data"
        for team in self._teams_of_owner(asset):
            yield team, "the owner's team"
        for manager in self.names.managers(self.owner(asset).asset):
            yield manager, "leads the owner"
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
        for _, place, _ in self._places(asset):
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
        for name in self.names.also(owner):
            yield from sorted(r.target for r in self.graph.out(name, "member_of"))

    # ── affected, names ──────────────────────────────────────────────────────────────────────────────────────────

    def _dependents(self, asset: str) -> Iterator[str]:
        found = {r.source for r in self.graph.into(asset, *DEPENDS_ON_TARGET)}
        found |= {r.target for r in self.graph.out(asset, *DEPENDS_ON_SOURCE)}
        for one in sorted(found):
            yield from self.names.things(one)

    def _origins(self, asset: str) -> Iterator[str]:
        """What labels come from: the other end of each relation that carries data to the asset."""
        yield from sorted(r.target for r in self.graph.out(asset) if VERBS[r.verb].to == "source")
        yield from sorted(r.source for r in self.graph.into(asset) if VERBS[r.verb].to == "target")
        yield from sorted(r.target for r in self.graph.out(asset, "connects_to"))

    def _is_process(self, id: str) -> bool:
        return id in self.graph.assets and self.graph.assets[id].kind == "process"

    def _gravity(self, process: Asset) -> float | None:
        level, hours = process.prop("criticality"), process.prop("tolerable_outage_h")
        if level is not None or hours is None:
            return None if level is None else float(level)
        return 4 if hours <= 1 else 3 if hours <= 4 else 2 if hours <= 24 else 1

    def _same_system(self, asset: str) -> Iterator[str]:
        """The asset and the application whose part it is, under each of their names."""
        for place in self._around(asset):
            if place.how in ("itself", "application"):
                yield from (id for id in self.names.things(place.asset) if id in self.graph.assets)

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
#: code owners and committers. Catalogues that contradict one another are asked in this order.
_SOURCES: dict[str, tuple[float, str]] = {
    "organisation.declaration": (2, "its team declares it"),
    "organisation.backstage": (3, "the service catalogue says so"),
    "organisation.opslevel": (3.1, "OpsLevel says so"),
    "organisation.cortex": (3.2, "Cortex says so"),
    "organisation.servicenow": (3.3, "ServiceNow says so"),
    "organisation.codeowners": (4, "the code owners file says so"),
    "organisation.tags": (5, "a tag or label says so"),
    "organisation.pagerduty": (5.1, "PagerDuty calls them"),
    "organisation.opsgenie": (5.2, "Opsgenie calls them"),
    "organisation.committers": (6, "a guess: most of the commits are theirs"),
}
#: Lineage tools name owners as catalogues do.
_LINEAGE, _TAGS, _COMMITTERS = 3.4, 5, 6
#: Added to what a source says about another source: its own word comes first.
_ELSEWHERE = 0.5
#: How a place is told in the reason.
_THROUGH = {
    "itself": "",
    "made_by": "through {}, which makes it",
    "application": "through the application {}",
    "repository": "through the repository {}",
}


def _strength(rank: float) -> int:
    """Said in so many words, by code owners, by tags, guessed: 0 to 3."""
    return 0 if rank < 4 else int(rank) - 3


def _source(evidence: Evidence, about: Asset | None) -> tuple[float, str]:
    """How strong a claim about an owner is (0 is the operator), and the reason in words."""
    if evidence.collector.startswith("person:"):
        return 1, f"{evidence.collector.removeprefix('person:')} said so ({evidence.where})"
    otherwise = _LINEAGE if evidence.collector.startswith("lineage.") else _TAGS
    rank, words = _SOURCES.get(evidence.collector, (otherwise, f"{evidence.collector} says so"))
    if about is not None and about.scope and evidence.scope.startswith("repo:") and evidence.scope != about.scope:
        rank += _ELSEWHERE
    return rank, f"{words} ({evidence.where})"


def _decide(best: Claim, others: Iterable[tuple[Claim, float]], through: str, left: tuple[Claim, ...]) -> Ownership:
    """The strongest claim wins; other sources that name somebody else contradict it.

    Committers are a guess and contradict nobody; two owners named at the same place share, they do not contradict.
    """
    against: dict[str, Claim] = {}
    for claim, rank in others:
        if claim.asset != best.asset and claim.why != best.why and rank < _COMMITTERS:
            against.setdefault(claim.asset, claim)
    why = f"{best.why}, {through}" if through else best.why
    return Ownership(best.asset, best.name, why, tuple(against.values()), left)


def _rank_affected(asset: Asset) -> int:
    if asset.kind == "process":
        return 0
    faces_customers = asset.prop("exposure") == "internet" or asset.prop("audience") in ("public", "customers")
    return 1 if faces_customers else 2
