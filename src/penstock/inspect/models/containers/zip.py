"""Zip archives by their own directory: both views (central and local), and what makes them differ.

Models are stored in zips by torch, numpy, Keras, skops, TorchServe and others. The central directory is what their
loaders read; a local header that says otherwise is how a scanner is fooled.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from penstock.inspect.models import repository
from penstock.inspect.models.containers.names import escapes
from penstock.inspect.models.containers.unpack import Unpacked, deflated, unpacked
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.source import Memory, Part, Source
from penstock.inspect.models.verdict import Reason, Verdict

_END, _END64, _ENTRY, _LOCAL = b"PK\x05\x06", b"PK\x06\x06", b"PK\x01\x02", b"PK\x03\x04"
#: A member that unpacks to this many times its size, and to this size, is a bomb: deflate reaches 1032 at most, and
#: only for content that is nothing but repetition.
_RATIO, _BOMB = 200, 100 << 20
#: Entries taken from a directory, a few more than `Limits.members` so that reaching that bound is noticed.
_MOST = 20_100
#: A directory larger than this is not read: 20,000 members of 400 bytes.
_DIRECTORY = 8 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One member as the central directory has it; ``at`` is the position of its local header."""

    name: str
    method: int
    flags: int
    crc: int
    packed: int
    size: int
    at: int
    mode: int


def look(piece: Piece) -> Iterator[Reason]:
    """Judge the archive and its members."""
    entries, start, problems, end = directory(piece)
    yield from problems
    if entries is None:
        yield piece.say(Verdict.INCONCLUSIVE, "zip.broken", "the archive has no directory that can be read")
        return
    yield from _around(piece, start, end, entries)
    names = {entry.name for entry in entries}
    roots = [name[: -len("data.pkl")] for name in names if name.rpartition("/")[2] == "data.pkl"]
    raw = tuple(f"{root}{part}/" for root in roots for part in ("data", "constants", "tensors"))
    piece.report.facts.setdefault("container", kind(names))
    tree = repository.Archive({entry.name: _reader(piece, entry) for entry in entries})
    run = repository.loaded_modules(tree)
    yield from repository.together(tree, run, piece.where)
    seen: set[str] = set()
    for entry in entries:
        piece.budget.member()
        if entry.name in seen:
            yield piece.say(
                Verdict.SUSPICIOUS,
                "zip.duplicate",
                f"holds {entry.name!r} twice: loaders may differ in which they read",
            )
        seen.add(entry.name)
        if why := escapes(entry.name):
            yield piece.say(Verdict.MALICIOUS, "archive.escape", f"the member {entry.name!r} {why}")
        if entry.name.endswith("/") or not (entry.size or entry.packed):
            continue
        if entry.name.startswith(raw) and not entry.name.endswith(".pkl") and not entry.method:
            continue  # storages: bytes of numbers that no loader unpickles
        yield from _member(piece, entry, start, entry.name in run)


def kind(names: set[str]) -> str:
    """Which of the formats that are zips these names make."""
    tails = {name.rpartition("/")[2] for name in names}
    if "MAR-INF/MANIFEST.json" in names:
        return "TorchServe archive"
    if "data.pkl" in tails:
        return "TorchScript" if any("/code/" in name for name in names) else "torch zip"
    if "schema.json" in names:
        return "skops"
    if {"config.json", "metadata.json"} <= names:
        return "Keras"
    if names and all(name.endswith(".npy") for name in names):
        return "npz"
    return "zip"


def entries_of(source: Source) -> list[Entry]:
    """Members by the central directory; empty when it cannot be read."""
    found, _, _ = _directory(source)
    return found or []


def content(source: Source, entry: Entry, most: int) -> Unpacked:
    """The content of a member, up to ``most`` bytes."""
    place = _data_at(source, entry)
    if place is None:
        return Unpacked(b"", "its local header is missing")
    return unpacked(source, place, entry.packed, entry.method, most)


def directory(piece: Piece) -> tuple[list[Entry] | None, int, list[Reason], int]:
    """Members, bytes before the archive, what is wrong with the directory, and the end of the archive."""
    entries, start, end = _directory(piece.source)
    problems = []
    if entries is None:
        entries = _local_entries(piece)
        if entries:
            problems.append(
                piece.say(
                    Verdict.SUSPICIOUS,
                    "zip.directory",
                    "the central directory cannot be read; local headers were followed",
                )
            )
        return entries or None, 0, problems, piece.source.size
    return entries, start, problems, end


