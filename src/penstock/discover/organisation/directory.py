"""People and groups as directories keep them: each person once, under all the names that others call them by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from penstock.discover.data.lineage.saying import Saying
from penstock.discover.organisation.parties import party, person, slug, team
from penstock.graph.vocabulary import Asset

#: Claims of one directory: an organisation of 50,000 people makes about 500,000.
MOST_CLAIMS = 1_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One person of a directory.

    key: what the directory's own references call them. logins: names that mean them and nobody else (login, GUID,
    further addresses). shown: how people write their name. manager: the key of who leads them.
    """

    key: str
    email: str = ""
    logins: tuple[str, ...] = ()
    shown: str = ""
    left: bool | None = None
    manager: str = ""
    groups: tuple[str, ...] = ()
    place: str | int = ""


@dataclass(frozen=True, slots=True)
class Group:
    """One group. members: keys of people and of other groups; formerly: names it had before."""

    key: str
    name: str
    members: tuple[str, ...] = ()
    formerly: tuple[str, ...] = ()
    email: str = ""
    gone: bool = False
    place: str | int = ""


def tell(said: Saying, people: Sequence[Entry], groups: Sequence[Group]) -> dict[str, Asset]:
    """Say who there is, in which groups, under whom, and who has left; returns key → the asset it means.

    A name that two people share joins nobody: two Anna Schmidts stay two.
    """
    shared = Counter(slug(entry.shown) for entry in people if entry.shown)
    known: dict[str, Asset] = {}
    for entry in people:
        if (someone := _person(entry)) is not None:
            known[entry.key] = someone
            _tell_person(said, entry, someone, entry.shown if shared[slug(entry.shown)] == 1 else "")
    for group in groups:
        if slug(group.name):
            props = {"left": True} if group.gone else {}
            known[group.key] = replace(team(group.name), props=props | ({"email": group.email} if group.email else {}))
    for group in groups:
        if group.key in known:
            _tell_group(said, group, known)
    for entry in people:
        someone, manager = known.get(entry.key), known.get(entry.manager) or _address(entry.manager)
        if someone is None:
            continue
        at = said.at(entry.place)
        if manager is not None:
            said.link(someone, "approved_by", manager, said.at(entry.place, "manager"))
        for key in entry.groups:
            if (group_ := known.get(key)) is not None:
                said.link(someone, "member_of", group_, at)
    return known


def _person(entry: Entry) -> Asset | None:
    names = [entry.email, *entry.logins, entry.key]
    name = next((name for name in names if party(name, otherwise="person") is not None), "")
    if not name:
        return None
    someone = person(name)
    return replace(someone, props={**someone.props, **({} if entry.left is None else {"left": entry.left})})


def _tell_person(said: Saying, entry: Entry, someone: Asset, shown: str) -> None:
    at = said.at(entry.place)
    said.asset(someone, at)
    for name in dict.fromkeys((entry.email, *entry.logins)):
        if slug(name) and (alias := person(name)).id != someone.id:
            said.link(alias, "same_as", someone, said.at(entry.place, f"{name} is a login or address of {entry.key}"))
    if slug(shown) and (alias := person(shown)).id != someone.id:
        said.link(alias, "same_as", someone, said.at(entry.place, f"is called {shown}", confidence="inferred"))


def _tell_group(said: Saying, group: Group, known: dict[str, Asset]) -> None:
    at = said.at(group.place)
    itself = said.asset(known[group.key], at)
    for old in group.formerly:
        if slug(old):
            said.link(team(old), "same_as", itself, said.at(group.place, f"{group.name} was called {old}"))
    for key in group.members:
        member = known.get(key) or _address(key)
        if member is not None:
            said.link(member, "member_of", itself, at)


def _address(text: str) -> Asset | None:
    return person(text) if "@" in text and party(text, otherwise="person") is not None else None


def texts(value: object) -> list[str]:
    """The texts in a JSON value that is one, or a list of them."""
    items: Iterable[object] = value if isinstance(value, list) else (value,)
    return [text for item in items if (text := str(item).strip() if isinstance(item, str | int) else "")]
