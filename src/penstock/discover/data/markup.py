"""Pages of HTML as a reader sees them, and apart from that what they hold without showing it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from penstock.discover.data.poison import Passage

#: Styles under which text is there and nobody sees it: not shown, no size, no colour of its own, off the page.
_UNSEEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*[01](?:\.\d+)?(?:px|pt|em|rem|%)?\s*(?:;|$)|opacity\s*:\s*0(?:\.0\d*)?\s*(?:;|$)|"
    r"(?:^|;)\s*color\s*:\s*(?:white|#fff(?:fff)?|transparent|rgba\([^)]*,\s*0\s*\))\s*(?:;|$)|(?:left|top|text-indent)\s*:\s*-\d{3,}",
    re.IGNORECASE,
)
_COMMENT = re.compile(
    r"<!--(.{1,20000}?)-->|^\[(?://|comment)\]:\s*#\s*[(\"'](.{1,2000})[)\"']\s*$", re.DOTALL | re.MULTILINE
)
_BLOCKS = frozenset("p div li tr td th h1 h2 h3 h4 h5 h6 section article br table ul ol blockquote pre body".split())
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
_SILENT = frozenset(("script", "style", "template", "noscript"))
#: Elements within one another that are told apart; deeper ones count as their parent.
_DEEPEST = 500


def page(text: str) -> tuple[list[Passage], list[Passage]]:
    """What a page shows, and what it conceals."""
    reader = _Page()
    reader.feed(text)
    reader.close()
    reader.end_block()
    return reader.shown, reader.concealed


def comments(text: str) -> list[Passage]:
    """Comments in Markdown, which no reader sees."""
    return [
        Passage(f"comment in line {text.count(chr(10), 0, match.start()) + 1}", (match[1] or match[2]).strip())
        for match in _COMMENT.finditer(text)
    ][:1000]


class _Page(HTMLParser):
    """Collects text by block, with whether an element around it is hidden."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.shown: list[Passage] = []
        self.concealed: list[Passage] = []
        self._open: list[tuple[str, bool]] = []
        self._hidden = self._mute = 0
        self._held: list[str] = []
        self._line = 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.end_block()
        if tag in _VOID or len(self._open) >= _DEEPEST:
            return
        given = dict(attrs)
        hides = "hidden" in given or bool(_UNSEEN.search(given.get("style") or ""))
        if hides and not self._hidden:
            self.end_block()
        self._open.append((tag, hides))
        self._hidden += hides
        self._mute += tag in _SILENT

    def handle_endtag(self, tag: str) -> None:
        if not any(name == tag for name, _ in self._open[-50:]):
            return
        while self._open:
            name, hides = self._open.pop()
            if (hides and self._hidden == 1) or name in _BLOCKS:
                self.end_block()
            self._hidden -= hides
            self._mute -= name in _SILENT
            if name == tag:
                return

    def handle_data(self, data: str) -> None:
        if not self._mute and data.strip():
            if not self._held:
                self._line = self.getpos()[0]
            self._held.append(" ".join(data.split()))

    def handle_comment(self, data: str) -> None:
        if data.strip():
            self.concealed.append(Passage(f"comment in line {self.getpos()[0]}", data.strip()[:20_000]))

    def end_block(self) -> None:
        """What was held becomes a passage."""
        if self._held:
            place = f"hidden element in line {self._line}" if self._hidden else f"line {self._line}"
            (self.concealed if self._hidden else self.shown).append(Passage(place, " ".join(self._held)))
            self._held = []
