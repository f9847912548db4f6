"""What frameworks ask for, against what the graph shows: met, not met, unknown or not applicable, with evidence.

Requirements are data (``packs/compliance``). *Met* says that what was seen speaks for it; whether that is enough, a
person judges. Of the EU AI Act, role and class are *proposed*, with the questions that decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Literal

import msgspec

from penstock.assess.controls import holds, judged, over_asset
from penstock.assess.facts import Facts
from penstock.assess.systems import SYSTEM_KINDS, in_use
from penstock.assess.threats import Answering, Faced, Threats, load_threats
from penstock.errors import NotUnderstood, WrongUse
from penstock.graph.vocabulary import KINDS, Asset, Evidence, Finding, Question
from penstock.knowledge.pack import define_pack, load_pack

State = Literal["met", "not met", "unknown", "not applicable"]
#: Of several, the one that counts for all.
STATES: tuple[State, ...] = ("not met", "unknown", "met", "not applicable")
#: Edition of the ids → (name to type, name to read, where to read it).
FRAMEWORKS: dict[str, tuple[str, str, str]] = {
    "eu-ai-act-2024": ("eu-ai-act", "EU AI Act", "https://eur-lex.europa.eu/eli/reg/2024/1689/oj"),
    "nist-ai-rmf-1.0": ("nist-ai-rmf", "NIST AI RMF 1.0", "https://doi.org/10.6028/NIST.AI.100-1"),
    "nist-ai-600-1": ("nist-600-1", "NIST AI 600-1", "https://doi.org/10.6028/NIST.AI.600-1"),
    "iso-42001-2023": ("iso-42001", "ISO/IEC 42001 Annex A", "https://www.iso.org/standard/81230.html"),
    "owasp-llm-2026": ("owasp-llm", "OWASP LLM Top 10 2026", "https://genai.owasp.org/llm-top-10/"),
}
#: Not a kind: a requirement that is asked once, of the organisation.
ORGANISATION = "organisation"
#: Why something is unknown before it is looked at.
MAY_NOT_APPLY = "whether it applies is not known"


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A row: what a framework asks for by its own id, of which kinds, and what shows that it is met."""

    id: str
    title: str
    asks: str
    about: tuple[str, ...]
    applies: str = ""
    met: str = ""
    ask: str = ""
    threats: bool = False
    threat_ids: tuple[str, ...] = ()
    findings: bool = False

    @property
    def edition(self) -> str:
        return self.id.partition(":")[0]

    @property
    def number(self) -> str:
        """The id inside its framework."""
        return self.id.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Told:
    """How far one asset meets a requirement (``asset`` is empty for the organisation), and what shows or decides it."""

    asset: str
    state: State
    because: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    findings: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A requirement and how far each asset meets it, the worst first."""

    requirement: Requirement
    told: tuple[Told, ...]

    @property
    def state(self) -> State:
        """The worst of them; not applicable when there is nothing that it applies to."""
        return min((one.state for one in self.told), key=STATES.index, default="not applicable")


def frameworks() -> list[str]:
    """Names of the frameworks that can be asked for."""
    return [name for name, _, _ in FRAMEWORKS.values()]


def framework_named(typed: str) -> str:
    """The edition that a typed name means.

    Raises:
        WrongUse: there is none.
    """
    wanted = typed.casefold().replace("_", "-").replace(" ", "-")
    for edition, (name, title, _) in FRAMEWORKS.items():
        if wanted in (edition, name, title.casefold().replace(" ", "-")):
            return edition
    raise WrongUse(f"There is no framework {typed!r}", hint=f"There are: {', '.join(frameworks())}")


class Compliance:
    """Requirements against one graph, with its threats and findings."""

    def __init__(self, threats: Threats, findings: Sequence[Finding]) -> None:
        self.threats = threats
        self.facts: Facts = threats.facts
        self.graph = threats.graph
        self._findings = findings
        self._models: dict[str, tuple[Faced, ...]] = {}

    def of(self, edition: str, asset: str = "") -> list[Judged]:
        """A framework's requirements, of everything, or those that are asked of one asset."""
        rows: list[Requirement] = [row for row in load_pack("compliance").rows if row.edition == edition]
        found = [Judged(row, tuple(self._told(row, asset))) for row in rows]
        return [one for one in found if one.told or not asset]

    def _told(self, row: Requirement, only: str) -> list[Told]:
        found = [self._one(row, asset.id) for asset in self._about(row.about) if only in ("", asset.id)]
        if ORGANISATION in row.about and not only:
            found.append(Told("", "unknown", questions=(Question("", row.ask, rule=row.id),)))
        return sorted(found, key=lambda one: STATES.index(one.state))

    def _about(self, kinds: Iterable[str]) -> list[Asset]:
        """Assets in use; agents only where they are no part of an application, for they are judged with it."""
        systems = frozenset(self.threats.systems())
        return sorted(
            (
                asset
                for asset in self.graph.of_kind(*kinds)
                if in_use(asset) and (asset.kind not in SYSTEM_KINDS or asset.id in systems)
            ),
            key=lambda asset: (asset.kind, asset.name, asset.id),
        )

    def _one(self, row: Requirement, asset: str) -> Told:
        """One requirement at one asset: whether it applies, what proves the contrary, then what shows it."""
        name = self.graph.assets[asset].name
        if row.applies:
            applies, evidence, question = judged(self.facts, over_asset(row.applies), asset)
            if applies == "missing":
                return Told(asset, "not applicable", evidence=evidence)
            if applies == "unknown":
                return Told(asset, "unknown", (MAY_NOT_APPLY,), questions=(question,) if question else ())
        inside = frozenset(self.threats.parts(asset))
        against = [
            f
            for f in self._findings
            if row.findings and f.subject in inside and any(_is_tag_of(row, tag) for tag in f.tags)
        ]
        if against:
            because = tuple(dict.fromkeys(f.title for f in against))
            return Told(asset, "not met", because, findings=tuple(f.id for f in against))
        if row.threats or row.threat_ids:
            return self._by_threats(row, asset)
        if row.met:
            state, evidence, question = judged(self.facts, over_asset(row.met), asset)
            words: State = {"there": "met", "missing": "not met", "unknown": "unknown"}[state]  # type: ignore[assignment]
            return Told(asset, words, evidence=evidence, questions=(question,) if question else ())
        return Told(asset, "unknown", questions=(Question(asset, row.ask.replace("{asset}", name), rule=row.id),))

    def _by_threats(self, row: Requirement, asset: str) -> Told:
        """By the threats that it is about: each has to be answered by controls that were seen."""
        if asset not in self._models:
            self._models[asset] = self.threats.of(asset).threats
        faced = [
            one
            for one in self._models[asset]
            if (row.threats and row.id in one.threat.names) or one.threat.id in row.threat_ids
        ]
        if not faced:
            return Told(asset, "not applicable", ("no threat of this kind is conceivable here",))
        states = {one.threat.id: _answered(one) for one in faced}
        state = min(states.values(), key=STATES.index)
        because = tuple(one.threat.title for one in faced if states[one.threat.id] == state)
        deciding = [control for one in faced if states[one.threat.id] == state for control in one.controls]
        questions = {
            (q.asset, q.prop or q.verb): q
            for one in faced if states[one.threat.id] == "unknown"
            for q in (*one.questions, *(c.standing.question for c in one.controls)) if q
        }  # fmt: skip
        return Told(
            asset,
            state,
            because,
            evidence=tuple(dict.fromkeys(e for one in deciding for e in one.standing.evidence))[:3],
            findings=tuple(dict.fromkeys(id for one in faced for id in one.findings)),
            questions=tuple(questions.values()),
        )

    # ── the EU AI Act ────────────────────────────────────────────────────────────────────────────────────────────────

    def proposals(self, asset: str) -> Proposed:
        """Which role and class the EU AI Act may see in a system, and what decides."""
        rows: list[Proposal] = list(load_pack("ai-act-proposals").rows)
        name = self.graph.assets[asset].name
        roles: list[Proposal] = []
        classes: list[Proposal] = []
        open_ones: list[Question] = []
        for row in rows:
            state, _, question = judged(self.facts, over_asset(row.when), asset)
            if state == "there":
                (roles if row.kind == "role" else classes).append(row)
            elif state == "unknown" and question and row.kind == "class" and not classes:
                open_ones.append(question)
        asked = [Question(asset, text.replace("{asset}", name)) for row in (*classes[:1], *roles) for text in row.asks]
        prohibited = f"Does {name} do anything that Article 5 prohibits?"
        questions = {q.about: q for q in (Question(asset, prohibited), *open_ones, *asked)}
        return Proposed(asset, tuple(roles), classes[0] if classes else None, tuple(questions.values()))

    @cached_property
    def systems(self) -> list[str]:
        """The systems that the Act may see."""
        graph = self.graph
        return [id for id in self.threats.systems() if graph.assets[id].kind in ("application", "agent", "assistant")]


