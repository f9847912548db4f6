"""Whether a text tries to change what a model was told to do: prompt injection, jailbreaks, questions for its prompt.

``judge`` answers for one text, ``Stream`` for a text that arrives in pieces. Both tell a score and the threshold it was
held against; what follows from it is for policy to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.inspect.attacks.scorer import Verdict


def judge(text: str, channel: str = "user", task: str = "") -> Verdict:
    """How much the text looks like an attack.

    channel: ``user`` for what a person typed, ``content`` for tool results, documents, mails, code.
    task: what the user asked for; words that the user wrote are no attack when content repeats them.
    """
    from penstock.inspect.attacks.scorer import judge as judged

    return judged(text, channel, task)


def score(rows: Sequence[str | Mapping[str, str]]) -> list[float]:
    """Scores above the threshold of each text's channel and script: 0 is the alert point. For measuring."""
    from penstock.inspect.attacks.scorer import judge as judged

    def above(text: str, channel: str) -> float:
        verdict = judged(text, channel)
        return verdict.score - verdict.threshold

    return [
        above(row, "user") if isinstance(row, str) else above(row["text"], row.get("channel", "user")) for row in rows
    ]
