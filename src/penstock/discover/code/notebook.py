"""Notebooks: the code cells as one virtual Python file that keeps the line of each cell in the notebook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from penstock.discover.code.languages.python import IMPORTS, PYTHON
from penstock.discover.code.relevance import CODE, show
from penstock.discover.collector import Fact, File, Yielded, collector
from penstock.graph.vocabulary import Unseen

#: Cells and bytes of code beyond which a notebook is machine-made; the rest is reported as unseen.
MAX_CELLS = 100_000
MAX_CODE = 5_000_000

_SOURCE = re.compile(rb'^\s*"source"\s*:', re.MULTILINE)
_MAGIC = re.compile(r"^\s*[%!?]")

show("python", ("ipynb",), IMPORTS, holds=b'"cells"')


@collector(
    "code.notebook",
    reads="*.ipynb",
    sees="imports, calls and values of notebook cells",
    unseen="cells of other languages, shell lines and magics",
    gate=CODE,
)
def notebook(file: File) -> Iterator[Yielded]:
    """The IR of a notebook's code cells."""
    try:
        document = json.loads(file.data)
        cells = _cells(document)
    except (ValueError, RecursionError) as error:
        yield Unseen(file.path, "notebook", f"it is no notebook: {error}"[:200], "", "code.notebook", file.scope)
        return
    if _language(document) not in ("python", ""):
        yield Unseen(file.path, "notebook", "its language is not Python", "", "code.notebook", file.scope, skipped=True)
        return
    lines, places, left = join(cells, _source_lines(file.data))
    if left:
        yield Unseen(
            file.path, "notebook", f"{left} cells beyond the limit were left out", "", "code.notebook", file.scope
        )
    value, broken = PYTHON.read("\n".join(lines).encode("utf-8", "replace"), lines=places)
    value["broken"] = broken
    if broken:
        why = "a part does not parse"
        yield Unseen(file.at(broken), "notebook code", why, collector="code.notebook", scope=file.scope)
    yield Fact("code", file.path, value)


def join(cells: list[Any], starts: list[int]) -> tuple[list[str], list[int], int]:
    """Lines of code, the notebook's line for each, and how many cells were left out.

    Args:
        starts: the notebook line at which the source of each cell begins; empty for a one-line notebook.
    """
    lines: list[str] = []
    places: list[int] = []
    size = 0
    for number, cell in enumerate(cells):
        source = cell.get("source", cell.get("input", "")) if isinstance(cell, dict) else ""
        text = "".join(map(str, source)) if isinstance(source, list) else str(source)
        size += len(text)
        if number >= MAX_CELLS or size > MAX_CODE:
            return lines, places, len(cells) - number
        if not isinstance(cell, dict) or cell.get("cell_type") != "code" or text.startswith("%%"):
            continue
        start = starts[number] if number < len(starts) else 0
        spread = isinstance(source, list)
        for offset, line in enumerate(text.split("\n")):
            lines.append("" if _MAGIC.match(line) else line)
            places.append(start + 1 + offset if start and spread else start or 1)
    return lines, places, 0


def _cells(document: Any) -> list[Any]:
    if not isinstance(document, dict):
        raise ValueError("its top is not an object")
    cells = document.get("cells")
    if cells is None and isinstance(sheets := document.get("worksheets"), list):
        cells = [c for sheet in sheets if isinstance(sheet, dict) for c in sheet.get("cells") or []]
    if not isinstance(cells, list):
        raise ValueError("it has no list of cells")
    return cells


def _source_lines(data: bytes) -> list[int]:
    """The line of every ``"source":`` key, one per cell, in order."""
    found: list[int] = []
    line, last = 1, 0
    for match in _SOURCE.finditer(data):
        key = data.index(b'"source"', match.start())
        line += data.count(b"\n", last, key)
        last = key
        found.append(line)
    return found


def _language(document: dict[str, Any]) -> str:
    meta = document.get("metadata")
    for name, key in (("kernelspec", "language"), ("language_info", "name")):
        part = meta.get(name) if isinstance(meta, dict) else None
        if isinstance(part, dict) and part.get(key):
            return str(part[key]).lower()
    return ""
