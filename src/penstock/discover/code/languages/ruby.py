"""Ruby: what its syntax means in the IR.

Constants are names that all files of a source share, so the first word of each is said as an import: gems are used
without one. ``@model`` is a field; a name that is no variable is a call. What stands alone in the body of a class
(``model "gpt-4o"``, ``tools A, B``) is a field of it too (``.model``), and a mixin is a base. In a chain of calls each
holds the arguments of those that follow it, by their names; what a block sets on its parameter
(``configure { |c| c.key = … }``) is a keyword of the call.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar

import tree_sitter
import tree_sitter_ruby
from tree_sitter import Node

from penstock.discover.code import expressions
from penstock.discover.code.ir import (
    BASES,
    CLASS,
    FUNCTION,
    KIND,
    MAX_ITEMS,
    NAME,
    PARAMS,
    PARENT,
    RETURNS,
    Builder,
)  # fmt: skip
from penstock.discover.code.language import Language, define
from penstock.discover.code.walker import Meaning, Table, Walker, first, of_kind, parts, text

#: Calls of one chain that share their arguments.
MAX_CHAIN = 100
_ESCAPES = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\\\": "\\", "\\r": "\r", "\\'": "'", "\\s": " ", "\\e": "\x1b"}
#: Methods that give their object back in another form.
_SAME = frozenset(
    {"freeze", "to_s", "to_sym", "strip", "chomp", "squish", "dup", "clone", "html_safe", "to_str", "itself", "lstrip",
     "rstrip", "strip_heredoc", "presence", "to_h", "with_indifferent_access", "compact", "deep_dup", "to_a", "first!",
     "symbolize_keys", "deep_symbolize_keys", "downcase", "upcase", "tap", "then", "constantize"}
)  # fmt: skip
#: Commands that say nothing about a class; their arguments are looked into.
_PLAIN = frozenset({"attr_reader", "attr_accessor", "attr_writer", "private", "public", "protected", "require", "puts"})
_MIXINS = frozenset({"include", "extend", "prepend"})
_HEREDOC = re.compile(rb"<<[~-]?['\"`]?[A-Z_a-z]")


@cache
def _heredocs() -> tree_sitter.Query:
    grammar = tree_sitter.Language(tree_sitter_ruby.language())
    return tree_sitter.Query(grammar, "(heredoc_beginning) @beginning (heredoc_body) @body")


class RubyWalker(Walker):
    """The walk over a Ruby file."""

    def __init__(self, builder: Builder) -> None:
        super().__init__(builder)
        self.types: dict[tuple[int, str], int] = {}  # (scope, name) → class
        self.locals: dict[int, set[str]] = {}
        self.shared: dict[int, dict[str, int]] = {}  # what follows a call in its chain, by node
        self.blocks: dict[
            int, tuple[str, dict[str, int]]
        ] = {}  # scope of a block → its parameter, keywords of its call
        self.bodies: dict[int, Node] = {}  # where a heredoc begins → its text
        self.roots: set[str] = set()

    def run(self, root: Node, meanings: Sequence[Meaning]) -> None:
        if _HEREDOC.search(root.text or b""):
            found = tree_sitter.QueryCursor(_heredocs()).captures(root)
            ends = sorted(found.get("body", ()), key=lambda node: node.start_byte)
            begins = sorted(found.get("beginning", ()), key=lambda node: node.start_byte)
            self.bodies = {begin.start_byte: end for begin, end in zip(begins, ends, strict=False)}
        super().run(root, meanings)

    # classes and methods

    def class_(self, node: Node, index: int, scope: int) -> None:
        at, row = scope, node.start_point[0]
        for name in re.split(r"\s*::\s*", text(node.child_by_field_name("name"))[:500].strip(":"))[:20]:
            if (at, name) not in self.types:
                self.types[at, name] = self.ir.scope(CLASS, name, at, row, node.end_point[0])
            at = self.types[at, name]
        above = node.child_by_field_name("superclass")
        if above is not None and above.named_children:
            self.ir.scopes[at][BASES].append(self.want(above.named_children[0], scope))
        if (body := node.child_by_field_name("body")) is not None:
            self.stack.append((body, -1, at))

    def own_class(self, node: Node, index: int, scope: int) -> None:
        """``class << self``"""
        if (body := node.child_by_field_name("body")) is not None:
            self.stack.append((body, -1, scope))

    def method(self, node: Node, index: int, scope: int) -> None:
        name = text(node.child_by_field_name("name"))
        inner = self.ir.scope(
            FUNCTION, "constructor" if name == "initialize" else name, scope, node.start_point[0], node.end_point[0]
        )
        self.parameters(node.child_by_field_name("parameters"), inner)
        if (body := node.child_by_field_name("body")) is not None:
            self.returns(inner, body)
        if index >= 0:
            self.ir.fill(index, "x", inner)

    def parameters(self, node: Node | None, inner: int) -> None:
        known = self.locals.setdefault(inner, set())
        for child in node.named_children[:100] if node is not None else ():
            name = child if child.type == "identifier" else child.child_by_field_name("name")
            if name is not None:
                default = self.want(child.child_by_field_name("value"), inner) if child is not name else -1
                self.ir.scopes[inner][PARAMS].append([text(name), default, -1])
                known.add(text(name))

    def body(self, node: Node, index: int, scope: int) -> None:
        """A body is what its last expression is."""
        held = parts(node)
        if index >= 0 and held and held[-1].type not in ("rescue", "ensure", "else"):
            self.stack.append((held[-1], index, scope))
            held = held[:-1]
        self.descend(held, scope)

    def block(self, node: Node, names: dict[str, int], scope: int) -> tuple[int, int]:
        """The row of a block as a function, and that of its last value."""
        inner = self.ir.scope(FUNCTION, "", scope, node.start_point[0], node.end_point[0])
        self.parameters(node.child_by_field_name("parameters"), inner)
        params = self.ir.scopes[inner][PARAMS]
        if len(params) == 1:
            self.blocks[inner] = (params[0][0], names)
        body = node.child_by_field_name("body")
        if body is not None:
            self.returns(inner, body)
        returned = self.ir.scopes[inner][RETURNS]
        return self.ir.add(node.start_point[0], "x", inner), returned[-1] if returned else -1

    def lambda_(self, node: Node, index: int, scope: int) -> None:
        body = node.child_by_field_name("body")
        inner = self.ir.scope(FUNCTION, "", scope, node.start_point[0], node.end_point[0])
        self.parameters(node.child_by_field_name("parameters"), inner)
        held = body.child_by_field_name("body") if body is not None else None
        if held is not None:
            self.returns(inner, held)
        if index >= 0:
            self.ir.fill(index, "x", inner)

    # assignments

    def assignment(self, node: Node, index: int, scope: int) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None:
            return
        if left.type == "left_assignment_list":
            values = parts(right) if right is not None and right.type == "right_assignment_list" else []
            targets = left.named_children[:50]
            if len(values) == len(targets):
                for target, each in zip(targets, values, strict=True):
                    self.assign(target, self.want(each, scope), scope)
            else:
                whole = self.want(right, scope)
                for place, target in enumerate(targets):
                    row = target.start_point[0]
                    self.assign(target, self.ir.add(row, "i", whole, self.ir.add(row, "n", place)), scope)
            return
        value = self.want(right, scope)
        row = left.start_point[0]
        operator = text(node.child_by_field_name("operator"))
        if operator == "||=":  # the old value is what other assignments say
            pass
        elif operator in ("+=", "<<"):
            value = self.ir.add(row, "f", [self.want(left, scope), value])
        self.assign(left, value, scope)
        if index >= 0:
            self.ir.fill(index, "*", value)

    def assign(self, target: Node, value: int, scope: int) -> None:
        row, kind = target.start_point[0], target.type
        if kind == "identifier":
            holder = self.holder(text(target), scope)
            self.locals.setdefault(holder, set()).add(text(target))
            self.ir.bind(holder, text(target), value, row)
        elif kind == "constant":
            self.ir.bind(scope, text(target), value, row)
        elif kind in ("instance_variable", "class_variable"):
            if self.ir.scopes[scope][KIND] == CLASS:
                self.ir.bind(scope, text(target).lstrip("@"), value, row)
            else:
                self.set(self.ir.add(row, "r", "self", scope), text(target).lstrip("@"), value, row, scope)
        elif kind == "global_variable":
            self.ir.bind(0, text(target), value, row)
        elif kind == "call":
            receiver, name = target.child_by_field_name("receiver"), text(target.child_by_field_name("method"))
            parameter, names = self.blocks.get(scope, ("", {}))
            if parameter and receiver is not None and text(receiver) == parameter:
                names.setdefault(name, value)
            self.set(self.want(receiver, scope), name, value, row, scope)
        elif kind == "element_reference":
            held = parts(target)
            if len(held) == 2 and (key := _key(held[1])):
                self.set(self.want(held[0], scope), key, value, row, scope)

    def holder(self, name: str, scope: int) -> int:
        """The scope whose variable a name is: a block assigns to the variables around it."""
        at = scope
        while at > 0 and self.ir.scopes[at][KIND] == FUNCTION:
            if name in self.locals.get(at, ()):
                return at
            if self.ir.scopes[at][NAME]:
                break
            at = self.ir.scopes[at][PARENT]
        return scope

    # expressions

    def call(self, node: Node, index: int, scope: int) -> None:
        if index < 0:
            index = self.ir.reserve(node.start_point[0])
        receiver, named = node.child_by_field_name("receiver"), node.child_by_field_name("method")
        name = text(named) if named is not None else "call"
        row = node.start_point[0]
        given, block = node.child_by_field_name("arguments"), node.child_by_field_name("block")
        later = self.shared.pop(node.id, {})
        if name in _SAME and receiver is not None and (given is None or not given.named_children):
            if receiver.type == "call" and later:
                self.shared[receiver.id] = later
            if block is not None:
                self.stack.append((block, -1, scope))
            self.stack.append((receiver, index, scope))
            return
        args, names = self.arguments(given, scope)
        if name in ("require", "require_relative", "load") and receiver is None:
            self.required(given, name, row)
            return
        if args and len(later) < MAX_CHAIN:
            value = args[0] if len(args) == 1 else self.ir.add(row, "l", args)
            later = {**later, name: self.also(later, name, value)}
        if receiver is not None and receiver.type == "call":
            self.shared[receiver.id] = later
        names = {**later, **names}
        if block is not None:
            function, last = self.block(block, names, scope)
            names.setdefault("block", function)
            if name in ("fetch", "define_method") and last >= 0 and len(args) == 1:
                args = [*args, last]
        in_class = receiver is None and self.ir.scopes[scope][KIND] == CLASS
        if in_class and name in _MIXINS:
            self.ir.scopes[scope][BASES] += args
        elif in_class and args and name not in _PLAIN:
            self.ir.bind(scope, f".{name}", args[0] if len(args) == 1 else self.ir.add(row, "l", args), row)
        end = self.ir.line(node.end_point[0])
        if receiver is None:
            callee = self.ir.add(row, "r", name, scope)
            self.ir.fill(index, "c", callee, args, names, scope, end)
        else:
            callee = self.ir.reserve(row)
            self.ir.fill(index, "c", callee, args, names, scope, end)
            self.ir.fill(callee, "a", self.want(receiver, scope), name)

    def also(self, later: dict[str, int], name: str, value: int) -> int:
        """An argument that a chain gives again is a list, the first one first."""
        if name not in later:
            return value
        at = self.ir.expressions[later[name]]
        held = at[2] if at[0] == "l" and len(at) > 3 else [later[name]]
        return self.ir.add(at[1] - 1, "l", [value, *held], True)

    def required(self, given: Node | None, name: str, row: int) -> None:
        literal = first(given)
        if literal is not None and literal.type == "string":
            path = text(of_kind(literal, "string_content"))
            if path:
                source = f"./{path}" if name != "require" else path
                self.ir.imports.append([0, "", source, "", self.ir.line(row)])

    def arguments(self, node: Node | None, scope: int) -> tuple[list[int], dict[str, int]]:
        args: list[int] = []
        names: dict[str, int] = {}
        for child in parts(node):
            if child.type == "pair":
                key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
                said = _key(key)
                if said:  # ``model:`` alone is the variable of this name
                    names[said] = self.want(value, scope) if value is not None else self.variable(said, scope, child)
            elif child.type == "hash_splat_argument":
                names[f"**{len(names)}"] = self.want(first(child), scope)
            elif child.type == "splat_argument":
                args.append(self.ir.add(child.start_point[0], "*", self.want(first(child), scope)))
            elif child.type == "block_argument":
                if (inner := first(child)) is not None:
                    names["block"] = self.want(inner, scope)
            else:
                args.append(self.want(child, scope))
        return args, names

    def hash(self, node: Node, index: int, scope: int) -> None:
        pairs: list[list[Any]] = []
        for child in parts(node):
            if child.type == "pair":
                key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
                said: str | int = _key(key) or (self.want(key, scope) if key is not None else "")
                if value is not None:
                    pairs.append([said, self.want(value, scope)])
                elif isinstance(said, str):
                    pairs.append([said, self.variable(said, scope, child)])
            elif child.type == "hash_splat_argument":
                pairs.append(["**", self.want(first(child), scope)])
        if index >= 0:
            self.ir.fill(index, "d", pairs)

    def string(self, node: Node, index: int, scope: int) -> None:
        """A string with its escapes and what is put into it."""
        found: list[int | str] = []
        for child in node.named_children:
            if child.type == "interpolation":
                found.append(self.want(first(child), scope))
            elif index >= 0:
                piece = text(child)
                found.append(_ESCAPES.get(piece, piece) if child.type == "escape_sequence" else piece)
        if index >= 0:
            self.template(index, found or [""], node.start_point[0])

    def shell(self, node: Node, index: int, scope: int) -> None:
        """A command in backticks: a call of ``system``."""
        row = node.start_point[0]
        command = self.ir.reserve(row)
        self.string(node, command, scope)
        call = index if index >= 0 else self.ir.reserve(row)
        callee = self.ir.add(row, "r", "system", scope)
        self.ir.fill(call, "c", callee, [command], {}, scope, self.ir.line(node.end_point[0]))

    def joined(self, node: Node, index: int, scope: int) -> None:
        """``"a" "b"``"""
        rows = [self.want(child, scope) for child in parts(node)]
        if index >= 0:
            self.ir.fill(index, "f", rows)

    def symbol(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            self.ir.text(index, text(node).strip(":\"'"))

    def heredoc(self, node: Node, index: int, scope: int) -> None:
        body = self.bodies.get(node.start_byte)
        if body is None:
            return
        found: list[int | str] = []
        for child in body.named_children:
            if child.type == "interpolation":
                found.append(self.want(first(child), scope))
            elif child.type == "escape_sequence":
                found.append(_ESCAPES.get(text(child), text(child)))
            elif child.type == "heredoc_content":
                found.append(text(child))
        if index >= 0:
            if found and isinstance(found[0], str):
                found[0] = found[0].removeprefix("\n")
            if text(node).startswith("<<~"):
                found = _dedented(found)
            self.template(index, found or [""], node.start_point[0])

    def words(self, node: Node, index: int, scope: int) -> None:
        """``%w[a b]``"""
        if index >= 0:
            self.ir.fill(index, "l", [self.literal(text(c), c.start_point[0]) for c in node.named_children[:MAX_ITEMS]])

    def variable(self, name: str, scope: int, node: Node) -> int:
        """A variable, or a call of the method of this name."""
        row = node.start_point[0]
        index = self.ir.reserve(row)
        self.named(name, index, scope, row)
        return index

    def named(self, name: str, index: int, scope: int, row: int) -> None:
        at = scope
        while at > 0:
            if name in self.locals.get(at, ()):
                break
            if self.ir.scopes[at][KIND] == CLASS or self.ir.scopes[at][NAME]:
                at = 0
                break
            at = self.ir.scopes[at][PARENT]
        if at == 0 and name not in self.locals.get(0, ()):
            callee = self.ir.add(row, "r", name, scope)
            self.ir.fill(index, "c", callee, [], {}, scope, self.ir.line(row))
        else:
            self.ir.fill(index, "r", name, scope)

    def identifier(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            self.named(text(node), index, scope, node.start_point[0])

    def constant(self, node: Node, index: int, scope: int) -> None:
        name = text(node)
        self.rooted(name, node)
        if index >= 0:
            self.ir.fill(index, "r", name, scope)

    def rooted(self, name: str, node: Node) -> None:
        if name not in self.roots:
            self.roots.add(name)
            self.ir.imports.append([0, "", name, "", self.ir.line(node.start_point[0])])

    def scoped(self, node: Node, index: int, scope: int) -> None:
        """``A::B``; ``::A`` is A."""
        above, name = node.child_by_field_name("scope"), text(node.child_by_field_name("name"))
        if above is None:
            self.rooted(name, node)
            if index >= 0:
                self.ir.fill(index, "r", name, 0)
            return
        if above.type == "constant" and f"{text(above)}.{name}" not in self.roots:
            self.roots.add(f"{text(above)}.{name}")
            self.ir.imports.append([0, "", f"{text(above)}.{name}", "", self.ir.line(node.start_point[0])])
        base = self.want(above, scope)
        if index >= 0:
            self.ir.fill(index, "a", base, name)

    def field(self, node: Node, index: int, scope: int) -> None:
        """``@model``"""
        if index >= 0:
            row = node.start_point[0]
            self.ir.fill(index, "a", self.ir.add(row, "r", "self", scope), text(node).lstrip("@"))

    def item(self, node: Node, index: int, scope: int) -> None:
        rows = [self.want(part, scope) for part in parts(node)[:2]]
        if index >= 0 and len(rows) == 2:
            self.ir.fill(index, "i", *rows)

    def choice(self, node: Node, index: int, scope: int) -> None:
        """``if``, ``unless``, ``? :``, ``case``: one value or another."""
        asked = [node.child_by_field_name(part) for part in ("condition", "value")]
        self.descend([part for part in asked if part is not None], scope)
        held: list[Node] = []
        for child in parts(node):
            if child.type in ("when", "in_clause"):
                held += [body for body in (child.child_by_field_name("body"),) if body is not None]
            elif child not in asked:
                held.append(child)
        if index < 0:
            self.descend(held, scope)
        else:
            self.ir.fill(index, "o", [self.want(part, scope) for part in held[:200]])

    def modified(self, node: Node, index: int, scope: int) -> None:
        """``value if condition``"""
        condition, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
        if body is not None:
            self.stack.append((body, index, scope))
        if condition is not None:
            self.descend([condition], scope)

    def return_(self, node: Node, index: int, scope: int) -> None:
        at = scope
        while at > 0 and self.ir.scopes[at][KIND] == FUNCTION and not self.ir.scopes[at][NAME]:
            at = self.ir.scopes[at][PARENT]
        for part in parts(first(node)):
            self.ir.scopes[at][RETURNS].append(self.want(part, scope))

    table: ClassVar[Table] = {
        **dict.fromkeys(("comment", "heredoc_body", "uninterpreted"), expressions.skip),
        **dict.fromkeys(("class", "module"), class_),
        "singleton_class": own_class,
        **dict.fromkeys(("method", "singleton_method"), method),
        **dict.fromkeys(
            ("body_statement", "block_body", "then", "else", "begin", "parenthesized_statements", "ensure"), body
        ),
        "lambda": lambda_,
        **dict.fromkeys(("assignment", "operator_assignment"), assignment),
        "call": call,
        "hash": hash,
        "array": expressions.listed,
        **dict.fromkeys(("string", "delimited_symbol"), string),
        "subshell": shell,
        "chained_string": joined,
        **dict.fromkeys(("simple_symbol", "hash_key_symbol"), symbol),
        "heredoc_beginning": heredoc,
        **dict.fromkeys(("string_array", "symbol_array"), words),
        "identifier": identifier,
        "constant": constant,
        "scope_resolution": scoped,
        **dict.fromkeys(("instance_variable", "class_variable"), field),
        **dict.fromkeys(("self", "global_variable", "super"), expressions.name),
        "element_reference": item,
        "binary": expressions.operation(("+",), ("||", "or")),
        **dict.fromkeys(("if", "unless", "elsif", "case", "case_match", "conditional"), choice),
        **dict.fromkeys(("if_modifier", "unless_modifier", "rescue_modifier", "while_modifier"), modified),
        "return": return_,
        **dict.fromkeys(("integer", "float"), expressions.number),
        **dict.fromkeys(("true", "false", "nil"), expressions.constant),
    }  # fmt: skip


def _key(node: Node | None) -> str:
    """The text of a key; empty for one that is computed."""
    if node is None:
        return ""
    if node.type in ("hash_key_symbol", "simple_symbol"):
        return text(node).strip(":\"'")
    if node.type == "string" and all(c.type == "string_content" for c in node.named_children):
        return text(of_kind(node, "string_content"))
    return ""


def _dedented(pieces: list[int | str]) -> list[int | str]:
    """A ``<<~`` text without the indentation that all its lines share."""
    whole = "".join(piece if isinstance(piece, str) else "\0" for piece in pieces)
    margins = [len(line) - len(line.lstrip(" \t")) for line in whole.split("\n") if line.strip(" \t")]
    margin = min(margins, default=0)
    if not margin:
        return pieces
    left = [piece for piece in pieces if not isinstance(piece, str)]
    plain = "\n".join(line[margin:] if line[:margin].isspace() else line for line in whole.split("\n"))
    found: list[int | str] = []
    for number, piece in enumerate(plain.split("\0")):
        if number and left:
            found.append(left.pop(0))
        found.append(piece)
    return found


RUBY = define(
    Language(
        name="ruby",
        title="Ruby",
        endings=("rb", "rake", "ru"),
        walker=RubyWalker,
        grammars={"": tree_sitter_ruby.language},
        imports=re.compile(
            rb"^[ \t]*require_relative[ \t(]+['\"](?P<modules>[\w./-]+)"
            rb"|(?<![\w:.@'\"/])(?P<module>[A-Z]\w*(?:::[A-Z]\w*)*)",
            re.MULTILINE,
        ),
        unseen="names built at run time, methods defined by other methods",
    )
)
