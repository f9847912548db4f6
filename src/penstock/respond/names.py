"""Which names mean the same: people under several logins, teams that were renamed, services that catalogues name.

People and teams are joined by ``same_as`` and by equal addresses. What a catalogue knows by name alone is taken for the
one thing found that bears the name: the one that a register's file lies in, else the only one. A workload of a cluster
is what it serves under its name in the same source. Nothing is merged in the graph.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from penstock.discover.organisation.parties import service, slug, store
from penstock.graph.graph import Graph
from penstock.graph.vocabulary import DATA_KINDS, Asset, Evidence, Relation

#: Readers of files by which a repository tells registers what it is called.
_REGISTERS = frozenset({"organisation.backstage", "organisation.opslevel", "organisation.cortex"})


class Names:
    """Answers for one graph."""

    #: Groups in groups that are followed.
    DEEPEST = 32

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    # ── things ───────────────────────────────────────────────────────────────────────────────────────────────────

    def things(self, asset: str) -> tuple[str, ...]:
        """The asset first, then what else it is known as."""
        main = self.thing(asset)
        return tuple(dict.fromkeys((asset, main, *self._under.get(main, ()))))

    def thing(self, asset: str) -> str:
        """What was found under the name that a catalogue knows a thing by; anything else is itself."""
        return self._meant.get(asset, asset)

    def is_only_named(self, asset: str) -> bool:
        """Whether all that is known of a thing is what catalogues call it."""
        known = self.graph.assets.get(asset)
        named = _by_name(known) if known is not None and known.kind in ("application", *DATA_KINDS) else None
        return named is not None and named.id == asset

    @cached_property
    def _meant(self) -> dict[str, str]:
        """What is known by name alone → the one thing found that bears the name."""
        found: dict[str, list[str]] = {}
        for asset in self.graph.of_kind("application", *DATA_KINDS):
            named = _by_name(asset)
            if named is not None and named.id in self.graph.assets and asset.id != named.id:
                found.setdefault(named.id, []).append(asset.id)
        workloads = {(asset.scope, asset.name): asset.id for asset in self.graph.of_kind("infrastructure")}
        for asset in self.graph.of_kind("endpoint", "vector_store"):
            for scope in self.graph.scopes_of(asset.id):
                if (workload := workloads.get((scope, asset.name))) is not None:
                    found.setdefault(workload, []).append(asset.id)
        meant = {name: [one for one in things if self._registered(one)] or things for name, things in found.items()}
        return {name: things[0] for name, things in meant.items() if len(things) == 1}

    def _registered(self, asset: str) -> bool:
        """Whether a register's file in its own source says that the thing goes by its name."""
        own = self.graph.assets[asset].scope
        return any(e.scope == own and e.collector in _REGISTERS for e in self.graph.evidence.get(asset, ()))

    @cached_property
    def _under(self) -> dict[str, list[str]]:
        under: dict[str, list[str]] = {}
        for name, thing in self._meant.items():
            under.setdefault(thing, []).append(name)
        return under

    # ── people and teams ─────────────────────────────────────────────────────────────────────────────────────────

    def party(self, id: str) -> str:
        """The one id that stands for a person or a team under all their names.

        Only what stands outside of scanned trees joins names here: a repository must not make its author somebody who
        may approve.
        """
        return self._trusted.one.get(id, id)

    def trusted(self, id: str) -> tuple[str, ...]:
        """Every id that is surely the person or team."""
        return self._trusted.all_of(id)

    def also(self, id: str) -> tuple[str, ...]:
        """Every id that is said to be the person or team, by whomever: enough to keep somebody from approving."""
        return self._said.all_of(id)

    def has_left(self, id: str) -> bool:
        """Whether a person is gone; of a team, whether it is, or everybody who is known to be in it."""
        known = [self.graph.assets[one] for one in self.also(id) if one in self.graph.assets]
        if any(one.prop("left") is True or one.lifecycle == "retired" for one in known):
            return True
        if not known or known[0].kind != "team":
            return False
        members = self.members(id)
        return bool(members) and all(self.has_left(member) for member in members)

    def is_only(self, id: str, people: frozenset[str]) -> bool:
        """Whether a directory knows a team to be nobody but these people, leavers aside."""
        told = (r for also in self.also(id) for r in self.graph.into(also, "member_of"))
        if not any(self._outside(self.graph.evidence.get(r.key, ())) for r in told):
            return False
        members = {member for member in self.members(id) if not self.has_left(member)}
        return bool(members) and members <= people

    def members(self, team: str) -> frozenset[str]:
        """The people in a team and in the groups inside it."""
        seen, level, found = {team}, {team}, set[str]()
        for _ in range(self.DEEPEST):
            names = {id for one in level for id in self.also(one)}
            inside = {self.party(r.source) for id in names for r in self._memberships(id)} - seen
            found |= {one for one in inside if self._kind(one) == "person"}
            seen |= inside
            level = {one for one in inside if self._kind(one) == "team"}
            if not level:
                break
        return frozenset(found)

    def managers(self, person: str) -> Iterable[str]:
        """Who leads a person, nearest first."""
        seen, here = {self.party(person)}, self.party(person)
        while True:
            above = sorted(
                {self.party(r.target) for id in self.also(here) for r in self.graph.out(id, "approved_by")} - seen
            )
            if not above or len(seen) > self.DEEPEST:
                return
            here = above[0]
            seen.add(here)
            yield here

    def _memberships(self, team: str) -> list[Relation]:
        """Who is said to be in a team; where a directory says it, only that counts."""
        found = list(self.graph.into(team, "member_of"))
        return [r for r in found if self._outside(self.graph.evidence.get(r.key, ()))] or found

    def _kind(self, id: str) -> str:
        return self.graph.assets[id].kind if id in self.graph.assets else ""

    @staticmethod
    def _outside(evidence: Iterable[Evidence]) -> bool:
        """Whether anything but a scanned tree says so."""
        return any(not one.scope.startswith("repo:") for one in evidence)

    @cached_property
    def _trusted(self) -> _Joined:
        return self._joined(within=False)

    @cached_property
    def _said(self) -> _Joined:
        return self._joined(within=True)

    def _joined(self, *, within: bool) -> _Joined:
        """People and teams under one name each: the one that others are said to be the same as.

        within: whether the word of scanned trees counts.
        """
        people = {asset.id: asset for asset in self.graph.of_kind("person", "team")}
        above: dict[str, str] = {}

        def join(one: str, other: str) -> None:
            one, other = _root(one, above), _root(other, above)
            if one != other and people[one].kind == people[other].kind:
                above[one] = other

        spoken: dict[str, set[str]] = {}
        for relation in self.graph.relations:
            if relation.verb != "same_as" or not {relation.source, relation.target} <= people.keys():
                continue
            told = self.graph.evidence.get(relation.key, ())
            if not (within or self._outside(told)):
                continue
            if any(evidence.confidence in ("declared", "resolved") for evidence in told):
                join(relation.source, relation.target)
            else:
                spoken.setdefault(relation.source, set()).add(relation.target)
        by_address: dict[str, str] = {}
        for id, asset in sorted(people.items()):
            address = str(asset.prop("email") or "").casefold()
            first = [evidence for _, evidence in self.graph.claims.get((id, "email"), ())[:1]]
            if asset.kind == "person" and address and (within or self._outside(first) or asset.name == address):
                join(id, by_address.setdefault(address, id))
        for name, meant in spoken.items():
            if len({_root(id, above) for id in meant}) == 1:  # a name that two people bear means neither
                join(name, min(meant))
        return _Joined({id: _root(id, above) for id in people if id in above or id in above.values()})


@dataclass(frozen=True)
class _Joined:
    """Names that mean the same: each with the one that stands for all of them."""

    one: dict[str, str]

    def all_of(self, id: str) -> tuple[str, ...]:
        return self._all.get(self.one.get(id, id), (id,))

    @cached_property
    def _all(self) -> dict[str, tuple[str, ...]]:
        groups: dict[str, list[str]] = {}
        for id, one in self.one.items():
            groups.setdefault(one, []).append(id)
        return {one: tuple(sorted(ids)) for one, ids in groups.items()}


def _root(id: str, above: dict[str, str]) -> str:
    while id in above:
        id = above[id]
    return id


def _by_name(asset: Asset) -> Asset | None:
    """What a catalogue that knows only the name would call the asset."""
    if not slug(asset.name):
        return None
    return service(asset.name) if asset.kind == "application" else store(asset.name)
