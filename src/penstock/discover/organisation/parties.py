"""Teams and people, however they are written: ``@org/team-x``, ``group:default/team-x`` and ``Team X`` are one."""

from __future__ import annotations

import re
import unicodedata

from penstock.discover.git import repository_name
from penstock.graph import identity
from penstock.graph.vocabulary import Asset

_EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+\Z")
#: Addresses that GitHub gives to people who hide theirs: ``123+alice@users.noreply.github.com``.
_HIDDEN_EMAIL = re.compile(r"(?:\d+\+)?([^@+]+)@users\.noreply\.github\.com\Z", re.IGNORECASE)
_ENTITY = re.compile(r"(?P<kind>group|team|user|person):(?:(?P<space>[^/\s]+)/)?(?P<name>.+)\Z", re.IGNORECASE)
#: A page of a code host inside of a repository: everything from here on is no part of its name.
_BRANCH = re.compile(r"/(?:-/)?(?:tree|blob|src)/")
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?:[:/].+/|/[^/]+/)[^/]+\Z", re.IGNORECASE)
_REPOSITORY = re.compile(r"[\w.-]{1,100}(?:/[\w.-]{1,100}){1,6}\Z")
#: Long enough for any name; what is longer is not one.
_LONGEST = 120


def slug(text: str) -> str:
    """Lower case, one hyphen for every run of anything but letters, digits and dots."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[^\w.]+|_+", "-", plain).strip("-.")


def team(name: str, **props: str) -> Asset:
    return identity.asset("team", slug(name), props=props)


def person(name: str, **props: str) -> Asset:
    """A person by handle or address; an address is also a property."""
    text = name.strip()
    if hidden := _HIDDEN_EMAIL.match(text):
        return identity.asset("person", hidden[1].casefold(), props=props)
    if _EMAIL.match(text):
        return identity.asset("person", text.casefold(), props={**props, "email": text.casefold()})
    return identity.asset("person", slug(text), props=props)


def business_process(name: str, **props: float) -> Asset:
    """A business process by name; ``customer-support`` and ``Customer support`` are one."""
    key = slug(name)
    shown = name.strip() if " " in name.strip() else key.replace("-", " ").capitalize()
    return identity.asset("process", shown, key=key, props=props)


def service(name: str) -> Asset:
    """What a catalogue, an export or an on-call tool calls by name alone: one thing for the whole organisation.

    Where exactly one application that was found bears the name too, they are taken for one when it is asked who
    answers (``respond.people``); nothing is merged by name.
    """
    return identity.asset("application", name.strip(), key=f"service:{slug(name)}", status="catalogue")


def store(name: str) -> Asset:
    """Data that a catalogue calls by name alone."""
    return identity.asset("data_store", name.strip(), key=f"backstage://resource/{slug(name)}")


def system_of(repository: str) -> Asset | None:
    """The application that a repository is, from its address or ``owner/name``; None for anything else."""
    text = _BRANCH.split(repository.strip().removeprefix("url:"), maxsplit=1)[0].rstrip("/")
    if _HOST.match(text):
        text = f"https://{text}"
    name = repository_name(text) if "://" in text or "@" in text else text
    return identity.application(f"repo:{name}") if _REPOSITORY.match(name) else None


def party(text: str, *, otherwise: str = "team") -> Asset | None:
    """The team or person that a reference names, or None when it names nobody.

    Args:
        otherwise: what a bare word is (Backstage: an owner without a kind is a group).
    """
    text = text.strip()
    if not text or len(text) > _LONGEST or any(ord(letter) < 32 for letter in text) or text.endswith(":"):
        return None
    if entity := _ENTITY.match(text):
        make = team if entity["kind"].casefold() in ("group", "team") else person
        return make(entity["name"]) if slug(entity["name"]) else None
    if text.startswith("@"):
        handle = text.lstrip("@")
        if not slug(handle):
            return None
        return team(handle.rpartition("/")[2]) if "/" in handle else person(handle)
    if _EMAIL.match(text):
        return person(text)
    if not slug(text):
        return None
    name = text.rpartition("/")[2] if re.fullmatch(r"[\w.-]+/[\w.-]+", text) else text
    return team(name) if otherwise == "team" else person(name)
