"""What texts hold: distinct values in running text make a dataset personal, one contact line does not."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.discover.data.poison import Passage, look
from penstock.discover.data.rows import Told
from penstock.graph.vocabulary import LABELS
from penstock.inspect.sensitive import detect

#: Characters looked at; a text that holds none of it in its first half a million is treated as free of it.
MOST = 500_000
#: So many different values make a text personal where one alone may be a contact line.
_SEVERAL = 5
#: Types of which a single value is enough: nobody puts one into a footer.
_ALONE = frozenset({"NATIONAL_ID", "IBAN", "CREDIT_CARD", "DOB", "MEDICAL", "SECRET"})


def of_texts(
    passages: Sequence[Passage], *, concealed: Sequence[Passage] = (), records: int | None = None,
    estimated: bool = False, role: str = "",
) -> Told:  # fmt: skip
    """What passages hold, and what they try.

    Args:
        concealed: text that the format keeps from a reader's eyes: comments, hidden elements, letters without size.
    """
    values: dict[tuple[str, str], set[str]] = {}
    left = MOST
    for passage in (*passages, *concealed):
        text = passage.text[:left]
        left -= len(text)
        for span in detect(text) if text else ():
            if span.category in LABELS:
                values.setdefault((span.category, span.type), set()).add(text[span.start : span.end])
    labels = {label for (label, type_), seen in values.items() if type_ in _ALONE or len(seen) >= _SEVERAL}
    told = {(label, type_): seen for (label, type_), seen in sorted(values.items()) if label in labels}
    return Told(
        labels=frozenset(labels),
        records=records,
        estimated=estimated,
        found={type_: len(seen) for (_, type_), seen in told.items()},
        suspicion=look(passages, concealed),
        why=tuple(f"{len(seen)} different {type_} ({label})" for (label, type_), seen in told.items()),
        role=role,
    )


def paragraphs(text: str, place: str = "line") -> list[Passage]:
    """The paragraphs of a text, each by its first line."""
    found: list[Passage] = []
    start = 1
    held: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            if not held:
                start = number
            held.append(line)
        elif held:
            found.append(Passage(f"{place} {start}", "\n".join(held)))
            held = []
    if held:
        found.append(Passage(f"{place} {start}", "\n".join(held)))
    return found
