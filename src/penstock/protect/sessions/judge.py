"""Whether a tool call follows from what the user asked, or from what somebody wrote into a content.

A model that reads mail, files and pages cannot tell its user from an author, so the call itself is judged: what it
does, where it leads, and whose words these values are. No wording of an attack is looked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from penstock.protect.exchange import ToolCall
from penstock.protect.sessions.conversation import Conversation
from penstock.protect.sessions.effects import Tool, changes, impact_of, objects_of, says
from penstock.protect.sessions.known import NOTHING, Knowledge, informed
from penstock.protect.sessions.roles import is_target, role_of
from penstock.protect.sessions.task import Read, Task, task_of
from penstock.protect.sessions.trifecta import joined
from penstock.protect.sessions.values import Value, squeezed, values_of

#: Effects that ask for one another: who may send may reply in a channel, who may create may fill in.
_FAMILIES = {
    "send": "out", "publish": "out", "share": "out", "create": "make", "update": "make", "remember": "make",
    "act": "make", "pay": "pay", "book": "pay",
}  # fmt: skip
_LOW, _ORDINARY, _OUTWARD, _GRAVE = 1, 2, 3, 4


class Ruling(msgspec.Struct, frozen=True):
    """What becomes of a call. action: allow | ask | deny. subject: the call in words; rule and why say the reason."""

    call: ToolCall
    action: str = "allow"
    rule: str = ""
    why: str = ""
    subject: str = ""

    @property
    def held(self) -> bool:
        return self.action != "allow"


def judged(talk: Conversation, calls: Sequence[ToolCall], knowledge: Knowledge = NOTHING) -> list[Ruling]:
    """A ruling for each call that the model asks for at this point of the conversation."""
    offered = informed(talk.tools, knowledge)
    task = task_of(talk, frozenset(name for name, tool in offered.items() if tool.trusted))
    rulings: list[Ruling] = []
    for call in calls:
        effect = (offered.get(call.name) or informed([Tool(call.name)], knowledge)[call.name]).effect
        rulings.append(_ruling(call, effect, task, talk.whole, knowledge))
    return rulings


def _ruling(call: ToolCall, effect: str, task: Task, whole: bool, knowledge: Knowledge) -> Ruling:
    read = [one for one in task.read if not one.content.says_little]
    if not read and whole:
        return Ruling(call)
    values, complete = values_of(call.arguments)
    impact = impact_of(effect)
    if impact < _LOW:
        if not any(value.kind == "url" for value in values):
            return Ruling(call)
        effect, impact = "fetch", _LOW
    if not (whole and complete and all(one.content.whole for one in read)):
        return _held(call, effect, "call-unread", "not all of the conversation and the call could be inspected")
    for value in values:
        if why := _foreign(value, effect, impact, task, read):
            return _held(call, effect, *why)
    if impact >= _ORDINARY and (why := _steered(values, effect, task, read)):
        return _held(call, effect, *why)
    if effect == "pay" and (why := _redirects(call.name, values, task)):
        return _held(call, effect, *why)
    if impact >= _ORDINARY and not _in_scope(call.name, effect, impact, values, task):
        return _held(
            call,
            effect,
            "call-off-task",
            f"it {says(effect)}, which the user's words do not ask for, after content was read",
        )
    if impact >= _GRAVE and (why := _urged(call.name, values, effect, task, read)):
        return _held(call, effect, *why)
    if why := joined(effect, values, task, task.read, knowledge):
        return _held(call, effect, *why)
    return Ruling(call)


def _held(call: ToolCall, effect: str, rule: str, why: str) -> Ruling:
    return Ruling(call, "ask", rule, why, subject_of(call, effect))


def subject_of(call: ToolCall, effect: str) -> str:
    """The call in words a person decides by: its name, and where it leads; no free text."""
    told = [
        f"{value.key}={value.text[:80]}"
        for value in values_of(call.arguments)[0]
        if not value.embedded and value.kind != "text" and (value.leads or is_target(value.key) or role_of(value.key))
    ]
    return f"{call.name}({', '.join(told[:6])})"[:400]


# ── (b) whose value is it? ──────────────────────────────────────────────────────────────────────────────────────────


def _foreign(value: Value, effect: str, impact: int, task: Task, read: Sequence[Read]) -> tuple[str, str] | None:
    """Rule and reason when a value is somebody else's word."""
    if value.kind == "text":
        return _recited(value, effect, task, read)
    target = value.leads or is_target(value.key)
    if not target or task.said.holds(value.text):
        return None
    if impact == _LOW and value.kind != "url":
        return None
    if value.kind == "url" and not value.embedded and carries(value.text, task, read):
        return "call-carries", f"{_told(value)} carries more to a host of a content than the content itself says"
    dictating = _dictating(value, effect, read)
    typed = any(one.content.typed(value.text) for one in read)
    if dictating:
        if typed and not value.embedded and task.tied(value.text):
            return None
        if _read_out(value, effect, task, dictating):
            return None
        return "call-dictated", f"{_told(value)} stands in words of a content that tell the reader to do this"
    if value.embedded or value.kind == "word" or impact == _LOW or typed:
        return None
    places = [one for one in read if one.content.corpus.holds(value.text)]
    if not places:
        return "call-unknown", f"{_told(value)} is neither in the user's words nor in what was read"
    pointed = task.request.points or task.request.links or task.request.delegates
    if (pointed and any(one.named for one in places)) or task.tied(value.text):
        return None
    return "call-destination", f"{_told(value)} comes from the free text of a content that the user did not point to"


