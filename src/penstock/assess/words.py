"""A rule's texts with the names of what it found filled in."""

from __future__ import annotations

import re

from penstock.assess.facts import Facts, sensitive
from penstock.assess.high_risk import use_of
from penstock.assess.match import Match
from penstock.graph.vocabulary import said_labels


def told(text: str, match: Match, facts: Facts) -> str:
    """The text with ``{variable}`` and ``{variable.field}`` filled in, labels in a reader's words."""

    def word(found: re.Match[str]) -> str:
        name, _, field = found[1].partition(".")
        if name == "path":
            return str(max(0, len(match.path) - 1))
        asset = facts.graph.assets[match.bound[name]]
        if not field:
            return asset.name
        if field == "labels":
            return said_labels(sensitive(facts.labelling.touches(asset.id))) or "no known sensitive data"
        if field == "high_risk":
            return use_of(facts.of(asset.id).get(field, ""))
        value = facts.of(asset.id).get(field)
        if isinstance(value, list | tuple | set | frozenset):
            return ", ".join(sorted(map(str, value)))
        return "unknown" if value is None else str(int(value) if isinstance(value, float) else value)

    return re.sub(r"\{([^{}]*)\}", word, text)
