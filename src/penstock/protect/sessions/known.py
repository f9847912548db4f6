"""What the inventory knows of tools, laid over what their names say: it makes a tool graver, never milder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from penstock.protect.sessions.effects import Tool, effect_of, impact_of
from penstock.protect.snapshot import KnownTool

#: Effects as code shows them, and what they are in a conversation.
_EFFECTS = {
    "read": "read", "write": "update", "delete": "delete", "exec": "execute", "network": "fetch", "email": "send",
    "money": "pay", "deploy": "execute", "physical": "execute",
}  # fmt: skip
#: What clients set between a server's name and its tool's.
_JOINTS = re.compile(r"__|[./:]")


class Knowledge:
    """The tools of one application, by their names."""

    def __init__(self, tools: Iterable[KnownTool] = ()) -> None:
        self._by_name: dict[str, list[KnownTool]] = {}
        for tool in tools:
            self._by_name.setdefault(tool.name, []).append(tool)

    def of(self, name: str) -> list[KnownTool]:
        """What is known of a tool, also where a client calls it ``server__tool``: all that it may be."""
        if not self._by_name:
            return []
        found = list(self._by_name.get(name, ()))
        for joint in _JOINTS.finditer(name):
            found += self._by_name.get(name[joint.end() :], ())
        return found

    def labels(self, name: str) -> frozenset[str]:
        """The kinds of data that a tool's results may hold."""
        return frozenset(label for tool in self.of(name) for label in tool.labels)

    def untrusted(self, name: str) -> bool:
        """Whether somebody said that strangers write what the tool returns."""
        return any(tool.trust == "untrusted" for tool in self.of(name))

    def trusted(self, tool: Tool) -> bool:
        """Whether nobody outside can write what it returns: all that it may be must say so."""
        found = self.of(tool.name)
        return tool.trusted or (bool(found) and all(one.trust == "trusted" for one in found))

    def effect(self, tool: Tool) -> str:
        """The gravest of what its name says and what its code was seen to do."""
        said = tool.effect or effect_of(tool.name, tool.description)
        seen = (_EFFECTS[effect] for one in self.of(tool.name) for effect in one.effects if effect in _EFFECTS)
        return max((said, *seen), key=impact_of)


NOTHING = Knowledge()
#: Knowledge that was made, by the very tuple that it was made of (which is held, so that its id stays its own).
_MADE: dict[int, tuple[tuple[KnownTool, ...], Knowledge]] = {}
_MOST = 1_000


def knowledge_of(tools: tuple[KnownTool, ...]) -> Knowledge:
    """The knowledge of a caller's tools; a snapshot in force hands over the same tuple again and again."""
    if not tools:
        return NOTHING
    made = _MADE.get(id(tools))
    if made is None:
        if len(_MADE) >= _MOST:
            _MADE.clear()
        made = _MADE[id(tools)] = tools, Knowledge(tools)
    return made[1]


def informed(tools: Iterable[Tool], knowledge: Knowledge) -> Mapping[str, Tool]:
    """The tools by name, each with the effect and the trust that hold for it."""
    return {tool.name: replace(tool, effect=knowledge.effect(tool), trusted=knowledge.trusted(tool)) for tool in tools}
