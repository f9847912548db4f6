"""Bicep, as far as values go: declarations with strings, names, objects and lists; anything else is unknown.

A value is a list: ``["s", part, …]`` text whose parts are texts or values, ``["r", "a.b"]`` a name, ``["o", value, …]``
one of several, ``["d", [key, value, line], …]`` an object, ``["l", value, …]`` a list, ``["?"]`` what is computed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

Value = list[Any]

#: Tokens of one file and values in one another that are read; large templates have 20,000 tokens and ten levels.
MOST_TOKENS, DEEPEST = 200_000, 40
_TOKEN = re.compile(
    r"(?P<aside>[ \t\r]+|//[^\n]*|/\*.*?\*/)|(?P<line>\n)|(?P<text>'''.*?'''|'(?:[^'\\\n]|\\.)*')"
    r"|(?P<name>[A-Za-z_][\w]*)|(?P<sign>\?\?|[{}\[\]():=?,.@!|&<>+*/%-]|\d[\w.]*)|.",
    re.DOTALL,
)
_HOLE = re.compile(r"\$\{([^{}]{1,300})\}")
_ESCAPE = re.compile(r"\\(.)")


class Declaration(NamedTuple):
    """A statement: ``param``, ``var``, ``output``, ``resource``, ``module`` or ``using``; ``of``: its type or file."""

    kind: str
    name: str
    of: str
    value: Value
    line: int


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def declarations(text: str) -> Iterator[Declaration]:
    """The statements of a file in order; what does not fit the grammar is passed by."""
    tokens = list(_tokens(text))
    at, fresh = 0, True
    while at < len(tokens):
        token = tokens[at]
        if fresh and token.kind == "name" and token.text in ("param", "var", "output", "resource", "module", "using"):
            found, at = _declaration(tokens, at)
            if found:
                yield found
            fresh = True
            continue
        fresh = token.kind == "line"
        at += 1


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for count, match in enumerate(_TOKEN.finditer(text)):
        if count >= MOST_TOKENS:
            return
        kind = match.lastgroup or ""
        if kind not in ("aside", ""):
            yield _Token(kind, match[0], line)
        line += match[0].count("\n")


def _declaration(tokens: list[_Token], at: int, depth: int = 0) -> tuple[Declaration | None, int]:
    kind, line = tokens[at].text, tokens[at].line
    name = of = ""
    at += 1
    if kind == "using" and at < len(tokens) and tokens[at].kind == "text":
        return Declaration(kind, "", tokens[at].text.strip("'"), ["?"], line), at + 1
    if at < len(tokens) and tokens[at].kind == "name":
        name = tokens[at].text
        at += 1
    while at < len(tokens) and tokens[at].kind != "line" and tokens[at].text != "=":
        if tokens[at].kind == "text":
            of = tokens[at].text.strip("'")
        elif tokens[at].text == "existing" and kind == "resource":
            of += " existing"
        at += 1
    if at >= len(tokens) or tokens[at].kind == "line" or not name:
        return (Declaration(kind, name, of, ["?"], line) if name else None), at
    value, at = _value(tokens, at + 1, depth)
    return Declaration(kind, name, of, value, line), at


def _value(tokens: list[_Token], at: int, depth: int) -> tuple[Value, int]:
    """The value that starts at a token, and where it ends: at the end of its line, or of what it stands in."""
    choices: list[Value] = []
    plain = True
    while at < len(tokens) and depth < DEEPEST:
        token = tokens[at]
        if token.kind == "line" or token.text in ("}", "]", ")", ","):
            break
        if token.kind == "text":
            choices.append(_text(token.text))
            at += 1
        elif token.text == "{":
            found, at = _object(tokens, at + 1, depth + 1)
            choices.append(found)
        elif token.text == "[":
            found, at = _list(tokens, at + 1, depth + 1)
            choices.append(found)
        elif token.kind == "name" and token.text == "if":
            at = _past(tokens, at + 1)
        elif token.kind == "name":
            found, at = _name(tokens, at, depth)
            choices.append(found)
        elif token.text == "?":  # what stood before is a condition
            choices, at = [], at + 1
            while at < len(tokens) and tokens[at].kind == "line":
                at += 1
        elif token.text in (":", "??"):
            at += 1
            while at < len(tokens) and tokens[at].kind == "line":
                at += 1
        elif token.text == "(":
            found, at = _value(tokens, at + 1, depth + 1)
            at += at < len(tokens) and tokens[at].text == ")"
            choices.append(found)
        else:
            plain = plain and token.text in ("!", "@")
            at += 1
    if len(choices) == 1 and plain:
        return choices[0], at
    return (["o", *choices] if choices and plain else ["?"]), at


def _name(tokens: list[_Token], at: int, depth: int) -> tuple[Value, int]:
    """``a.b.c``, or a call: one that only changes a text's form is its argument."""
    parts = [tokens[at].text]
    at += 1
    while at + 1 < len(tokens) and tokens[at].text in (".", "!"):
        step = 2 if tokens[at].text == "!" and tokens[at + 1].text == "." else 1
        if at + step >= len(tokens) or tokens[at + step].kind != "name":
            break
        parts.append(tokens[at + step].text)
        at += step + 1
    if at < len(tokens) and tokens[at].text == "(":
        if parts[0] in ("toLower", "toUpper", "string", "trim") and len(parts) == 1:
            found, at = _value(tokens, at + 1, depth + 1)
            return found, _past(tokens, at, 1)
        if parts in (["concat"], ["union"]):
            found, at = _list(tokens, at + 1, depth + 1, ")")
            return ["o", *found[1:]], at
        return ["?"], _past(tokens, at)
    if parts in (["true"], ["false"], ["null"]):
        return ["s", parts[0]] if parts != ["null"] else ["?"], at
    return ["r", ".".join(parts)], at


