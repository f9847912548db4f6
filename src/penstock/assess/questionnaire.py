"""The questionnaire: what only a person knows about each asset, asked when it matters, with what can be proposed.

The questions are data (``packs/questionnaire``). An answer becomes that person's word with an end date; a follow-up
waits until the answer before it calls for it. What is known already is not asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from penstock.assess.asking import answerable
from penstock.assess.controls import judged, over_asset
from penstock.assess.examples import world
from penstock.assess.facts import Facts
from penstock.assess.systems import in_use
from penstock.errors import NotUnderstood
from penstock.graph.bystanders import bystanders
from penstock.graph.labels import propagate
from penstock.graph.questions import PROP_QUESTIONS, VERB_QUESTIONS
from penstock.graph.vocabulary import KINDS, PROPS, Asset, Prop, Question
from penstock.knowledge.pack import define_pack, load_pack

#: Answers that name another asset: what is set → the verb it is about.
RELATED: Mapping[str, str] = {"owner": "owned_by", "process": "supports"}
#: Longest proposal in characters: one sentence.
LONGEST = 200
#: Days that an answer counts when a question of the assessment has no row.
DAYS = 180
#: Names of tools or prompts that a proposal tells.
_NAMES = 4
#: Fewest words that say what something is for.
_WORDS = 4


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A question: the property its answer sets, of which kinds, when, why, and for how many days an answer counts.

    ``field``: the derived field that tells that it is known, where that is not the property itself.
    """

    id: str
    sets: str
    about: tuple[str, ...]
    why: str
    days: int
    when: str = ""
    field: str = ""
    yes: tuple[Any, ...] = ()
    no: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A value that may be right, and where it was taken from; it counts for nothing until a person says so."""

    value: str
    because: str


@dataclass(frozen=True, slots=True)
class Open:
    """A question that waits for an answer. ``rule``: a risk hangs on it; ``sets`` is a property, owner or process."""

    asset: str
    sets: str
    text: str
    why: str
    days: int
    rule: str = ""
    proposal: Proposal | None = None

    @property
    def prop(self) -> Prop | None:
        """The property that the answer sets; None for owner and process."""
        return PROPS.get(self.sets)


def open_questions(
    facts: Facts,
    pressing: Iterable[Question] = (),
    *,
    only: str = "",
    describe: Callable[[Asset], Proposal | None] = lambda asset: None,
) -> list[Open]:
    """What to ask, those first on which a risk hangs.

    Args:
        pressing: the questions of the assessment, weightiest first.
        only: id of the one asset that is asked about.
        describe: what is written about an asset, such as in its README.
    """
    rows: list[Row] = list(load_pack("questionnaire").rows)
    idle = bystanders(facts.graph) if not only else frozenset()
    waiting = {
        (asset.id, row.sets): _asked(facts, row, asset, describe)
        for row in rows
        for asset in _assets(facts, row.about)
        if asset.id not in idle and is_asked(facts, row, asset.id)
    }
    found: dict[tuple[str, str], Open] = {}
    for question in pressing:
        sets = question.prop or next((name for name, verb in RELATED.items() if verb == question.verb), "")
        if not sets or question.asset not in facts.graph.assets:
            continue
        row_asked = waiting.pop((question.asset, sets), None)
        found.setdefault(
            (question.asset, sets),
            Open(
                question.asset, sets, question.about,
                row_asked.why if row_asked else "A risk hangs on it.",
                row_asked.days if row_asked else DAYS,
                question.rule, row_asked.proposal if row_asked else None,
            ),
        )  # fmt: skip
    order = {row.sets: number for number, row in enumerate(rows)}
    rest = sorted(waiting.values(), key=lambda one: (order[one.sets], facts.graph.assets[one.asset].name, one.asset))
    return [one for one in (*found.values(), *rest) if only in ("", one.asset)]


def is_asked(facts: Facts, row: Row, asset: str) -> bool:
    """Whether a question is open for an asset: not known, its time has come, and it is this asset's to answer."""
    if row.sets == "process":
        if any(facts.graph.out(asset, "supports")):
            return False
    elif facts.of(asset).get("owned" if row.sets == "owner" else row.field or row.sets) not in (None, False) or (
        row.sets != "owner" and facts.graph.assets[asset].prop(row.sets) is not None
    ):
        return False
    if row.when and judged(facts, over_asset(row.when), asset)[0] != "there":
        return False
    return answerable(facts, asset, RELATED.get(row.sets, row.sets)) == (asset, RELATED.get(row.sets, row.sets))


