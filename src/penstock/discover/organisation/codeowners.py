"""CODEOWNERS of GitHub, GitLab and Bitbucket: who answers for which path. The last line that matches wins.

GitLab sections (``[Docs][2] @default-owners``, ``^[Optional]``) are rule lists of their own whose owners add up;
Bitbucket's own groups (``@@@Group @alice``) are replaced by their members. The rules become facts; a joiner applies
them to the repository as a whole, and to each asset that a collector placed with a fact ``defined``
(``{"id": asset id, "line": int}``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from penstock.discover.collector import Fact, File, Source, Yielded, collector, joiner
from penstock.discover.organisation.parties import party
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Evidence, Observation, Unseen

NAME = "organisation.codeowners"
PLACES = ("CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", "docs/CODEOWNERS", ".bitbucket/CODEOWNERS")
#: Platforms read one file, in this order.
READ_FIRST = (".github/CODEOWNERS", ".gitlab/CODEOWNERS", ".bitbucket/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
#: Rules read from one file; the largest public ones have about 4,000.
MAX_RULES = 20_000
_SECTION = re.compile(r"(\^)?\[([^\]]+)\](?:\[\d+\])?\s*(.*)\Z")
_ROLES = frozenset({"developer", "developers", "maintainer", "maintainers", "owner", "owners"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: the owners of what a pattern matches; no owners = explicitly nobody's."""

    pattern: str
    owners: tuple[str, ...]
    section: str
    line: int


@collector(
    NAME,
    reads=[*PLACES, *(f"**/{place}" for place in PLACES)],
    sees="owners of paths",
    unseen="who is in a team; roles such as @@maintainers",
)
def codeowners(file: File) -> Iterator[Yielded]:
    """The rules of a CODEOWNERS file, as a fact; lines that are no rule become notes."""
    if file.path not in PLACES:
        yield Unseen(
            file.path,
            "CODEOWNERS",
            "it lies where no platform reads it",
            collector=NAME,
            scope=file.scope,
            skipped=True,
        )
        return
    rules: list[Rule] = []
    for item in read_rules(file.text):
        if isinstance(item, Rule):
            rules.append(item)
        else:
            line, why = item
            yield Unseen(file.at(line), "a line of CODEOWNERS", why, collector=NAME, scope=file.scope)
    yield Fact("codeowners", file.path, [[rule.pattern, list(rule.owners), rule.section, rule.line] for rule in rules])


@joiner(NAME, sees="the team or people that own an application and what is defined in its files")
def owners(source: Source) -> Iterator[Yielded]:
    """Owners of the repository as a whole, and of each asset that a fact ``defined`` places in a file."""
    application = identity.application(source.scope)
    for owner, evidence in owners_at(source, None):
        yield Observation(application, evidence)
        yield Observation(owner, evidence)
        yield Observation(identity.relation(application, "owned_by", owner), evidence)
    for fact in source.facts.get("defined", ()):
        for owner, evidence in owners_at(source, fact.path):
            yield Observation(owner, evidence)
            yield Observation(identity.relation(str(fact.value["id"]), "owned_by", owner), evidence)


def owners_at(source: Source, path: str | None) -> Iterator[tuple[Asset, Evidence]]:
    """Who owns a path of the source (None: the source as a whole), with the line that says so.

    For joiners that learn only after all files what is defined where.
    """
    found = {fact.path: fact for fact in source.facts.get("codeowners", ())}
    place = next((place for place in READ_FIRST if place in found), None)
    if place is None:
        return
    rules = [Rule(pattern, tuple(names), section, line) for pattern, names, section, line in found[place].value]
    for rule in owning(rules, path):
        why = f"{path} matches {rule.pattern}" if path else f"{rule.pattern} stands for the whole repository"
        evidence = source.evidence(NAME, f"{place}:{rule.line}", chain=(why,))
        for name in rule.owners:
            owner = party(name)
            if owner is not None:
                yield owner, evidence


def read_rules(text: str) -> Iterator[Rule | tuple[int, str]]:
    """Rules in file order; a line that is none yields its number and what is wrong with it."""
    section = ""
    defaults: tuple[str, ...] = ()
    groups: dict[str, tuple[str, ...]] = {}
    count = 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if "\ufffd" in line or "\0" in line:
            yield number, "it is not UTF-8 text"
            continue
        if heading := _SECTION.match(line):
            section, defaults = heading[2].strip().casefold(), tuple(_names(heading[3]))
            continue
        words = _names(line)
        if not words:
            continue
        if words[0].startswith("@@@"):
            groups[words[0][3:].casefold()] = tuple(words[1:])
            continue
        pattern, names = words[0], words[1:]
        if pattern.startswith("!"):
            yield number, "a pattern cannot be negated in CODEOWNERS"
            continue
        if pattern.startswith("@"):
            yield number, "it names owners but no path"
            continue
        people: list[str] = []
        for name in names:
            if name.startswith("@@"):
                word = name[2:].casefold()
                if word not in groups and word not in _ROLES:
                    yield number, f"the group {name} is not defined in the file"
                people += groups.get(word, ())
            elif "@" in name:
                people.append(name)
            else:
                yield number, f"{name[:60]!r} is no owner: owners start with @ or are addresses"
        count += 1
        if count > MAX_RULES:
            yield number, f"more than {MAX_RULES:,} rules"
            return
        yield Rule(pattern, tuple(people) if names else defaults, section, number)


def owning(rules: Iterable[Rule], path: str | None) -> list[Rule]:
    """The rule of each section that decides about a path (None: the whole repository), nearest section first.

    A deciding rule without owners says that nobody owns the path, and is left out.
    """
    deciding: dict[str, Rule] = {}
    for rule in rules:
        whole = rule.pattern.strip("/") in ("*", "**", "")
        if whole if path is None else matches(rule.pattern, path):
            deciding[rule.section] = rule
    return [rule for rule in deciding.values() if rule.owners]


def matches(pattern: str, path: str) -> bool:
    """Whether a CODEOWNERS pattern covers a file, by the rules of gitignore."""
    return _compiled(pattern).fullmatch(path) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> Any:
    """Compiled by RE2, whose time grows with the path alone: a pattern with many stars would stall ``re``."""
    body = pattern.removeprefix("/")
    anchored = pattern.startswith("/") or "/" in body.rstrip("/")
    folder = body.endswith("/")
    body = body.rstrip("/")
    parts: list[str] = []
    index = 0
    while index < len(body):
        if body.startswith("**/", index):
            parts.append("(?:[^/]+/)*")
            index += 3
        elif body.startswith("**", index):
            parts.append(".*")
            index += 2
        elif body[index] == "*":
            while index + 1 < len(body) and body[index + 1] == "*":
                index += 1
            parts.append("[^/]*")
            index += 1
        elif body[index] == "?":
            parts.append("[^/]")
            index += 1
        else:
            index += body[index] == "\\" and index + 1 < len(body)
            parts.append(re2.escape(body[index]))
            index += 1
    # GitHub: docs/* covers the files of the folder alone, a name or folder all that lies under it.
    tail = "/.*" if folder else "" if body.endswith("/*") else "(?:/.*)?"
    return re2.compile("(?s)" + ("" if anchored else "(?:.*/)?") + "".join(parts) + tail)


def _names(line: str) -> list[str]:
    """The words of a line: a comment ends it, a backslash keeps a space in a path."""
    line = re.split(r"(?<!\\)\s#", line, maxsplit=1)[0]
    return [word.replace("\\ ", " ") for word in re.split(r"(?<!\\)\s+", line.strip()) if word]
