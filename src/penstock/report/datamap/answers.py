"""Two questions asked of the labels: what holds some data, and why something does."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass

from penstock.errors import WrongUse
from penstock.graph.labels import Note
from penstock.graph.vocabulary import LABEL_WORDS, LABELS, MARKS, Asset, Evidence, Step
from penstock.report.view import Report, by_weight, kind_order

#: How readily data can be got out again, the readiest first.
_LEAKAGE = ("verbatim", "extractable", "inferable")


@dataclass(frozen=True, slots=True)
class Holder:
    """An asset that a label reached. ``how``: contains or sees; ``hops`` from ``origin``, where the data was seen."""

    asset: Asset
    how: str
    leakage: str
    hops: int
    origin: str


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a proof with what it rests on; the first one is where the data was seen."""

    step: Step
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an asset carries a label."""

    label: str
    how: str
    leakage: str
    hops: tuple[Hop, ...]


def holders(report: Report, label: str, kinds: Collection[str] = ()) -> tuple[Holder, ...]:
    """What contains or may see a label: what holds it first, the readiest to give it away first, then the nearest."""
    labelling, graph = report.labelling, report.graph
    found = []
    for id in labelling.touching(label):
        asset = graph.assets[id]
        if asset.lifecycle != "retired" and (not kinds or asset.kind in kinds):
            proof = labelling.proof(id, label)
            how = "contains" if label in labelling.contains(id) else "sees"
            found.append(Holder(asset, how, labelling.leakage(id, label) or "", len(proof) - 1, proof[0].asset))
    return tuple(sorted(found, key=_worst_first))


def reasons(report: Report, asset: str, label: str = "") -> tuple[Reason, ...]:
    """Why an asset carries its labels, or one of them, by the shortest way of each."""
    labelling = report.labelling
    held = labelling.contains(asset)
    return tuple(
        Reason(
            one, "contains" if one in held else "sees", labelling.leakage(asset, one) or "", _hops(report, asset, one)
        )
        for one in by_weight(labelling.touches(asset))
        if label in ("", one)
    )


def notes(report: Report, asset: str) -> tuple[Note, ...]:
    """What else is to be known about the labels of an asset."""
    return report.labelling.notes(asset)


def known_label(typed: str) -> str:
    """The label a person means: its name, or its words.

    Raises:
        WrongUse: there is none.
    """
    wanted = typed.strip().casefold()
    names = {name: name for name in LABELS} | {name.replace("_", "-"): name for name in LABELS}
    names |= {words.casefold(): name for name, words in LABEL_WORDS.items() if name in LABELS}
    names |= {"secrets": "credentials", "personal": "pii", "health": "phi", "cards": "pci", "children": "minors"}
    if wanted in names:
        return names[wanted]
    if wanted in MARKS:
        raise WrongUse(
            f"{typed!r} is a mark, not a label", hint="It is said of data that needs no protection, and does not travel"
        )
    near = difflib.get_close_matches(wanted, names, 1)
    hint = f"Did you mean {names[near[0]]}? " if near else ""
    raise WrongUse(f"There is no label {typed!r}", hint=f"{hint}There are: {', '.join(LABELS)}")


def _hops(report: Report, asset: str, label: str) -> tuple[Hop, ...]:
    before, made = "", []
    for step in report.labelling.proof(asset, label):
        evidence = report.hop_evidence(before, step) if before else report.graph.evidence.get(step.asset, ())
        made.append(Hop(step, evidence))
        before = step.asset
    return tuple(made)


def _worst_first(holder: Holder) -> tuple[bool, int, int, int, str, str]:
    leak = _LEAKAGE.index(holder.leakage) if holder.leakage in _LEAKAGE else len(_LEAKAGE)
    asset = holder.asset
    return holder.how != "contains", leak, kind_order(asset.kind), holder.hops, asset.name.casefold(), asset.id
