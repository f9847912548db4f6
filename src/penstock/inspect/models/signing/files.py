"""Whether the files of a model are those that a manifest lists: none other, none changed, none missing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from penstock.errors import NotReachable
from penstock.inspect.models.signing.bundle import Manifest, Stretch
from penstock.inspect.models.source import OpenFile

#: Left out by every signer of the format.
_ALWAYS = frozenset({".git", ".gitignore", ".gitattributes", ".github"})
_HASHES: dict[str, Callable[[], Any]] = {"sha256": hashlib.sha256, "blake2b": hashlib.blake2b}
_PART = 1 << 20


def differences(
    model: Path, manifest: Manifest, signature: Path, read: Callable[[int], None] = lambda _: None
) -> Iterator[str]:
    """What is not as it was signed, in words. ``read`` is told of bytes as they are hashed."""
    here = dict(_listed(model, manifest, signature))
    by_file: dict[str, list[Stretch]] = {}
    for stretch in manifest.stretches:
        by_file.setdefault(stretch.name, []).append(stretch)
    yield from (f"{name} is not there" for name in by_file if name not in here)
    yield from (f"{name} is not covered by the signature" for name in here if name not in by_file)
    for name, stretches in by_file.items():
        if (path := here.get(name)) is not None:
            yield from _changed(name, path, stretches, read)


def _changed(name: str, path: Path, stretches: list[Stretch], read: Callable[[int], None]) -> Iterator[str]:
    try:
        source = OpenFile(str(path), follow=True)
    except NotReachable as error:
        yield f"{name}: {error.message}"
        return
    try:
        at = 0
        for stretch in sorted(stretches, key=lambda each: each.start):
            make = _HASHES.get(stretch.algorithm)
            if make is None:
                yield f"{name} is hashed with {stretch.algorithm[:20]}, which is not known here"
                return
            end = source.size if stretch.end is None else stretch.end
            if stretch.start != at or end > source.size:
                yield f"{name} is longer or shorter than what was signed"
                return
            digest = make()
            while at < end and (part := source.read(at, min(_PART, end - at))):
                digest.update(part)
                at += len(part)
                read(len(part))
            if digest.hexdigest() != stretch.digest:
                yield f"{name} is not what was signed"
                return
        if at < source.size:
            yield f"{name} is longer than what was signed"
    finally:
        source.close()


def _listed(model: Path, manifest: Manifest, signature: Path) -> Iterator[tuple[str, Path]]:
    """Every file of the model that a signature has to cover; a link counts as a file, wherever it leads."""
    if model.is_file():
        yield model.name, model
        return
    own = signature.resolve()
    for folder, folders, names in os.walk(model):
        inside = Path(folder)
        names += [name for name in folders if (inside / name).is_symlink()]
        for name in sorted(names):
            place = inside / name
            relative = place.relative_to(model).as_posix()
            if relative.split("/")[0] in _ALWAYS or _ignored(relative, manifest.ignored) or place.resolve() == own:
                continue
            yield relative, place


def _ignored(name: str, ignored: tuple[str, ...]) -> bool:
    return any(name == path or name.startswith(f"{path}/") for path in ignored)