class Proposal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A role or class of the EU AI Act, when it is proposed, and the questions that decide."""

    id: str
    kind: Literal["role", "class"]
    name: str
    when: str
    because: str
    article: str
    asks: tuple[str, ...]
    yes: tuple[Any, ...] = ()
    no: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposed:
    """What the EU AI Act may call one system; ``risk_class`` is None while nothing decides."""

    asset: str
    roles: tuple[Proposal, ...]
    risk_class: Proposal | None
    questions: tuple[Question, ...]


class Since(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From when some articles apply, and who says so."""

    id: str
    day: str = msgspec.field(name="from")
    what: str
    articles: tuple[str, ...]
    source: str
    url: str
    read: Literal["law", "reported"]
    note: str = ""
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()

    def applies(self, day: date) -> bool:
        return day >= date.fromisoformat(self.day)


def dates() -> list[Since]:
    """When which part of the EU AI Act applies, earliest first."""
    return sorted(load_pack("ai-act-dates").rows, key=lambda row: row.day)


def since(requirement: Requirement) -> Since | None:
    """From when a requirement of the EU AI Act applies."""
    if requirement.edition != "eu-ai-act-2024":
        return None
    return next((row for row in dates() if requirement.number in row.articles), None)


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _answered(faced: Faced) -> State:
    """Whether the controls that were seen answer a threat."""
    if faced.state == "shown":
        return "not met"
    if faced.state == "open":
        return "unknown"

    def states(controls: Iterable[Answering]) -> set[str]:
        return {one.standing.state for one in controls}

    stopping = states(one for one in faced.controls if one.stops)
    easing = states(one for one in faced.controls if not one.stops)
    if stopping == {"there"} or ("there" in easing and not easing & {"missing", "unknown"}):
        return "met"
    return "unknown" if "unknown" in stopping | easing else "not met"