def _directory(source: Source) -> tuple[list[Entry] | None, int, int]:
    tail_size = min(source.size, 1100)
    tail = source.read(source.size - tail_size, tail_size)
    at = tail.rfind(_END)
    if at < 0:
        tail_size = min(source.size, 66_000 + (1 << 20 if source.size < 1 << 22 else 0))
        tail = source.read(source.size - tail_size, tail_size)
        at = tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:
        return None, 0, source.size
    end_at = source.size - tail_size + at
    count, size, offset, comment = struct.unpack("<HIIH", tail[at + 10 : at + 22])
    end = end_at + 22 + comment
    if offset == 0xFFFFFFFF or count == 0xFFFF or size == 0xFFFFFFFF:
        locator = source.read(end_at - 20, 20)
        if locator[:4] == b"PK\x06\x07":
            record = source.read(struct.unpack("<Q", locator[8:16])[0], 56)
            if record[:4] == _END64 and len(record) == 56:
                count, size, offset = struct.unpack("<QQQ", record[32:56])
                end_at = min(end_at, struct.unpack("<Q", locator[8:16])[0])
    if size > _DIRECTORY or size > end_at:
        return None, 0, end
    start = max(0, end_at - size - offset)
    raw = source.read(end_at - size, size)
    entries = _parsed(raw)
    if not entries and count:
        start, raw = 0, source.read(offset, min(_DIRECTORY, source.size))
        entries = _parsed(raw)
    return (entries if entries or not count else None), start, end


def _parsed(raw: bytes) -> list[Entry]:
    entries: list[Entry] = []
    at = 0
    while raw[at : at + 4] == _ENTRY and at + 46 <= len(raw) and len(entries) < _MOST:
        made, _, flags, method = struct.unpack("<HHHH", raw[at + 4 : at + 12])
        crc, packed, size, name_size, extra_size, comment_size = struct.unpack("<IIIHHH", raw[at + 16 : at + 34])
        outside, offset = struct.unpack("<II", raw[at + 38 : at + 46])
        name = raw[at + 46 : at + 46 + name_size]
        extra = raw[at + 46 + name_size : at + 46 + name_size + extra_size]
        size, packed, offset = _wide(extra, size, packed, offset)
        mode = outside >> 16 if made >> 8 == 3 else 0
        entries.append(Entry(_name(name, flags), method, flags, crc, packed, size, offset, mode))
        at += 46 + name_size + extra_size + comment_size
    return entries


def _name(raw: bytes, flags: int) -> str:
    return raw.decode("utf-8" if flags & 0x800 else "cp437", "replace").partition("\0")[0]


