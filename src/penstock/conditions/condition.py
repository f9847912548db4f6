"""A compiled condition: values in; true, false or unknown out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

from penstock.conditions.engines import ENGINES, Program, default
from penstock.conditions.known import names, surely
from penstock.conditions.schema import SCALARS, SCHEMAS, Checker, Field
from penstock.conditions.syntax import Binary, Items, Loop, Name, Node, Not, children, parse, walk
from penstock.errors import NotUnderstood

#: Loop turns one evaluation may take, below the C++ engine's own budget of 10,000. Longer lists make it unknown.
MAX_TURNS = 8_000
#: A scalar variable always has a value; one that is not given has none of it.
_EMPTY: Mapping[str, Any] = {"text": "", "words": [], "number": 0.0, "flag": False}


@dataclass(frozen=True, slots=True)
class Unknown:
    """Neither true nor false: it hangs on properties of which nothing is known, such as ``agent.exposure``."""

    missing: tuple[str, ...]

    def __bool__(self) -> bool:
        raise TypeError("An unknown condition is neither true nor false; compare it with `is True` or `is False`")


def compile(
    source: str,
    variables: Mapping[str, str],
    *,
    schemas: Mapping[str, Mapping[str, Field]] = SCHEMAS,
    engine: str | None = None,
) -> Condition:
    """Check and compile a condition.

    Args:
        variables: name → type: a schema's name (``asset``) or text, flag, number, words.
        schemas: the declared fields of each type.
        engine: ``cpp`` or ``rust``; the one installed when left out.
    Raises:
        NotUnderstood: it is not in the dialect, names something undeclared, or compares what can never be equal.
    """
    tree = parse(source)
    if (found := Checker(source, variables, schemas).check(tree).type) != "flag":
        raise NotUnderstood(f"The condition answers a {found}, not true or false", source, "Compare it with something")
    return Condition(source, tree, dict(variables), schemas, engine or default())


class Condition:
    """Three-valued: *unknown* when an absent property decides, absorbed by ``&&`` and ``||`` as in logic."""

    def __init__(
        self,
        source: str,
        tree: Node,
        variables: Mapping[str, str],
        schemas: Mapping[str, Mapping[str, Field]],
        engine: str,
    ) -> None:
        self.source = source
        self.tree = tree
        self.variables = variables
        self._schemas = schemas
        self._engine = engine
        self._nests = list(_nests(tree, ()))
        #: Variable → the fields of it that are read, also by ``has()``.
        self.reads = _reads(tree, variables)
        self._programs: dict[tuple[int, bool], Program] = {}

    def __repr__(self) -> str:
        return f"Condition({self.source!r})"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every property it reads, as written."""
        return tuple(".".join(parts) for parts in names(self.tree))

    def conjuncts(self) -> list[Condition]:
        """The parts joined by ``&&`` at the top, in order: each may be asked as soon as its variables are bound."""
        parts: list[Node] = [self.tree]
        while isinstance(first := parts[0], Binary) and first.sign == "&&":
            parts[:1] = [first.left, first.right]
        return [Condition(self.source, part, self.variables, self._schemas, self._engine) for part in parts]

    @cached_property
    def uses(self) -> frozenset[str]:
        """The variables it speaks of."""
        return frozenset(part.parts[0] for part in walk(self.tree) if isinstance(part, Name)) & frozenset(
            self.variables
        )

    def evaluate(self, values: Mapping[str, Any]) -> bool | Unknown:
        """True, False, or Unknown with what is missing. ``values``: variable → mapping of fields, or a scalar."""
        given = {name: self._given(name, values.get(name)) for name in self.variables}
        if long := self._too_long(given):
            return Unknown(long)
        if self._ask(self.tree, True, given):
            return True
        if self._ask(self.tree, False, given):
            return False
        return Unknown(tuple(dict.fromkeys(self._missing(self.tree, given))))

    def _ask(self, node: Node, value: bool, given: dict[str, Any]) -> bool:
        key = (id(node), value)
        if key not in self._programs:
            types = {name: type if type in SCALARS else "record" for name, type in self.variables.items()}
            self._programs[key] = ENGINES[self._engine](surely(node, value), types)
        return self._programs[key](given)

    def _missing(self, node: Node, given: dict[str, Any]) -> list[str]:
        """The absent properties that keep this part from being known."""
        if isinstance(node, Not) or (isinstance(node, Binary) and node.sign in ("&&", "||")):
            parts = [
                part for part in children(node) if not (self._ask(part, True, given) or self._ask(part, False, given))
            ]
            return [name for part in parts for name in self._missing(part, given)]
        return [".".join(parts) for parts in names(node) if not _there(parts, given)]

    def _given(self, name: str, value: Any) -> Any:
        """What the engine sees of a variable: the fields that the condition reads and that hold their type."""
        type = self.variables[name]
        if type in SCALARS:
            return (
                _typed(value, type) if value is not None else {"text": "", "words": [], "number": 0.0}.get(type, False)
            )
        fields, held = self._schemas[type], value or {}
        found = {field: _typed(held.get(field), fields[field].type) for field in self.reads.get(name, ())}
        return {field: item for field, item in found.items() if item is not None}

    def _too_long(self, given: dict[str, Any]) -> tuple[str, ...]:
        for nest in self._nests:
            lengths = [
                len(over.items) if isinstance(over, Items) else len(_value(over.parts, given) or ()) for over in nest
            ]
            if prod(max(1, length) for length in lengths) > MAX_TURNS:
                return tuple(".".join(over.parts) + " (too long)" for over in nest if isinstance(over, Name))
        return ()


def _reads(tree: Node, variables: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in walk(tree):
        if isinstance(part, Name) and len(part.parts) > 1 and part.parts[0] in variables:
            found.setdefault(part.parts[0], []).append(part.parts[1])
    return {name: list(dict.fromkeys(fields)) for name, fields in found.items()}


def _nests(node: Node, outer: tuple[Name | Items, ...]) -> list[tuple[Name | Items, ...]]:
    if isinstance(node, Loop) and isinstance(node.over, Name | Items):
        nest = (*outer, node.over)
        return [nest, *_nests(node.body, nest)]
    return [found for child in children(node) for found in _nests(child, outer)]


def _typed(value: Any, type: str) -> Any:
    """The value as its declared type, None when it is absent or of another type."""
    match type:
        case "number" if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        case "flag" if isinstance(value, bool):
            return value
        case "text" if isinstance(value, str):
            return value
        case "words" if isinstance(value, list | tuple | set | frozenset):
            return sorted(item for item in value if isinstance(item, str))
        case "record" if isinstance(value, Mapping):
            return {str(key): str(item) for key, item in value.items()}
    return None


def _value(parts: tuple[str, ...], given: Mapping[str, Any]) -> Any:
    value: Any = given
    for part in parts:
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def _there(parts: tuple[str, ...], given: Mapping[str, Any]) -> bool:
    return _value(parts, given) is not None
