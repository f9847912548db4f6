"""PagerDuty and Opsgenie: which team is called for a service, and who is in it.

PagerDuty's lists (``services``, ``escalation_policies``, ``schedules``, ``teams``, ``users``, ``oncalls``) and
Opsgenie's (``{"data": […]}``) are read, one list a file or several together. Who is called is not always who owns: it
counts below what a catalogue says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.discover.data.lineage.saying import Saying
from penstock.discover.organisation.directory import Entry, Group, tell
from penstock.discover.organisation.json_words import mapping, mappings, text
from penstock.discover.organisation.parties import service, slug
from penstock.graph.vocabulary import Asset

_PAGERDUTY = ("services", "escalation_policies", "schedules", "teams", "users", "oncalls")


def told_pagerduty(start: bytes) -> bool:
    """By words that nobody else uses: lists of users and teams alone are in many files."""
    listed = any(f'"{key}"'.encode() in start for key in _PAGERDUTY)
    return b'"escalation_polic' in start or (listed and (b"pagerduty.com" in start or b'_reference"' in start))


def told_opsgenie(start: bytes) -> bool:
    return b"opsgenie" in start.lower() or (
        b'"data"' in start and any(key in start for key in (b'"teamId"', b'"fullName"', b'"ownerTeam"'))
    )


def pagerduty(document: Any, said: Saying) -> None:
    """Say which teams and people are called for which service."""
    lists = {key: mappings(document, key) for key in _PAGERDUTY}
    people = {user["key"]: user["entry"] for user in _users(lists["users"])}
    teams: dict[str, Group] = {}
    for number, one in enumerate(lists["teams"]):
        members = [text(mapping(member, "user") or member, "id") for member in mappings(one, "members")]
        members += [key for key, entry in people.items() if text(one, "id") in entry.groups]
        name = text(one, "name", "summary")
        teams[text(one, "id")] = Group(text(one, "id"), name, tuple(members), place=f"#/teams/{number}")
    for one in [team for key in _PAGERDUTY for item in lists[key] for team in mappings(item, "teams")]:
        teams.setdefault(text(one, "id"), Group(text(one, "id"), text(one, "summary", "name")))
    known = tell(said, list(people.values()), list(teams.values()))
    policies = {text(policy, "id"): policy for policy in lists["escalation_policies"]}
    for number, one in enumerate(lists["services"]):
        if not slug(text(one, "name", "summary")):
            continue
        asset, at = service(text(one, "name", "summary")), said.at(f"#/services/{number}")
        said.asset(asset, at)
        policy = policies.get(text(mapping(one, "escalation_policy"), "id"), mapping(one, "escalation_policy"))
        for team in mappings(one, "teams") or mappings(policy, "teams"):
            if (who := known.get(text(team, "id"))) is not None:
                said.link(asset, "owned_by", who, at)
        for who in _first_called(policy, lists["schedules"], known):
            said.link(
                asset, "notifies", who, said.at(f"#/services/{number}", f"called by {text(policy, 'name', 'summary')}")
            )


def _users(users: list[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, user in enumerate(users):
        groups = tuple(text(team, "id") for team in mappings(user, "teams"))
        key = text(user, "id") or text(user, "email")
        yield {"key": key, "entry": Entry(
            key, text(user, "email"), (text(user, "id"),) if text(user, "id") else (), text(user, "name", "summary"),
            groups=groups, place=f"#/users/{number}",
        )}  # fmt: skip


def _first_called(
    policy: Mapping[str, Any], schedules: list[Mapping[str, Any]], known: Mapping[str, Asset]
) -> Iterator[Asset]:
    """The people of the first rule, on their own account or by a schedule."""
    for rule in mappings(policy, "escalation_rules")[:1]:
        for target in mappings(rule, "targets"):
            if target.get("type") in ("user", "user_reference") and text(target, "id") in known:
                yield known[text(target, "id")]
            for schedule in schedules:
                if text(schedule, "id") == text(target, "id"):
                    yield from (
                        known[key] for user in mappings(schedule, "users")
                        if (key := text(mapping(user, "user") or user, "id")) in known
                    )  # fmt: skip


def opsgenie(document: Any, said: Saying) -> None:
    """Say which team answers for which service."""
    items = [(f"#/{key}/{number}", item) for key in ("data", "teams", "services", "users")
             for number, item in enumerate(mappings(document, key))]  # fmt: skip
    if isinstance(document, list):
        items += [(f"#/{number}", item) for number, item in enumerate(document) if isinstance(item, Mapping)]
    people: list[Entry] = []
    groups: list[Group] = []
    services: list[tuple[str, Mapping[str, Any]]] = []
    for place, item in items:
        if "username" in item:
            key, mail = text(item, "id"), text(item, "username")
            blocked = item.get("blocked")
            left = blocked if isinstance(blocked, bool) else None
            people.append(
                Entry(
                    key,
                    mail if "@" in mail else "",
                    tuple(filter(None, (key, mail))),
                    text(item, "fullName"),
                    left,
                    place=place,
                )
            )
        elif "teamId" in item or "ownerTeam" in item:
            services.append((place, item))
        elif text(item, "name"):
            members = tuple(
                text(mapping(member, "user"), "username") or text(mapping(member, "user"), "id")
                for member in mappings(item, "members")
            )
            groups.append(Group(text(item, "id"), text(item, "name"), members, place=place))
    known = tell(said, people, groups)
    for place, item in services:
        if slug(text(item, "name")):
            asset = said.asset(service(text(item, "name")), said.at(place))
            owner = known.get(text(item, "teamId")) or known.get(text(mapping(item, "ownerTeam"), "id"))
            if owner is not None:
                said.link(asset, "owned_by", owner, said.at(place))