def _speaks_of(finding: Finding, row: Requirement) -> bool:
    return any(_is_tag_of(row, tag) for tag in finding.tags)


def _is_tag_of(row: Requirement, tag: Mapping[str, str]) -> bool:
    """Whether what is tagged so speaks of the requirement."""
    return tag.get(row.edition) == row.number


def _problems(row: Requirement) -> Iterator[str]:
    if row.edition not in FRAMEWORKS:
        yield f"there is no framework {row.edition!r}"
    if unknown := set(row.about) - KINDS - {ORGANISATION}:
        yield f"there is no kind {sorted(unknown)[0]!r}"
    if not (row.met or row.ask or row.threats or row.threat_ids):
        yield "nothing says how it is judged: give met, ask, threats or threat_ids"
    if ORGANISATION in row.about and not row.ask:
        yield "what is asked of the organisation needs ask"
    if missing := set(row.threat_ids) - {threat.id for threat in load_threats()}:
        yield f"there is no threat {sorted(missing)[0]!r}"
    for source in filter(None, (row.applies, row.met)):
        try:
            over_asset(source)
        except NotUnderstood as error:
            yield str(error)


def _examples(row: Requirement) -> Iterator[tuple[bool, Any]]:
    """Tags of findings that speak of it, and that do not: a number means nothing without its edition."""
    yield True, {row.edition: row.number}
    yield False, {"another": row.number}


def _is_proposed(row: Proposal, example: Any) -> bool:
    return holds(row.when, example)


def _applies(row: Since, example: str) -> bool:
    return row.applies(date.fromisoformat(example))


define_pack("compliance", Requirement, check=_is_tag_of, validate=_problems, examples=_examples)
define_pack("ai-act-proposals", Proposal, check=_is_proposed)
define_pack("ai-act-dates", Since, check=_applies)
