"""Prompts kept in files of their own: prompt folders, ``.prompt`` files, and JSON or YAML templates with prompt fields.

A file becomes a prompt only when code of the same source uses AI (the joiner decides): a folder called ``prompts`` in a
source without AI means nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from penstock.discover.code.ir import sha256
from penstock.discover.collector import Fact, File, Yielded, collector

#: A larger file is data, not a prompt (the longest published system prompts have about 100,000 characters).
MAX_PROMPT = 400_000
#: Shorter texts under a prompt's name are labels.
MIN_PROMPT = 20

_FIELD = re.compile(r"^(.*[_-])?(prompt|system|instructions?|template)([_-].*)?$", re.IGNORECASE)
_NOT_FIELD = re.compile(r"(name|id|version|path|file|type|key|url|tokens?|count|length|format)$", re.IGNORECASE)
_FOLDER = re.compile(r"(^|/)(system[_-]?)?prompts?(/|$)", re.IGNORECASE)
_TEMPLATES = re.compile(r"(^|/)(prompt[_-]?)?templates?/[^/]+$", re.IGNORECASE)
_FILE = re.compile(
    r"(^|/)([\w.-]*[_-])?(system[_-]?)?prompts?([_-][\w.-]*)?\.(txt|md|j2|jinja2?|ya?ml|json)$", re.IGNORECASE
)


@collector(
    "code.prompt_files",
    reads=(
        "*.prompt", "*.prompty", "*prompt*.txt", "*prompt*.md", "*prompt*.j2", "*prompt*.json", "*prompt*.y*ml",
        "**/prompts/**", "**/prompt/**", "**/templates/*.json", "prompts/**", "prompt/**", "templates/*.json",
    ),
    sees="prompts in files of their own",
    unseen="prompts kept in a database or a prompt service",
)  # fmt: skip
def prompt_file(file: File) -> Iterator[Yielded]:
    """The place, length and hash of each prompt in a file; its text is not kept."""
    if len(file.data) > MAX_PROMPT or b"\0" in file.data[:4096]:
        return
    ending = file.path.rpartition(".")[2].lower()
    if ending == "json":
        found = _fields(file)
        if found:
            yield Fact("prompt_file", file.path, found)
    elif ending in ("txt", "md", "prompt", "prompty", "j2", "jinja", "jinja2", "tmpl", "mustache"):
        named = _FOLDER.search(file.path) or _FILE.search(file.path) or ending in ("prompt", "prompty")
        text = file.text.strip()
        if named and len(text) >= MIN_PROMPT and not re.search(r"(^|/)readme\.", file.path, re.IGNORECASE):
            yield Fact("prompt_file", file.path, [["", 1, len(text), sha256(text)]])


def _fields(file: File) -> list[list[Any]]:
    """Prompt fields at the top of a JSON object: [name, line, length, sha]."""
    if not (_FOLDER.search(file.path) or _TEMPLATES.search(file.path) or _FILE.search(file.path)):
        return []
    try:
        document = json.loads(file.data)
    except (ValueError, RecursionError):
        return []
    found: list[list[Any]] = []
    for name, value in document.items() if isinstance(document, dict) else ():
        if _FIELD.match(name) and not _NOT_FIELD.search(name) and isinstance(value, str) and len(value) >= MIN_PROMPT:
            at = file.data.find(f'"{name}"'.encode())
            found.append([name, file.data.count(b"\n", 0, max(at, 0)) + 1, len(value), sha256(value)])
    return found[:20]
