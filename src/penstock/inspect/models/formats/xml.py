"""XML formats (PMML, OpenVINO): entities and document types are refused before anything is parsed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.inspect.models.containers.names import escapes
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason, Verdict

_LONGEST = 8 << 20


def look(piece: Piece) -> Iterator[Reason]:
    """Judge declarations, then elements that run or reach something."""
    raw = piece.whole(_LONGEST)
    text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
    head = text[: 1 << 16]
    if match := re.search(r"<!ENTITY\s+(?:%\s*)?\S+\s+(SYSTEM|PUBLIC)", text):
        yield piece.say(
            Verdict.MALICIOUS,
            "xml.entity",
            "has an entity that reads a file or an address when it is parsed",
            match.start(),
        )
    elif match := re.search(r"<!ENTITY", text):
        yield piece.say(
            Verdict.SUSPICIOUS,
            "xml.entity",
            "defines entities, which can grow without end when they are parsed",
            match.start(),
        )
    elif match := re.search(r"<!DOCTYPE[^>]*\b(SYSTEM|PUBLIC)\b", head):
        yield piece.say(Verdict.SUSPICIOUS, "xml.doctype", "asks its parser to fetch a document type", match.start())
    if re.search(r"<\?xml-stylesheet|<xi:include|xmlns:xi=", text):
        yield piece.say(Verdict.SUSPICIOUS, "xml.include", "asks its parser to fetch another document")
    if "<PMML" in head:
        piece.report.facts.setdefault("library", "PMML")
        if match := re.search(r"<script\b|javascript:|<x-script|Runtime\.getRuntime|ProcessBuilder", text, re.I):
            yield piece.say(Verdict.SUSPICIOUS, "pmml.script", "holds a script", match.start(), match.group()[:80])
    elif re.search(r"<net\b", head):
        piece.report.facts.setdefault("library", "OpenVINO")
        for match in re.finditer(r"\b(?:library|extension|location|path|weights)\s*=\s*[\"']([^\"']+)", text):
            value = match.group(1)
            if escapes(value) or value.endswith((".so", ".dll", ".dylib", ".py")):
                yield piece.say(
                    Verdict.SUSPICIOUS,
                    "openvino.outside",
                    f"names {value[:80]!r}, which lies outside the model",
                    match.start(),
                )
        for match in re.finditer(r"<layer\b[^>]*\btype=\"(\w+)\"[^>]*\bversion=\"([^\"]+)\"", text):
            if not match.group(2).startswith(("opset", "extension", "experimental", "util")):
                yield piece.say(
                    Verdict.REVIEW,
                    "openvino.custom",
                    f"needs the operation {match.group(1)} of {match.group(2)!r}, code that must come with it",
                )
                break
