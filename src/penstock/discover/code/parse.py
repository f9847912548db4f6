"""Parse source with a grammar, for a bounded time: error recovery of some grammars never ends on some input.

The parser asks for its input piece by piece and reports progress meanwhile; only then can it be told to stop.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from tree_sitter import Parser, Tree

from penstock.work.limits import Overrun

#: Wall seconds for one parse. The grammars read 1.5 to 3.3 MB a CPU second (178 Python and 174 TypeScript files of
#: eight public repositories; the same joined to 5 MB, the largest file that is read, take 3.0 to 3.5 s).
PARSE_SECONDS = 5.0
#: Bytes handed to the parser at a time: large enough not to show beside the parsing itself.
_PIECE = 1 << 16


def parse(parser: Parser, data: bytes) -> Tree:
    """The syntax tree of UTF-8 source.

    Raises:
        Overrun: it took longer than ``PARSE_SECONDS``.
    """
    end = time.monotonic() + PARSE_SECONDS

    def piece(offset: int, _point: object) -> bytes:
        return data[offset : offset + _PIECE]

    def late(_offset: int, _has_error: bool) -> bool:
        return time.monotonic() > end

    with _undisturbed():
        try:
            tree = parser.parse(piece, progress_callback=late)
        except ValueError:
            parser.reset()  # or it would go on with this text at the next one
            raise Overrun from None
        # Once more, now with nothing left to do (8 % of the time of the first), for a tree that holds the bytes: the
        # other asks for the text of each node by the callback, where an alarm that raises would end the process.
        return parser.parse(data, tree)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold alarms back: an exception that is raised in a callback of the parser leaves it unusable.

    The handler is exchanged, not the mask: another thread may take the signal, and Python runs the handler here all
    the same. An alarm that rang meanwhile is handled as soon as the parser is left.
    """
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return
    rang: list[tuple[int, FrameType | None]] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rang.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)
        if rang and callable(before):
            before(*rang[0])
