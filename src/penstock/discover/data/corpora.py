"""Texts in folders of data: handbooks, tickets, transcripts, whatever is chunked and indexed."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.folders import holds_data
from penstock.discover.data.rows import decoded, labelled
from penstock.graph.vocabulary import LABELS, Observation
from penstock.inspect.sensitive import detect

#: Characters looked at; a text that holds none of it in its first half a million is treated as free of it.
_MOST = 500_000
#: So many different values make a text personal where one alone may be a contact line.
_SEVERAL = 5
#: Types of which a single value is enough: nobody puts one into a footer.
_ALONE = frozenset({"NATIONAL_ID", "IBAN", "CREDIT_CARD", "DOB", "MEDICAL", "SECRET"})


@collector(
    "data.texts",
    reads=("*.txt", "*.md", "*.rst", "*.html", "*.eml", "*.vtt", "*.srt"),
    sees="texts in data folders that hold personal, payment, health or secret data",
    unseen="names and addresses in free text; PDF and Office files",
)
def texts(file: File) -> Iterator[Yielded]:
    """A text in a data folder is a dataset; its labels come from what it holds."""
    if not holds_data(file.path):
        return
    text = decoded(file.data)
    if not text or not text.strip():
        return
    text = text[:_MOST]
    values: dict[tuple[str, str], set[str]] = {}
    for span in detect(text):
        if span.category in LABELS:
            values.setdefault((span.category, span.type), set()).add(text[span.start : span.end])
    labels = {label for (label, type_), seen in values.items() if type_ in _ALONE or len(seen) >= _SEVERAL}
    why = [f"{len(seen)} different {type_} ({label})" for (label, type_), seen in sorted(values.items())]
    yield Observation(labelled(file, labels, None, []), file.evidence("data.texts", chain=why if labels else ()))
