"""What runs in a worker process: collectors over files, joiners over sources. Each call of a plug-in is isolated."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from penstock.discover.collector import COLLECTORS, JOINERS, File, Source, Yielded
from penstock.discover.data.whole import LargeFile
from penstock.discover.encoding import Sorter
from penstock.discover.registry import load
from penstock.discover.spool import Kept
from penstock.graph.vocabulary import Unseen
from penstock.inspect.fingerprint import adopt
from penstock.work.limits import Overrun, end_after, time_cap

#: Wall seconds for one collector over one file. The largest source file that is read, 5 MB, is parsed and walked in
#: 3.0 (TypeScript) to 3.5 CPU s (Python).
FILE_SECONDS = 5.0
#: Wall seconds for one joiner over one source, and more for each of its files (code that is all about AI takes 0.5 ms).
SOURCE_SECONDS = 60.0
SECONDS_A_FILE = 0.01

#: What does not stop when its time is up (a loop in a C library) costs its process so many CPU seconds later.
GRACE = 1.0

#: The hint where work ran out of bounds.
_HOSTILE = "Look at what is there: it may be generated, or made to stall tools; exclude it if so"


@dataclass(frozen=True, slots=True)
class Item:
    """A file and the names of the collectors that read it. Of a large one ``data`` is the head, the rest on disk."""

    scope: str
    path: str
    data: bytes
    collectors: tuple[str, ...]
    #: of fingerprints of what must not be kept itself
    key: bytes
    place: str = ""
    size: int = 0

    def file(self) -> File:
        if self.place:
            return LargeFile(self.path, self.data, self.scope, self.place, self.size)
        return File(self.path, self.data, self.scope)


@dataclass(frozen=True, slots=True)
class Gave:
    """What a file (or a joiner) gave, encoded. ``sure`` is False when a plug-in failed: another run may give more."""

    scope: str
    path: str
    claims: bytes
    facts: bytes
    sure: bool


@dataclass(frozen=True, slots=True)
class JoinItem:
    """A source and the name of one joiner. The items of a batch share the source."""

    joiner: str
    source: Encoded


@dataclass(frozen=True, slots=True)
class Encoded:
    """A source on its way to a worker: its facts are decoded there."""

    scope: str
    name: str
    paths: tuple[str, ...]
    facts: Kept
    about: dict[str, Any]


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for cycles meanwhile: code becomes 10⁵ small lists without one, and looking costs a fifth of all."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@_uncollected()
def collect(batch: tuple[Item, ...]) -> list[Gave]:
    """Run the collectors of each file."""
    load()
    gave = []
    for item in batch:
        adopt(item.key)
        file = item.file()
        everything = Sorter()
        sure = True
        for name in item.collectors:
            run = partial(COLLECTORS[name].run, file)
            part, failure = _isolated(run, FILE_SECONDS, item.path, name, item.scope)
            everything.add(part)
            sure = sure and not failure
        gave.append(Gave(item.scope, item.path, *everything.encoded(), sure))
    return gave


@_uncollected()
def join(batch: tuple[JoinItem, ...]) -> list[Gave]:
    """Run joiners over a source."""
    load()
    sources: dict[int, Source] = {}
    gave = []
    for item in batch:
        source = sources.get(id(item.source))
        if source is None:
            source = sources[id(item.source)] = _decoded(item.source)
        scope, seconds = source.scope, SOURCE_SECONDS + SECONDS_A_FILE * len(source.paths)
        part, failure = _isolated(partial(JOINERS[item.joiner].run, source), seconds, scope, item.joiner, scope)
        gave.append(Gave(scope, item.joiner, *part.encoded(), not failure))
    return gave


def _isolated(
    run: Callable[[], Iterator[Yielded]], seconds: float, where: str, name: str, scope: str
) -> tuple[Sorter, bool]:
    """What a plug-in yields, until it fails: what came before stays, and the failure is a row of its own."""
    part = Sorter()
    try:
        with end_after(seconds + GRACE), time_cap(seconds):
            part.take(run())
            part.encoded()
        return part, False
    except Overrun:
        why, hint = f"it took longer than {seconds:g} s", _HOSTILE
    except MemoryError:
        why, hint = "it needed more memory than allowed", _HOSTILE
    except RecursionError:
        why, hint = "it is nested too deeply", _HOSTILE
    except Exception as error:  # the outer edge of a plug-in call
        why = f"the collector failed: {type(error).__name__}: {str(error)[:200]}"
        hint = "Report it with the file, or a part of it that shows the same"
    try:
        part.encoded()
    except Exception:  # what was yielded is itself what failed
        part = Sorter()
    what = f"what {name} finds there"
    part.claims.unseen.append(Unseen(where, what, why, hint, collector=name, scope=scope))
    return part, True


def _decoded(source: Encoded) -> Source:
    return Source(source.scope, source.name, source.paths, source.facts.facts(), source.about)
