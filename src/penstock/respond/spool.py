"""What the gateway wrote down, read back: each event once, whatever crashes in between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from penstock.graph.store.protocol import Store
from penstock.graph.vocabulary import Event
from penstock.respond.cases import KEPT_EVENTS

#: Name under which the store keeps how far each spool file was read.
POSITIONS = "spool"
#: Longest line read, in bytes. An event is about 500; a longer line is broken, and is skipped without being held.
LONGEST_LINE = 256 * 1024
#: Bytes read at a time.
CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Batch:
    """Some events in the order they were written, how many lines were broken, and where reading goes on."""

    events: tuple[Event, ...]
    broken: int
    positions: Mapping[str, int]


def drain(store: Store, spool: Path) -> Iterator[Batch]:
    """Everything new in the spool, in batches that are marked as read only when the caller asks for the next.

    A batch whose handling was cut short is handed out again (at least once); ``Store.add_events`` and ``cases.attach``
    recognise it by the events' ids. A last line without its end is left until it is whole.
    """
    positions: dict[str, int] = dict(store.get(POSITIONS) or {})
    present = {path.name: path for path in sorted(spool.glob("*.jsonl"))} if spool.is_dir() else {}
    if forgotten := positions.keys() - present.keys():
        positions = {name: at for name, at in positions.items() if name not in forgotten}
    for name, path in present.items():
        for batch in read(path, positions.get(name, 0)):
            positions[name] = batch.positions[name]
            yield Batch(batch.events, batch.broken, dict(positions))
            store.put(POSITIONS, positions)


def read(path: Path, start: int = 0) -> Iterator[Batch]:
    """The events of one file from a byte position on, at most ``KEPT_EVENTS`` at a time.

    A file that is shorter than the position was begun anew and is read from its start.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:  # taken away between listing and opening
        return
    with file:
        if start > file.seek(0, 2):
            start = 0
        file.seek(start)
        position, events, broken = start, list[Event](), 0
        for line, size in _lines(file):
            position += size
            event = _event(line)
            if event is not None:
                events.append(event)
            elif line is None or line.strip():
                broken += 1
            if len(events) == KEPT_EVENTS:
                yield Batch(tuple(events), broken, {path.name: position})
                events, broken = [], 0
        if events or broken:
            yield Batch(tuple(events), broken, {path.name: position})


def _lines(file: IO[bytes]) -> Iterator[tuple[bytes | None, int]]:
    """Whole lines and their sizes with the line end; None for a line that is too long to be an event."""
    rest, dropped = b"", 0
    while chunk := file.read(CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            size = dropped + len(line) + 1
            yield (None if size > LONGEST_LINE else line), size
            dropped = 0
        if len(rest) > LONGEST_LINE:
            rest, dropped = b"", dropped + len(rest)


_events = msgspec.json.Decoder(Event)


def _event(line: bytes | None) -> Event | None:
    """The event a line holds, None when it holds none."""
    try:
        return _events.decode(line) if line else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
