"""Whether a tool is the one that was approved: new, known, changed, shadowing another, or written against its user.

Only the tool itself is quarantined: it leaves the list and its calls are answered with the reason, all others go on.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from penstock.inspect import attacks, hidden, instructions
from penstock.protect.mcp import definition
from penstock.protect.mcp.pins import Pin, Pins
from penstock.protect.snapshot import ToolPin

#: States in which a tool is kept from the caller until a person has approved this very definition.
QUARANTINED = frozenset({"changed", "poisoned", "hidden", "shadowing"})
#: Tools of one list that are looked at; what is longer is cut there, so that nothing unread is offered.
MOST = 1_000
#: Characters of a definition's texts that are judged.
JUDGED = 100_000
#: Names this long, of more than one word, are distinctive enough that another server's tool means them.
_DISTINCTIVE = 6


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one tool. ``why``: in words; ``diff``: what changed since it was approved.

    state: known | new | approved | same-name (another server has one of this name) | changed | shadowing | hidden |
    poisoned.
    """

    server: str
    name: str
    state: str
    digest: str = ""
    why: str = ""
    diff: tuple[str, ...] = ()
    mirrored: Mapping[str, tuple[str, ...]] = {}

    @property
    def quarantined(self) -> bool:
        return self.state in QUARANTINED


class Tools:
    """The tools of all servers, as they were listed last. One for a process."""

    def __init__(self, pins: Pins) -> None:
        self.pins = pins
        self._listed: dict[tuple[str, str], Standing] = {}

    def listed(
        self, server: str, identity: str, tools: Iterable[Mapping[str, Any]], approved: Iterable[ToolPin] = ()
    ) -> list[Standing]:
        """How the tools of a list stand. A tool that was never seen is pinned as it is.

        Args:
            identity: where the server is: another address or command makes all of its tools others.
            approved: what people approved, from the policy in force; it comes before what was seen first.
        """
        pins = self.pins.of(server)
        named = {(pin.tool, pin.digest) for pin in approved if pin.server == server}
        fixed = {tool for tool, _ in named}
        others = self._others(server)
        standings: list[Standing] = []
        changes: dict[str, Pin] = {}
        for tool in tools:
            name = str(tool.get("name") or "")
            digest = definition.digest(tool, identity)
            pin = pins.get(name)
            state, why = "known", ""
            diff: tuple[str, ...] = ()
            if (name, digest) in named or (pin is not None and pin.by and pin.digest == digest and name not in fixed):
                state = "approved"
            elif name in fixed or (pin is not None and pin.digest != digest):
                state, why = "changed", _CHANGED
                diff = definition.difference(pin.definition if pin else "", tool)
            else:
                state, why = _judged(definition.encoded(tool), name, others)
                if state == "known" and pin is None:
                    state = "new"
            if pin is None:
                pin = Pin(digest=digest, definition=definition.kept(tool), since=time.time())
            elif pin.digest == digest and not pin.definition:
                pin = msgspec.structs.replace(pin, definition=definition.kept(tool))
            pin = msgspec.structs.replace(pin, seen=digest, state="" if state == "new" else state, why=why)
            if pins.get(name) != pin:
                changes[name] = pin
            standing = Standing(
                server=server, name=name, state=state, digest=digest, why=why, diff=diff,
                mirrored=definition.mirrored(tool),
            )  # fmt: skip
            standings.append(standing)
            self._listed[server, name] = standing
        if len(self._listed) > _HELD:
            self._listed.clear()
        self.pins.put(server, changes)
        return standings

    def standing(self, server: str, name: str, approved: Iterable[ToolPin] = ()) -> Standing:
        """How a tool stands that is called: as it was listed here, or as another process saw it."""
        listed = self._listed.get((server, name))
        pin = self.pins.of(server).get(name)
        if pin is None:
            return listed or Standing(server=server, name=name, state="unlisted", why="no list of tools named it yet")
        named = {one.digest for one in approved if one.server == server and one.tool == name}
        state = pin.standing
        if named:
            state = "approved" if pin.seen in named else "changed"
        if listed is not None and (listed.state, listed.digest) == (state, pin.seen):
            return listed
        why = _CHANGED if state == "changed" else pin.why
        mirrored = listed.mirrored if listed else {}
        return Standing(server=server, name=name, state=state, digest=pin.seen, why=why, mirrored=mirrored)

    def _others(self, server: str) -> tuple[tuple[str, str], ...]:
        """Tools of the other servers: server, name."""
        return tuple((other, name) for other, pins in self.pins.all().items() if other != server for name in pins)


_CHANGED = "its definition is no longer the one that was approved"
#: Standings held in memory.
_HELD = 20_000


def _judged(encoded: bytes, name: str, others: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """The state of a definition that is not yet approved, and why, by what it says."""
    text, state, why = _read(encoded)
    if state != "known":
        return state, why
    plain, alike = _plain(name), _skeleton(name)
    for server, other in others:
        if _plain(other) == plain:
            state, why = "same-name", f"{server} has a tool of this name, too"
        elif _skeleton(other) == alike:
            return "shadowing", f"its name looks like {other!r} of {server}"
        elif _mentions(text, other):
            return "shadowing", f"its description speaks of {other!r}, a tool of {server}"
    return state, why


@lru_cache(maxsize=4096)
def _read(encoded: bytes) -> tuple[str, str, str]:
    """All texts of a definition, and whether they are written against their reader: text, state, why."""
    tool: dict[str, Any] = msgspec.json.decode(encoded)
    text = definition.texts(tool)[:JUDGED]
    if found := hidden.find(text):
        return text, "hidden", f"it holds {found[0].reason}"
    if found := instructions.poison(text, "tool"):
        return text, "poisoned", "; ".join(dict.fromkeys(span.reason for span in found[:3]))
    verdict = attacks.judge(text, "content")
    if verdict.blocks:
        return text, "poisoned", "; ".join(verdict.reasons[:3])
    return text, "known", ""


def _mentions(text: str, name: str) -> bool:
    """Whether a text speaks of another server's tool by a name that is no plain word."""
    if len(name) < _DISTINCTIVE or not ("_" in name or "-" in name or _CAMEL.search(name)) or name not in text:
        return False
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


@lru_cache(maxsize=8192)
def _plain(name: str) -> str:
    """A name without case and separators: ``read_file`` and ``readFile`` are one name to a model."""
    return "".join(char for char in name.casefold() if char.isalnum())


@lru_cache(maxsize=8192)
def _skeleton(name: str) -> str:
    """What a name looks like: compatible forms and look-alike letters folded, too."""
    return _plain(unicodedata.normalize("NFKD", name).casefold().translate(_ALIKE))


_CAMEL = re.compile(r"[a-z][A-Z]")
#: Letters and digits that are read as others (Unicode TR 39, confusables, those that look like ASCII).
_ALIKE = str.maketrans("аеорсухіјѕԁһӏαοενικρτυɡ01|!", "aeopcyxijsdhlaoevikptugolll")
