"""A pickle as inert values: containers and constants as they are, everything that would be called as a note of it."""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

from penstock.errors import NotUnderstood

#: Opcodes of one stream: a checkpoint has about 30 a tensor.
MOST_OPCODES = 20_000_000


@dataclass(frozen=True, slots=True)
class Name:
    """A name that a loader would import."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(slots=True, eq=False)
class Made:
    """What a call would give: the call, the state it is given, and the items put into it."""

    function: Any
    arguments: tuple[Any, ...]
    state: Any = None
    items: dict[Any, Any] = field(default_factory=dict)
    members: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a loader finds elsewhere by this id."""

    id: Any


_MARK = object()
_CONSTANTS = frozenset(
    "INT LONG LONG1 LONG4 BININT BININT1 BININT2 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE"
    " SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8".split()
)
_MADE: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False, "EMPTY_TUPLE": tuple, "EMPTY_LIST": list,
    "EMPTY_DICT": dict, "EMPTY_SET": list, "MARK": lambda: _MARK,
}  # fmt: skip


def read(file: IO[bytes]) -> Any:
    """The value of the next pickle in a file, which is left right behind it.

    Raises:
        NotUnderstood: the stream is broken, or uses what no checkpoint uses.
    """
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
            if count > MOST_OPCODES:
                raise NotUnderstood(f"The pickle has more than {MOST_OPCODES:,} opcodes")
            if opcode.name in _CONSTANTS:
                stack.append(argument)
            elif (make := _MADE.get(opcode.name)) is not None:
                stack.append(make())
            elif opcode.name == "STOP":
                return stack.pop()
            elif opcode.name not in ("PROTO", "FRAME"):
                _step(opcode.name, argument, stack, memo)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise NotUnderstood(f"The pickle cannot be followed: {error}") from error
    raise NotUnderstood("The pickle has no end")


def _step(name: str, argument: Any, stack: list[Any], memo: dict[int, Any]) -> None:
    if name in ("GET", "BINGET", "LONG_BINGET"):
        stack.append(memo[int(argument)])
    elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
        memo[int(argument)] = stack[-1]
    elif name == "MEMOIZE":
        memo[len(memo)] = stack[-1]
    elif name in ("TUPLE", "LIST", "FROZENSET"):
        members = _marked(stack)
        stack.append(members if name == "LIST" else tuple(members))
    elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
        members = [stack.pop() for _ in range(int(name[-1]))]
        stack.append(tuple(reversed(members)))
    elif name == "DICT":
        members = _marked(stack)
        stack.append(_pairs(members))
    elif name in ("APPEND", "APPENDS", "ADDITEMS"):
        members = [stack.pop()] if name == "APPEND" else _marked(stack)
        into = stack[-1]
        (into.members if isinstance(into, Made) else into).extend(members)
    elif name in ("SETITEM", "SETITEMS"):
        members = [stack.pop(), stack.pop()][::-1] if name == "SETITEM" else _marked(stack)
        into = stack[-1]
        (into.items if isinstance(into, Made) else into).update(_pairs(members))
    elif name == "GLOBAL":
        stack.append(Name(*str(argument).split(" ", 1)))
    elif name == "STACK_GLOBAL":
        attribute, module = stack.pop(), stack.pop()
        stack.append(Name(str(module), str(attribute)))
    elif name in ("REDUCE", "NEWOBJ"):
        arguments, function = stack.pop(), stack.pop()
        stack.append(Made(function, _arguments(arguments)))
    elif name == "NEWOBJ_EX":
        _, arguments, function = stack.pop(), stack.pop(), stack.pop()
        stack.append(Made(function, _arguments(arguments)))
    elif name == "INST":
        stack.append(Made(Name(*str(argument).split(" ", 1)), tuple(_marked(stack))))
    elif name == "OBJ":
        function, *given = _marked(stack)
        stack.append(Made(function, tuple(given)))
    elif name == "BUILD":
        state = stack.pop()
        if isinstance(stack[-1], Made):
            stack[-1].state = state
    elif name in ("PERSID", "BINPERSID"):
        stack.append(Kept(argument if name == "PERSID" else stack.pop()))
    elif name == "POP":
        stack.pop()
    elif name == "DUP":
        stack.append(stack[-1])
    elif name == "POP_MARK":
        _marked(stack)
    else:
        raise NotUnderstood(f"The pickle uses {name}, which no checkpoint needs")


def _marked(stack: list[Any]) -> list[Any]:
    """What was pushed since the last mark."""
    for at in range(len(stack) - 1, -1, -1):
        if stack[at] is _MARK:
            members = stack[at + 1 :]
            del stack[at:]
            return members
    raise NotUnderstood("The pickle closes a group that it did not open")


def _pairs(members: list[Any]) -> dict[Any, Any]:
    """Keys that cannot be keys (a list, a call) are known by their looks: nothing here is told by them."""
    made: dict[Any, Any] = {}
    for key, value in zip(members[::2], members[1::2], strict=True):
        made[key if isinstance(key, str | int | float | bytes | bool) else f"<{type(key).__name__}>"] = value
    return made


def _arguments(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
