"""What the gateway wrote down, read back and cleared away: each event counts once, whatever crashes in between."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from penstock.errors import NotReachable
from penstock.graph.store.protocol import Store
from penstock.graph.vocabulary import Event

#: Name under which the store keeps how far each spool file was read.
POSITIONS = "spool"
#: Events in a batch: one transaction of the store takes tens of milliseconds.
BATCH = 1000
#: Longest line read, in bytes. An event is about 500; a longer line is broken, and is skipped without being held.
LONGEST_LINE = 256 * 1024
#: Bytes read at a time.
CHUNK = 1024 * 1024
#: Seconds without a new line after which a file that is read may be set aside, and after which one set aside is
#: removed. A gateway begins a new file when its own is gone; a line it was just writing comes within microseconds.
IDLE, ASIDE = 10.0, 60.0

#: A spool file as the gateway named it, and as it is called once it is set aside: with the time in seconds.
_NAME = re.compile(r"(?P<name>.+\.jsonl)(?:\.(?P<since>\d+)\.read)?")


@dataclass(frozen=True, slots=True)
class Batch:
    """Some events in the order they were written, how many lines were broken, and where reading goes on."""

    events: tuple[Event, ...]
    broken: int
    positions: Mapping[str, int]


def drain(store: Store, spool: Path) -> Iterator[Batch]:
    """Everything new in the spool. Whoever takes in a batch keeps its positions under ``POSITIONS`` in the same step.

    A batch that was not taken in is handed out again. A last line without its end is left until it is whole.
    """
    positions: dict[str, int] = dict(store.get(POSITIONS) or {})
    present = _files(spool)
    positions = {name: at for name, at in positions.items() if name in present}
    for name, file in sorted(present.items()):
        for events, broken, at in _read(file.path, positions.get(name, 0)):
            positions[name] = at
            yield Batch(events, broken, dict(positions))


def waits(store: Store, spool: Path) -> bool:
    """Whether anything in the spool was not read yet."""
    positions: Mapping[str, int] = store.get(POSITIONS) or {}
    return any(_size(file.path) != positions.get(name, 0) for name, file in _files(spool).items())


def sweep(store: Store, spool: Path, *, now: float) -> None:
    """Clear away what ``drain`` has read to its end, but for the newest file: that one is written to, or was last.

    A gateway may hold any of them open. So a file is first set aside under another name, where a line that was just
    being written is still found and read, and removed a minute later.

    Raises:
        NotReachable: a file cannot be renamed or removed; nothing of it is lost.
    """
    positions: Mapping[str, int] = store.get(POSITIONS) or {}
    files = _files(spool)
    newest = max((name for name, file in files.items() if file.since is None), default="")
    for name, file in files.items():
        try:
            if name == newest or not _is_done(file.path, positions.get(name, 0), now):
                continue
            if file.since is None:
                file.path.rename(file.path.with_name(f"{name}.{int(now)}.read"))
            elif now - file.since >= ASIDE:
                file.path.unlink()
        except FileNotFoundError:  # another process cleared it away
            continue
        except OSError as error:
            raise NotReachable(
                "A spool file cannot be cleared away",
                str(file.path),
                f"{error.strerror}; check its owner",
            ) from error


def _is_done(path: Path, position: int, now: float) -> bool:
    """Whether a file was read to its end and nobody has written to it lately.

    Half a line that nobody ended for a minute is what a gateway that was killed left behind.
    """
    found = path.stat()
    if found.st_size == position:
        return now - found.st_mtime >= IDLE
    if found.st_size < position or now - found.st_mtime < ASIDE:
        return False
    with path.open("rb") as file:
        file.seek(position)
        return b"\n" not in file.read(LONGEST_LINE + 1)


@dataclass(frozen=True, slots=True)
class _File:
    """A spool file; ``since`` is when it was set aside, in seconds since the epoch."""

    path: Path
    since: int | None


def _files(spool: Path) -> dict[str, _File]:
    """The spool's files by the names that the gateway gave them."""
    found: dict[str, _File] = {}
    for path in sorted(spool.iterdir()) if spool.is_dir() else ():
        if named := _NAME.fullmatch(path.name):
            found[named["name"]] = _File(path, int(named["since"]) if named["since"] else None)
    return found


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _read(path: Path, start: int) -> Iterator[tuple[tuple[Event, ...], int, int]]:
    """The events of one file from a byte position on, how many lines were broken, and the position after them.

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
            if len(events) == BATCH:
                yield tuple(events), broken, position
                events, broken = [], 0
        if events or broken:
            yield tuple(events), broken, position


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
