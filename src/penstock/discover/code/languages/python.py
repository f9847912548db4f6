"""Python: what its syntax means in the IR."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import tree_sitter_python
from tree_sitter import Node

from penstock.discover.code import expressions
from penstock.discover.code.ir import BASES, CLASS, DECORATORS, FUNCTION, MAX_ITEMS, PARAMS
from penstock.discover.code.language import Language, define
from penstock.discover.code.walker import Table, Walker, first, text

#: Wherever the words stand: in a notebook's JSON, in a line with others.
IMPORTS = re.compile(
    rb"\bfrom[ \t]+(?P<module>[\w.]+)[ \t\\\r\n]*import\b[ \t\\]*(?P<names>\([^)]{0,20000}|[^\n;#]{0,5000})"
    rb"|\bimport[ \t]+(?P<modules>[^\n;#]{1,5000})"
)
_ESCAPES = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\'": "'", "\\\\": "\\", "\\\n": "", "\\r": "\r"}


class PythonWalker(Walker):
    """The walk over a Python file."""

    reads_environment = ("os", "getenv")

    # statements

    def expression_statement(self, node: Node, index: int, scope: int) -> None:
        children = node.named_children
        if len(children) == 1 and children[0].type in ("string", "concatenated_string"):
            return  # a docstring or a commented-out block
        self.descend(children, scope)

    def import_(self, node: Node, index: int, scope: int) -> None:
        line = self.ir.line(node.start_point[0])
        for child in node.children_by_field_name("name"):
            if child.type == "aliased_import":
                module, alias = text(child.child_by_field_name("name")), text(child.child_by_field_name("alias"))
                self.ir.imports.append([scope, alias, module, "", line])
            else:
                module = text(child)
                head = module.partition(".")[0]
                self.ir.imports.append([scope, head, head, "", line])
                if head != module:
                    self.ir.imports.append([scope, "", module, "", line])

    def import_from(self, node: Node, index: int, scope: int) -> None:
        module = text(node.child_by_field_name("module_name"))
        for child in node.children_by_field_name("name"):
            line = self.ir.line(child.start_point[0])
            if child.type == "aliased_import":
                name, alias = text(child.child_by_field_name("name")), text(child.child_by_field_name("alias"))
            else:
                name = alias = text(child)
            self.ir.imports.append([scope, alias, module, name, line])
        if any(child.type == "wildcard_import" for child in node.named_children):
            self.ir.imports.append([scope, "*", module, "*", self.ir.line(node.start_point[0])])

    def definition(self, node: Node, index: int, scope: int) -> None:
        self.define(node, scope, [], index)

    def decorated(self, node: Node, index: int, scope: int) -> None:
        if definition := node.child_by_field_name("definition"):
            self.define(definition, scope, [c for c in node.named_children if c.type == "decorator"])

    def define(self, node: Node, scope: int, decorators: list[Node], index: int = -1) -> None:
        """A function, class or lambda."""
        name = text(node.child_by_field_name("name"))
        kind = CLASS if node.type == "class_definition" else FUNCTION
        inner = self.ir.scope(kind, name, scope, node.start_point[0], node.end_point[0])
        row = self.ir.scopes[inner]
        row[DECORATORS] = [self.want(d.named_children[0], scope) for d in decorators if d.named_children]
        if kind == CLASS:
            bases = node.child_by_field_name("superclasses")
            row[BASES] = [
                self.want(b, scope) for b in (bases.named_children if bases else ()) if b.type != "keyword_argument"
            ]
        else:
            self.parameters(node.child_by_field_name("parameters"), inner, scope)
        if body := node.child_by_field_name("body"):
            if node.type == "lambda":
                self.returns(inner, body)
            else:
                self.stack.append((body, -1, inner))
        if index >= 0:
            self.ir.fill(index, "x", inner)

    def parameters(self, node: Node | None, inner: int, scope: int) -> None:
        row = self.ir.scopes[inner]
        for child in node.named_children if node else ():
            name = child.child_by_field_name("name")
            if name is None:
                name = child if child.type == "identifier" else (child.named_children or [child])[0]
            if child.type in ("list_splat_pattern", "dictionary_splat_pattern", "comment"):
                continue
            default, kind = self.want(child.child_by_field_name("value"), scope), child.child_by_field_name("type")
            row[PARAMS].append([text(name), default, self.want(first(kind), scope)])

    def assignment(self, node: Node, index: int, scope: int) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None:
            return
        if right is None:  # an annotation alone: a field without a default
            if left.type == "identifier":
                self.ir.bind(scope, text(left), -1, left.start_point[0])
            return
        value = self.want(right, scope)
        if node.type == "augmented_assignment":
            return
        self.assign(left, value, scope)
        if index >= 0:
            self.ir.fill(index, "*", value)

    def assign(self, left: Node, value: int, scope: int) -> None:
        todo = [(left, value)]
        while todo:
            target, value = todo.pop()
            row = target.start_point[0]
            if target.type == "identifier":
                self.ir.bind(scope, text(target), value, row)
            elif target.type == "attribute":
                base = self.want(target.child_by_field_name("object"), scope)
                self.set(base, text(target.child_by_field_name("attribute")), value, row, scope)
            elif target.type == "subscript":
                key = target.child_by_field_name("subscript")
                if key is not None and key.type == "string":
                    self.set(self.want(target.child_by_field_name("value"), scope), _plain(key), value, row, scope)
            elif target.type in ("pattern_list", "tuple_pattern", "list_pattern"):
                for place, name in enumerate(target.named_children[:50]):
                    todo.append((name, self.ir.add(row, "i", value, self.ir.add(row, "n", place))))

    def named(self, node: Node, index: int, scope: int) -> None:
        value = self.want(node.child_by_field_name("value"), scope)
        if name := node.child_by_field_name("name"):
            self.ir.bind(scope, text(name), value, name.start_point[0])
        if index >= 0:
            self.ir.fill(index, "*", value)

    def for_(self, node: Node, index: int, scope: int) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is not None and right is not None:
            item = self.ir.add(left.start_point[0], "e", self.want(right, scope))
            self.assign(left, item, scope)
        self.descend([child for child in node.named_children if child not in (left, right)], scope)

    def as_pattern(self, node: Node, index: int, scope: int) -> None:
        """``with open(…) as file``, ``except Wrong as error``"""
        if not node.named_children:
            return
        value = self.want(node.named_children[0], scope)
        name = first(node.child_by_field_name("alias"))
        if name is not None and name.type == "identifier":
            self.ir.bind(scope, text(name), value, name.start_point[0])

    # expressions

    def call(self, node: Node, index: int, scope: int) -> None:
        if index < 0:
            index = self.ir.reserve(node.start_point[0])
        callee = self.want(node.child_by_field_name("function"), scope)
        args: list[int] = []
        names: dict[str, int] = {}
        given = node.child_by_field_name("arguments")
        if given is not None and given.type == "generator_expression":
            args.append(self.want(given, scope))
        else:
            for child in (given.named_children if given is not None else [])[:MAX_ITEMS]:
                if child.type == "keyword_argument":
                    key = text(child.child_by_field_name("name"))
                    names[key] = self.want(child.child_by_field_name("value"), scope)
                elif child.type == "dictionary_splat":
                    names[f"**{len(names)}"] = self.want(first(child), scope)
                elif child.type != "comment":
                    args.append(self.want(child, scope))
        self.ir.fill(index, "c", callee, args, names, scope, self.ir.line(node.end_point[0]))

    def string(self, node: Node, index: int, scope: int) -> None:
        pieces: list[int | str] = []
        for child in node.named_children:
            if child.type == "string_content":
                pieces.append(_content(child))
            elif child.type == "interpolation":
                pieces.append(self.want(child.child_by_field_name("expression"), scope))
        if index >= 0:
            self.template(index, pieces, node.start_point[0])

    def joined(self, node: Node, index: int, scope: int) -> None:
        """``"one" "two"``"""
        rows = [self.want(c, scope) for c in node.named_children if c.type != "comment"]
        if index >= 0:
            self.ir.fill(index, "f", rows)

    def comprehension(self, node: Node, index: int, scope: int) -> None:
        body = node.child_by_field_name("body")
        row = self.want(body, scope)
        if index >= 0:
            self.ir.fill(index, "l", [row])
        self.descend([child for child in node.named_children if child != body], scope)

    def dictionary(self, node: Node, index: int, scope: int) -> None:
        pairs: list[list[Any]] = []
        for child in node.named_children[:MAX_ITEMS]:
            if child.type == "pair":
                key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
                name = _plain(key) if key is not None and key.type == "string" else self.want(key, scope)
                pairs.append([name, self.want(value, scope)])
            elif child.type == "dictionary_splat":
                pairs.append(["**", self.want(first(child), scope)])
        if index >= 0:
            self.ir.fill(index, "d", pairs)

    def binary(self, node: Node, index: int, scope: int) -> None:
        left = self.want(node.child_by_field_name("left"), scope)
        right = self.want(node.child_by_field_name("right"), scope)
        operator = text(node.child_by_field_name("operator"))
        if index < 0:
            return
        if operator == "/":  # paths joined
            row = node.start_point[0]
            self.ir.fill(index, "f", [left, self.literal("/", row), right])
        elif operator == "+":  # texts or lists joined
            self.ir.fill(index, "f", [left, right])
        elif operator == "|":  # either type
            self.ir.fill(index, "o", [left, right])
        elif operator == "%":  # the text's known part
            self.ir.fill(index, "*", left)

    def conditional(self, node: Node, index: int, scope: int) -> None:
        rows = [self.want(c, scope) for c in node.named_children]
        if index >= 0 and len(rows) == 3:
            self.ir.fill(index, "o", [rows[0], rows[2]])

    table: ClassVar[Table] = {
        **dict.fromkeys(("comment", "future_import_statement"), expressions.skip),
        "expression_statement": expression_statement,
        "import_statement": import_,
        "import_from_statement": import_from,
        **dict.fromkeys(("function_definition", "class_definition", "lambda"), definition),
        "decorated_definition": decorated,
        **dict.fromkeys(("return_statement", "yield"), expressions.returned),
        **dict.fromkeys(("assignment", "augmented_assignment"), assignment),
        "named_expression": named,
        **dict.fromkeys(("for_statement", "for_in_clause"), for_),
        "as_pattern": as_pattern,
        "call": call,
        "string": string,
        "concatenated_string": joined,
        **dict.fromkeys(("integer", "float"), expressions.number),
        **dict.fromkeys(("true", "false", "none"), expressions.constant),
        "identifier": expressions.name,
        "attribute": expressions.member("object", "attribute"),
        "subscript": expressions.item("value", "subscript"),
        # ``Agent[Context]`` in a type: the name without its parameters
        **dict.fromkeys(
            ("generic_type", "list_splat", "type", "parenthesized_expression", "await"), expressions.wrapped
        ),
        **dict.fromkeys(("list", "tuple", "set", "expression_list", "union_type"), expressions.listed),
        **dict.fromkeys(("list_comprehension", "set_comprehension", "generator_expression"), comprehension),
        "dictionary": dictionary,
        "binary_operator": binary,
        "boolean_operator": expressions.operation((), ("or",)),
        "conditional_expression": conditional,
    }  # fmt: skip


def _plain(node: Node) -> str:
    """The text of a string as it is written."""
    return "".join(text(c) for c in node.named_children if c.type == "string_content")


def _content(node: Node) -> str:
    """A part of a string with its escapes read; other text stands between their nodes."""
    if not node.named_children:
        return text(node)
    raw, out, last = node.text or b"", [], 0
    for child in node.named_children:
        start = child.start_byte - node.start_byte
        out.append(raw[last:start].decode("utf-8", "replace"))
        piece = text(child)
        out.append(_ESCAPES.get(piece, piece))
        last = child.end_byte - node.start_byte
    out.append(raw[last:].decode("utf-8", "replace"))
    return "".join(out)


PYTHON = define(
    Language(
        name="python",
        title="Python",
        endings=("py", "pyi", "pyw"),
        walker=PythonWalker,
        grammars={"": tree_sitter_python.language},
        imports=IMPORTS,
    )
)
