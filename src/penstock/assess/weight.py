"""How bad a loss at an asset would be, and how readily it is reached: 1 to 4 each, with the reason in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from penstock.assess.columns import Flags
from penstock.assess.sight import content_reached, touched_weight
from penstock.graph.vocabulary import LABELS, said_labels

if TYPE_CHECKING:
    from penstock.assess.facts import Facts

Weights = npt.NDArray[np.int8]

#: The weight (1-4) of what a tool can do, as an impact of its own: body and money above data (DESIGN §5 of the score
#: notes: physical or money effect).
EFFECT_WEIGHT: Mapping[str, int] = MappingProxyType(
    {"physical": 4, "money": 3, "deploy": 3, "exec": 3, "delete": 3, "email": 2, "write": 2, "network": 2}
)
#: Effects as a reader says them, after "it can".
EFFECT_WORDS: Mapping[str, str] = MappingProxyType(
    {"physical": "move machines", "money": "move money", "exec": "run code", "email": "send e-mail",
     "network": "reach the network"}
)  # fmt: skip
#: Kinds that nobody's power over anything is told by.
_POWERLESS = ("provider", "team", "person", "process", "guardrail")
#: Kinds that come from outside and may change there.
_DELIVERED = ("model", "mcp_server", "tool", "package")


# ── impact ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def impacts(facts: Facts) -> Weights:
    """What is at stake at every asset: labels at hand, effects, and the processes that rely on it."""
    found = np.where(facts.kind_is(*_POWERLESS), touched_weight(facts), facts.sight.weight())
    effects = facts.column("effects")
    table = [max((EFFECT_WEIGHT.get(word, 0) for word in words), default=0) for words in effects.known.values]
    found = np.maximum(found, np.array([*table, 0], np.int8)[effects.codes])
    critical = facts.sight.criticality()
    return np.maximum(found, np.where(critical.given, critical.codes + 1, 1)).astype(np.int8)


def why_impact(facts: Facts, id: str, value: int) -> str:
    """What makes the impact of an asset what it is."""
    if value <= 1:
        return "no sensitive data, effect or critical process is known"
    asset = facts.graph.assets[id]
    powerless = asset.kind in _POWERLESS
    for near in [id] if powerless else facts.powers([id, *facts.users(id)]):
        labels = [label for label in sorted(facts.labelling.touches(near)) if LABELS.get(label, 0) >= value]
        if labels:
            where = "" if near == id else f" at {facts.graph.assets[near].name}"
            return f"{said_labels(labels[:1])}{where}"
    for effect in asset.prop("effects") or ():
        if EFFECT_WEIGHT.get(effect, 0) >= value:
            return f"it can {EFFECT_WORDS.get(effect, effect)}"
    for user in facts.users(id):
        for relation in facts.graph.out(user, "supports"):
            process = facts.graph.assets[relation.target]
            if int(process.prop("criticality") or 0) >= value:
                return f"{process.name} relies on it"
    return "it leads to sensitive data further on"


# ── likelihood ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Likelihoods:
    """How readily every asset is reached: ``lowest``, ``likely`` and ``highest``. Unknown exposure widens it."""

    def __init__(self, facts: Facts) -> None:
        widest, login_unknown = facts.sight.door()
        self.lowest = np.maximum(widest, 1)
        known = widest > 0
        self.by_content = (self.lowest < 3) & facts.column("untrusted").where(True) & content_reached(facts)
        self.lowest[self.by_content] = 3
        self.by_delivery = (self.lowest < 3) & facts.kind_is(*_DELIVERED) & foreign(facts)
        self.lowest[self.by_delivery] = 3
        known |= self.by_content | self.by_delivery
        self.likely = np.where(known, self.lowest, 2).astype(np.int8)
        self.highest = np.where(known, np.maximum(self.lowest, np.where(login_unknown, 4, 1)), 4).astype(np.int8)
        self.known = known

    def why(self, facts: Facts, id: str) -> str:
        """What makes the likelihood of an asset what it is."""
        place = facts.arrays.place[id]
        if self.by_delivery[place]:
            return "it comes from outside and may change"
        if self.by_content[place]:
            return "strangers write what it reads"
        if not self.known[place]:
            return "nobody said who can reach it"
        if self.lowest[place] > 1:
            for user in facts.users(id):
                if facts.doors[facts.arrays.place[user]] == self.lowest[place]:
                    asset = facts.graph.assets[user]
                    return f"{asset.name} is reached from {asset.prop('exposure') or 'outside'}"
        return "no way in from outside is known"


def foreign(facts: Facts) -> Flags:
    return (
        facts.column("publisher").where("unverified")
        | facts.column("revision").where("floating")
        | facts.column("version_pin").where(False)
        | facts.column("definition_changed").where(True)
    )
