"""Commands that run by themselves when something happens in an assistant or an editor. None of them is ever run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from penstock.discover.assistants.documents import read
from penstock.discover.assistants.files import assistant, hook_patterns, runner_of
from penstock.discover.collector import Fact, File, Yielded, collector
from penstock.discover.infra.environment import redacted
from penstock.discover.infra.marked import Map, as_map, as_text, line_of, maps, texts
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Observation, Unseen
from penstock.inspect.commands import addresses, dangers

NAME = "assistants.hooks"
#: Hooks of one event that are looked at.
MOST = 500
_LONGEST = 20_000
_WRITES = re.compile(r"(?:^|\s)(?:rm|mv|cp|tee|sed -i|chmod|chown|git (?:push|commit|add|reset))\b|>", re.I)
_NETWORK = re.compile(
    r"\b(?:curl|wget|nc|ncat|netcat|ssh|scp|rsync|ftp|telnet|Invoke-WebRequest|iwr)\b|https?://", re.I
)
#: Where the files of the assistants put a command.
_COMMANDS = ("command", "bash", "powershell", "run", "runCommand")


@collector(
    NAME,
    reads=hook_patterns(),
    sees="commands that an assistant or an editor runs by itself",
    unseen="what a script that a command names does",
)
def hook_files(file: File) -> Iterator[Yielded]:
    """Files of nothing but hooks, and tasks that start when a folder is opened."""
    document = read(file, NAME)
    if isinstance(document, Unseen):
        yield document
        return
    row = runner_of(file.path)
    if row is None:
        return
    root, host = as_map(document), assistant(row, file.scope)
    if "tasks" in root:
        yield from _tasks(file, host, root)
    elif "then" in root:  # Kiro: one hook a file
        then = as_map(root["then"])
        event = as_text(as_map(root.get("when")).get("type")) or "event"
        yield from hook(file, host, event, "0", _command(then), line_of(root, "then"), ())
    else:
        yield from hooks(file, host, as_map(root.get("hooks", root)))


def hooks(file: File, host: Asset, events: Map) -> Iterator[Yielded]:
    """Hooks by event: a list of commands, or of matchers with commands."""
    for event in list(events)[:MOST]:
        entries = maps(events[event])[:MOST]
        pairs = [(entry, one) for entry in entries for one in (maps(entry.get("hooks")) or [entry])[:MOST]]
        for index, (matched, one) in enumerate(pairs):
            matcher = as_text(matched.get("matcher"))
            when = f"runs on {event[:100]}" + (f" of {matcher[:100]}" if matcher else "")
            place = next((line_of(one, key) for key in _COMMANDS if key in one), line_of(events, event))
            yield from hook(file, host, event, str(index), _command(one), place, (when,))


def hook(
    file: File, host: Asset, event: str, key: str, command: str, line: int, chain: Iterable[str], alone: bool = False
) -> Iterator[Yielded]:
    """One hook with what its command would do. ``alone``: it starts when a folder is opened, and shows nothing."""
    if not command:
        return
    command = command[:_LONGEST]
    found = {span.type: span.reason for span in dangers(command)}
    if alone:
        found["starts_alone"] = "it starts when the folder is opened, out of sight"
    effects = ["exec"]
    effects += ["network"] if _NETWORK.search(command) else []
    effects += ["write"] if _WRITES.search(command) else []
    props: dict[str, object] = {"command": redacted(command)[:300], "effects": effects}
    if found:
        props["dangers"] = sorted(found)
        if away := addresses(command):
            props["url"] = away[0][:200]
    asset = identity.asset("hook", event[:200], scope=file.scope, key=f"{file.path}#{event}#{key}", props=props)
    at = file.evidence(NAME, line, chain=(*chain, *found.values()))
    yield Observation(asset, at)
    yield Observation(host, at)
    yield Observation(identity.relation(host, "connects_to", asset), at)
    yield Fact("defined", file.path, {"id": asset.id, "line": line})


def _tasks(file: File, host: Asset, root: Map) -> Iterator[Yielded]:
    """Tasks of Visual Studio Code that run when the folder is opened."""
    for number, task in enumerate(maps(root.get("tasks"))[:MOST]):
        if as_text(as_map(task.get("runOptions")).get("runOn")) != "folderOpen":
            continue
        shown = as_map(task.get("presentation"))
        unseen = as_text(shown.get("reveal")) in ("never", "silent") or shown.get("echo") is False or task.get("hide")
        name = as_text(task.get("label")) or as_text(task.get("taskName")) or "folderOpen"
        words = [as_text(task.get("command")), *texts(task.get("args"))]
        command = " ".join(word for word in words if word)
        chain = (f"task {name[:100]} runs when the folder is opened",)
        yield from hook(
            file, host, "folderOpen", str(number), command, line_of(task, "command"), chain, alone=bool(unseen)
        )


def _command(one: Map) -> str:
    return "\n".join(text for key in _COMMANDS if (text := as_text(one.get(key))))
