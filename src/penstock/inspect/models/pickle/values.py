"""What stands on the machine's stack.

A constant is an ``int``: the position of the opcode that pushed it, read again only when its content matters; below
zero are `NONE`, `TRUE`, `FALSE` and `UNKNOWN`. A tuple is a Python tuple of values. Everything else is a class of this
file. Values are plain mutable objects with slots: a stream pushes millions.
"""

from __future__ import annotations

NONE, TRUE, FALSE, UNKNOWN = -1, -2, -3, -4

Value = object
#: How a callable was used, in words of the policy's rows: ``call`` runs it with arguments, ``new`` only makes an empty
#: instance, ``build`` hands state to an instance, ``reference`` names it.
CALL, NEW, BUILD, REFERENCE = "call", "new", "build", "reference"


class Global:
    """A name that the loader imports. ``how`` says by which opcode; ``known`` is False for a computed name."""

    __slots__ = ("at", "how", "known", "module", "name")

    def __init__(self, module: str, name: str, at: int, how: str = "GLOBAL", known: bool = True) -> None:
        self.module = module
        self.name = name
        self.at = at
        self.how = how
        self.known = known

    @property
    def full(self) -> str:
        return f"{self.module}.{self.name}"


class Result:
    """What a call gives. ``role`` is `CALL` or `NEW`; ``keywords`` only for ``NEWOBJ_EX``."""

    __slots__ = ("arguments", "at", "function", "keywords", "role", "state")

    def __init__(self, function: Value, arguments: Value, at: int, role: str = CALL, keywords: Value = None) -> None:
        self.function = function
        self.arguments = arguments
        self.at = at
        self.role = role
        self.keywords = keywords
        self.state: Value = None


class Items:
    """A list, dict or set: the first members, and later ones only where they are no constants.

    A dict holds keys and values in turn.
    """

    __slots__ = ("count", "kept", "kind")

    #: Members kept whatever they are; and at most, of those that are no constants.
    FIRST, MOST = 64, 4096

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.kept: list[Value] = []
        self.count = 0

    def add(self, members: list[Value]) -> None:
        kept = self.kept
        room = self.FIRST - self.count
        self.count += len(members)
        if room > 0:
            kept += members[:room]
            members = members[room:]
        if members and len(kept) < self.MOST:
            kept += [member for member in members if type(member) is not int]

    def pairs(self) -> list[tuple[Value, Value]]:
        """Keys and values, as far as they were kept in turn."""
        return list(zip(self.kept[: self.FIRST : 2], self.kept[1 : self.FIRST : 2], strict=False))


class Persistent:
    """Something that the loader finds by a persistent id (a torch storage)."""

    __slots__ = ("at", "of")

    def __init__(self, of: Value, at: int) -> None:
        self.of = of
        self.at = at


class Buffer:
    """An out-of-band buffer (protocol 5)."""

    __slots__ = ()
