"""Rust: what its syntax means in the IR.

A struct, enum, trait or inline module is a class; methods stand in it wherever an ``impl`` block is, and what it
implements are its bases. A variant of an enum is a class in it: ``match self`` gives each variant a method of its own.
In a chain of calls (``Args::default().model("…").build()``) every call holds the arguments of the others by their
names. What gives its object back (``?``, ``.await``, ``.clone()``, ``Some(x)``, ``Arc::new(x)``) is not in the IR.
Macros that take expressions are read as calls, ``json!`` and maps by their tokens.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

import tree_sitter_rust
from tree_sitter import Node

from penstock.discover.code import expressions
from penstock.discover.code.ir import (
    BASES,
    CLASS,
    DECORATORS,
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
from penstock.discover.code.walker import Table, Walker, of_kind, parts, text, unescaped

#: Calls of one chain that share their arguments; the longest builders of SDKs have about 40 setters.
MAX_CHAIN = 100
#: Names in one tree of imports; more is written by no person.
_MAX_USES = 500
_ESCAPES = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\\\": "\\", "\\r": "\r", "\\'": "'", "\\0": "\0"}
_LINE_GOES_ON = re.compile(r"\\\r?\n\s*")
_PLACE = re.compile(r"\{\{|\}\}|\{([A-Za-z_]\w*|\d+)?(?::[^{}]*)?\}")  # of std::fmt
#: Methods that give their object back in another form.
_SAME = frozenset(
    {"to_string", "to_owned", "into", "clone", "cloned", "copied", "as_str", "as_ref", "as_mut", "as_deref", "unwrap",
     "expect", "ok", "borrow", "borrow_mut", "iter", "into_iter", "to_vec", "await", "map_err", "context",
     "with_context", "into_boxed_str", "leak", "into_owned", "to_lowercase", "to_uppercase", "trim", "lock", "read",
     "get_or_insert", "collect", "filter", "inspect_err", "unwrap_or_default", "try_into", "boxed", "deref", "arc"}
)  # fmt: skip
#: Calls that hold what they are given, or what a closure gives.
_HOLDS = frozenset(
    {"Some", "Ok", "Box::new", "Arc::new", "Rc::new", "Mutex::new", "RwLock::new", "Cow::Borrowed", "Cow::Owned",
     "Cow::from", "String::from", "Lazy::new", "LazyLock::new", "LazyCell::new", "std::sync::LazyLock::new",
     "once_cell::sync::Lazy::new", "std::sync::Arc::new", "Cell::new", "RefCell::new", "OnceCell::from", "Box::pin",
     "PathBuf::from", "Path::new", "SecretString::from", "Vec::from", "tokio::sync::Mutex::new", "Arc::from"}
)  # fmt: skip
_MAPS = frozenset({"HashMap::from", "BTreeMap::from", "IndexMap::from", "HashMap::from_iter", "BTreeMap::from_iter"})
#: Methods whose closure gives what holds otherwise.
_OTHERWISE = frozenset({"unwrap_or_else", "or_else", "get_or_init", "get_or_insert_with", "map_or_else"})
#: Types that stand for what they hold.
_POINTERS = frozenset({"Arc", "Box", "Rc", "Option", "Mutex", "RwLock", "Cow", "RefCell", "Result", "State", "Data"})
_STRINGS = ("string_literal", "raw_string_literal")
_NAMED = ("type_identifier", "scoped_type_identifier")
#: What is looked over before parsing: strings, characters and comments (left as they are), macros that take
#: expressions (made calls), and those that hold a block or a list (made that).
_MACROS = re.compile(
    rb'//[^\n]*|/\*.*?\*/|\br(?P<hashes>#*)".*?"(?P=hashes)|"(?:[^"\\]|\\.)*"|\'(?:[^\'\\\n]|\\[^\n]{1,9})\''
    rb"|\b(?P<drop>(?:std::)?vec|(?:async_stream::)?(?:try_)?stream)\s*!(?=\s*[\[{])"
    rb"|\b(?:format|println|print|eprintln|eprint|write|writeln|dbg|env|option_env|concat|include_str|assert"
    rb"|assert_eq|anyhow|bail|indoc|formatdoc|query|query_as|query_scalar)\s*(?P<mark>!)(?=\s*\()",
    re.DOTALL,
)
_GENERATED = re.compile(rb"^// (?:@generated|This file is @generated|Code generated)", re.MULTILINE)


def _plain(data: bytes) -> bytes:
    """The source with macros as calls, every character where it was."""
    return _MACROS.sub(_call, data) if b"!" in data else data


def _call(found: re.Match[bytes]) -> bytes:
    if found["drop"]:
        return b" " * len(found[0])
    return found[0][:-1] + b" " if found["mark"] else found[0]


def _string(node: Node) -> str:
    """The content of a string literal."""
    if node.type == "raw_string_literal":
        return text(of_kind(node, "string_content"))
    found = [
        _LINE_GOES_ON.sub("", _ESCAPES.get(piece, piece)) if child.type == "escape_sequence" else piece
        for child in node.named_children
        for piece in (text(child),)
    ]
    return "".join(found) if len(found) > 1 else _LINE_GOES_ON.sub("", unescaped(node, _ESCAPES))


class RustWalker(Walker):
    """The walk over a Rust file."""

    reads_environment = ("std.env", "var")

    def __init__(self, builder: Builder) -> None:
        super().__init__(builder)
        self.types: dict[tuple[int, str], int] = {}  # (scope, name) → class
        self.marks: dict[int, list[Node]] = {}  # attributes of what follows them, by node
        self.shared: dict[int, dict[str, int]] = {}  # arguments of the chain that a call is part of, by node
        self.arms: dict[int, tuple[int, str]] = {}  # ``match self`` in a method: class and method, by node
        self.roots: set[str] = set()

    # what holds other things

    def held(self, node: Node, index: int, scope: int) -> None:
        """Items in order; attributes belong to what follows."""
        marks: list[Node] = []
        items: list[Node] = []
        for child in node.named_children:
            if child.type == "attribute_item":
                marks.append(child)
            elif not child.is_extra:
                if marks:
                    self.marks[child.id] = marks
                    marks = []
                items.append(child)
                if child.type in ("struct_item", "enum_item", "trait_item", "union_item"):
                    self.class_of(scope, text(child.child_by_field_name("name")), child)
        self.descend(items, scope)

    def block(self, node: Node, index: int, scope: int) -> None:
        """A block is what its last expression is."""
        held = parts(node)
        last = held[-1] if held and index >= 0 else None
        if last is not None and last.type == "expression_statement":
            last = None if last.children[-1].type == ";" else last.named_children[0]
        elif last is not None and last.type.endswith(("_item", "_declaration")):
            last = None
        if last is None:
            self.descend(held, scope)
        else:
            self.stack.append((last, index, scope))
            self.descend(held[:-1], scope)

    def module(self, node: Node, index: int, scope: int) -> None:
        name, body = text(node.child_by_field_name("name")), node.child_by_field_name("body")
        if any(b"test" in (mark.text or b"")[:200] for mark in self.marks.get(node.id, ())):
            return  # unit tests: nothing of them is in what is built
        if body is None:
            self.ir.imports.append([scope, name, f"self.{name}", "", self.ir.line(node.start_point[0])])
        else:
            inner = self.ir.scope(CLASS, name, scope, node.start_point[0], node.end_point[0])
            self.stack.append((body, -1, inner))

    def class_of(self, scope: int, name: str, node: Node) -> int:
        key = (scope, name)
        if key not in self.types:
            self.types[key] = self.ir.scope(CLASS, name, scope, node.start_point[0], node.end_point[0])
        return self.types[key]

    # imports

    def use(self, node: Node, index: int, scope: int) -> None:
        """``use a::b::{self, c as d, e::*}``, its branches waiting on a list."""
        argument = node.child_by_field_name("argument")
        line = self.ir.line(node.start_point[0])
        todo = [(argument, "")]
        count = 0
        while todo and count < _MAX_USES:
            at, above = todo.pop()
            count += 1
            if at is None:
                continue
            if at.type == "scoped_use_list":
                path = _joined(above, _path(at.child_by_field_name("path")))
                held = at.child_by_field_name("list")
                todo += [(child, path) for child in (held.named_children if held is not None else ())[:_MAX_USES]]
            elif at.type == "use_list":
                todo += [(child, above) for child in at.named_children[:_MAX_USES]]
            elif at.type == "use_wildcard":
                path = _joined(above, _path(at.named_children[0] if at.named_children else None))
                self.ir.imports.append([scope, "*", path, "*", line])
            elif at.type == "use_as_clause":
                self.used(scope, _joined(above, _path(at.child_by_field_name("path"))), line,
                          text(at.child_by_field_name("alias")))  # fmt: skip
            elif not at.is_extra:
                self.used(scope, _joined(above, _path(at)), line)

    def used(self, scope: int, path: str, line: int, alias: str = "") -> None:
        path = path.removesuffix(".self")
        source, _, name = path.rpartition(".")
        local = alias or name
        self.ir.imports.append([scope, "" if local == "_" else local, source or name, name if source else "", line])

    def rooted(self, name: str, row: int) -> None:
        """A path names its crate without an import."""
        if name not in self.roots and name.islower():
            self.roots.add(name)
            local = {"crate": "crate", "super": "super::"}.get(name, "")  # the language's own ``super`` is another
            self.ir.imports.append([0, local, name, "", self.ir.line(row)])

    # types

    def struct(self, node: Node, index: int, scope: int) -> None:
        inner = self.class_of(scope, text(node.child_by_field_name("name")), node)
        body = node.child_by_field_name("body")
        marks: list[Node] = []
        for child in body.named_children if body is not None else ():
            if child.type == "attribute_item":
                marks.append(child)
            elif child.type == "field_declaration":
                row = child.start_point[0]
                value = self.attributed(marks, row, inner)
                kind = _bare(child.child_by_field_name("type"))
                if value < 0 and kind is not None:
                    value = self.ir.add(row, "t", self.want(kind, inner))
                self.ir.bind(inner, text(child.child_by_field_name("name")), value, row)
                marks = []

    def attributed(self, marks: list[Node], row: int, scope: int) -> int:
        """The value that attributes of a field give it: ``#[arg(env = "MODEL", default_value = "…")]``."""
        for mark in marks:
            attribute = mark.named_children[0] if mark.named_children else None
            if attribute is None or text(attribute.named_children[0]) not in ("arg", "clap", "structopt", "serde"):
                continue
            given = _assigned(attribute.child_by_field_name("arguments"))
            named = {name: _string(node) for name, node in given.items() if node.type in _STRINGS}
            default = named.get("default_value") or named.get("default_value_t")
            if env := named.get("env"):
                return self.environment(env, default, row, scope)
            if default is not None:
                return self.literal(default, row)
            if text(attribute.named_children[0]) == "serde" and (function := named.get("default")):
                callee = self.pathed(function.split("::"), row, 0)
                return self.ir.add(row, "c", callee, [], {}, 0, self.ir.line(row))
        return -1

    def enum(self, node: Node, index: int, scope: int) -> None:
        name = text(node.child_by_field_name("name"))
        inner = self.class_of(scope, name, node)
        body = node.child_by_field_name("body")
        marks: list[Node] = []
        for child in (body.named_children if body is not None else ())[:MAX_ITEMS]:
            if child.type == "attribute_item":
                marks.append(child)
            elif child.type == "enum_variant":
                variant = self.variant(inner, text(child.child_by_field_name("name")), child)
                if (said := _renamed(marks)) is not None:
                    made = self.ir.scope(FUNCTION, "as_ref", variant, child.start_point[0], child.start_point[0])
                    self.ir.scopes[made][RETURNS].append(self.literal(said, child.start_point[0]))
                marks = []

    def variant(self, inner: int, name: str, node: Node) -> int:
        if (inner, name) not in self.types:
            made = self.types[inner, name] = self.ir.scope(CLASS, name, inner, node.start_point[0], node.end_point[0])
            base = self.ir.add(node.start_point[0], "r", self.ir.scopes[inner][NAME], self.ir.scopes[inner][PARENT])
            self.ir.scopes[made][BASES].append(base)
        return self.types[inner, name]

    def impl(self, node: Node, index: int, scope: int) -> None:
        kind = _bare(node.child_by_field_name("type"))
        name = text(kind).rpartition("::")[2] if kind is not None and kind.end_byte - kind.start_byte < 200 else ""
        inner = self.class_of(scope, name, node)
        if (trait := node.child_by_field_name("trait")) is not None:
            self.ir.scopes[inner][BASES].append(self.want(trait, scope))
        for mark in self.marks.get(node.id, ()):
            self.ir.scopes[inner][DECORATORS].append(self.want(mark, scope))
        if (body := node.child_by_field_name("body")) is not None:
            self.stack.append((body, -1, inner))

    def constant_(self, node: Node, index: int, scope: int) -> None:
        name = node.child_by_field_name("name")
        value = self.want(node.child_by_field_name("value"), scope)
        self.ir.bind(scope, text(name), value, node.start_point[0])

    def alias(self, node: Node, index: int, scope: int) -> None:
        kind = _bare(node.child_by_field_name("type"))
        if kind is not None:
            self.ir.bind(scope, text(node.child_by_field_name("name")), self.want(kind, scope), node.start_point[0])

    # functions

    def function(self, node: Node, index: int, scope: int) -> None:
        name = text(node.child_by_field_name("name"))
        inner = self.ir.scope(FUNCTION, name, scope, node.start_point[0], node.end_point[0])
        self.parameters(node.child_by_field_name("parameters"), inner)
        marks = self.marks.get(node.id, ())
        for mark in marks:
            self.ir.scopes[inner][DECORATORS].append(self.want(mark, scope))
        if any(b"tool" in (mark.text or b"")[:40] for mark in marks) and self.ir.scopes[scope][KIND] != CLASS:
            made = self.ir.add(node.start_point[0], "x", inner)  # the attribute makes a struct of it: ``.tool(Adder)``
            camel = "".join(part.capitalize() for part in name.split("_"))
            self.ir.bind(scope, camel, made, node.start_point[0])
        body = node.child_by_field_name("body")
        if body is not None:
            if self.ir.scopes[scope][KIND] == CLASS:
                self.by_variant(body, scope, name)
            self.returns(inner, body)

    def by_variant(self, body: Node, scope: int, name: str) -> None:
        held = parts(body)
        at = held[0] if len(held) == 1 else None
        if at is not None and at.type == "expression_statement":
            at = at.named_children[0] if at.named_children else None
        if at is not None and at.type == "match_expression":
            value = at.child_by_field_name("value")
            if value is not None and value.end_byte - value.start_byte < 8 and text(value).strip("*& ") == "self":
                self.arms[at.id] = (scope, name)

    def parameters(self, node: Node | None, inner: int) -> None:
        row = self.ir.scopes[inner]
        for child in node.named_children[:100] if node is not None else ():
            if child.type == "parameter":
                pattern, kind = child.child_by_field_name("pattern"), _bare(child.child_by_field_name("type"))
                while pattern is not None and pattern.type not in ("identifier", "self") and pattern.named_children:
                    pattern = pattern.named_children[-1]  # ``mut x``, ``State(x)``
                if text(pattern) != "self":
                    row[PARAMS].append([text(pattern), -1, self.want(kind, inner)])
            elif child.type == "identifier":  # of a closure
                row[PARAMS].append([text(child), -1, -1])

    def closure(self, node: Node, index: int, scope: int) -> None:
        inner = self.ir.scope(FUNCTION, "", scope, node.start_point[0], node.end_point[0])
        self.parameters(node.child_by_field_name("parameters"), inner)
        self.returns(inner, node.child_by_field_name("body"))
        if index >= 0:
            self.ir.fill(index, "x", inner)

    def attribute(self, node: Node, index: int, scope: int) -> None:
        """``#[tool(name = "…")]`` is a call with keywords."""
        inner = node.named_children[0] if node.named_children else None
        if index < 0 or inner is None or inner.type != "attribute" or not inner.named_children:
            return
        callee = self.want(inner.named_children[0], scope)
        given = _assigned(inner.child_by_field_name("arguments"))
        names = {name: self.want(value, scope) for name, value in given.items()}
        self.ir.fill(index, "c", callee, [], names, scope, self.ir.line(node.end_point[0]))

    # statements

    def let(self, node: Node, index: int, scope: int) -> None:
        pattern, value = node.child_by_field_name("pattern"), node.child_by_field_name("value")
        if value is None:
            kind = _bare(node.child_by_field_name("type"))
            if kind is not None and pattern is not None and pattern.type == "identifier":
                made = self.ir.add(node.start_point[0], "t", self.want(kind, scope))
                self.ir.bind(scope, text(pattern), made, node.start_point[0])
            return
        self.matched(pattern, self.want(value, scope), scope)
        self.descend([n for n in (node.child_by_field_name("alternative"),) if n is not None], scope)

    def matched(self, pattern: Node | None, value: int, scope: int) -> None:
        """``Some(x)``, ``(a, b)``, ``&x``, ``mut x``: names for a value or its parts."""
        for _ in range(4):
            if pattern is None or pattern.type in ("identifier", "tuple_pattern") or value < 0:
                break
            held = [c for c in pattern.named_children if c.type not in ("mutable_specifier", "scoped_identifier")]
            if pattern.type == "tuple_struct_pattern":
                wrapper = text(pattern.child_by_field_name("type"))
                pattern = held[-1] if wrapper in ("Some", "Ok", "Self") or len(held) == 2 else None
            elif pattern.type in ("match_pattern", "mut_pattern", "ref_pattern", "reference_pattern"):
                pattern = held[0] if held else None
            else:
                pattern = None
        if pattern is None or value < 0:
            return
        row = pattern.start_point[0]
        if pattern.type == "identifier":
            self.ir.bind(scope, text(pattern), value, row)
            return
        for place, part in enumerate(pattern.named_children[:20] if pattern.type == "tuple_pattern" else ()):
            name = part if part.type == "identifier" else part.named_children[-1] if part.named_children else None
            if name is not None and name.type == "identifier":
                item = self.ir.add(row, "i", value, self.ir.add(row, "n", place))
                self.ir.bind(scope, text(name), item, row)

    def condition(self, node: Node, index: int, scope: int) -> None:
        value = self.want(node.child_by_field_name("value"), scope)
        self.matched(node.child_by_field_name("pattern"), value, scope)

    def assignment(self, node: Node, index: int, scope: int) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None:
            return
        value, row = self.want(right, scope), left.start_point[0]
        if left.type == "identifier":
            self.ir.bind(scope, text(left), value, row)
        elif left.type == "field_expression":
            base = self.want(left.child_by_field_name("value"), scope)
            self.set(base, text(left.child_by_field_name("field")), value, row, scope)

    def for_each(self, node: Node, index: int, scope: int) -> None:
        value = self.want(node.child_by_field_name("value"), scope)
        item = self.ir.add(node.start_point[0], "e", value)
        self.matched(node.child_by_field_name("pattern"), item, scope)
        self.descend([n for n in (node.child_by_field_name("body"),) if n is not None], scope)

    # expressions

    def choice(self, node: Node, index: int, scope: int) -> None:
        """``if c { a } else { b }``"""
        given = [node.child_by_field_name(part) for part in ("condition", "consequence", "alternative")]
        if index < 0:
            self.descend([part for part in given if part is not None], scope)
            return
        self.descend([part for part in given[:1] if part is not None], scope)
        self.ir.fill(index, "o", [self.want(part, scope) for part in given[1:] if part is not None])

    def match(self, node: Node, index: int, scope: int) -> None:
        value = self.want(node.child_by_field_name("value"), scope)
        owner = self.arms.pop(node.id, None)
        body = node.child_by_field_name("body")
        rows = []
        for arm in (body.named_children if body is not None else ())[:MAX_ITEMS]:
            if arm.type != "match_arm":
                continue
            pattern = arm.child_by_field_name("pattern")
            self.matched(pattern, value, scope)
            row = self.want(arm.child_by_field_name("value"), scope)
            rows.append(row)
            if owner is not None and pattern is not None and pattern.end_byte - pattern.start_byte < 400:
                for name in re.findall(r"\w+(?:::\w+)+", text(pattern)):
                    variant = self.variant(owner[0], name.rpartition("::")[2], arm)
                    made = self.ir.scope(FUNCTION, owner[1], variant, arm.start_point[0], arm.end_point[0])
                    self.ir.scopes[made][RETURNS].append(row)
        if index >= 0:
            self.ir.fill(index, "o", [row for row in rows if row >= 0])

    def call(self, node: Node, index: int, scope: int) -> None:
        """A call; with those after it in its chain it shares the arguments."""
        if index < 0:
            index = self.ir.reserve(node.start_point[0])
        function = node.child_by_field_name("function")
        if function is not None and function.type == "generic_function":
            function = function.child_by_field_name("function")
        nodes = parts(node.child_by_field_name("arguments"))
        if function is None:
            return
        if function.type == "field_expression":
            self.method(node, function, nodes, index, scope)
            return
        name = text(function) if function.end_byte - function.start_byte < 60 else ""
        if name in _HOLDS and len(nodes) == 1:
            self.stack.append((_given(nodes[0]), index, scope))
        elif name in _MAPS and len(nodes) == 1:
            self.map(nodes[0], index, scope)
        elif name in ("format", "formatdoc") and nodes and nodes[0].type in _STRINGS:
            self.formatted(nodes, index, scope)
        elif name == "concat":
            self.ir.fill(index, "f", [self.want(c, scope) for c in nodes])
        elif name == "indoc" and nodes:
            self.stack.append((nodes[0], index, scope))
        else:
            names = self.shared.pop(node.id, {})
            args = [self.want(c, scope) for c in nodes]
            callee = self.want(function, scope)
            self.ir.fill(index, "c", callee, args, names, scope, self.ir.line(node.end_point[0]))

    def method(self, node: Node, function: Node, nodes: list[Node], index: int, scope: int) -> None:
        name = text(function.child_by_field_name("field"))
        below = function.child_by_field_name("value")
        names = self.shared.pop(node.id, {})
        if name in _SAME and below is not None:
            if names and below.type == "call_expression":
                self.shared[below.id] = names
            self.descend(nodes if name not in ("expect", "context") else [], scope)
            self.stack.append((below, index, scope))
            return
        if name in _OTHERWISE:
            nodes = [_given(c) for c in nodes]
        args = [self.want(c, scope) for c in nodes]
        if args and len(names) < MAX_CHAIN:
            names = self.also(names, name, args[0] if len(args) == 1 else self.ir.add(node.start_point[0], "l", args))
        inner = _called(below)
        if inner is not None:
            self.shared[inner.id] = names
        callee = self.ir.reserve(node.start_point[0])
        self.ir.fill(index, "c", callee, args, names, scope, self.ir.line(node.end_point[0]))
        self.ir.fill(callee, "a", self.want(below, scope), name)

    def also(self, names: dict[str, int], name: str, value: int) -> dict[str, int]:
        """One more argument in a chain; given again, it is a list, the first one first."""
        if name in names:
            at = self.ir.expressions[names[name]]
            held = at[2] if at[0] == "l" and len(at) > 3 else [names[name]]
            value = self.ir.add(at[1] - 1, "l", [value, *held], True)
            names[name] = value
        else:
            names[name] = value
        return names

    def map(self, node: Node, index: int, scope: int) -> None:
        pairs: list[list[Any]] = []
        for pair in parts(node):
            held = parts(pair)
            if pair.type == "tuple_expression" and len(held) == 2:
                key = _string(held[0]) if held[0].type in _STRINGS else self.want(held[0], scope)
                pairs.append([key, self.want(held[1], scope)])
        self.ir.fill(index, "d", pairs)

    def formatted(self, nodes: list[Node], index: int, scope: int) -> None:
        """``format!("…{}…{name}", x)``: the text with its values in it."""
        row = nodes[0].start_point[0]
        named: dict[str, int] = {}
        values: list[int] = []
        for node in nodes[1:]:
            if node.type == "assignment_expression":
                named[text(node.child_by_field_name("left"))] = self.want(node.child_by_field_name("right"), scope)
            else:
                values.append(self.want(node, scope))
        pattern, last, place = _string(nodes[0]), 0, 0
        found: list[int | str] = []
        for hit in _PLACE.finditer(pattern):
            found.append(pattern[last : hit.start()])
            last, key = hit.end(), hit[1]
            if hit[0] in ("{{", "}}"):
                found.append(hit[0][0])
            elif key and not key.isdigit():
                found.append(named[key] if key in named else self.ir.add(row, "r", key, scope))
            else:
                at = int(key[:3]) if key else place
                place += not key
                found.append(values[at] if at < len(values) else self.ir.reserve(row))
        self.template(index, [*found, pattern[last:]], row)

    def construction(self, node: Node, index: int, scope: int) -> None:
        """``T { a: x, b, ..other }`` is a call with keywords."""
        if index < 0:
            index = self.ir.reserve(node.start_point[0])
        names: dict[str, int] = {}
        body = node.child_by_field_name("body")
        for child in (body.named_children if body is not None else ())[:MAX_ITEMS]:
            if child.type == "field_initializer":
                name = text(child.child_by_field_name("field"))
                names[name] = self.want(child.child_by_field_name("value"), scope)
            elif child.type == "shorthand_field_initializer":
                held = child.named_children[-1]
                names[text(held)] = self.want(held, scope)
            elif child.type == "base_field_initializer" and child.named_children:
                names[f"**{len(names)}"] = self.want(child.named_children[0], scope)
        callee = self.want(node.child_by_field_name("name"), scope)
        self.ir.fill(index, "c", callee, [], names, scope, self.ir.line(node.end_point[0]))

    def macro(self, node: Node, index: int, scope: int) -> None:
        """``json!({…})`` and maps: what their tokens say."""
        name = text(node.child_by_field_name("macro")).rpartition("::")[2]
        tree = of_kind(node, "token_tree")
        if tree is None or name not in ("json", "hashmap", "btreemap", "phf_map", "indexmap", "object", "params"):
            return
        if index < 0:
            index = self.ir.reserve(node.start_point[0])
        if name == "json":
            held = tree.children[1:-1]
            self.tokens(held, index, scope)
        else:
            self.tokens([tree], index, scope)

    def tokens(self, held: list[Node], index: int, scope: int) -> None:
        """A value written as tokens; nested ones wait on a list."""
        todo = [(held, index)]
        while todo and not self.ir.full:
            held, index = todo.pop()
            held = [c for c in held if c.type not in ("line_comment", "block_comment")]
            if len(held) == 1 and held[0].type == "token_tree":
                opening = held[0].children[0].type
                keyed: list[list[Any]] = []
                rows: list[int] = []
                for part in _split(held[0].children[1:-1], ","):
                    key, value = part, part
                    for sign in (":", "=>"):
                        cut = next((n for n, c in enumerate(part) if text(c) == sign), -1) if len(part) < 200 else -1
                        if cut > 0 and opening != "[":
                            key, value = part[:cut], part[cut + 1 :]
                            break
                    row = self.ir.reserve(part[0].start_point[0])
                    todo.append((value, row))
                    if opening == "[" or value is part:
                        rows.append(row)
                    elif key[0].type in _STRINGS:
                        keyed.append([_string(key[0]), row])
                self.ir.fill(index, "d", keyed) if opening != "[" else self.ir.fill(index, "l", rows)
            elif held:
                self.token(held, index, scope)

    def token(self, held: list[Node], index: int, scope: int) -> None:
        """A literal, or a name with its members: ``self.model.clone()``."""
        at = held[0]
        if at.type in _STRINGS:
            self.ir.text(index, _string(at))
            return
        if at.type in ("integer_literal", "float_literal", "boolean_literal"):
            self.stack.append((at, index, scope))
            return
        words = [c for c in held if c.type in ("identifier", "self", "crate", "super")][:20]
        if not words or (words[0] is not held[0] and text(held[0]) != "&"):
            return
        names = [text(word) for word in words]
        while len(names) > 1 and names[-1] in _SAME:
            names.pop()
        self.pathed(names, at.start_point[0], scope, index)

    # names

    def pathed(self, names: list[str], row: int, scope: int, index: int = -1) -> int:
        """``a::b`` and ``a.b`` as members of members, the last one in the row that was asked for."""
        at = self.named(names[0], row, scope, index if len(names) == 1 else -1)
        for name in names[1:-1]:
            at = self.ir.add(row, "a", at, name)
        if len(names) > 1:
            held = index if index >= 0 else self.ir.reserve(row)
            self.ir.fill(held, "a", at, names[-1])
            at = held
        return at

    def named(self, name: str, row: int, scope: int, index: int = -1) -> int:
        """A name; ``Self`` is the class around it."""
        if name == "Self":
            while scope > 0 and self.ir.scopes[scope][KIND] != CLASS:
                scope = self.ir.scopes[scope][PARENT]
            name, scope = self.ir.scopes[scope][NAME], max(0, self.ir.scopes[scope][PARENT])
        held = index if index >= 0 else self.ir.reserve(row)
        self.ir.fill(held, "r", name, scope)
        return held

    def scoped(self, node: Node, index: int, scope: int) -> None:
        if index < 0:
            return
        names = _path(node).split(".")
        row = node.start_point[0]
        if names[0] == "self":
            names = names[1:]
        if len(names) > 1:
            self.rooted(names[0], row)
            names[0] = "super::" if names[0] == "super" else names[0]
        self.pathed(names[:40] or ["?"], row, scope, index)

    def name(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            self.named(text(node), node.start_point[0], scope, index)

    def generic(self, node: Node, index: int, scope: int) -> None:
        kind = _bare(node)
        if kind is not None and kind is not node:
            self.stack.append((kind, index, scope))

    def operation(self, node: Node, index: int, scope: int) -> None:
        rows = [self.want(node.child_by_field_name(side), scope) for side in ("left", "right")]
        if index >= 0 and text(node.child_by_field_name("operator")) == "+":
            self.ir.fill(index, "f", rows)

    def item(self, node: Node, index: int, scope: int) -> None:
        """``base[key]``"""
        rows = [self.want(part, scope) for part in parts(node)[:2]]
        if index >= 0 and len(rows) == 2:
            self.ir.fill(index, "i", *rows)

    table: ClassVar[Table] = {
        **dict.fromkeys(
            ("line_comment", "block_comment", "macro_definition", "lifetime", "type_arguments", "where_clause",
             "type_parameters", "visibility_modifier", "inner_attribute_item",
             "function_signature_item", "primitive_type"),
            expressions.skip,
        ),
        **dict.fromkeys(("source_file", "declaration_list"), held),
        **dict.fromkeys(("block", "unsafe_block", "async_block"), block),
        "attribute_item": attribute,
        "mod_item": module,
        "use_declaration": use,
        **dict.fromkeys(("struct_item", "union_item"), struct),
        "enum_item": enum,
        "impl_item": impl,
        **dict.fromkeys(("const_item", "static_item"), constant_),
        "type_item": alias,
        "function_item": function,
        "closure_expression": closure,
        "let_declaration": let,
        "let_condition": condition,
        "assignment_expression": assignment,
        "for_expression": for_each,
        "return_expression": expressions.returned,
        "if_expression": choice,
        "match_expression": match,
        "call_expression": call,
        "struct_expression": construction,
        "macro_invocation": macro,
        **dict.fromkeys(_STRINGS, expressions.string(_string)),
        **dict.fromkeys(("integer_literal", "float_literal"), expressions.number),
        "boolean_literal": expressions.constant,
        **dict.fromkeys(("identifier", "type_identifier", "self"), name),
        **dict.fromkeys(("scoped_identifier", "scoped_type_identifier"), scoped),
        "generic_type": generic,
        "field_expression": expressions.member("value", "field"),
        "index_expression": item,
        **dict.fromkeys(("array_expression", "tuple_expression"), expressions.listed),
        "binary_expression": operation,
        **dict.fromkeys(
            ("parenthesized_expression", "reference_expression", "try_expression", "await_expression",
             "type_cast_expression", "unary_expression", "generic_function", "else_clause", "expression_statement"),
            expressions.through,
        ),
    }  # fmt: skip


def _path(node: Node | None) -> str:
    """``a::b::C`` with dots; the types in it are left out."""
    if node is None or node.end_byte - node.start_byte > 2_000:
        return ""
    said = text(node)
    if "<" in said:
        said = re.sub(r"(?:::)?<[^<>]*>", "", re.sub(r"<[^<>]*>", "", said))
    return re.sub(r"\s+", "", said).replace("::", ".").strip(".<>")


def _joined(above: str, path: str) -> str:
    return f"{above}.{path}" if above and path else above or path


def _bare(node: Node | None) -> Node | None:
    """A named type without references, pointers and what it is generic in; None for other types."""
    for _ in range(20):
        if node is None or node.type in _NAMED:
            return node
        if node.type == "generic_type":
            kind, given = node.child_by_field_name("type"), node.child_by_field_name("type_arguments")
            inner = parts(given)
            last = text(kind).rpartition("::")[2]
            node = inner[0] if last in _POINTERS and inner else kind
        elif node.type in ("reference_type", "dynamic_type", "abstract_type", "pointer_type"):
            held = [c for c in node.named_children if c.type not in ("lifetime", "mutable_specifier")]
            node = held[-1] if held else None
        else:
            return None
    return node


def _given(node: Node) -> Node:
    """What a closure without parameters that matter gives; anything else is itself."""
    body = node.child_by_field_name("body") if node.type == "closure_expression" else None
    return node if body is None else body


def _called(node: Node | None) -> Node | None:
    """The call below in a chain."""
    for _ in range(40):
        if node is None or node.type == "call_expression":
            return node
        if node.type not in ("try_expression", "await_expression", "parenthesized_expression"):
            return None
        node = node.named_children[0] if node.named_children else None
    return None


def _split(nodes: list[Node], sign: str) -> list[list[Node]]:
    """Tokens between separators."""
    found: list[list[Node]] = [[]]
    for node in nodes[: MAX_ITEMS * 4]:
        if node.type == sign:
            found.append([])
        else:
            found[-1].append(node)
    return [part for part in found if part]


def _assigned(tree: Node | None) -> dict[str, Node]:
    """``name = value`` among the tokens of an attribute."""
    found: dict[str, Node] = {}
    for part in _split(tree.children[1:-1], ",") if tree is not None else ():
        if len(part) >= 3 and part[0].type == "identifier" and text(part[1]) == "=":
            found[text(part[0])] = part[2]
    return found


def _renamed(marks: list[Node]) -> str | None:
    """The text that attributes give a variant: ``#[serde(rename = "…")]``, ``#[strum(serialize = "…")]``."""
    for mark in marks:
        attribute = mark.named_children[0] if mark.named_children else None
        given = _assigned(attribute.child_by_field_name("arguments")) if attribute is not None else {}
        for name in ("rename", "serialize", "to_string"):
            if name in given and given[name].type in _STRINGS:
                return _string(given[name])
    return None


def _generated(data: bytes) -> str:
    return "it is generated" if _GENERATED.search(data[:2_000]) else ""


RUST = define(
    Language(
        name="rust",
        title="Rust",
        endings=("rs",),
        walker=RustWalker,
        grammars={"": tree_sitter_rust.language},
        prepare=_plain,
        left_out=_generated,
        imports=re.compile(
            rb"\buse[ \t]+(?P<module>[\w:]+)(?:\{(?P<names>[^;]{0,5000}))?|(?<![\w:])(?P<modules>[a-z_]\w*::\w+)"
        ),
        unseen="names built at run time; what macros other than those of the standard library expand to; unit tests",
    )
)
