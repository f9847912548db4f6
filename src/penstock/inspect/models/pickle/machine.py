"""The pickle machine: every opcode of protocols 0-5 on a symbolic stack and memo, as the C unpickler has them.

It calls nothing. What a loader would import, call, create or fill is told to a `Watcher`, in order. It is
written as one loop because it is the hot one: a vocabulary of 400,000 entries is 1.2 million opcodes.
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass
from sys import getallocatedblocks
from typing import Protocol

from penstock.inspect.models.pickle.literal import constant
from penstock.inspect.models.pickle.values import (
    CALL,
    FALSE,
    NEW,
    NONE,
    TRUE,
    UNKNOWN,
    Buffer,
    Global,
    Items,
    Persistent,
    Result,
    Value,
)  # fmt: skip
from penstock.inspect.models.source import Budget, Exhausted, Source

#: Content is read in windows of this size; short opcodes end well before a window does.
WINDOW, MARGIN = 1 << 20, 320
#: A line of a text opcode; the longest that a real writer makes is a number or a short string.
LONGEST_LINE = 1 << 20
#: What opcodes may ask for before it is an attack on memory rather than a file cut short.
ABSURD = 1 << 40
#: Values on the stack: picklers write members in batches of 1,000, so that only nesting adds to it.
_STACK = 100_000
#: Containers in the memo that are kept apart; later ones of a kind are taken as one, to bound memory. What they hold is
#: judged all the same; only as arguments are they no longer known.
_OBJECTS = 100_000
#: Blocks of Python's allocator that one stream may take, 64 bytes each: what the bounds above let through is nesting.
_BLOCKS = 700_000
_KINDS = ("list", "dict", "set", "frozenset")
#: Text of names that is worth reading.
_LONGEST_NAME = 4096


class Watcher(Protocol):
    """Who is told what a loader would do."""

    def imports(self, name: Global) -> None: ...
    def calls(self, result: Result) -> None: ...
    def builds(self, target: Value, state: Value, at: int, after: int) -> int | None:
        """May answer where the stream goes on, when the loader itself reads raw bytes there."""

    def carries(self, at: int, start: int, count: int) -> None:
        """A bytes constant that starts as a pickle does."""

    def sets(self, target: Value, members: list[Value], at: int) -> None:
        """Members are put into something that is no plain container."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a stream ended: ``at`` is the position behind it; ``broken`` says why, empty after STOP."""

    at: int
    broken: str
    top: Value
    opcodes: int
    calls: int
    names: int
    absurd: bool = False
    out_of_bounds: bool = False


class _Broken(Exception):
    pass


