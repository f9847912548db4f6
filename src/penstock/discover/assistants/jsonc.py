"""JSON as people write it in settings files: comments and trailing commas allowed, lines kept, cost bounded.

Nothing recurses, so that a bomb of a million brackets is an error and not a crash.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from penstock.discover.infra.marked import Map, Seq
from penstock.errors import NotUnderstood

#: Settings files of editors stay below 1 MB.
MAX_BYTES = 4_000_000
MAX_VALUES = 200_000
MAX_DEPTH = 64

_TOKEN = re.compile(
    r"""(?P<space>[\s\ufeff]+|//[^\n]*|/\*.*?\*/)"""
    r"""|(?P<string>"(?:[^"\\\n]|\\.)*")"""
    r"""|(?P<mark>[{}\[\],:])"""
    r"""|(?P<word>[^\s{}\[\],:"/]+)""",
    re.DOTALL,
)


def parse(text: str) -> Any:
    """The value of a JSON text as Map, Seq or scalar.

    Raises:
        NotUnderstood: it does not parse or exceeds a limit; ``where`` is ``line <n>``.
    """
    if len(text) > MAX_BYTES:
        raise NotUnderstood(f"The JSON is longer than {MAX_BYTES:,} characters")
    stack: list[Map | Seq] = []
    keys: list[tuple[str, int] | None] = []
    result: Any = None
    done = False
    count = 0
    for kind, word, line in _tokens(text):
        if done:
            raise NotUnderstood("The JSON goes on after its end", f"line {line}")
        top = stack[-1] if stack else None
        if word == "," and kind == "mark":
            continue
        if word == ":" and kind == "mark":
            if not isinstance(top, Map) or keys[-1] is None:
                raise NotUnderstood("A colon stands where none belongs", f"line {line}")
            continue
        if kind == "mark" and word in "}]":
            if top is None or isinstance(top, Map) != (word == "}") or keys[-1] is not None:
                raise NotUnderstood(f"A {word} closes nothing", f"line {line}")
            stack.pop()
            keys.pop()
            value: Any = top
            line = top.line
            if not stack:
                result, done = value, True
            continue
        opened: Map | Seq = Map(line) if word == "{" else Seq(line)
        value = opened if kind == "mark" else _scalar(kind, word, line)
        if isinstance(top, Map) and keys[-1] is None:
            if not isinstance(value, str):
                raise NotUnderstood("A key is not a string", f"line {line}")
            keys[-1] = (value, line)
            continue
        count += 1
        if count > MAX_VALUES:
            raise NotUnderstood(f"The JSON holds more than {MAX_VALUES:,} values", f"line {line}")
        if isinstance(top, Map) and keys[-1] is not None:
            key, key_line = keys[-1]
            top[key] = value
            top.lines[key] = key_line
            keys[-1] = None
        elif isinstance(top, Seq):
            top.append(value)
            top.lines.append(line)
        if isinstance(value, Map | Seq):
            if len(stack) >= MAX_DEPTH:
                raise NotUnderstood(f"The JSON nests deeper than {MAX_DEPTH} levels", f"line {line}")
            stack.append(value)
            keys.append(None)
        elif top is None:
            result, done = value, True
    if not done:
        raise NotUnderstood("The JSON ends too early")
    return result


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    position, line = 0, 1
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise NotUnderstood(f"The JSON does not parse at {text[position]!r}", f"line {line}")
        word = match.group()
        if match.lastgroup != "space":
            yield match.lastgroup or "", word, line
        line += word.count("\n")
        position = match.end()


def _scalar(kind: str, word: str, line: int) -> Any:
    if kind == "string":
        try:
            return json.loads(word, strict=False)
        except ValueError as error:
            raise NotUnderstood("A string holds an unknown escape", f"line {line}") from error
    if word in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[word]
    if re.fullmatch(r"-?\d{1,18}", word):
        return int(word)
    if re.fullmatch(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", word):
        return word
    raise NotUnderstood(f"{word[:40]!r} is no JSON value", f"line {line}")
