"""Where evidence lies, for formats that point at files."""

from __future__ import annotations

import re

from penstock.graph.vocabulary import Evidence

_LINE = re.compile(r":(\d+)(?::\d+|-\d+)?$")


def place_of(evidence: Evidence) -> tuple[str, int | None] | None:
    """Path and line that evidence from a source names; None for evidence that is no place in a file."""
    if not evidence.scope.startswith("repo:") or not evidence.where:
        return None
    line = _LINE.search(evidence.where)
    if line is None:
        return evidence.where, None
    path, number = evidence.where[: line.start()], int(line[1][:9])
    return (path, number or None) if path else None
