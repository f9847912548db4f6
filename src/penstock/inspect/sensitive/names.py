"""Names of people and postal addresses, which have no shape: told by a language model for entities, where one is there.

An extra, off the hot path: reading a page takes a model some hundred times as long as all shapes do. Its spans are of
the same kind as the detector's, so that whoever wants both joins the two lists.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from penstock.errors import NotReachable
from penstock.inspect.span import Span

#: Characters read at once; a longer text is read in pieces of whole lines, so that memory is bounded.
PIECE = 50_000
#: What models call people and places, across the label schemes of spaCy's pipelines.
_PEOPLE = frozenset({"PERSON", "PER", "persName", "PRS"})
_PLACES = frozenset({"ADDRESS", "LOC", "GPE", "FAC", "STREET", "placeName"})
#: A place with a house number, or a number and a place: an address rather than a town.
_HOUSE = re.compile(r"[^\W\d_][\w.' -]*,? \d{1,5}[a-zA-Z]?\b|\b\d{1,5}[a-zA-Z]?,? [^\W\d_]")


def names(text: str, model: str) -> list[Span]:
    """People (PERSON) and street addresses (ADDRESS) in the text, in order of position.

    model: the name of an installed spaCy pipeline (``xx_ent_wiki_sm``), or a folder that holds one.

    Raises:
        NotReachable: spaCy or the model is not installed.
    """
    read = _pipeline(model)
    spans: list[Span] = []
    start = 0
    while start < len(text):
        end = _piece_end(text, start)
        for entity in read(text[start:end]).ents:
            if (span := _span(text, start + entity.start_char, start + entity.end_char, entity.label_)) is not None:
                spans.append(span)
        start = end
    return spans


def _span(text: str, start: int, end: int, label: str) -> Span | None:
    if label in _PEOPLE:
        return Span(start, end, "PERSON", "pii", 0.7, "a person's name, told by a language model", "ner.person")
    if label in _PLACES:
        line = text[max(text.rfind("\n", 0, start) + 1, start - 12) : end + 12].split("\n")[0]
        if label in {"ADDRESS", "STREET"} or _HOUSE.search(line):
            return Span(
                start, end, "ADDRESS", "pii", 0.6, "a street's address, told by a language model", "ner.address"
            )
    return None


def _piece_end(text: str, start: int) -> int:
    if len(text) - start <= PIECE:
        return len(text)
    line = text.rfind("\n", start, start + PIECE) + 1
    return line if line > start else start + PIECE


@lru_cache(maxsize=2)
def _pipeline(model: str) -> Callable[[str], Any]:
    try:
        import spacy
    except ImportError as error:
        raise NotReachable(
            "Names of people need a library that is not installed", "extra ner", "pip install 'penstock[ner]'"
        ) from error
    try:
        pipeline: Callable[[str], Any] = spacy.load(model)
    except OSError as error:
        raise NotReachable(
            f"There is no model {model!r} for names of people", "spaCy", f"python -m spacy download {model}"
        ) from error
    return pipeline
