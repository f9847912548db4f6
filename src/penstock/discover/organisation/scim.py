"""SCIM 2.0 users and groups: list responses, single resources, or one resource a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.discover.data.lineage.saying import Saying
from penstock.discover.organisation.directory import Entry, Group, tell
from penstock.discover.organisation.json_words import listed, mapping, text

_CORE = "urn:ietf:params:scim:"
_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def told(start: bytes) -> bool:
    return b'"urn:ietf:params:scim:' in start


def read(document: Any, said: Saying) -> None:
    """Say who is in the directory, who is active, and which groups hold which."""
    people: list[Entry] = []
    groups: list[Group] = []
    for number, resource in enumerate(_resources(document)):
        schemas = " ".join(str(schema) for schema in listed(resource, "schemas"))
        place = f"#/Resources/{number}"
        if ":Group" in schemas or ("displayName" in resource and "members" in resource):
            groups.append(_group(resource, place))
        elif ":User" in schemas or "userName" in resource:
            people.append(_user(resource, place))
    tell(said, people, groups)


def _resources(document: Any) -> list[Mapping[str, Any]]:
    documents = document if isinstance(document, list) else [document]
    found: list[Mapping[str, Any]] = []
    for one in documents:
        if isinstance(one, Mapping):
            inner = listed(one, "Resources")
            found += [item for item in inner if isinstance(item, Mapping)] if "Resources" in one else [one]
    return found


def _user(user: Mapping[str, Any], place: str) -> Entry:
    mails = [mail for mail in listed(user, "emails") if isinstance(mail, Mapping)]
    mails.sort(key=lambda mail: mail.get("primary") is not True)
    addresses = [text(mail, "value") for mail in mails]
    login = text(user, "userName")
    if not addresses and "@" in login:
        addresses = [login]
    name = mapping(user, "name")
    spoken = f"{text(name, 'givenName')} {text(name, 'familyName')}".strip()
    shown = text(user, "displayName") or text(name, "formatted") or spoken
    active = user.get("active")
    manager = mapping(user, _ENTERPRISE).get("manager")
    return Entry(
        key=text(user, "id") or login,
        email=addresses[0] if addresses else "",
        logins=tuple(filter(None, (login, text(user, "id"), text(user, "externalId"), *addresses[1:]))),
        shown=shown,
        left=not active if isinstance(active, bool) else None,
        manager=text(manager, "value") if isinstance(manager, Mapping) else str(manager or ""),
        groups=tuple(text(group, "value") for group in listed(user, "groups") if isinstance(group, Mapping)),
        place=place,
    )


def _group(group: Mapping[str, Any], place: str) -> Group:
    members = tuple(text(member, "value") for member in listed(group, "members") if isinstance(member, Mapping))
    return Group(text(group, "id") or text(group, "displayName"), text(group, "displayName"), members, place=place)
