"""Shell scripts and Makefiles: models that they fetch, servers that they start, variables that they export."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.infra.commands import FETCHES, fetched, started
from penstock.discover.infra.environment import env_fact, interpolated
from penstock.discover.infra.images import commands_known, split_command

NAME = "infra.shell"
#: Lines of one file, and characters of one line, that are looked at.
MOST, LONGEST = 20_000, 20_000
_JOINS = re.compile(r"&&|\|\||[;|&]")
_ASSIGNED = re.compile(r"^\s*(export\s+)?([A-Za-z_]\w*)\s*(?:[:?+]?=)\s*(.*)$")
_MAKE_VARIABLE = re.compile(r"\$\(([A-Za-z_]\w*)\)")
_TELLING = (*(fetch.split()[0].encode() for fetch, _ in FETCHES), b"docker run", b"podman run", b"export ")
#: What stands before a command: make's marks, a prompt, and programs that run another.
_BEFORE = re.compile(r"^[\s@+-]*(?:\$\s+)?(?:(?:sudo|nohup|exec|time|env|uv run|poetry run|nice)\s+)*")
_CONTAINER = re.compile(r"^(?:docker|podman|nerdctl)\s+(?:container\s+)?run\b")
#: Options of ``docker run`` that stand alone; all others take a value.
_ALONE = re.compile(r"-(?:[dit]+|-rm|-detach|-interactive|-tty|-init|-privileged|-read-only)$|--\S+=")


@collector(
    NAME,
    reads=[
        "*.sh",
        "*.bash",
        "*.zsh",
        "Makefile",
        "makefile",
        "GNUmakefile",
        "*.mk",
        "Justfile",
        "justfile",
        "Procfile",
    ],
    sees="models that scripts fetch, model servers that they start, variables that they export",
    unseen="values that a script computes; what called programs do",
)
def shell(file: File) -> Iterator[Yielded]:
    """What each command of a script says."""
    if not _matters(file.data):
        return
    known: dict[str, str] = {}
    for line, text in _lines(file.text):
        if assigned := _ASSIGNED.match(text):
            exported, name, value = assigned[1], assigned[2], _value(assigned[3], known)
            if value is not None and "$" not in value and "(" not in value:
                known[name] = value
                if exported:
                    yield from env_fact(file, name, value, line)
            if exported or " " not in assigned[3].strip():
                continue
        if "$" not in text and not _tells(text):
            continue
        for part in _JOINS.split(_MAKE_VARIABLE.sub(r"${\1}", text)):
            command = _BEFORE.sub("", part.strip())
            command = interpolated(command, known) or command
            words = split_command(command) if _tells(command) else []
            if not words:
                continue
            yield from fetched(file, words, line, NAME)
            image, rest = _contained(words)
            yield from started(file, image, rest, known, line, NAME, key=f"script:{file.path}:{line}", how="the script")


def _tells(text: str) -> bool:
    """Whether a command holds a word without which it says nothing here: splitting it costs fifty times this look."""
    return any(word in text for word in _words())


@cache
def _words() -> tuple[str, ...]:
    words = {fetch.split()[0] for fetch, _ in FETCHES} | {word.decode() for word in commands_known()}
    return tuple(sorted({*words, "docker", "podman", "nerdctl"}))


def _matters(data: bytes) -> bool:
    return any(word in data for word in (*_TELLING, *commands_known()))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Logical lines without comments: continued ones joined, with the number of their first line."""
    pending, start = "", 0
    for number, raw in enumerate(text.splitlines()[:MOST], 1):
        if not pending and raw.lstrip().startswith("#"):
            continue
        start = start or number
        if raw.rstrip().endswith("\\") and len(pending) < LONGEST:
            pending += raw.rstrip()[:-1] + " "
            continue
        yield start, (pending + raw)[:LONGEST]
        pending, start = "", 0


def _value(text: str, known: dict[str, str]) -> str | None:
    plain = _MAKE_VARIABLE.sub(r"${\1}", text.strip()).partition(" #")[0].strip()
    if plain[:1] in "'\"" and plain[-1:] == plain[:1]:
        plain = plain[1:-1]
    return interpolated(plain, known)


def _contained(words: list[str]) -> tuple[str, list[str]]:
    """The image that ``docker run`` names and what it is told to run; else no image and the words as they are."""
    if not _CONTAINER.match(" ".join(words[:3])):
        return "", words
    index = words.index("run") + 1
    while index < len(words) and words[index].startswith("-"):
        index += 1 if _ALONE.match(words[index]) else 2
    return (words[index], words[index + 1 :]) if index < len(words) else ("", words)
