"""Word documents: the text of a docx, and apart from it what is formatted so that nobody sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.parsers import expat

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.folders import holds_data
from penstock.discover.data.packed import Bomb, unpacked
from penstock.discover.data.poison import Passage
from penstock.discover.data.rows import say, unread
from penstock.discover.data.texts import of_texts
from penstock.discover.data.whole import is_cut, opened

#: The parts of a document that hold text.
_PARTS = re.compile(r"word/(?:document|comments|footnotes|endnotes|header\d*|footer\d*)\.xml")
#: Bytes of these parts when unpacked, characters kept, and elements within one another.
_MOST, _TEXT, _DEEPEST = 64 * 1024 * 1024, 2_000_000, 256
#: Half-points of a letter below which it is not to be seen.
_TINY = 4


@collector(
    "data.word",
    reads=("*.docx", "*.docm"),
    sees="documents in data folders that hold personal, payment, health or secret data, or that speak to a model",
    unseen="pictures, and what is embedded in documents",
)
def document(file: File) -> Iterator[Yielded]:
    """A Word document in a data folder."""
    if not holds_data(file.path):
        return
    if is_cut(file):
        yield unread(file, "data.word", "only its first part was read, and what it holds is told at its end", "")
        return
    reader = _Reader()
    with opened(file) as content:
        try:
            for part, piece in unpacked(content, lambda name: bool(_PARTS.fullmatch(name)), _MOST):
                reader.take(part, piece)
                if reader.characters > _TEXT:
                    break
            reader.finish()
        except Bomb as error:
            yield unread(file, "data.word", str(error), "Look at the file: it may be made to exhaust tools")
        except (ValueError, expat.ExpatError) as error:
            yield unread(
                file, "data.word", f"it does not read as a document: {error}", "Repair it, or take its password off"
            )
    if reader.shown or reader.concealed:
        yield from say(file, "data.word", of_texts(reader.shown, concealed=reader.concealed))


class _Reader:
    """Paragraphs out of the XML of a document; declarations of entities end it."""

    def __init__(self) -> None:
        self.shown: list[Passage] = []
        self.concealed: list[Passage] = []
        self.characters = 0
        self._part = ""
        self._parser: expat.XMLParserType | None = None
        self._depth = self._paragraph = 0
        self._in_text = self._hides = False
        self._seen: list[str] = []
        self._unseen: list[str] = []

    def take(self, part: str, piece: bytes) -> None:
        """The next piece of a part. Raises expat.ExpatError, ValueError."""
        if part != self._part:
            self.finish()
            self._part = part
            self._depth = self._paragraph = 0
            self._parser = expat.ParserCreate(namespace_separator=" ")
            self._parser.StartElementHandler = self._start
            self._parser.EndElementHandler = self._end
            self._parser.CharacterDataHandler = self._text
            self._parser.EntityDeclHandler = _refuse
        if self._parser is not None:
            self._parser.Parse(piece, False)

    def finish(self) -> None:
        """The part is through; one that was left early ends where it was left."""
        if self._parser is not None and self.characters <= _TEXT:
            self._parser.Parse(b"", True)
        self._parser = None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError(f"its elements are nested deeper than {_DEEPEST}")
        word = name.rpartition(" ")[2]
        value = next((text for key, text in attributes.items() if key.endswith(" val")), "")
        if word == "t":
            self._in_text = True
        elif word == "r":
            self._hides = False
        elif (
            (word == "vanish" and value not in ("0", "false"))
            or (word == "color" and value.upper() == "FFFFFF")
            or (word == "sz" and value.isdecimal() and int(value) <= _TINY)
        ):
            self._hides = True

    def _end(self, name: str) -> None:
        self._depth -= 1
        word = name.rpartition(" ")[2]
        if word == "t":
            self._in_text = False
        elif word == "p":
            self._paragraph += 1
            place = f"{self._part.rpartition('/')[2].removesuffix('.xml')} paragraph {self._paragraph}"
            for held, kept, how in ((self._seen, self.shown, ""), (self._unseen, self.concealed, "hidden text in ")):
                if held:
                    kept.append(Passage(how + place, "".join(held)))
                held.clear()

    def _text(self, text: str) -> None:
        if self._in_text:
            self.characters += len(text)
            (self._unseen if self._hides else self._seen).append(text)


def _refuse(*_: object) -> None:
    raise ValueError("it declares entities, which no document of this kind does")
