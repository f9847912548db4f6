"""What a global is known to be: rows of the ``model_files`` pack, lists of known names, lists of sinks.

Data only: nothing is looked up in what is installed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal

import msgspec

from penstock.inspect.models.pickle.values import BUILD, CALL, NEW, REFERENCE
from penstock.inspect.models.verdict import Verdict
from penstock.knowledge.pack import PACKS, define_pack, header, load_pack

FOLDER = PACKS / "model_files"
Role = Literal["call", "new", "build", "reference"]
EVERY_ROLE = frozenset((CALL, NEW, BUILD, REFERENCE))


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Names that mean the same.

    of: what kind of names these are: ``python`` globals, or operators and classes of a format.
    names: exact, or with ``.*`` at the end for everything below.
    roles: for clean rows, the uses that are harmless; another use is as good as unknown.
    rule: an argument rule (`penstock.inspect.models.pickle.arguments`) that looks at each call.
    """

    id: str
    of: str = "python"
    verdict: Literal["clean", "review", "suspicious", "malicious"]
    why: str
    names: tuple[str, ...]
    roles: tuple[Role, ...] = ("call", "new", "build", "reference")
    rule: str = ""
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


def _applies(row: Row, example: Any) -> bool:
    found = find(*_split(str(example))) if row.of == "python" else find_other(row.of, str(example))
    return found is not None and found.rule == row.id


define_pack("model_files", Row, check=_applies)


def _split(full: str) -> tuple[str, str]:
    """``module:dotted.name`` or ``module.name``."""
    if ":" in full:
        module, _, name = full.partition(":")
    else:
        module, _, name = full.rpartition(".")
    return module, name


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a name. ``roles`` are the uses for which ``verdict`` clean holds; ``check`` an argument rule."""

    verdict: Verdict
    rule: str
    why: str
    roles: frozenset[str] = EVERY_ROLE
    check: str = ""


@lru_cache(maxsize=4096)
def find(module: str, name: str) -> Known:
    """What a Python global is; never None: what no list knows is said to be unknown."""
    module = canonical(module)
    full = f"{module}.{name}"
    exact, below = _rows("python")
    if row := exact.get(full):
        return row
    parts = name.split(".")
    if any(part.startswith("__") and part.endswith("__") for part in parts) and name != "__main__":
        return Known(Verdict.MALICIOUS, "reach.inner", "reaches into Python's own attributes")
    if reached := _through(module, parts):
        return reached
    top = module.partition(".")[0]
    if roles := known_names(top).get(full):
        return Known(Verdict.CLEAN, "known", f"is known of {top}", roles)
    prefix = full
    while prefix:
        if row := below.get(prefix):
            return row
        prefix = prefix.rpartition(".")[0]
    if sink := sinks(top).get(full):
        return Known(Verdict.MALICIOUS, f"sink.{sink}", f"is a function that {_SINK[sink]}")
    owner = name.rpartition(".")[0]
    if owner and known_names(top).get(f"{module}.{owner}"):
        return Known(Verdict.CLEAN, "known", f"is a method of a class of {top}", frozenset((REFERENCE,)))
    capital = parts[-1].lstrip("_")[:1].isupper()
    if top in _standard():
        if capital:
            return Known(Verdict.SUSPICIOUS, "standard.class", "is no class that models are made of")
        return Known(Verdict.MALICIOUS, "standard.function", "is a function of Python's library that no model calls")
    if known_names(top):
        if capital:
            return Known(Verdict.REVIEW, "unlisted.class", f"is not on the list of {top}")
        return Known(Verdict.SUSPICIOUS, "unlisted.function", f"is not on the list of {top}")
    return Known(Verdict.REVIEW, "unknown", "is code that is known to nobody but its author")


def find_other(of: str, name: str) -> Known | None:
    """What an operator, class or attribute of a format is; None when no row knows it."""
    exact, below = _rows(of)
    if row := exact.get(name):
        return row
    prefix = name
    while prefix:
        if row := below.get(prefix):
            return row
        prefix = prefix.rpartition(".")[0]
    return None


def canonical(module: str) -> str:
    """One name for a module that has several (``posix`` is ``os``, ``__builtin__`` is ``builtins``)."""
    aliases = _aliases()
    prefix = module
    while prefix:
        if prefix in aliases:
            return aliases[prefix] + module[len(prefix) :]
        prefix = prefix.rpartition(".")[0]
    return module


def _through(module: str, parts: list[str]) -> Known | None:
    """A name that is reached through another module's own imports: ``torch.serialization`` + ``os.system``."""
    modules = _reachable()
    for index, part in enumerate(parts):
        if part in modules and (index < len(parts) - 1 or module != part):
            tail = ".".join(parts[index + 1 :])
            return Known(
                Verdict.MALICIOUS,
                "reach.module",
                f"reaches the module {part} through {module}" + (f" ({tail})" if tail else ""),
            )
    return None


@cache
def _rows(of: str) -> tuple[dict[str, Known], dict[str, Known]]:
    exact: dict[str, Known] = {}
    below: dict[str, Known] = {}
    for row in load_pack("model_files").rows:
        if row.of != of:
            continue
        known = Known(Verdict[row.verdict.upper()], row.id, row.why, frozenset(row.roles), row.rule)
        for name in row.names:
            if name.endswith(".*"):
                below[name[:-2]] = known
            else:
                exact[name] = known
    return exact, below


@cache
def _header() -> dict[str, Any]:
    return header("model_files")


@cache
def _aliases() -> dict[str, str]:
    return dict(_header()["aliases"])


@cache
def _standard() -> frozenset[str]:
    """Top-level modules of Python's library, of all versions since 2.7."""
    return frozenset(_header()["standard"].split())


@cache
def _reachable() -> frozenset[str]:
    """Modules whose appearance as an attribute of another one is a way around lists."""
    return frozenset(_header()["reachable"].split())


#: What a mark behind a listed name allows.
_MARKS = {
    "": frozenset((NEW, BUILD, REFERENCE)),
    "+": EVERY_ROLE,
    "=": frozenset((REFERENCE,)),
}
_SINK = {
    "shell": "starts programs",
    "code": "runs text as code",
    "import": "imports what it is told",
    "native": "loads native libraries",
    "network": "reaches the network",
    "delete": "deletes files",
    "pickle": "loads further pickles",
    "write": "writes files",
}


@cache
def known_names(top: str) -> dict[str, frozenset[str]]:
    """Names of one library that were listed from its public classes, with the uses that are harmless."""
    listed: dict[str, frozenset[str]] = {}
    for module, words in _lines("known", top):
        for word in words:
            mark = word[-1] if word[-1] in "+=" else ""
            listed[f"{module}.{word.removesuffix(mark) if mark else word}"] = _MARKS[mark]
    return listed


@cache
def sinks(top: str) -> dict[str, str]:
    """Functions of one library whose source reaches a sink, with the kind of sink."""
    listed: dict[str, str] = {}
    for module, words in _lines("sinks", top):
        kind = "code"
        for word in words:
            if word.endswith(":"):
                kind = word[:-1]
            else:
                listed[f"{module}.{word}"] = kind
    return listed


def _lines(kind: str, top: str) -> list[tuple[str, list[str]]]:
    """``module name name…`` a line; a leading ``#`` says which version the list was made from."""
    if not top.isidentifier():
        return []
    place = FOLDER / kind / f"{top}.txt"
    if not place.is_file():
        return []
    lines = place.read_text(encoding="utf-8").splitlines()
    return [(words[0], words[1:]) for line in lines if line[:1] != "#" and (words := line.split())]
