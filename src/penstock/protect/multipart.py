"""A form with files (``multipart/form-data``): its parts with their places in the bytes."""

from __future__ import annotations

import re

import msgspec

from penstock.errors import NotUnderstood
from penstock.protect.exchange import Attachment, Part
from penstock.protect.jsontext import decode, texts

#: Parts of one form; APIs of models take fewer than ten.
PARTS = 100
#: Bytes of one part's headers.
HEAD = 8 * 1024


class Field(msgspec.Struct, frozen=True, gc=False):
    """A field of a form. ``filename`` is None unless it is a file; the value is ``body[start:end]``."""

    name: str
    filename: str | None
    media_type: str
    start: int
    end: int


def fields(body: bytes, content_type: bytes) -> list[Field]:
    """The fields of a form.

    Raises:
        NotUnderstood: the form names no boundary, is cut short, or has too many parts.
    """
    named = _BOUNDARY.search(content_type)
    if not named:
        raise NotUnderstood("The form names no boundary", "Content-Type", "Send multipart/form-data with a boundary")
    mark = b"--" + (named[1] or named[2])
    at = body.find(mark)
    found: list[Field] = []
    while at >= 0:
        at += len(mark)
        if body.startswith(b"--", at):
            return found
        head = body.find(b"\r\n\r\n", at, at + HEAD)
        end = body.find(b"\r\n" + mark, head + 2)
        if head < 0 or end < 0 or len(found) >= PARTS:
            break
        found.append(_field(body[at:head], head + 4, max(end, head + 4)))
        at = end + 2
    raise NotUnderstood("The form is cut short or has too many parts", hint="Send it whole")


def _field(head: bytes, start: int, end: int) -> Field:
    lines = {line.partition(b":")[0].strip().lower(): line.partition(b":")[2].strip() for line in head.split(b"\r\n")}
    said = lines.get(b"content-disposition", b"")
    names = {key.lower(): quoted or bare for key, quoted, bare in _PARAMETER.findall(said)}
    filename = names.get(b"filename", names.get(b"filename*"))
    return Field(
        names.get(b"name", b"").decode(errors="replace"),
        None if filename is None else filename.decode(errors="replace"),
        lines.get(b"content-type", b"").decode("latin-1"),
        start,
        end,
    )


def texts_of(body: bytes, field: Field) -> tuple[list[Part], Attachment | None]:
    """The texts of a field; for a file that holds none, what it is.

    A file is read as JSON or JSON lines if it is that, whatever its name, and else as text.
    """
    channel = "content" if field.filename is None else "file"
    data = body[field.start : field.end]
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return [], Attachment(field.media_type, len(data), (field.filename or field.name)[:128])
    if "\x00" in text:
        return [], Attachment(field.media_type, len(data), (field.filename or field.name)[:128])
    if data.lstrip()[:1] in (b"{", b"["):
        try:
            return _json(data, field.start, channel), None
        except NotUnderstood:
            pass
    return ([Part("", channel, text, field.start, field.end, "raw")] if text else []), None


def _json(data: bytes, at: int, channel: str) -> list[Part]:
    """The strings of a JSON document, or of JSON lines."""
    parts: list[Part] = []
    try:
        decode(data)
        lines = [data]
    except NotUnderstood:
        lines = data.splitlines(keepends=True)
    for line in lines:
        if line.strip():
            decode(line)
            parts += [Part("", channel, text.value, at + text.start, at + text.end) for text in texts(line)]
        at += len(line)
    return parts


_BOUNDARY = re.compile(rb'boundary="?(?:((?<=")[^"]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_PARAMETER = re.compile(rb'([\w*-]+)=(?:"([^"]*)"|([^\s;]+))')
