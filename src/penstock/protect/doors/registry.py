"""Which door serves a request that is no call of a model. A new door is a new file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module

from penstock.protect.doors.room import Door, Room
from penstock.protect.requests import Scope

#: (ASGI type, beginning of the path) → module and class. A door is imported when its first request comes.
DOORS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("http", "/mcp/"): ("penstock.protect.mcp.door", "McpDoor"),
    ("http", "/a2a/"): ("penstock.protect.a2a.door", "A2aDoor"),
    ("http", "/v1/inspect"): ("penstock.protect.doors.inspect_api", "InspectDoor"),
    ("websocket", "/v1/realtime"): ("penstock.protect.realtime.door", "RealtimeDoor"),
    ("websocket", "/openai/"): ("penstock.protect.realtime.door", "RealtimeDoor"),
}


class Doors:
    """The doors of one gateway."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._open: dict[tuple[str, str], Door] = {}

    def of(self, scope: Scope) -> Door | None:
        """The door for a request; None when it is a call of a model."""
        path: str = scope["path"]
        for key in _KEYS.get(scope["type"], ()):
            if path.startswith(key[1]):
                return self._open.get(key) or self._opened(key)
        return None

    def _opened(self, key: tuple[str, str]) -> Door:
        module, name = DOORS[key]
        make: Callable[[Room], Door] = getattr(import_module(module), name)
        door = self._open[key] = make(self._room)
        return door


def _by_type() -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    for kind in {kind for kind, _ in DOORS}:
        yield kind, tuple(key for key in DOORS if key[0] == kind)


_KEYS = dict(_by_type())
