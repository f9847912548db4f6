"""PDF documents in folders of data. The library is an extra."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.folders import holds_data
from penstock.discover.data.poison import Passage
from penstock.discover.data.rows import needs_extra, say, unread
from penstock.discover.data.texts import MOST, of_texts
from penstock.discover.data.whole import is_cut, opened

#: Pages read of one document. How far a stream may unpack the library bounds itself (75 MB).
_PAGES = 100


@collector(
    "data.pdf",
    reads="*.pdf",
    sees="documents in data folders that hold personal, payment, health or secret data, or that speak to a model",
    unseen=f"scanned pages without text; pages behind the first {_PAGES}; documents with a password",
)
def document(file: File) -> Iterator[Yielded]:
    """A PDF in a data folder."""
    if not holds_data(file.path):
        return
    if is_cut(file):
        yield unread(file, "data.pdf", "only its first part was read, and what it holds is told at its end", "")
        return
    passages: list[Passage] = []
    with opened(file) as content:
        try:
            for passage in _pages(content):
                passages.append(passage)
                if sum(len(each.text) for each in passages) > MOST:
                    break
        except ImportError:
            yield needs_extra(file, "data.pdf", "the text of a PDF document")
            return
        except _Locked:
            yield unread(
                file, "data.pdf", "it is encrypted with a password", "Take the password off, or declare what it holds"
            )
            return
        except Exception as error:  # the library raises whatever its parts raise on broken documents
            why = f"behind page {len(passages)} it does not read: {type(error).__name__}: {str(error)[:120]}"
            yield unread(file, "data.pdf", why)
    if passages:
        yield from say(file, "data.pdf", of_texts(passages))


class _Locked(Exception):
    """The document opens with a password only."""


def _pages(content: BinaryIO) -> Iterator[Passage]:
    import logging

    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it would tell of every fault that it works around
    reader = pypdf.PdfReader(content, strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise _Locked
    for number, page in enumerate(reader.pages, 1):
        text = page.extract_text()
        if text.strip():
            yield Passage(f"page {number}", text)
        if number >= _PAGES:
            return