def purpose_from(asset: Asset, facts: Facts) -> Proposal | None:
    """What an application may be for, by the names of what it is made of."""
    graph = facts.graph
    near = [asset.id, *(r.target for r in graph.out(asset.id, "invokes") if graph.assets[r.target].kind == "agent")]
    named = {
        word: list(dict.fromkeys(graph.assets[r.target].name for id in near for r in graph.out(id, verb)))
        for word, verb in (("tools", "uses_tool"), ("data", "reads"), ("indexes", "retrieves_from"))
    }
    told = [f"{word} {', '.join(names[:_NAMES])}" for word, names in named.items() if names]
    if not told:
        return None
    return Proposal(f"works with {' and '.join(told)}"[:LONGEST], "names of its tools and data")


def purpose_in(text: str) -> str:
    """The first prose of a README, to the end of a sentence; empty when there is none."""
    in_code = False
    for block in re.split(r"\n\s*\n", text[:20_000]):
        fences = len(re.findall(r"^\s*(?:```|~~~)", block, re.MULTILINE))
        was_code, in_code = in_code, in_code ^ bool(fences % 2)
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        if was_code or fences or not lines or re.match(r"[#=\-*|<>!\[+~]|\d+[.)] ", lines[-1]):
            continue
        said = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(line for line in lines if not line.startswith("#")))
        plain = said.strip("*_ ").replace("`", "")
        if len(plain.split()) >= _WORDS:
            sentence = re.match(rf"(?:\S+\s+){{{_WORDS - 1}}}.*?[.!?](?=\s|$)", plain)
            told = sentence[0] if sentence else plain
            return told if len(told) <= LONGEST else f"{told[: LONGEST - 1]}…"
    return ""


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _assets(facts: Facts, kinds: Iterable[str]) -> Iterator[Asset]:
    for asset in facts.graph.of_kind(*kinds):
        if in_use(asset):
            yield asset


def _asked(facts: Facts, row: Row, asset: Asset, describe: Callable[[Asset], Proposal | None]) -> Open:
    text = VERB_QUESTIONS[RELATED[row.sets]][0] if row.sets in RELATED else PROP_QUESTIONS[row.sets]
    proposal = None
    if row.sets == "purpose":
        proposal = describe(asset) or purpose_from(asset, facts)
    return Open(asset.id, row.sets, text.replace("{asset}", asset.name), row.why, row.days, proposal=proposal)


def _problems(row: Row) -> Iterator[str]:
    if row.sets not in PROPS and row.sets not in RELATED:
        yield f"there is no property {row.sets!r}"
    if unknown := set(row.about) - KINDS:
        yield f"there is no kind {sorted(unknown)[0]!r}"
    if not 1 <= row.days <= 365:
        yield "an answer counts for 1 to 365 days"
    try:
        over_asset(row.when or "true")
    except NotUnderstood as error:
        yield str(error)


def _is_asked(row: Row, example: Any) -> bool:
    """Whether it is asked of the asset ``x`` of a small world, or of any where none is called so."""
    drawn = world(example)
    facts = Facts(drawn.graph, propagate(drawn.graph), drawn.organisation)
    chosen = [a for a in _assets(facts, row.about) if a.name == "x"] or list(_assets(facts, row.about))
    return any(is_asked(facts, row, asset.id) for asset in chosen)


define_pack("questionnaire", Row, check=_is_asked, validate=_problems)
