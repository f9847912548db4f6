"""What a tool returned, taken apart: fields with short values beside free text.

A mail's sender and a file's id stand in fields that a program has filled; the body of the mail is free text, in which
anyone writes anything. JSON is read as such. Listings of ``key: value`` lines are read by their indentation, and only
when all of the text is one, so that a page of free text cannot make itself a record.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

#: Longer values, and values of more words, are free text whatever their key.
SHORT, FEW_WORDS = 120, 8
#: Fields of one result that are told apart, and how deeply it is read.
FIELDS, DEPTH = 5_000, 12


class Field(msgspec.Struct, frozen=True, gc=False):
    """A value and the key that it stands under, lower-case; ``free`` when it is free text."""

    key: str
    text: str
    free: bool


def fields_of(text: str) -> list[Field]:
    """The fields of a result; one of free text when it is no record."""
    start = text.lstrip()[:1]
    if start in ("{", "["):
        try:
            tree = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            tree = None
        if tree is not None:
            found: list[Field] = []
            _walk(tree, "", found, 0)
            return found
    return _lines(text) or [_field("", text)]


def _field(key: str, text: str) -> Field:
    free = len(text) > SHORT or text.count(" ") >= FEW_WORDS or "\n" in text.strip()
    return Field(key.lower()[:64], text, free or not key)


def _walk(value: Any, key: str, found: list[Field], depth: int) -> None:
    if depth > DEPTH or len(found) >= FIELDS:
        found.append(Field(key, msgspec.json.encode(value).decode(), True))
    elif isinstance(value, dict):
        for name, inner in value.items():
            if not isinstance(inner, dict | list):
                found.append(Field(f"{key}.key" if key else "key", str(name)[:256], False))
            _walk(inner, str(name) if not _is_value(str(name)) else key, found, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _walk(inner, key or "item", found, depth + 1)
    elif isinstance(value, str):
        if value[:1] in "{[" and len(value) > 2 and depth < DEPTH:
            try:
                return _walk(msgspec.json.decode(value), key, found, depth + 1)
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                pass
        found.append(_field(key, value))
    elif value is not None and not isinstance(value, bool):
        found.append(_field(key, str(value)))
    return None


def _is_value(key: str) -> bool:
    """Whether what stands before a colon is data (an address of a list of rights), not a key."""
    return "@" in key or "/" in key


#: ``- `` of a list, a key with its colon, and the rest of the line.
_LINE = re.compile(r"(?P<indent>[ ]*)(?P<dashes>(?:-[ ]+)*)(?:(?P<key>[\w.@\-/]{1,64}):(?:[ ]+|$))?(?P<rest>.*)")
#: Longer listings are not read by lines.
_MOST_LINES = 20_000


def _lines(text: str) -> list[Field]:
    """The fields of a listing by lines; empty when the text is none."""
    lines = text.split("\n", _MOST_LINES)
    if len(lines) > _MOST_LINES:
        return []
    found: list[Field] = []
    parents: list[tuple[int, str]] = []
    pieces: list[str] = []
    key, at = "", -1  # the value that is growing: its key and its column
    quoted = ""
    begun = False
    for line in lines:
        if quoted or (pieces and (not line.strip() or _indent(line) > at)):
            if quoted:
                pieces.append(line)
                quoted = "" if _closes(line, quoted) else quoted
                continue
            matched = _LINE.fullmatch(line)
            if (
                pieces[0] not in ("", "|", "|-", ">", ">-")
                or (pieces[0] and line.strip())
                or not line.strip()
                or matched is None
                or not (matched["key"] or matched["dashes"])
            ):
                pieces.append(line)
                continue
        matched = _LINE.fullmatch(line)
        if matched is None or not (matched["key"] or matched["dashes"]):
            if line.strip() in ("", "---", "...") or (line.strip() in ("[]", "{}")):
                continue
            return []
        begun = True
        if pieces:
            found.append(_field(key, _joined(pieces)))
        column = len(matched["indent"]) + len(matched["dashes"])
        while parents and parents[-1][0] >= column + (not matched["key"]):
            parents.pop()
        above = parents[-1][1] if parents else ""
        if matched["key"]:
            name = matched["key"]
            if _is_value(name):
                found.append(Field(above.lower()[:64] or "key", name, False))
                name = above
            key, at = name, column
            parents.append((column, name))
        else:
            key, at = above or "item", max(len(matched["indent"]), 0)
        pieces = [matched["rest"]]
        quoted = _opens(matched["rest"])
        if len(found) >= FIELDS:
            return []
    if pieces:
        found.append(_field(key, _joined(pieces)))
    return [field for field in found if field.text] if begun else []


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _opens(rest: str) -> str:
    """The quotation mark of a value that goes on in the next lines."""
    mark = rest[:1]
    return mark if mark in ("'", '"') and not _closes(rest[1:], mark) else ""


def _closes(line: str, mark: str) -> bool:
    bare = line.rstrip()
    if not bare.endswith(mark):
        return False
    if mark == "'":
        return (len(bare) - len(bare.rstrip("'"))) % 2 == 1
    body = bare[:-1]
    return (len(body) - len(body.rstrip("\\"))) % 2 == 0


_ESCAPES = {r"\n": "\n", r"\t": "\t", r"\"": '"', r"\ ": " ", r"\\": "\\", r"\r": "\r"}
_ESCAPE = re.compile(r"\\[ntr\" \\]|\\\n\s*|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}")


def _joined(pieces: list[str]) -> str:
    """The lines of a value as one text, without the marks of its notation."""
    text = "\n".join(pieces).strip()
    if text[:1] in "|>" and len(pieces) > 1 and len(pieces[0].strip()) <= 2:
        return "\n".join(piece.strip() for piece in pieces[1:]).strip()
    if len(text) >= 2 and text[0] == text[-1] == "'":
        text = text[1:-1].replace("''", "'")
    elif len(text) >= 2 and text[0] == text[-1] == '"':
        text = _ESCAPE.sub(_unescaped, text[1:-1])
    if "\n" in text:  # folded: one line break is a space
        text = re.sub(r"(?<!\n)\n[ ]*(?!\s*\n)", " ", text)
    return text if text not in ("[]", "{}", "null", "''") else ""


def _unescaped(found: re.Match[str]) -> str:
    escape = found[0]
    if escape in _ESCAPES:
        return _ESCAPES[escape]
    if escape.startswith("\\\n"):
        return ""
    try:
        return chr(int(escape[2:], 16))
    except (ValueError, OverflowError):
        return escape
