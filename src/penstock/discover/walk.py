"""The files of a tree, and what was left out. Nothing in the tree can shorten the list without a note."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from pathlib import Path

from penstock.graph.vocabulary import Unseen

#: Whole content up to here; above, data files are sampled and others skipped.
LARGEST_FILE = 5 * 1024 * 1024
#: How much of a larger data file is read.
SAMPLE = 4 * 1024 * 1024
#: Ends of files of which a first part is read, however large they are.
SAMPLED = (".sql",)
#: Ends of files whose readers look at bounded places of the whole, however large it is.
LARGE = (
    ".csv", ".tsv", ".psv", ".jsonl", ".ndjson", ".parquet", ".arrow", ".feather", ".avro", ".sqlite", ".sqlite3",
    ".db", ".db3", ".xlsx", ".xls", ".xlsb", ".ods", ".pdf", ".docx", ".mbox", ".log", ".txt", ".faiss",
    ".gguf", ".ggml", ".safetensors", ".pkl", ".pickle", ".joblib", ".dill", ".sav", ".pt", ".pt2", ".ptl", ".pth",
    ".ckpt", ".bin", ".onnx", ".h5", ".hdf5", ".keras", ".npy", ".npz", ".tflite", ".pb", ".mlmodel", ".msgpack",
    ".skops", ".mar", ".nemo", ".pdparams", ".pdmodel", ".cbm", ".ubj", ".rds", ".llamafile", ".engine",
)  # fmt: skip
#: Bounds of one source; what is beyond is reported. The largest monorepos known hold ~400,000 files.
MOST_FILES, DEEPEST = 500_000, 64

#: Folders that hold no work of their own: history, installed packages, caches.
_FOLDERS = {
    **dict.fromkeys((".git", ".hg", ".svn"), "version history is read through git, not as files"),
    **dict.fromkeys(
        ("node_modules", "bower_components", "site-packages", "vendor", ".venv", "venv", ".virtualenv", ".terraform"),
        "third-party code",
    ),
    **dict.fromkeys(
        ("__pycache__", ".tox", ".nox", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".gradle", ".next", ".nuxt",
         ".parcel-cache", ".turbo", ".svelte-kit", ".ipynb_checkpoints", "dist"),
        "build output or cache",
    ),
}  # fmt: skip
#: Build output only beside the manifest of a tool that writes it; else people keep Dockerfiles there.
_BUILT_BESIDE = {
    "build": {"setup.py", "pyproject.toml", "package.json", "build.gradle", "build.gradle.kts", "cmakelists.txt"},
    "target": {"pom.xml", "cargo.toml", "build.sbt"},
    "out": {"package.json", "tsconfig.json"},
}
_LOCKS = frozenset(
    ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "poetry.lock",
     "uv.lock", "pdm.lock", "pipfile.lock", "cargo.lock", "go.sum", "composer.lock", "gemfile.lock", "flake.lock")
)  # fmt: skip
_MINIFIED = (".min.js", ".min.css", ".min.mjs", ".bundle.js", ".js.map", ".css.map", ".mjs.map")


@dataclass(frozen=True, slots=True)
class Entry:
    """A regular file: its path in the source, its place on disk, and what tells whether it changed."""

    path: str
    place: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


@dataclass(slots=True)
class Walk:
    """What a walk gave: files in a stable order, and notes on what was left out."""

    entries: list[Entry] = field(default_factory=list)
    unseen: list[Unseen] = field(default_factory=list)


def walk(
    root: Path, scope: str, *, excluded: Callable[[str], bool], without: Container[str] = (), own: Container[str] = ()
) -> Walk:
    """Every regular file below ``root``, symbolic links not followed.

    Args:
        excluded: whether the operator excludes a path (relative, forward slashes).
        without: folders (paths on disk) that are sources by themselves.
        own: folders (real paths) that belong to Penstock: the state directory.
    """
    found = Walk()
    skipped: Counter[tuple[str, str]] = Counter()
    top = os.path.realpath(root)
    waiting: list[tuple[str, str, int]] = [(os.fspath(root), "", 0)]
    while waiting:
        folder, prefix, depth = waiting.pop()
        try:
            with os.scandir(folder) as listing:
                items = sorted(listing, key=lambda item: item.name)
        except OSError as error:
            found.unseen.append(unreadable(prefix or ".", "folder", error, scope))
            continue
        names = {item.name.casefold() for item in items}
        folders = []
        for item in items:
            path = prefix + clean(item.name)
            try:
                if item.is_symlink():
                    if why := _link(item.path, top):
                        skipped[prefix, why] += 1
                elif item.is_dir(follow_symlinks=False):
                    if item.path in without:
                        pass
                    elif os.path.realpath(item.path) in own if own else False:
                        skipped[path + "/", "Penstock's own state"] += 1
                    elif why := _left_out(item.name.casefold(), names):
                        skipped[path + "/", why] += 1
                    elif excluded(path):
                        skipped[path + "/", "excluded by the operator"] += 1
                    elif depth >= DEEPEST:
                        found.unseen.append(_beyond(path, f"folders are nested deeper than {DEEPEST}", scope))
                    else:
                        folders.append((item.path, path + "/", depth + 1))
                else:
                    about = item.stat(follow_symlinks=False)
                    if not stat.S_ISREG(about.st_mode):
                        skipped[prefix, "no regular file (pipe, socket or device)"] += 1
                    elif why := _file_left_out(item.name.casefold()):
                        skipped[prefix, why] += 1
                    elif excluded(path):
                        skipped[prefix, "excluded by the operator"] += 1
                    else:
                        found.entries.append(
                            Entry(path, item.path, about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino)
                        )
            except OSError as error:  # vanished, or on a disk that fails
                found.unseen.append(unreadable(path, "file", error, scope))
        if len(found.entries) > MOST_FILES:
            found.unseen.append(_beyond(prefix, f"the source holds more than {MOST_FILES:,} files", scope))
            break
        waiting.extend(reversed(folders))
    for (where, why), count in sorted(skipped.items()):
        what = "folder" if where.endswith("/") and count == 1 and why in _WHOLE else f"{count} file{'s'[: count > 1]}"
        found.unseen.append(Unseen(where or ".", what, why, scope=scope, skipped=True))
    return found


def read(entry: Entry, most: int) -> bytes:
    """The content up to ``most`` bytes, never through a link and never from what is no regular file.

    Raises:
        OSError: it cannot be read, or is no longer the file that was listed.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(entry.place, flags | getattr(os, "O_CLOEXEC", 0))
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError("it is no regular file any more")
        parts = []
        left = most
        while left > 0 and (part := os.read(handle, min(left, 1 << 20))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    finally:
        os.close(handle)


def unreadable(path: str, what: str, error: OSError, scope: str) -> Unseen:
    """The row for what the system does not let us read."""
    why = (error.strerror or str(error)).lower()
    hint = "Let the scanning user read it" if isinstance(error, PermissionError) else "Check the disk and scan again"
    return Unseen(path, what, f"cannot be read: {why}", hint, scope=scope)


def clean(name: str) -> str:
    """A name that can be printed and stored, whatever bytes the file system holds."""
    return os.fsencode(name).decode("utf-8", "replace")


_WHOLE = frozenset({*_FOLDERS.values(), "build output", "excluded by the operator", "Penstock's own state"})


def _left_out(name: str, beside: set[str]) -> str:
    if why := _FOLDERS.get(name):
        return why
    if name.endswith(".git"):
        return _FOLDERS[".git"]
    return "build output" if _BUILT_BESIDE.get(name, set()) & beside else ""


def _file_left_out(name: str) -> str:
    if name in _LOCKS:
        return "lock file"
    return "minified or generated" if name.endswith(_MINIFIED) else ""


def _link(place: str, top: str) -> str:
    """Why a link is worth a note; empty when what it points to is in the tree and so is seen there."""
    target = os.path.realpath(place)
    if target != top and not target.startswith(top.rstrip(os.sep) + os.sep):
        return "symbolic link that leaves the tree"
    if not os.path.exists(target):  # noqa: PTH110 - a cycle resolves to a path that does not exist
        return "symbolic link that leads nowhere"
    return "symbolic link to a folder above it" if place.startswith(target.rstrip(os.sep) + os.sep) else ""


def _beyond(path: str, why: str, scope: str) -> Unseen:
    return Unseen(path or ".", "the rest", why, "Scan its parts as sources of their own", scope=scope)
