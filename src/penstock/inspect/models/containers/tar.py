"""Tar archives: members in order, names and links that leave the folder, devices."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import IO, cast

from penstock.inspect.models import repository
from penstock.inspect.models.containers.names import escapes
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.source import Part, Source
from penstock.inspect.models.verdict import Reason, Verdict


def look(piece: Piece) -> Iterator[Reason]:
    """Judge the archive and its members."""
    members: list[tarfile.TarInfo] = []
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", _Reader(piece.source)), mode="r:") as archive:
            while (member := archive.next()) is not None:
                piece.budget.member()
                members.append(member)
                archive.members.clear()  # type: ignore[attr-defined]
    except (tarfile.TarError, OSError, ValueError, OverflowError) as error:
        yield piece.say(Verdict.INCONCLUSIVE, "tar.broken", f"cannot be read whole: {error}")
    files = {member.name: member for member in members if member.isreg()}
    tree = repository.Archive({name: _content(piece.source, member) for name, member in files.items()})
    run = repository.loaded_modules(tree)
    piece.report.facts.setdefault("container", "tar")
    for member in members:
        where = f"{piece.where}!{member.name}"
        if why := escapes(member.name):
            yield piece.say(Verdict.MALICIOUS, "archive.escape", f"the member {member.name!r} {why}")
        if member.issym() or member.islnk():
            base = member.name.rpartition("/")[0] if member.issym() else ""
            target = member.linkname if member.linkname.startswith("/") or not base else f"{base}/{member.linkname}"
            if escapes(target):
                yield Reason(
                    Verdict.MALICIOUS, "archive.link", f"is a link to {member.linkname!r}, outside the archive", where
                )
        elif member.ischr() or member.isblk() or member.isfifo():
            yield Reason(Verdict.SUSPICIOUS, "archive.device", "is a device, not a file", where)
        elif member.isreg() and member.size:
            part = Part(piece.source, member.offset_data, member.size)
            yield from piece.inner(part, member.name, where, run=member.name in run)
    yield from repository.together(tree, run, piece.where)


def _content(source: Source, member: tarfile.TarInfo) -> repository.Reader:
    return lambda most: source.read(member.offset_data, min(member.size, most))


class _Reader:
    """A source as the file object that ``tarfile`` asks for."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._at = 0

    def read(self, count: int = -1) -> bytes:
        count = self._source.size - self._at if count < 0 else count
        data = self._source.read(self._at, min(count, 1 << 20))
        self._at += len(data)
        return data

    def seek(self, at: int, whence: int = 0) -> int:
        self._at = at if whence == 0 else self._at + at if whence == 1 else self._source.size + at
        return self._at

    def tell(self) -> int:
        return self._at
