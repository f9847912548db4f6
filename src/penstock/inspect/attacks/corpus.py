"""Labelled texts from files of JSON lines, as examples to train on."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from penstock.errors import NotUnderstood
from penstock.inspect.attacks import generate
from penstock.inspect.attacks.training import Example

Row = dict[str, str]
#: Shorter texts carry nothing.
_CARRIES = 150
#: Of a longer text its start is taken, as the labelled rows are cut.
_START = 6_000


def read(path: Path) -> list[Row]:
    """The rows of a file, gzip or not.

    Raises:
        NotUnderstood: a line is no JSON object with ``text``, ``label``, ``kind`` and ``source``.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    rows: list[Row] = []
    with opener(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                row = json.loads(line)
            except ValueError as error:
                raise NotUnderstood(f"This is no JSON: {error}", f"{path}:{number}") from error
            if not isinstance(row, dict) or not {"text", "label", "kind", "source"} <= row.keys():
                raise NotUnderstood("A row needs text, label, kind and source", f"{path}:{number}")
            rows.append(row)
    return rows


def channel(row: Row) -> str:
    """``content`` for what documents, tools and mails hold, else ``user``."""
    if row["kind"] == "indirect_injection" or row["source"].startswith(("repo:", "about:", "own_synth_tool")):
        return "content"
    return "user"


def examples(rows: Sequence[Row], harmless: Iterable[str] = ()) -> list[Example]:
    """The rows, further harmless texts, and texts made from patterns, whose carriers are harmless rows."""
    carriers = [row["text"] for row in rows if row["label"] == "benign" and len(row["text"]) >= _CARRIES]
    return [
        *_given(rows),
        *generate.examples(carriers),
        *(Example(text, False, "harmless.folder") for text in harmless),
    ]


def harmless_texts(folder: Path) -> Iterable[str]:
    """The start of each text of a folder, in the order of their paths; what is no UTF-8 is left out.

    The folder holds texts in which nobody attacks anything, such as checkouts of ordinary projects.
    """
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        with path.open("rb") as file:
            data = file.read(_START)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            if error.start < len(data) - 4:  # not just cut within a letter
                continue
            text = data[: error.start].decode("utf-8")
        if len(text) >= _CARRIES and "\0" not in text:
            yield text


def _given(rows: Iterable[Row]) -> Iterable[Example]:
    for row in rows:
        source = "repo" if row["source"].startswith("repo:") else row["source"]
        yield Example(row["text"], row["label"] == "attack", f"{source}.{row['kind']}.{channel(row)}")
