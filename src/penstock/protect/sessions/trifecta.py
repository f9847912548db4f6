"""Private data, content of strangers, and a way out, in one conversation: the third of them asks.

Which values a call carries need not be known for that: a model can say the same in other words.
"""

from __future__ import annotations

from collections.abc import Sequence

from penstock.protect.sessions.effects import effect_of
from penstock.protect.sessions.known import Knowledge
from penstock.protect.sessions.task import Read, Task
from penstock.protect.sessions.values import Value

#: Effects by which something leaves the conversation, to people or programs.
WAYS_OUT = frozenset({"send", "publish", "share", "execute"})


def joined(
    effect: str, values: Sequence[Value], task: Task, read: Sequence[Read], knowledge: Knowledge
) -> tuple[str, str] | None:
    """Rule and reason when a call would be the third leg.

    The first leg is data that the inventory labels, whatever the call's values are; or keys, cards and health data
    found in a result, unless the call leads only to whom the user named. The second is a content that strangers are
    known to write, that came from outside, or that gives its reader orders.
    """
    if effect not in WAYS_OUT or not (strange := [one for one in read if _of_strangers(one, knowledge)]):
        return None
    labels = sorted({label for one in read for label in knowledge.labels(one.tool)})
    if not labels:
        leading = [value for value in values if value.leads]
        if leading and all(task.said.holds(value.text) for value in leading):
            return None
        labels = sorted({label for one in read for label in one.content.private})
    if not labels:
        return None
    told = ", ".join(labels[:3])
    return "call-trifecta", f"private data was read ({told}), and what strangers write ({strange[0].tool or 'a file'})"


def _of_strangers(one: Read, knowledge: Knowledge) -> bool:
    return (
        knowledge.untrusted(one.tool)
        or (bool(one.tool) and effect_of(one.tool) == "fetch")
        or any(order.effect in WAYS_OUT and " " in order.text.strip() for order in one.content.ordered)
        or one.content.hostile
    )
