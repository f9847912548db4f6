"""The door: a path or bytes in, a `Report` out. Nothing is loaded, imported, run, written or sent."""

from __future__ import annotations

import hashlib
import importlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from penstock.errors import NotReachable
from penstock.inspect.models import sniff
from penstock.inspect.models.hashes import Lists
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.source import Budget, Exhausted, Limits, Memory, OpenFile, Source
from penstock.inspect.models.verdict import Reason, Report, Verdict

#: Files of one folder; more are said to be unseen.
MOST_FILES = 100_000
#: Content is hashed in parts of this size.
_PART = 1 << 20


_NO_LISTS = Lists()


def scan_path(
    path: Path | str, *, limits: Limits | None = None, hashing: bool = False, lists: Lists = _NO_LISTS
) -> Report:
    """Scan a file, or a folder as one repository of a model.

    hashing: add the SHA-256, for which every byte is read. lists: contents that were judged before; implies hashing.

    Raises:
        NotReachable: the path cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        return _folder(path, limits or Limits(), hashing, lists)
    return scan_file(path, limits=limits, hashing=hashing, lists=lists)


def scan_file(
    path: Path | str,
    *,
    limits: Limits | None = None,
    hashing: bool = False,
    name: str = "",
    lists: Lists = _NO_LISTS,
) -> Report:
    """Scan one file; a link that is named by the caller is followed."""
    source = OpenFile(os.fspath(path), follow=True)
    try:
        report = scan_source(source, name or os.fspath(path), limits=limits)
        report.bytes_read = source.bytes_read
        if hashing or lists:
            report.sha256 = hash_of(source)
            _list(report, lists)
    finally:
        source.close()
    return report


def scan_bytes(data: bytes, name: str = "bytes", *, limits: Limits | None = None, lists: Lists = _NO_LISTS) -> Report:
    """Scan content that is in memory; ``name`` only breaks ties between formats without a mark."""
    return scan_source(Memory(data), name, limits=limits, lists=lists)


def scan_source(source: Source, name: str, *, limits: Limits | None = None, lists: Lists = _NO_LISTS) -> Report:
    """Scan anything that can be read by position."""
    report = Report(name, size=source.size)
    piece = Piece(source, name, name, Budget(limits or Limits()), report, look)
    report.reasons = _unique(look(piece))
    if lists:
        report.sha256 = hash_of(source)
        _list(report, lists)
    return report


def _list(report: Report, lists: Lists) -> None:
    report.reasons, note = lists.judged(report.reasons, report.sha256, report.path)
    if note:
        report.notes.append(note)


def look(piece: Piece) -> Iterator[Reason]:
    """Reasons of one piece, in every format that its content is."""
    try:
        found = sniff.formats(piece)
    except Exhausted as error:
        yield piece.say(Verdict.INCONCLUSIVE, "bounds", f"not read to its end: {error}")
        return
    piece.formats = [each.name for each in found]
    if piece.depth == 0:
        piece.report.formats = piece.formats
    if not found and piece.source.size:
        yield from _unknown(piece)
    for each in found:
        try:
            yield from importlib.import_module(each.module).look(piece)
        except Exhausted as error:
            yield piece.say(Verdict.INCONCLUSIVE, "bounds", f"not read to its end: {error}")
        except (RecursionError, MemoryError):
            yield piece.say(
                Verdict.INCONCLUSIVE, "bounds", f"not read to its end: its {each.name} part is nested too deeply"
            )
    if piece.depth == 0 and found and piece.ending and all(piece.ending not in each.endings for each in found):
        piece.report.notes.append(f"{piece.ending} is an unusual name for {found[0].name}")


def _unknown(piece: Piece) -> Iterator[Reason]:
    if piece.depth == 0:
        yield piece.say(Verdict.INCONCLUSIVE, "unknown-format", "the format is not known, so nothing of it was read")
    else:
        piece.report.notes.append(f"{piece.where}: format not known")


def _folder(folder: Path, limits: Limits, hashing: bool, lists: Lists) -> Report:
    """Every file of a folder, and what the files mean together."""
    from penstock.inspect.models import repository

    report = Report(os.fspath(folder))
    tree = repository.Folder(folder)
    run = repository.loaded_modules(tree)
    reasons: list[Reason] = []
    for relative in tree.names:
        place = folder / relative
        try:
            source = OpenFile(os.fspath(place))
        except NotReachable as error:
            reasons.append(Reason(Verdict.INCONCLUSIVE, "unreadable", error.message, relative))
            continue
        try:
            one = Report(relative, size=source.size)
            piece = Piece(source, relative, relative, Budget(limits), one, look, run=relative in run)
            found = _unique(look(piece))
            if hashing or lists:
                one.sha256 = hash_of(source)
                found, note = lists.judged(found, one.sha256, relative)
                report.notes += [note] if note else []
        finally:
            source.close()
        reasons += [
            each for each in found
            if each.rule != "unknown-format" or piece.ending in _WEIGHTS
        ]  # fmt: skip
        report.size += source.size
        report.bytes_read += source.bytes_read
        report.formats += [name for name in one.formats if name not in report.formats]
        report.names |= one.names
        report.notes += [f"{relative}: {note}" for note in one.notes]
        for key, value in one.facts.items():
            report.facts.setdefault(key, value)
    reasons += tree.unseen
    reasons += repository.together(tree, run)
    report.reasons = _unique(iter(reasons))
    return report


#: Endings that promise weights: a file of unknown content under them is worth saying so.
_WEIGHTS = frozenset(
    ".bin .pt .pth .ckpt .pkl .pickle .joblib .h5 .keras .onnx .pb .tflite .gguf .ggml .safetensors .npy .npz .model"
    " .mlmodel .msgpack .engine .plan .pdparams .params .weights .dat".split()
)


def walk(folder: Path) -> Iterator[tuple[str, Reason | None]]:
    """Relative paths of regular files, sorted; links that leave the folder and what cannot be listed as reasons."""
    top = os.path.realpath(folder)
    waiting = [""]
    count = 0
    while waiting:
        prefix = waiting.pop()
        try:
            with os.scandir(os.path.join(folder, prefix)) as listing:  # noqa: PTH118 - plain strings: this is hot
                items = sorted(listing, key=lambda item: item.name, reverse=True)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            yield (
                prefix,
                Reason(Verdict.INCONCLUSIVE, "unreadable", f"the folder cannot be listed: {why}", prefix or "."),
            )
            continue
        for item in items:
            path = f"{prefix}{item.name}"
            if item.is_symlink():
                target = os.path.realpath(item.path)
                if os.path.isdir(target) and top.startswith(target):  # noqa: PTH112
                    continue
                try:
                    regular = stat.S_ISREG(os.stat(target).st_mode)  # noqa: PTH116
                except OSError:
                    continue
                if not target.startswith(top + os.sep) and not _hub_cache(top, target):
                    yield (
                        path,
                        Reason(Verdict.INCONCLUSIVE, "link", "a link leaves the folder and was not followed", path),
                    )
                elif regular and not target.startswith(top + os.sep):
                    yield path, None
            elif item.is_dir(follow_symlinks=False):
                if item.name not in (".git", "__pycache__"):
                    waiting.append(f"{path}/")
            elif item.is_file(follow_symlinks=False):
                count += 1
                if count > MOST_FILES:
                    yield (
                        path,
                        Reason(Verdict.INCONCLUSIVE, "bounds", f"the folder holds more than {MOST_FILES} files", path),
                    )
                    return
                yield path, None


def _hub_cache(top: str, target: str) -> bool:
    """The hub's cache keeps ``snapshots/<commit>`` as links into ``blobs`` beside it."""
    base, mark, _ = top.rpartition("/snapshots/")
    return bool(mark) and target.startswith(base + "/blobs/")


def hash_of(source: Source) -> str:
    """SHA-256 of everything in a source, in lower case."""
    digest = hashlib.sha256()
    at = 0
    while part := source.read(at, _PART):
        digest.update(part)
        at += len(part)
    return digest.hexdigest()


def _unique(reasons: Iterator[Reason]) -> list[Reason]:
    """Each reason once, worst first, order kept."""
    seen = dict.fromkeys(reasons)
    return sorted(seen, key=lambda reason: -reason.verdict)