def carries(url: str, task: Task, read: Iterable[Read]) -> bool:
    """Whether a link leads to a host that only a content names, with something in it that no content says: a template
    that was filled with what the assistant knows."""
    host, _, rest = url.partition("://")[2].partition("/") if "://" in url else url.partition("/")
    host, asked_at, _ = host.partition("?")
    if not (rest or asked_at) or task.said.holds(host):
        return False
    named = [one for one in read if one.content.corpus.holds(host)]
    return bool(named) and not any(one.content.corpus.holds(url) for one in named)


def _dictating(value: Value, effect: str, read: Iterable[Read]) -> list[Read]:
    """The contents in which an order speaks of the value."""
    family = _FAMILIES.get(effect, effect)
    return [
        one
        for one in read
        if one.content.corpus.holds(value.text)
        and any(
            (value.leads or _FAMILIES.get(order.effect, order.effect) == family) and order.speaks_of(value.text)
            for order in one.content.ordered
        )
    ]


def _read_out(value: Value, effect: str, task: Task, dictating: Sequence[Read]) -> bool:
    """Whether the user asked to take this very thing from the content: one of its kind, in a content that was named.

    A bill says "please send the amount to this account": an order, but the one that the user pointed to.
    """
    return (
        task.request.points
        and effect in task.request.effects
        and value.leads
        and value.kind != "url"
        and not value.embedded
        and all(
            one.named and len(one.content.candidates(value.kind)) == 1 and not one.content.hostile for one in dictating
        )
    )


#: Letters and digits of a text below which it is recited by chance.
_RECITED = 10


def _recited(value: Value, effect: str, task: Task, read: Sequence[Read]) -> tuple[str, str] | None:
    """A text that an order of a content quotes word for word."""
    bare = squeezed(value.text)
    if len(bare) < _RECITED or task.said.holds(value.text):
        return None
    family = _FAMILIES.get(effect, effect)
    wanted = value.text.strip()[:2_000]
    for one in read:
        for order in one.content.ordered:
            if _FAMILIES.get(order.effect, order.effect) != family or len(order.text) <= len(wanted):
                continue
            at = order.text.find(wanted)
            if at > 0 and order.text[:at].rstrip(" ")[-1:] in _QUOTES and not (one.named and task.request.points):
                return "call-dictated", f"the text under {value.key!r} is quoted in an order that stands in a content"
    return None


def _steered(values: Sequence[Value], effect: str, task: Task, read: Sequence[Read]) -> tuple[str, str] | None:
    """A call to somebody whom the user named, with a title or words that an order of a content dictates for them.

    Whose call is it? The one who says whom to write to *and* what to write.
    """
    family = _FAMILIES.get(effect, effect)
    whom = [value for value in values if value.leads and not value.embedded]
    what = [
        value
        for value in values
        if not value.embedded and not value.leads and not is_target(value.key)
        and len(squeezed(value.text)) >= _TOLD and not task.said.holds(value.text)
    ]  # fmt: skip
    if not whom or not what:
        return None
    for one in read:
        if one.named and task.request.points:
            continue
        for order in one.content.ordered:
            if _FAMILIES.get(order.effect, order.effect) != family:
                continue
            if any(order.speaks_of(v.text) for v in whom) and (told := [v for v in what if order.speaks_of(v.text)]):
                return "call-dictated", f"a content orders whom to write to and {_told(told[0])}"
    return None


#: Letters and digits of a title below which it stands in an order by chance.
_TOLD = 4


def _redirects(name: str, values: Sequence[Value], task: Task) -> tuple[str, str] | None:
    """A payment that stands gets another recipient, and the user's words name neither him nor that there is one.

    Where money goes changes seldom; that a notice asks for it is how invoices are hijacked.
    """
    if not changes(name):
        return None
    for value in values:
        leads = value.kind == "account" or role_of(value.key) in ("account", "who")
        if leads and not task.said.holds(value.text) and not task.speaks_of_accounts:
            return "call-redirects", f"it gives a standing payment another recipient, {_told(value)}"
    return None


_QUOTES = frozenset("'\"“”„«»「『`:")


def _told(value: Value) -> str:
    where = f" under {value.key!r}" if value.key else ""
    called = {"address": "the address", "url": "the link", "account": "the account", "phone": "the number"}
    return f"{called.get(value.kind, 'the value')} {value.text[:60]!r}{where}"


# ── (c) is it the task? ─────────────────────────────────────────────────────────────────────────────────────────────


def _in_scope(name: str, effect: str, impact: int, values: Sequence[Value], task: Task) -> bool:
    asked = task.request.effects
    if effect == "account" and "update" in asked and objects_of(name) & task.words:
        return True  # "change the password": the tool's own object, in the user's words
    if effect == "create" and "share" in asked and any(role_of(value.key) == "who" for value in values):
        return True  # to invite people is to create a meeting with them
    return _covers(asked, effect) or (task.request.delegates and impact < _GRAVE)


def _covers(asked: Iterable[str], effect: str) -> bool:
    family = _FAMILIES.get(effect, effect)
    return any(_FAMILIES.get(one, one) == family for one in asked)


def _urged(name: str, values: Sequence[Value], effect: str, task: Task, read: Sequence[Read]) -> tuple[str, str] | None:
    """What cannot be undone, on something that the user did not name, while a content that nobody named urges it."""
    family = _FAMILIES.get(effect, effect)
    unsaid = [v for v in values if is_target(v.key) and v.kind != "text" and not task.said.holds(v.text)]
    nouns = objects_of(name)
    urging = any(
        _FAMILIES.get(order.effect, order.effect) == family and order.object_near(nouns)
        for one in read
        if not (one.named and task.request.points)
        for order in one.content.ordered
    )
    if unsaid and urging:
        return "call-urged", f"it {says(effect)}, and a content that was read urges the same"
    return None
