"""Correct this: a person's word about an asset, kept as an observation with the person's name and an end date."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from penstock.errors import WrongUse
from penstock.graph.questions import PROP_QUESTIONS, VERB_QUESTIONS
from penstock.graph.vocabulary import LABELS, MARKS, PROPS, Prop
from penstock.respond.words import BY_HAND, say
from penstock.serve.api.endpoint import Call, NoSuchThing, endpoint
from penstock.serve.api.shapes import Done

#: A person's word is asked for again after a year at the latest.
LONGEST_DAYS = 365
DAY = 86_400.0

#: What may be corrected about an asset by naming another one.
RELATED = frozenset({"owner", "process"})


class Correction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``about`` is a declared property, ``owner`` or ``process``; ``why`` is shown beside it from then on."""

    about: str
    value: Any
    why: Annotated[str, msgspec.Meta(min_length=3, max_length=2000)]
    days: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_DAYS)] = LONGEST_DAYS


class Correctable(msgspec.Struct, frozen=True):
    """One thing that may be corrected, with what the form needs to ask for it; ``question`` names it ``{asset}``."""

    about: str
    type: str
    words: tuple[str, ...]
    meaning: str
    question: str


class CorrectableList(msgspec.Struct, frozen=True):
    correctable: tuple[Correctable, ...]


@endpoint("GET", "/correctable")
def correctable(call: Call) -> CorrectableList:
    """What a person may say about an asset."""
    rows = [
        Correctable(p.name, p.type, p.words, p.meaning, PROP_QUESTIONS.get(p.name, ""))
        for p in PROPS.values()
        if p.name in BY_HAND
    ]
    people = [
        Correctable("owner", "text", (), "team or person that answers for it", VERB_QUESTIONS["owned_by"][0]),
        Correctable("process", "text", (), "business process that relies on it", VERB_QUESTIONS["supports"][0]),
    ]
    return CorrectableList((*people, *sorted(rows, key=lambda row: row.about)))


@endpoint("POST", "/assets/{id}/correct")
def correct(call: Call, body: Correction) -> Done:
    """Say what is right about an asset; it outranks what was found until its end date."""
    live = call.live
    asset = live.world.graph.assets.get(call.path["id"])
    if asset is None:
        raise NoSuchThing("There is no such asset", call.path["id"], "Search the inventory by name")
    until = call.now + body.days * DAY
    say(live.store, call.user, asset.id, **_said(body), why=body.why, until=until, now=call.now)
    live.refresh(now=call.now)
    return Done(f"Noted as your word for {body.days} days; risks and labels are up to date")


def _said(body: Correction) -> dict[str, Any]:
    """What is said, as ``say`` takes it."""
    if body.about in RELATED:
        if not isinstance(body.value, str) or not body.value.strip():
            raise WrongUse(f"A name is needed for {body.about}", "value", "Give the name of a team, person or process")
        return {body.about: body.value.strip()[:200]}
    if body.about not in BY_HAND:
        raise WrongUse(f"{body.about!r} cannot be corrected by hand", "about", "See GET /api/v1/correctable")
    return {"props": {body.about: checked(PROPS[body.about], body.value)}}


def checked(prop: Prop, value: Any) -> Any:
    """The value as the property's type has it.

    Raises:
        WrongUse: it is of another type, or a word the property does not know.
    """
    wrong = WrongUse(f"{value!r} is no {prop.type} for {prop.name}", "value", _expected(prop))
    if prop.type == "flag":
        if not isinstance(value, bool):
            raise wrong
        return value
    if prop.type == "number":
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong
        return value
    if prop.type == "words":
        allowed = set(prop.words) if prop.name != "declared_data" else {*LABELS, *MARKS}
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise wrong
        if allowed and not set(value) <= allowed:
            raise wrong
        return tuple(sorted(set(value)))
    if not isinstance(value, str) or not value.strip() or len(value) > 2000:
        raise wrong
    if prop.type == "word" and value not in prop.words:
        raise wrong
    return value.strip()


def _expected(prop: Prop) -> str:
    return f"One of: {', '.join(prop.words)}" if prop.words else f"{prop.name}: {prop.meaning}"
