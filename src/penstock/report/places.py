"""Where evidence lies, for formats that point at files."""

from __future__ import annotations

import re

from penstock.graph.vocabulary import Evidence

_LINE = re.compile(r":(\d+)(?::\d+|-\d+)?$")


def place_of(evidence: Evidence) -> tuple[str, int | None] | None:
    """Path and line that evidence from a source names; None for evidence that is no place in a file."""
    if not evidence.scope.startswith("repo:") or not evidence.where:
        return None
    where = evidence.where.partition("#/")[0]  # a pointer into a document on one line
    line = _LINE.search(where)
    if line is None:
        return where, None
    path, number = where[: line.start()], int(line[1][:9])
    return (path, number or None) if path else None