def _past(tokens: list[_Token], at: int, opened: int = 0) -> int:
    """The token after the bracket that closes."""
    while at < len(tokens):
        opened += (tokens[at].text in "([{") - (tokens[at].text in ")]}")
        at += 1
        if opened <= 0:
            break
    return at


def _object(tokens: list[_Token], at: int, depth: int) -> tuple[Value, int]:
    fields: Value = ["d"]
    while at < len(tokens) and depth < DEEPEST:
        token = tokens[at]
        if token.text == "}":
            return fields, at + 1
        if token.text == "resource" and at + 1 < len(tokens) and tokens[at + 1].kind == "name":
            nested, at = _declaration(tokens, at, depth)
            if nested:
                fields.append([f"resource {nested.name} {nested.of}", nested.value, nested.line])
        elif token.kind in ("name", "text") and at + 1 < len(tokens) and tokens[at + 1].text == ":":
            value, at = _value(tokens, at + 2, depth)
            fields.append([token.text.strip("'"), value, token.line])
        else:
            at += 1
    return fields, at


def _list(tokens: list[_Token], at: int, depth: int, end: str = "]") -> tuple[Value, int]:
    items: Value = ["l"]
    while at < len(tokens) and depth < DEEPEST:
        token = tokens[at]
        if token.text == end:
            return items, at + 1
        if token.kind == "line" or token.text == ",":
            at += 1
        elif token.text == "for":
            found, at = _each(tokens, at + 1, depth)
            return found, _past(tokens, at, 1)
        else:
            before = at
            value, at = _value(tokens, at, depth)
            items.append(value)
            at += at == before
    return items, at


def _each(tokens: list[_Token], at: int, depth: int) -> tuple[Value, int]:
    """``for item in items: value``, as the list of that value whose ``item`` is ``items``: any of them."""
    names: list[str] = []
    while at < len(tokens) and tokens[at].text != "in" and tokens[at].kind != "line":
        names += [tokens[at].text] if tokens[at].kind == "name" else []
        at += 1
    over: Value = ["?"]
    if at + 1 < len(tokens) and tokens[at + 1].kind == "name":
        over, at = _name(tokens, at + 1, depth)
    while at < len(tokens) and tokens[at].text != ":":
        if tokens[at].text == "]":
            return ["?"], at
        at += 1
    value, at = _value(tokens, at + 1, depth + 1)
    return ["l", _replaced(value, names[0] if names else "", over, 0)], at


def _replaced(value: Value, name: str, by: Value, depth: int) -> Value:
    """A value in which another stands for a name."""
    if depth > 2 * DEEPEST:
        return ["?"]
    if value[0] == "r":
        head, dot, rest = value[1].partition(".")
        if head != name:
            return value
        return ["r", f"{by[1]}{dot}{rest}"] if by[0] == "r" else ["?"]
    if value[0] == "d":
        return ["d", *([key, _replaced(inner, name, by, depth + 1), line] for key, inner, line in value[1:])]
    return [value[0], *(_replaced(part, name, by, depth + 1) if isinstance(part, list) else part for part in value[1:])]


def _text(quoted: str) -> Value:
    """A text and what stands in its ``${…}``: a name, or what is computed."""
    if quoted.startswith("'''"):
        return ["s", quoted[3:-3].removeprefix("\n")]
    parts: Value = ["s"]
    last, inner = 0, quoted[1:-1]
    for hole in _HOLE.finditer(inner):
        parts.append(_ESCAPE.sub(r"\1", inner[last : hole.start()]))
        name = hole[1].strip()
        parts.append(["r", name] if re.fullmatch(r"[A-Za-z_][\w.]*", name) else ["?"])
        last = hole.end()
    parts.append(_ESCAPE.sub(r"\1", inner[last:]))
    return [part for part in parts if part != ""] if len(parts) > 2 else parts
