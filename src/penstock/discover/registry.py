"""Which collectors there are, and which of them read a path."""

from __future__ import annotations

import functools
import importlib
import os
import pkgutil
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import penstock
from penstock.discover.collector import COLLECTORS, JOINERS
from penstock.graph.vocabulary import Unseen

#: The folders that hold collectors, one file each.
PACKAGES = ("code", "infra", "data", "artifacts", "assistants", "organisation")

_REGISTRATION = re.compile(rb"^(?:@collector|@joiner|\w+ = define)\(", re.MULTILINE)


@functools.cache
def load() -> tuple[Unseen, ...]:
    """Import every collector module once; what does not import comes back, and no scan counts as finished then."""
    broken = []
    for name in PACKAGES:
        package = importlib.import_module(f"penstock.discover.{name}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not _registers(module):
                continue
            try:
                importlib.import_module(module.name)
            except Exception as error:  # the outer edge: a broken plug-in must not take the others with it
                broken.append(
                    Unseen(
                        where=module.name,
                        what="everything this collector reads",
                        why=f"the collector does not load: {type(error).__name__}: {error}",
                        hint="Reinstall Penstock with its dependencies; if it stays, report it",
                        collector=module.name,
                    )
                )
    return tuple(broken)


def _registers(module: pkgutil.ModuleInfo) -> bool:
    """Whether a module holds a collector; the others are imported, with what they need, only by those that use them."""
    spec = module.module_finder.find_spec(module.name, None)
    try:
        source = Path(spec.origin).read_bytes() if spec and spec.origin else b""
    except OSError:  # from an archive: import it to find out
        return True
    return _REGISTRATION.search(source) is not None


def reads() -> dict[str, tuple[str, ...]]:
    """The registered collectors and the patterns they read."""
    return {name: collector.reads for name, collector in COLLECTORS.items()}


def signature() -> str:
    """The registered collectors and joiners with their versions, as one line."""
    names = sorted(f"{name}={collector.version}" for name, collector in COLLECTORS.items())
    return ",".join([*names, *sorted(JOINERS)])


@functools.cache
def code_state() -> str:
    """Changes whenever a file of ours that shapes results changes: release and development alike."""
    root = Path(penstock.__file__).parent
    state = [penstock.__version__]
    for room in ("discover", "inspect", "knowledge", "graph"):
        for folder, _folders, files in os.walk(root / room):
            for name in sorted(files):
                if name.endswith((".py", ".yaml")):
                    about = (Path(folder) / name).stat()
                    state.append(f"{room}/{name}:{about.st_size}:{about.st_mtime_ns}")
    return "\n".join(sorted(state))


class Matcher:
    """Names whose patterns match a path.

    A pattern without a slash is about the file's own name at any depth (``*.py``, ``Dockerfile``); one with a slash
    is about the whole path, where ``**`` stands for any number of folders. Case does not count.
    """

    def __init__(self, patterns: Mapping[str, Iterable[str]]) -> None:
        self._named: dict[str, list[str]] = {}
        self._ending: dict[str, list[str]] = {}
        self._other: list[tuple[str, re.Pattern[str]]] = []
        for name, globs in patterns.items():
            shaped = []
            for glob in {glob.casefold() for glob in globs}:
                if not set("*?[/") & set(glob):
                    self._named.setdefault(glob, []).append(name)
                elif re.fullmatch(r"\*\.[^*?\[/.]+", glob):
                    self._ending.setdefault(glob[2:], []).append(name)
                else:
                    shaped.append(glob_to_regex(glob))
            if shaped:
                self._other.append((name, re.compile("|".join(sorted(shaped)))))

    def names(self, path: str) -> tuple[str, ...]:
        """Names with a pattern that matches, sorted."""
        path = path.casefold()
        file = path.rpartition("/")[2]
        _, dot, ending = file.rpartition(".")
        found = {*self._named.get(file, ()), *(self._ending.get(ending, ()) if dot else ())}
        found.update(name for name, shape in self._other if shape.fullmatch(path))
        return tuple(sorted(found))


def glob_to_regex(glob: str) -> str:
    """The regular expression over a whole path for one glob, in the reading of `Matcher`."""
    out = "" if "/" in glob else "(?:.*/)?"
    glob = glob.removeprefix("/")
    i = 0
    while i < len(glob):
        if glob.startswith("**/", i):
            out, i = out + "(?:[^/]+/)*", i + 3
        elif glob.startswith("**", i):
            out, i = out + ".*", i + 2
        elif glob[i] == "*":
            out, i = out + "[^/]*", i + 1
        elif glob[i] == "?":
            out, i = out + "[^/]", i + 1
        elif glob[i] == "[" and (end := glob.find("]", i + 2)) > 0:
            inner = glob[i + 1 : end].replace("\\", "\\\\")
            out, i = out + "[" + ("^" + inner[1:] if inner[0] == "!" else inner) + "]", end + 1
        else:
            out, i = out + re.escape(glob[i]), i + 1
    return out
