"""Log files: what people and programs left in them."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.blocks import spread
from penstock.discover.data.poison import Passage
from penstock.discover.data.rows import decoded, say
from penstock.discover.data.texts import MOST, of_texts
from penstock.discover.data.whole import is_cut, opened, size_of
from penstock.discover.walk import LARGEST_FILE

#: Lines that are read together, so that what a line begins the next may explain.
_TOGETHER = 50


@collector(
    "data.logs",
    reads=("*.log", "*.log.[0-9]", "*.log.[0-9][0-9]"),
    sees="log lines that hold personal, payment, health or secret data, or that speak to a model; how many lines",
    unseen="packed logs; lines between the sampled places of a large file",
)
def lines(file: File) -> Iterator[Yielded]:
    """A log file is a dataset of lines."""
    large = size_of(file) > LARGEST_FILE
    passages: list[Passage] = []
    seen = read = kept = 0
    with opened(file) as content:
        for at, block, looked in spread(content, size_of(file)) if large else [(0, content.read(), 0)]:
            found = (decoded(block) or "").splitlines()
            read += looked
            for start in range(0, len(found), _TOGETHER):
                if kept < MOST:
                    place = f"near byte {at:,}" if large else f"line {start + 1}"
                    passages.append(Passage(place, "\n".join(found[start : start + _TOGETHER])))
                    kept += len(passages[-1].text)
            seen += len(found)
    if seen:
        records = seen * size_of(file) // read if large else None if is_cut(file) else seen
        yield from say(file, "data.logs", of_texts(passages, records=records, estimated=large, role="log"))
