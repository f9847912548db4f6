"""Controls that answer threats, as data, and whether each is there: with evidence, surely missing, or to be asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import msgspec

from penstock.assess.asking import answerable
from penstock.assess.examples import world
from penstock.assess.facts import Facts
from penstock.assess.fields import RULE_SCHEMAS
from penstock.conditions import Condition, Unknown, compile
from penstock.errors import NotUnderstood
from penstock.graph.labels import propagate
from penstock.graph.questions import PROP_QUESTIONS, VERB_QUESTIONS
from penstock.graph.vocabulary import SENSITIVE, Evidence, Question
from penstock.knowledge.pack import define_pack, load_pack

_SENSITIVE = sorted(SENSITIVE)
State = Literal["there", "missing", "unknown"]
#: Derived field → the observed properties and verbs that show it.
_SHOWN_BY: dict[str, tuple[str, ...]] = {
    "guarded_in": ("input_filter", "guarded_by"),
    "guarded_out": ("output_filter", "guarded_by"),
    "reach": ("exposure",),
    "owned": ("owned_by",),
    "holders": ("runs_as", "holds"),
    "high_risk": ("purpose",),
}
#: Verbs to what may check or open an asset on its behalf, so that the evidence is found there.
_BESIDE = ("guarded_by", "uses_model", "sends_to")
#: Pieces of evidence kept of one answer; a reader opens a few.
_MOST = 3


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A control: ``when`` is a condition over the asset ``x``; ``does`` says what it changes for the attacker.

    ``of_provider``: a hosted model has it when its provider does. ``at_door``: what is reached only through others has
    it when each of them does.
    """

    id: str
    title: str
    does: str
    when: str
    of_provider: bool = False
    at_door: bool = False
    yes: tuple[Any, ...] = ()
    no: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a control is there at an asset. ``question`` is set where only a person can say."""

    control: str
    asset: str
    state: State
    evidence: tuple[Evidence, ...] = ()
    question: Question | None = None


def control_of(id: str) -> Control:
    """The control with this id."""
    return _controls()[id]


def is_control(id: str) -> bool:
    return id in _controls()


def standing(facts: Facts, id: str, asset: str) -> Standing:
    """Whether the control is there at the asset."""
    control = control_of(id)
    if control.of_provider and (provider := facts.provider_of(facts.graph.assets[asset])):
        asset = provider.id if provider.id in facts.graph.assets else asset
    found = Standing(id, asset, *judged(facts, over_asset(control.when), asset))
    if found.state != "unknown" or not control.at_door:
        return found
    doors = [Standing(id, door, *judged(facts, over_asset(control.when), door)) for door in _doors(facts, asset)]
    for state in ("missing", "unknown", "there"):  # the weakest door is the one that counts
        for door in doors:
            if door.state == state:
                return door
    return found


def _doors(facts: Facts, asset: str) -> list[str]:
    """The applications by which alone an agent is reached."""
    callers = [facts.graph.assets[r.source] for r in facts.graph.into(asset, "invokes", "delegates_to")]
    if facts.graph.assets[asset].kind != "agent" or any(caller.kind != "application" for caller in callers):
        return []
    return sorted(caller.id for caller in callers)


def judged(facts: Facts, condition: Condition, asset: str) -> tuple[State, tuple[Evidence, ...], Question | None]:
    """What a condition over the asset ``x`` comes to, what shows it, and what to ask where it hangs on the unknown."""
    answer = condition.evaluate({"x": facts.of(asset), "org": facts.org, "sensitive": _SENSITIVE})
    if isinstance(answer, Unknown):
        return "unknown", (), question_for(facts, asset, answer)
    shown = tuple(dict.fromkeys(_evidence(facts, asset, condition)))[:_MOST]
    return "there" if answer else "missing", shown, None


def question_for(facts: Facts, asset: str, unknown: Unknown) -> Question | None:
    """The question whose answer would decide; None where nobody is to be asked."""
    for name in unknown.missing:
        of_whom = answerable(facts, asset, name.partition(".")[2])
        if of_whom is None:
            continue
        id, about = of_whom
        text = PROP_QUESTIONS.get(about) or VERB_QUESTIONS.get(about, ("", ""))[0]
        if text and id in facts.graph.assets:
            is_prop = about in PROP_QUESTIONS
            return Question(
                id,
                text.replace("{asset}", facts.graph.assets[id].name),
                prop=about if is_prop else "",
                verb="" if is_prop else about,
            )
    return None


@cache
def over_asset(source: str) -> Condition:
    """The condition over the asset ``x`` and the organisation ``org``, compiled. Raises NotUnderstood."""
    return compile(source, {"x": "asset", "org": "org", "sensitive": "words"}, schemas=RULE_SCHEMAS)


def _evidence(facts: Facts, asset: str, condition: Condition) -> Iterator[Evidence]:
    """What was seen of the fields that the condition read: at the asset, at what stands before it, at its users."""
    graph = facts.graph
    names = [name for field in condition.reads.get("x", ()) for name in _SHOWN_BY.get(field, (field,))]
    derived = any(field in _SHOWN_BY for field in condition.reads.get("x", ()))
    near = [asset]
    if derived:
        near += [relation.target for relation in graph.out(asset, *_BESIDE)]
        near += [user for user in facts.users(asset) if user != asset]
    for id in near:
        for name in names:
            for _, evidence in graph.claims.get((id, name), ())[:1]:
                yield evidence
            if name in VERB_QUESTIONS:
                for relation in graph.out(id, name):
                    yield from graph.evidence.get(relation.key, ())[:1]


@cache
def _controls() -> dict[str, Control]:
    return load_pack("controls").by_id()


def _problems(row: Control) -> Iterator[str]:
    try:
        over_asset(row.when)
    except NotUnderstood as error:
        yield str(error)


def holds(when: str, example: Any) -> bool:
    """Whether a condition surely holds of the asset ``x`` of a small world, or of its first one."""
    drawn = world(example)
    facts = Facts(drawn.graph, propagate(drawn.graph), drawn.organisation)
    first = example[0] if isinstance(example, list) else example
    named = {asset.name: id for id, asset in drawn.graph.assets.items()}
    name = "x" if "x" in named else str(first).split("[")[0].split(" ")[0].partition(":")[0]
    return judged(facts, over_asset(when), named[name])[0] == "there"


def _is_there(row: Control, example: Any) -> bool:
    return holds(row.when, example)


define_pack("controls", Control, check=_is_there, validate=_problems)