class Machine:
    """Runs streams of one source. ``stack`` and memo are fresh for each stream, as for each ``load``."""

    def __init__(self, source: Source, watcher: Watcher, budget: Budget) -> None:
        self.source = source
        self.watcher = watcher
        self.budget = budget
        self.shared = 0
        self._window = (0, b"")  # kept from stream to stream: many are short

    def run(self, at: int) -> Ended:
        """Walk one stream from ``at`` to its STOP, or as far as a loader would get."""
        source, watcher = self.source, self.watcher
        size = source.size
        entries = self.budget.limits.entries
        base, buf = self._window
        if not base <= at < base + len(buf) - MARGIN:
            base, buf = at, source.read(at, WINDOW)
        length = len(buf)
        soft = length if base + length >= size else length - MARGIN
        i = at - base
        stack: list[Value] = []
        push, pop = stack.append, stack.pop
        marks: list[int] = []
        memo: array[int] = array("q")
        sparse: dict[int, int] = {}
        objects: list[Value] = [Items(kind) for kind in _KINDS]
        crowd = {kind: index for index, kind in enumerate(_KINDS)}
        names: dict[tuple[str, str], Global] = {}
        blocks = getallocatedblocks() + _BLOCKS
        floor = 0  # nothing below the last mark may be popped
        opcodes = calls = 0
        unpack4, unpack8 = struct.Struct("<I").unpack_from, struct.Struct("<Q").unpack_from

        def put(index: int, value: Value) -> None:
            if type(value) is int:
                code = value
            elif len(objects) >= _OBJECTS and isinstance(value, Items):
                code = -10 - crowd[value.kind]
            elif len(objects) >= _OBJECTS and isinstance(value, tuple):
                code = UNKNOWN
            else:
                code = -10 - len(objects)
                objects.append(value)
            if index == len(memo):
                memo.append(code)
                sparse.pop(index, None)
            elif index < len(memo):
                memo[index] = code
            else:
                sparse[index] = code

        def get(index: int) -> Value:
            code = memo[index] if index < len(memo) else sparse.get(index)
            if code is None:
                raise _Broken(f"asks for memo {index}, which was never stored")
            if code > -10:
                return code
            value = objects[-10 - code]
            if type(value) is Items or type(value) is tuple:
                self.shared += 1
            return value

        def need(count: int) -> None:
            if len(stack) - floor < count:
                raise _Broken("takes more from the stack than there is")

        def to_mark() -> list[Value]:
            nonlocal floor
            if not marks:
                raise _Broken("asks for a mark that was never set")
            start = marks.pop()
            floor = marks[-1] if marks else 0
            members = stack[start:]
            del stack[start:]
            return members

        def line() -> bytes:
            """The rest of a line of a text opcode; moves the window when it runs over its end."""
            nonlocal buf, base, length, soft, i
            end = buf.find(b"\n", i)
            if end < 0:
                base, i = base + i, 0
                buf = source.read(base, LONGEST_LINE)
                length = len(buf)
                soft = length if base + length >= size else length - MARGIN
                end = buf.find(b"\n")
                if end < 0:
                    raise _Broken("ends inside a line")
            text = buf[i:end]
            i = end + 1
            return text

        def number(text: bytes) -> int:
            try:
                return int(text[:20])
            except ValueError:
                raise _Broken("has a memo index that is no number") from None

        def reached(module: str, name: str, here: int, how: str) -> Global:
            found = names.get((module, name))
            if found is None:
                found = names[module, name] = Global(module, name, here, how)
                watcher.imports(found)
            return found

        def called(function: Value, arguments: Value, here: int, role: str = CALL, keywords: Value = None) -> Result:
            nonlocal calls
            calls += 1
            result = Result(function, arguments, here, role, keywords)
            watcher.calls(result)
            return result

        def add(members: list[Value], here: int) -> None:
            need(1)
            target = stack[-1]
            if type(target) is Items:
                target.add(members)
            else:
                watcher.sets(target, members, here)

        def within(count: int) -> int:
            """The length of a constant whose content starts at ``i``."""
            left = max(0, size - base - i)
            if count > left:
                raise _Absurd(count) if count >= ABSURD else _Broken(f"says that {count} bytes follow where {left} are")
            return count

        def carried(here: int, count: int) -> None:
            """Bytes that start as a pickle does are told."""
            if count > 4 and i < length and buf[i] == 0x80:
                watcher.carries(here, base + i, count)

        top: Value = NONE
        broken, absurd, bounded = "", False, False
        here = at
        try:
            while True:
                if i >= soft:
                    base, i = base + i, 0
                    if base >= size:
                        raise _Broken("ends without STOP")
                    buf = source.read(base, WINDOW)
                    length = len(buf)
                    if not length:
                        raise _Broken("the file became shorter while it was read")
                    soft = length if base + length >= size else length - MARGIN
                opcodes += 1
                if not opcodes & 0x3FFF:
                    self.budget.check()
                    if len(memo) > entries or len(stack) + len(marks) + len(sparse) > _STACK:
                        raise Exhausted("it keeps more values at once than any real model does")
                    if getallocatedblocks() > blocks:
                        raise Exhausted("it is nested deeper than any real model is")
                op = buf[i]
                # The most frequent first.
                if op == 0x94:  # MEMOIZE
                    value = stack[-1]
                    i += 1
                    if type(value) is int and not sparse:
                        memo.append(value)
                    else:
                        put(len(memo) + len(sparse), value)
                elif op == 0x8C:  # SHORT_BINUNICODE
                    push(base + i)
                    i += 2 + buf[i + 1]
                elif op == 0x4B:  # BININT1
                    push(base + i)
                    i += 2
                elif op == 0x58 or op == 0x42:  # BINUNICODE, BINBYTES
                    here = base + i
                    count = unpack4(buf, i + 1)[0]
                    i += 5
                    if count > 255:
                        within(count)
                    if op == 0x42:
                        carried(here, count)
                    push(here)
                    i += count
                elif op == 0x71:  # BINPUT
                    value = stack[-1]
                    index = buf[i + 1]
                    i += 2
                    if index == len(memo) and type(value) is int and not sparse:
                        memo.append(value)
                    else:
                        put(index, value)
                elif op == 0x72:  # LONG_BINPUT
                    value = stack[-1]
                    index = unpack4(buf, i + 1)[0]
                    i += 5
                    if index == len(memo) and type(value) is int and not sparse:
                        memo.append(value)
                    else:
                        put(index, value)
                elif op == 0x4D:  # BININT2
                    push(base + i)
                    i += 3
                elif op == 0x4A:  # BININT
                    push(base + i)
                    i += 5
                elif op == 0x47:  # BINFLOAT
                    push(base + i)
                    i += 9
                elif op == 0x68:  # BINGET
                    push(get(buf[i + 1]))
                    i += 2
                elif op == 0x6A:  # LONG_BINGET
                    push(get(unpack4(buf, i + 1)[0]))
                    i += 5
                elif op == 0x28:  # MARK
                    marks.append(len(stack))
                    floor = len(stack)
                    i += 1
                elif op == 0x4E:  # NONE
                    push(NONE)
                    i += 1
                elif op == 0x88 or op == 0x89:  # NEWTRUE, NEWFALSE
                    push(TRUE if op == 0x88 else FALSE)
                    i += 1
                elif op == 0x86 or op == 0x85 or op == 0x87:  # TUPLE2, TUPLE1, TUPLE3
                    count = op - 0x84
                    need(count)
                    made = tuple(stack[-count:])
                    del stack[-count:]
                    push(made)
                    i += 1
                elif op == 0x74:  # TUPLE
                    members = to_mark()
                    push(tuple(members))
                    i += 1
                elif op == 0x75 or op == 0x65:  # SETITEMS, APPENDS
                    members = to_mark()
                    if op == 0x75 and len(members) & 1:
                        raise _Broken("sets items without a value for each key")
                    add(members, base + i)
                    i += 1
                elif op == 0x73:  # SETITEM
                    need(3)
                    members = stack[-2:]
                    del stack[-2:]
                    add(members, base + i)
                    i += 1
                elif op == 0x61:  # APPEND
                    need(2)
                    add([pop()], base + i)
                    i += 1
                elif op == 0x7D or op == 0x5D or op == 0x29 or op == 0x8F:  # EMPTY_DICT, _LIST, _TUPLE, _SET
                    push(() if op == 0x29 else Items("dict" if op == 0x7D else "list" if op == 0x5D else "set"))
                    i += 1
                elif op == 0x43 or op == 0x55:  # SHORT_BINBYTES
                    push(base + i)
                    i += 2 + buf[i + 1]
                elif op == 0x54:  # BINSTRING
                    here = base + i
                    count = unpack4(buf, i + 1)[0]
                    i += 5
                    if count > 0x7FFFFFFF:
                        raise _Broken("has a string of negative length")
                    push(here)
                    i += within(count)
                elif op == 0x8D or op == 0x8E or op == 0x96:  # BINUNICODE8, BINBYTES8, BYTEARRAY8
                    here = base + i
                    count = unpack8(buf, i + 1)[0]
                    i += 9
                    push(here)
                    if op != 0x8D:
                        carried(here, within(count))
                    i += within(count)
                elif op == 0x93:  # STACK_GLOBAL
                    need(2)
                    here = base + i
                    name_value, module_value = pop(), pop()
                    module_text, name_text = constant(source, module_value), constant(source, name_value)
                    i += 1
                    if isinstance(module_text, str) and isinstance(name_text, str):
                        push(reached(module_text, name_text, here, "STACK_GLOBAL"))
                    else:
                        unknown = Global(
                            module_text if isinstance(module_text, str) else "?",
                            name_text if isinstance(name_text, str) else "?",
                            here, "STACK_GLOBAL", known=False,
                        )  # fmt: skip
                        watcher.imports(unknown)
                        push(unknown)
                elif op == 0x63 or op == 0x69:  # GLOBAL, INST
                    here = base + i
                    i += 1
                    module_name, global_name = _text(line()), _text(line())
                    if op == 0x63:
                        push(reached(module_name, global_name, here, "GLOBAL"))
                    else:
                        members = to_mark()
                        reach = reached(module_name, global_name, here, "INST")
                        push(called(reach, tuple(members), here, CALL if members else NEW))
                elif op == 0x52 or op == 0x81:  # REDUCE, NEWOBJ
                    need(2)
                    arguments, function = pop(), pop()
                    push(called(function, arguments, base + i, CALL if op == 0x52 else NEW))
                    i += 1
                elif op == 0x92:  # NEWOBJ_EX
                    need(3)
                    keywords, arguments, function = pop(), pop(), pop()
                    push(called(function, arguments, base + i, NEW, keywords))
                    i += 1
                elif op == 0x6F:  # OBJ
                    here = base + i
                    members = to_mark()
                    if not members:
                        raise _Broken("creates an object of nothing")
                    push(called(members[0], tuple(members[1:]), here, CALL if len(members) > 1 else NEW))
                    i += 1
                elif op == 0x62:  # BUILD
                    need(2)
                    state = pop()
                    target = stack[-1]
                    i += 1
                    jump = watcher.builds(target, state, base + i - 1, base + i)
                    if type(target) is Result:
                        target.state = state
                    if jump is not None:
                        base, i = jump, 0
                        buf = source.read(base, WINDOW)
                        length = len(buf)
                        soft = length if base + length >= size else length - MARGIN
                elif op == 0x51:  # BINPERSID
                    need(1)
                    push(Persistent(pop(), base + i))
                    i += 1
                elif op == 0x30:  # POP: of an item, or of a mark as the C unpickler does
                    if marks and len(stack) == marks[-1]:
                        marks.pop()
                        floor = marks[-1] if marks else 0
                    else:
                        need(1)
                        pop()
                    i += 1
                elif op == 0x31:  # POP_MARK
                    to_mark()
                    i += 1
                elif op == 0x32:  # DUP
                    need(1)
                    push(stack[-1])
                    i += 1
                elif op == 0x95:  # FRAME: what lies beyond its end is read all the same from a file
                    if length - i < 9:
                        raise _Broken("ends inside a frame's length")
                    i += 9
                elif op == 0x80:  # PROTO
                    i += 2
                elif op == 0x2E:  # STOP
                    need(1)
                    top = pop()
                    i += 1
                    break
                elif op == 0x6C or op == 0x64:  # LIST, DICT
                    made_items = Items("list" if op == 0x6C else "dict")
                    made_items.add(to_mark())
                    push(made_items)
                    i += 1
                elif op == 0x90:  # ADDITEMS
                    members = to_mark()
                    add(members, base + i)
                    i += 1
                elif op == 0x91:  # FROZENSET
                    frozen = Items("frozenset")
                    frozen.add(to_mark())
                    push(frozen)
                    i += 1
                elif op == 0x8A:  # LONG1
                    push(base + i)
                    i += 2 + buf[i + 1]
                elif op == 0x8B:  # LONG4
                    here = base + i
                    count = unpack4(buf, i + 1)[0]
                    i += 5
                    if count > 0x7FFFFFFF:
                        raise _Broken("has a number of negative length")
                    push(here)
                    i += within(count)
                elif (
                    op == 0x49 or op == 0x4C or op == 0x46 or op == 0x53 or op == 0x56
                ):  # INT LONG FLOAT STRING UNICODE
                    here = base + i
                    i += 1
                    line()
                    push(here)
                elif op == 0x70 or op == 0x67:  # PUT, GET
                    i += 1
                    index = number(line())
                    if op == 0x67:
                        push(get(index))
                    else:
                        need(1)
                        put(index, stack[-1])
                elif op == 0x50:  # PERSID
                    here = base + i
                    i += 1
                    line()
                    push(Persistent(UNKNOWN, here))
                elif op == 0x82 or op == 0x83 or op == 0x84:  # EXT1, EXT2, EXT4
                    here = base + i
                    width = 1 << (op - 0x82)
                    code = int.from_bytes(buf[i + 1 : i + 1 + width], "little")
                    i += 1 + width
                    push(reached("copyreg._extension_registry", str(code), here, "EXT"))
                elif op == 0x97:  # NEXT_BUFFER
                    push(Buffer())
                    i += 1
                elif op == 0x98:  # READONLY_BUFFER
                    i += 1
                else:
                    raise _Broken(f"has the byte 0x{op:02x}, which is no opcode")
        except _Broken as error:
            broken = str(error)
        except _Absurd as error:
            broken, absurd = f"asks for {error.args[0]} bytes", True
        except (IndexError, struct.error):
            broken = "ends inside an opcode" if base + i >= size - 9 else "takes more from the stack than there is"
        except Exhausted as error:
            broken, bounded = str(error), True
        self._window = (base, buf)
        if not broken and base + i > size:
            broken = "ends inside an opcode"
        return Ended(base + i, broken, top, opcodes, calls, len(names), absurd, bounded)


class _Absurd(Exception):
    pass


def _text(raw: bytes) -> str:
    return raw[:_LONGEST_NAME].decode("utf-8", "replace")
