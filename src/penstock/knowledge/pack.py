"""Data packs: what Penstock knows about the world, as YAML rows that are validated when they are loaded.

A pack is ``packs/<name>.yaml``, or the files of a folder ``packs/<name>/**.yaml`` (``load_pack`` joins them, sorted by
path). A file holds a list of rows, or a mapping with ``rows`` beside a header, or, where it has no ``rows``, one row.
Files whose name starts with ``_`` hold only a header.

How to add a pack (say ``shapes``), in the module that reads it:

1. A typed row. ``forbid_unknown_fields`` makes a misspelt field an error that names the file and the line::

       class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
           id: str                       # unique in the pack, when the row type has an ``id``
           pattern: str
           yes: tuple[str, ...] = ()
           no: tuple[str, ...] = ()

2. Its definition, at module level, with the checker that runs one example of one row::

       def applies(row: Shape, example: Any) -> bool: ...

       define_pack("shapes", Shape, check=applies)

   ``validate=`` takes a function ``row -> Iterable[str]`` for what types cannot say (its words become errors).
   ``examples=`` takes a function ``row -> Iterable[(expected, example)]`` where the row keeps its examples elsewhere;
   by default they are the fields ``yes``/``no``, ``fires``/``silent``, ``match``/``no_match``, or
   ``examples: {match: [], no_match: []}``.

3. A header that names the reading module, so that the one generic test (``tests/knowledge/test_examples.py``) can
   import it: ``reader: penstock.inspect.shapes`` beside ``rows:`` in the file, or in ``packs/shapes/_pack.yaml``.

4. ``load_pack("shapes").rows`` wherever the rows are needed; the first call parses, later calls are free.

The generic test asks of every row at least one example that must and one that must not apply, and runs them all.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from penstock.errors import NotUnderstood, WrongUse
from penstock.knowledge.kept import keep, kept

PACKS = Path(__file__).parent / "packs"

Row = TypeVar("Row", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Pack(Generic[Row]):
    """The rows of a pack in file order, and where each stands (``file:line``)."""

    name: str
    rows: tuple[Row, ...]
    places: tuple[str, ...]
    header: Mapping[str, Any] = field(default_factory=dict)

    def by_id(self) -> dict[str, Row]:
        """Rows by their ``id`` field."""
        return {row.id: row for row in self.rows}  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Definition:
    """How a pack is read: its row type, further checks at load, and how its examples are run."""

    name: str
    row: type[msgspec.Struct]
    check: Callable[[Any, Any], bool] | None
    validate: Callable[[Any], Iterable[str]] | None
    examples: Callable[[Any], Iterable[tuple[bool, Any]]]


_definitions: dict[str, Definition] = {}
_loaded: dict[str, Pack[Any]] = {}


def define_pack(
    name: str,
    row: type[msgspec.Struct],
    *,
    check: Callable[[Any, Any], bool] | None = None,
    validate: Callable[[Any], Iterable[str]] | None = None,
    examples: Callable[[Any], Iterable[tuple[bool, Any]]] | None = None,
) -> None:
    """Say how the rows of a pack are typed, validated and tried out; reads nothing yet."""
    _definitions[name] = Definition(name, row, check, validate, examples or examples_of)
    _loaded.pop(name, None)


def load_pack(name: str) -> Pack[Any]:
    """The validated rows of a pack, cached for the life of the process.

    Raises:
        WrongUse: nobody defined the pack (import the module that reads it first).
        NotUnderstood: a row does not fit its type, or an id occurs twice; says the file, line and row.
    """
    if name not in _loaded:
        if name not in _definitions:
            raise WrongUse(
                f"No row type is defined for the pack {name!r}", hint="Import the module that reads it first"
            )
        _loaded[name] = _kept(_definitions[name], pack_files(name))
    return _loaded[name]


def definition(name: str) -> Definition:
    """How a pack is read; the module that its header names is imported when it was not yet."""
    if name not in _definitions and (reader := header(name).get("reader")):
        importlib.import_module(str(reader))
    if name not in _definitions:
        raise WrongUse(f"The pack {name!r} names no reader that defines it", str(PACKS / name))
    return _definitions[name]


def pack_names() -> list[str]:
    """Every pack that lies in the packs folder."""
    return sorted({path.stem for path in PACKS.iterdir() if path.suffix == ".yaml" or path.is_dir()})


def pack_files(name: str) -> list[Path]:
    """The files of a pack, header files included, sorted."""
    single = PACKS / f"{name}.yaml"
    files = ([single] if single.is_file() else []) + sorted((PACKS / name).rglob("*.yaml"))
    if not files:
        raise WrongUse(f"There is no pack {name!r}", str(PACKS), f"Known: {', '.join(pack_names())}")
    return files


def header(name: str) -> dict[str, Any]:
    """What the files of a pack say beside their rows."""
    found: dict[str, Any] = {}
    for path in pack_files(name):
        document = _parse(path)
        if isinstance(document, dict) and ("rows" in document or path.name.startswith("_")):
            found |= {key: value for key, value in document.items() if key != "rows"}
    return found


def read_pack(how: Definition, files: Iterable[Path]) -> Pack[Any]:
    """Parse and validate files as one pack."""
    rows: list[Any] = []
    places: list[str] = []
    seen: dict[str, str] = {}
    said: dict[str, Any] = {}
    for path in files:
        document = _parse(path)
        if isinstance(document, dict) and ("rows" in document or path.name.startswith("_")):
            said |= {key: value for key, value in document.items() if key != "rows"}
            document = document.get("rows")
        listed = document if isinstance(document, list) else [] if document is None else [document]
        for index, raw in enumerate(listed):
            try:
                row = msgspec.convert(raw, how.row)
            except msgspec.ValidationError as error:
                raise NotUnderstood(
                    f"Row {index + 1} of pack {how.name!r} is wrong: {error}", _place(path, index)
                ) from error
            for problem in how.validate(row) if how.validate else ():
                raise NotUnderstood(f"Row {index + 1} of pack {how.name!r} is wrong: {problem}", _place(path, index))
            if name := getattr(row, "id", None):
                if name in seen:
                    raise NotUnderstood(
                        f"The id {name!r} occurs twice in pack {how.name!r}",
                        _place(path, index),
                        f"First: {seen[name]}",
                    )
                seen[name] = f"{path.name}, row {index + 1}"
            rows.append(row)
            places.append(f"{path.name} row {index + 1}")
    return Pack(how.name, tuple(rows), tuple(places), said)


def _kept(how: Definition, files: list[Path]) -> Pack[Any]:
    """The pack as an earlier process read it from the same files with the same code, or read now: YAML is slow."""
    modules = {part.__module__ for part in (how.row, how.validate, read_pack) if part is not None}
    code = (Path(path) for name in sorted(modules) if (path := sys.modules[name].__file__))
    sources = [how.name.encode(), *(path.read_bytes() for path in (*files, *code))]
    shape: Any = tuple[tuple[how.row, ...], tuple[str, ...], dict[str, Any]]  # type: ignore[name-defined]
    if (data := kept("pack", sources)) is not None:
        with contextlib.suppress(msgspec.DecodeError):  # a torn file costs one reading of the pack
            return Pack(how.name, *msgspec.msgpack.decode(data, type=shape))
    pack = read_pack(how, files)
    whole = (pack.rows, pack.places, dict(pack.header))
    with contextlib.suppress(TypeError, NotImplementedError, msgspec.DecodeError):
        data = msgspec.msgpack.encode(whole)
        if msgspec.msgpack.decode(data, type=shape) == whole:  # not so with a date in a field of any type
            keep("pack", sources, data)
    return pack


def _row(how: Definition, index: int) -> str:
    return f"Row {index + 1} of pack {how.name!r}"


def examples_of(row: Any) -> Iterator[tuple[bool, Any]]:
    """(expected, example) pairs of a row, from whichever of the usual fields it has."""
    grouped = getattr(row, "examples", None)
    if grouped is not None:
        if not isinstance(grouped, Mapping):
            grouped = {name: getattr(grouped, name, None) for name in ("match", "no_match")}
        yield from ((True, example) for example in grouped.get("match") or ())
        yield from ((False, example) for example in grouped.get("no_match") or ())
    pairs = [("yes", True), ("no", False), ("fires", True), ("silent", False)]
    if hasattr(row, "no_match"):
        pairs += [("match", True), ("no_match", False)]
    for name, expected in pairs:
        for example in getattr(row, name, None) or ():
            yield expected, example


def _parse(path: Path) -> Any:
    import yaml

    try:
        return yaml.load(path.read_bytes(), Loader=_loader())  # noqa: S506 (a safe loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise NotUnderstood("The pack is not readable as YAML", where, str(getattr(error, "problem", error))) from error


@cache
def _loader() -> Any:
    """A safe loader to which only true and false are booleans, so that ``yes`` and ``no`` can be field names."""
    import yaml

    kind = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    resolvers = {
        first: [(tag, shape) for tag, shape in rows if first in "tTfF" or tag != "tag:yaml.org,2002:bool"]
        for first, rows in kind.yaml_implicit_resolvers.items()
    }
    return type("PackLoader", (kind,), {"yaml_implicit_resolvers": resolvers})


def _place(path: Path, index: int) -> str:
    """``file:line`` of a row; parsed again with marks, because only errors need it."""
    import yaml

    node: Any = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    if isinstance(node, yaml.MappingNode):
        node = next((value for key, value in node.value if key.value == "rows"), node)
    if isinstance(node, yaml.SequenceNode) and index < len(node.value):
        node = node.value[index]
    return f"{path}:{node.start_mark.line + 1}" if node else str(path)