def _wide(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """The zip64 fields of an entry."""
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack("<HH", extra[at : at + 4])
        if tag == 1:
            values = [int.from_bytes(extra[k : k + 8], "little") for k in range(at + 4, at + 4 + length - 7, 8)]
            if size == 0xFFFFFFFF and values:
                size = values.pop(0)
            if packed == 0xFFFFFFFF and values:
                packed = values.pop(0)
            if offset == 0xFFFFFFFF and values:
                offset = values.pop(0)
        at += 4 + length
    return size, packed, offset


def _local_entries(piece: Piece) -> list[Entry]:
    """Members by walking local headers, where the directory is gone."""
    entries: list[Entry] = []
    at = 0
    while len(entries) < 1000:
        piece.budget.check()
        head = piece.source.read(at, 30)
        if len(head) < 30 or head[:4] != _LOCAL:
            break
        flags, method = struct.unpack("<HH", head[6:10])
        crc, packed, size, name_size, extra_size = struct.unpack("<IIIHH", head[14:30])
        name = piece.source.read(at + 30, name_size)
        entries.append(Entry(_name(name, flags), method, flags, crc, packed or piece.source.size - at, size, at, 0))
        if not packed:
            break
        at += 30 + name_size + extra_size + packed
    return entries


def _data_at(source: Source, entry: Entry) -> int | None:
    head = source.read(entry.at, 30)
    if len(head) < 30 or head[:4] != _LOCAL:
        return None
    name_size, extra_size = struct.unpack("<HH", head[26:30])
    return entry.at + 30 + int(name_size) + int(extra_size)


def _around(piece: Piece, start: int, end: int, entries: list[Entry]) -> Iterator[Reason]:
    """What lies before and behind the archive."""
    first = min((entry.at for entry in entries), default=0) + start
    if first > 0 and piece.source.read(0, 4) != _LOCAL:
        head = piece.source.read(0, 64)
        if "pickle" not in piece.formats and (head[:2] in (b"#!", b"MZ") or head[:4] == b"\x7fELF"):
            piece.report.notes.append(f"{piece.where}: a program that carries an archive")
        elif "pickle" in piece.formats:
            yield piece.say(
                Verdict.SUSPICIOUS, "polyglot", "is a pickle and a zip at once: loaders differ in which they read"
            )
    if piece.source.size - end > 0:
        rest = Part(piece.source, end, piece.source.size - end)
        from penstock.inspect.models.pickle.streams import looks_like, marked

        if marked(rest.read(0, 3)) or looks_like(rest):
            for reason in piece.inner(rest, "", f"{piece.where}!appended@{end}"):
                if reason.verdict >= Verdict.SUSPICIOUS:
                    yield Reason(
                        Verdict.SUSPICIOUS,
                        "appended",
                        f"behind the archive: {reason.what}",
                        reason.where,
                        reason.offset,
                        reason.chain,
                    )
        else:
            piece.report.notes.append(f"{piece.where}: {rest.size} bytes behind the archive")


def _member(piece: Piece, entry: Entry, start: int, run: bool) -> Iterator[Reason]:
    where = f"{piece.where}!{entry.name}"
    at = _data_at(
        piece.source,
        Entry(entry.name, entry.method, entry.flags, entry.crc, entry.packed, entry.size, entry.at + start, 0),
    )
    if at is None:
        yield Reason(Verdict.SUSPICIOUS, "zip.local", "the directory points to where no member begins", where)
        return
    yield from _disagreement(piece, entry, entry.at + start, where)
    if entry.mode >> 12 == 0xA:
        target = piece.source.read(at, min(entry.packed, 4096)).decode("utf-8", "replace") if not entry.method else "?"
        if escapes(target):
            yield Reason(Verdict.MALICIOUS, "archive.link", f"is a link to {target!r}, outside the archive", where)
        return
    if not entry.method:
        part: Source = Part(piece.source, at, entry.size or entry.packed)
        if entry.flags & 1 and not _readable(piece, part):
            yield Reason(Verdict.INCONCLUSIVE, "zip.encrypted", "is encrypted", where)
            return
        yield from piece.inner(part, entry.name, where, run=run)
        yield from _checked(piece, entry, part, where)
        return
    if entry.size > _BOMB and entry.size > _RATIO * max(entry.packed, 1):
        yield Reason(Verdict.MALICIOUS, "archive.bomb", f"unpacks {entry.packed} bytes to {entry.size}", where)
        return
    head = unpacked(piece.source, at, entry.packed, entry.method, 4096)
    if head.failed and not head.data:
        verdict = Verdict.INCONCLUSIVE
        yield Reason(verdict, "zip.packed", f"cannot be unpacked: {head.failed}", where)
        return
    most = min(piece.budget.limits.held, entry.size + (1 << 20))
    if entry.method == 8:
        body = deflated(piece.source, at, entry.packed, most, piece.budget)
    else:
        body = unpacked(piece.source, at, entry.packed, entry.method, most)
        piece.budget.unpack(len(body.data))
    if len(body.data) > entry.size + 64 and not body.cut:
        yield Reason(Verdict.SUSPICIOUS, "zip.size", f"unpacks to more than the {entry.size} bytes it states", where)
    memory = Memory(body.data)
    cut = body.cut
    for reason in piece.inner(memory, entry.name, where, run=run):
        if cut and reason.rule in ("pickle.broken", "hdf5.broken", "npy.short", "safetensors.range"):
            continue
        yield reason
    if cut and not _numbers(entry.name):
        yield Reason(Verdict.INCONCLUSIVE, "bounds", f"only the first {len(body.data) >> 20} MB were read", where)
    elif not cut:
        if body.failed:
            yield Reason(Verdict.INCONCLUSIVE, "zip.packed", f"cannot be unpacked whole: {body.failed}", where)
        yield from _checked(piece, entry, memory, where)


def _numbers(name: str) -> bool:
    """Members of plain numbers, whose first part says all."""
    return name.endswith((".npy", ".h5", ".bin.zlib"))


def _readable(piece: Piece, part: Source) -> bool:
    """Whether a member that is marked as encrypted is plain all the same."""
    from penstock.inspect.models import sniff

    found = sniff.formats(Piece(part, "", piece.where, piece.budget, piece.report, piece.look))
    return any(each.name not in ("text", "compressed") for each in found)


def _checked(piece: Piece, entry: Entry, source: Source, where: str) -> Iterator[Reason]:
    """Compare the checksum of what was read whole; numbers are not read whole."""
    if source.size > 1 << 18 or not entry.crc or source.size != entry.size:
        return
    if zlib.crc32(source.read(0, source.size)) != entry.crc:
        yield Reason(Verdict.SUSPICIOUS, "zip.checksum", "has another checksum than its content", where)


def _disagreement(piece: Piece, entry: Entry, at: int, where: str) -> Iterator[Reason]:
    head = piece.source.read(at, 30)
    flags, method = struct.unpack("<HH", head[6:10])
    crc, packed, size, name_size, _ = struct.unpack("<IIIHH", head[14:30])
    name = _name(piece.source.read(at + 30, name_size), flags)
    wrong = []
    if name != entry.name and name.replace("\\", "/") != entry.name:
        wrong.append(f"the name ({name!r})")
    if method != entry.method:
        wrong.append("the compression")
    if (flags ^ entry.flags) & 1:
        wrong.append("whether it is encrypted")
    if not flags & 8 and packed not in (entry.packed, 0xFFFFFFFF) and packed != 0:
        wrong.append("the size")
    if not flags & 8 and size not in (entry.size, 0xFFFFFFFF) and size != 0:
        wrong.append("the unpacked size")
    if not flags & 8 and crc != entry.crc and crc:
        wrong.append("the checksum")
    if wrong:
        yield Reason(
            Verdict.SUSPICIOUS, "zip.disagree", f"directory and local header differ in {', '.join(wrong)}", where
        )


def _reader(piece: Piece, entry: Entry) -> repository.Reader:
    return lambda most: content(piece.source, entry, most).data
