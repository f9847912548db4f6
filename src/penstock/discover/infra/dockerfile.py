"""Dockerfiles: what an image is built on, the models it fetches or serves, and the variables it sets."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.infra.commands import fetched, started
from penstock.discover.infra.environment import env_fact, interpolated
from penstock.discover.infra.images import image_name, row_of, split_command
from penstock.graph import identity
from penstock.graph.vocabulary import Observation

NAME = "infra.dockerfile"
MOST = 5_000
_INSTRUCTION = re.compile(r"\s*([A-Za-z]+)\s+(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Instruction:
    word: str
    rest: str
    line: int


@collector(
    NAME,
    reads=["Dockerfile", "Dockerfile.*", "*.Dockerfile", "Containerfile", "*.dockerfile"],
    sees="base images that hold AI, models that are fetched while building or served at start, ENV values",
    unseen="what copied scripts do",
)
def dockerfile(file: File) -> Iterator[Yielded]:
    """What each instruction says."""
    known: dict[str, str] = {}
    base = ""
    command: list[str] = []
    line = 1
    for item in instructions(file.text):
        rest = interpolated(item.rest, known) or item.rest
        match item.word:
            case "FROM":
                words = [word for word in rest.split() if not word.startswith("--")]
                base, command, line = (words[0] if words else ""), [], item.line
                if (row := row_of(base)) is not None:
                    at = file.evidence(NAME, item.line, chain=(f"built on {base}",))
                    yield Observation(identity.asset("image", image_name(base)), at)
                    yield Observation(identity.asset("framework", row.name), at)
            case "ENV" | "ARG":
                for name, value in _pairs(rest):
                    known[name] = value
                    if item.word == "ENV":
                        yield from env_fact(file, name, value, item.line)
            case "RUN":
                yield from fetched(file, split_command(_shell(rest)), item.line, NAME)
            case "ENTRYPOINT" | "CMD":
                words = _exec(rest)
                command = words if item.word == "ENTRYPOINT" else [*command, *words]
                line = item.line
                yield from fetched(file, words, item.line, NAME)
    yield from started(file, base, command, known, line, NAME, key=f"image:{file.path}", how="the image")


def instructions(text: str) -> Iterator[Instruction]:
    """Instructions with their continued lines joined; comments left out, here-documents kept as text."""
    pending, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        if number > MOST * 4:
            return
        if raw.lstrip().startswith("#"):
            continue
        start = start or number
        if raw.rstrip().endswith("\\") and len(pending) < 100_000:
            pending += raw.rstrip()[:-1] + " "
            continue
        if match := _INSTRUCTION.match(pending + raw):
            yield Instruction(match[1].upper(), match[2].strip(), start)
        pending, start = "", 0
    if match := _INSTRUCTION.match(pending):
        yield Instruction(match[1].upper(), match[2].strip(), start)


def _exec(text: str) -> list[str]:
    """The words of the exec form (a JSON list) or of the shell form."""
    if text.startswith("["):
        return split_command(re.findall(r'"((?:[^"\\]|\\.)*)"', text))
    return split_command(text)


def _shell(text: str) -> str:
    """A shell line with its joints spaced, so that words are words."""
    return re.sub(r"(&&|\|\||;)", r" \1 ", text)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """``NAME=value`` pairs, or the old form ``NAME value``."""
    words = _words(text) if "=" in text.partition(" ")[0] else []
    if not words:
        name, _, value = text.partition(" ")
        words = [f"{name}={value.strip()}"]
    for word in words:
        name, equals, value = word.partition("=")
        if equals and name:
            yield name, value
