"""Texts in folders of data: handbooks, tickets, transcripts, whatever is chunked and indexed."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.folders import holds_data, role_of_place
from penstock.discover.data.markup import comments, page
from penstock.discover.data.rows import decoded, say
from penstock.discover.data.texts import MOST, of_texts, paragraphs

_SEES = "texts in data folders that hold personal, payment, health or secret data, or that speak to a model"


@collector(
    "data.texts",
    reads=("*.txt", "*.md", "*.mdx", "*.rst", "*.vtt", "*.srt"),
    sees=_SEES,
    unseen="names and addresses in free text; what lies behind the first half million characters",
    version=2,
)
def texts(file: File) -> Iterator[Yielded]:
    """A text in a data folder is a dataset; its labels come from what it holds."""
    text = (decoded(file.data) or "")[:MOST] if holds_data(file.path) else ""
    if text.strip():
        told = of_texts(paragraphs(text), concealed=comments(text), role=role_of_place(file.path))
        yield from say(file, "data.texts", told)


@collector(
    "data.pages", reads=("*.html", "*.htm", "*.xhtml"), sees=_SEES, unseen="what scripts would write into a page"
)
def pages(file: File) -> Iterator[Yielded]:
    """A page in a data folder: what it shows, and apart from it what it hides."""
    text = (decoded(file.data) or "")[: 4 * MOST] if holds_data(file.path) else ""
    if text.strip():
        shown, concealed = page(text)
        if shown or concealed:
            yield from say(file, "data.pages", of_texts(shown, concealed=concealed))
