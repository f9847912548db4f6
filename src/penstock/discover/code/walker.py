"""One pass over a syntax tree: what every language's walk shares. Nothing calls itself, so depth costs no stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from tree_sitter import Language, Node

from penstock.discover.code.ir import MAX_ITEMS, RETURNS, Builder

#: What a kind of node means: called with the walk, the node, the row to fill (-1: its value is not asked for), a scope.
Handler = Callable[[Any, Node, int, int], None]
Table = Mapping[str, Handler]
#: The number of a node that stands for what the grammar does not know.
_ERROR = 65535


class Meaning(NamedTuple):
    """What a kind of node means. A leaf holds nothing to look into, so that unasked for it is passed by."""

    handler: Handler | None
    leaf: bool


def leaf(handler: Handler) -> Handler:
    """Mark a handler that only fills its row."""
    handler.leaf = True  # type: ignore[attr-defined]
    return handler


class Walker:
    """The walk over one file. A language is a subclass: a table of node types and what they mean.

    A handler asks for the rows of the parts it needs with ``want`` (they are filled later), and fills its own. Nodes
    without a handler are walked through to what is in them.
    """

    #: Node type → what it means.
    table: ClassVar[Table]
    #: The function of the standard library that reads the environment, as names: ``("os", "Getenv")``.
    reads_environment: ClassVar[tuple[str, str]] = ("os", "getenv")

    def __init__(self, builder: Builder) -> None:
        self.ir = builder
        self.stack: list[tuple[Node, int, int]] = []
        self.meanings: Sequence[Meaning] = ()

    @classmethod
    def meanings_in(cls, grammar: Language) -> list[Meaning]:
        """The table by the grammar's own numbers, which nodes give without making a string."""
        handlers = [cls.table.get(grammar.node_kind_for_id(kind) or "") for kind in range(grammar.node_kind_count)]
        return [Meaning(handler, getattr(handler, "leaf", False)) for handler in handlers]

    def run(self, root: Node, meanings: Sequence[Meaning]) -> None:
        """Visit every node, each once, until the bound on rows is met."""
        stack, rows, most = self.stack, self.ir.expressions, self.ir.most
        self.meanings = meanings
        stack.append((root, -1, 0))
        while stack:
            node, index, scope = stack.pop()
            kind = node.kind_id
            handler = meanings[kind].handler if kind != _ERROR else None
            if handler is None:
                self.descend(node.named_children, scope)
            else:
                handler(self, node, index, scope)
                if len(rows) >= most:
                    return

    def want(self, node: Node | None, scope: int) -> int:
        """The row that will hold the expression; -1 for none."""
        if node is None:
            return -1
        rows = self.ir.expressions
        index = len(rows)
        rows.append(["?", node.start_point[0] + 1])
        kind = node.kind_id
        if kind != _ERROR and (meaning := self.meanings[kind]).leaf:
            meaning.handler(self, node, index, scope)  # type: ignore[misc]
        else:
            self.stack.append((node, index, scope))
        return index

    def descend(self, nodes: Sequence[Node], scope: int) -> None:
        """Look into nodes whose own value is not asked for, first one first."""
        meanings = self.meanings
        for node in reversed(nodes):
            kind = node.kind_id
            if kind == _ERROR or not meanings[kind].leaf:
                self.stack.append((node, -1, scope))

    def literal(self, text: str, row: int) -> int:
        """A new row with a string."""
        index = self.ir.reserve(row)
        self.ir.text(index, text)
        return index

    def template(self, index: int, parts: Sequence[int | str], row: int) -> None:
        """Fill a row with texts and rows joined; texts alone are one string."""
        if len(parts) == 1 and isinstance(parts[0], str):
            self.ir.text(index, parts[0])
            return
        joined: list[int | str] = []
        for part in parts:
            if isinstance(part, str) and joined and isinstance(joined[-1], str):
                joined[-1] += part
            elif part != "":
                joined.append(part)
        if all(isinstance(part, str) for part in joined):
            self.ir.text(index, "".join(map(str, joined)))
        else:
            rows = [part if isinstance(part, int) else self.literal(part, row) for part in joined]
            self.ir.fill(index, "f", rows)

    def environment(self, name: str, default: str | None, row: int, scope: int) -> int:
        """A new row with what the environment holds under a name, or the default."""
        module, function = self.reads_environment
        callee = self.ir.add(row, "a", self.ir.add(row, "r", module, 0), function)
        choices = [self.ir.add(row, "c", callee, [self.literal(name, row)], {}, scope, self.ir.line(row))]
        if default:
            choices.append(self.literal(default, row))
        return self.ir.add(row, "o", choices)

    def returns(self, function: int, node: Node | None) -> None:
        """What a function gives back."""
        self.ir.scopes[function][RETURNS].append(self.want(node, function))

    def set(self, base: int, name: str, value: int, row: int, scope: int) -> None:
        """``base.name = value``"""
        self.ir.sets.append([scope, base, name, value, self.ir.line(row)])


# nodes


def text(node: Node | None) -> str:
    """The source text of a node; empty for none."""
    raw = node.text if node is not None else None
    return raw.decode("utf-8", "replace") if raw else ""


def first(node: Node | None) -> Node | None:
    """The first part of a node that is no comment."""
    for child in node.named_children if node is not None else ():
        if not child.is_extra:
            return child
    return None


def parts(node: Node | None) -> list[Node]:
    """The parts of a node without comments; of a very long list only the first."""
    return [c for c in node.named_children[:MAX_ITEMS] if not c.is_extra] if node is not None else []


def of_kind(node: Node | None, kind: str) -> Node | None:
    """The first part of a node that has this type."""
    return next((c for c in node.named_children if c.type == kind), None) if node is not None else None


def unescaped(node: Node, escapes: Mapping[str, str]) -> str:
    """The content of a string literal whose grammar makes each escape a node of its own."""
    found = []
    for child in node.named_children:
        piece = text(child)
        found.append(escapes.get(piece, piece) if child.type == "escape_sequence" else piece)
    return "".join(found)
