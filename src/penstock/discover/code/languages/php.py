"""PHP: what its syntax means in the IR.

A namespace is a package, an attribute a decorator; that of a class is its ``__invoke`` method's. What a class extends,
implements or uses (traits) are its bases, and a promoted parameter of its constructor is a field. In a chain of calls
each holds the arguments of the others by their names: ``Prism::text()->using(…)->withTools([…])``.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

import tree_sitter_php
from tree_sitter import Node

from penstock.discover.code import expressions
from penstock.discover.code.ir import (
    BASES,
    CLASS,
    DECORATORS,
    FUNCTION,
    KIND,
    NAME,
    PARAMS,
    PARENT,
    Builder,
)  # fmt: skip
from penstock.discover.code.language import Language, define
from penstock.discover.code.walker import Table, Walker, first, of_kind, parts, text

#: Calls of one chain that share their arguments.
MAX_CHAIN = 100
_ESCAPES = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\\\": "\\", "\\r": "\r", "\\'": "'", "\\$": "$", "\\e": "\x1b"}
_VERB = re.compile(r"%(?:%|(?:\d+\$)?[-+ 0]*(?:'.)?\d*(?:\.\d+)?[a-zA-Z])")  # conversions of sprintf
#: Functions that give their first argument back in another form, and those that make what a class name names.
_HOLDS = frozenset({"trim", "rtrim", "ltrim", "strval", "strtolower", "strtoupper", "collect", "array_filter", "value"})
_MAKES = frozenset({"app", "resolve", "make"})
_SUPERGLOBALS = frozenset({"_ENV", "_SERVER"})
_CLASSES = ("class_declaration", "interface_declaration", "trait_declaration", "enum_declaration")
_CALLS = ("member_call_expression", "nullsafe_member_call_expression", "scoped_call_expression")
_NAMES = ("name", "qualified_name", "named_type")


def _string(node: Node) -> str:
    """The content of a string in single quotes, where only quotes and backslashes are escaped."""
    return text(node)[1:-1].replace("\\'", "'").replace("\\\\", "\\")


class PhpWalker(Walker):
    """The walk over a PHP file."""

    reads_environment = ("", "getenv")

    def __init__(self, builder: Builder) -> None:
        super().__init__(builder)
        self.shared: dict[int, dict[str, int]] = {}  # what follows a call in its chain, by node
        self.whole: set[str] = set()

    # declarations

    def namespace(self, node: Node, index: int, scope: int) -> None:
        self.ir.package = _dotted(node.child_by_field_name("name"))
        if (body := node.child_by_field_name("body")) is not None:
            self.stack.append((body, -1, scope))

    def use(self, node: Node, index: int, scope: int) -> None:
        """``use A\\B``, ``use A\\{B, C as D}``"""
        line = self.ir.line(node.start_point[0])
        above = ""
        clauses = node.named_children
        if (group := node.child_by_field_name("body")) is not None:
            above, clauses = _dotted(of_kind(node, "namespace_name")), group.named_children
        for clause in clauses[:500]:
            if clause.type != "namespace_use_clause" or not clause.named_children:
                continue
            path = ".".join(part for part in (above, _dotted(clause.named_children[0])) if part)
            module, _, name = path.rpartition(".")
            local = text(clause.child_by_field_name("alias")) or name
            self.ir.imports.append([0, local, module or name, name if module else "", line])

    def class_(self, node: Node, index: int, scope: int) -> None:
        name = text(node.child_by_field_name("name"))
        inner = self.ir.scope(CLASS, name, scope, node.start_point[0], node.end_point[0])
        marks = self.attributes(node, scope)
        self.ir.scopes[inner][DECORATORS] += marks
        for child in node.named_children:
            if child.type in ("base_clause", "class_interface_clause"):
                self.ir.scopes[inner][BASES] += [self.want(base, scope) for base in child.named_children]
        body = node.child_by_field_name("body")
        held = parts(body)
        for child in held:
            if child.type == "use_declaration":
                self.ir.scopes[inner][BASES] += [self.want(base, scope) for base in child.named_children]
        methods = [child for child in held if child.type == "method_declaration"] if marks else []
        for method in methods:
            called = text(method.child_by_field_name("name"))
            if called == "__invoke" or len(methods) == 1:
                self.method(method, -1, inner, marks)
                held = [child for child in held if child is not method]
        self.descend(held, inner)
        if index >= 0:
            self.ir.fill(index, "x", inner)

    def attributes(self, node: Node, scope: int) -> list[int]:
        listed = node.child_by_field_name("attributes")
        found = []
        for group in listed.named_children if listed is not None else ():
            for mark in group.named_children:
                if mark.named_children:
                    row = self.ir.reserve(mark.start_point[0])
                    args, names = self.arguments(mark.child_by_field_name("parameters"), scope)
                    callee = self.want(mark.named_children[0], scope)
                    self.ir.fill(row, "c", callee, args, names, scope, self.ir.line(mark.end_point[0]))
                    found.append(row)
        return found

    def constants(self, node: Node, index: int, scope: int) -> None:
        for element in node.named_children:
            if element.type == "const_element" and len(element.named_children) > 1:
                name, value = element.named_children[0], element.named_children[-1]
                self.ir.bind(scope, text(name), self.want(value, scope), name.start_point[0])

    def case(self, node: Node, index: int, scope: int) -> None:
        """A case of an enum."""
        value = self.want(node.child_by_field_name("value"), scope)
        self.ir.bind(scope, text(node.child_by_field_name("name")), value, node.start_point[0])

    def fields(self, node: Node, index: int, scope: int) -> None:
        kind = _bare(node.child_by_field_name("type"))
        for element in node.named_children:
            if element.type == "property_element":
                value = self.want(element.child_by_field_name("default_value"), scope)
                if value < 0 and kind is not None:
                    value = self.ir.add(element.start_point[0], "t", self.want(kind, scope))
                name = text(element.child_by_field_name("name")).lstrip("$")
                self.ir.bind(scope, name, value, element.start_point[0])

    def method(self, node: Node, index: int, scope: int, marks: list[int] | None = None) -> None:
        name = text(node.child_by_field_name("name"))
        name = "constructor" if name == "__construct" else name
        inner = self.ir.scope(FUNCTION, name, scope, node.start_point[0], node.end_point[0])
        self.ir.scopes[inner][DECORATORS] = [*(marks or ()), *self.attributes(node, scope)]
        self.parameters(node.child_by_field_name("parameters"), inner)
        body = node.child_by_field_name("body")
        if node.type == "arrow_function":
            self.returns(inner, body)
        elif body is not None:
            self.stack.append((body, -1, inner))
        if index >= 0:
            self.ir.fill(index, "x", inner)

    def parameters(self, node: Node | None, inner: int) -> None:
        for child in node.named_children[:100] if node is not None else ():
            name = text(child.child_by_field_name("name")).lstrip("$")
            kind = _bare(child.child_by_field_name("type"))
            default = self.want(child.child_by_field_name("default_value"), inner)
            annotation = self.want(kind, inner) if kind is not None else -1
            self.ir.scopes[inner][PARAMS].append([name, default, annotation])
            if child.type == "property_promotion_parameter":
                row = child.start_point[0]
                this = self.ir.add(row, "r", "this", inner)
                self.set(this, name, self.ir.add(row, "r", name, inner), row, inner)

    # assignments

    def assignment(self, node: Node, index: int, scope: int) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None:
            return
        row, value = left.start_point[0], self.want(right, scope)
        operator = text(node.child_by_field_name("operator")) if node.type.startswith("augmented") else ""
        if operator == ".=":
            value = self.ir.add(row, "f", [self.want(left, scope), value])
        elif operator == "??=":
            value = self.ir.add(row, "o", [self.want(left, scope), value])
        self.assign(left, value, scope)
        if index >= 0:
            self.ir.fill(index, "*", value)

    def assign(self, target: Node, value: int, scope: int) -> None:
        row = target.start_point[0]
        if target.type == "variable_name":
            self.ir.bind(scope, text(target).lstrip("$"), value, row)
        elif target.type == "member_access_expression":
            base = self.want(target.child_by_field_name("object"), scope)
            self.set(base, text(target.child_by_field_name("name")), value, row, scope)
        elif target.type == "scoped_property_access_expression":
            base = self.want(target.child_by_field_name("scope"), scope)
            self.set(base, text(target.child_by_field_name("name")).lstrip("$"), value, row, scope)
        elif target.type == "subscript_expression":
            held = parts(target)
            if len(held) == 2 and held[1].type == "string":
                self.set(self.want(held[0], scope), _string(held[1]), value, row, scope)
            elif len(held) == 1:  # $list[] = …
                callee = self.ir.add(row, "a", self.want(held[0], scope), "append")
                self.ir.add(row, "c", callee, [value], {}, scope, self.ir.line(row))
        elif target.type in ("list_literal", "array_creation_expression"):
            for place, part in enumerate(parts(target)[:20]):
                part = part.named_children[-1] if part.type == "array_element_initializer" else part
                if part.type == "variable_name":
                    item = self.ir.add(row, "i", value, self.ir.add(row, "n", place))
                    self.ir.bind(scope, text(part).lstrip("$"), item, row)

    def for_each(self, node: Node, index: int, scope: int) -> None:
        held = parts(node)
        body = node.child_by_field_name("body")
        if len(held) > 1:
            name = held[1].named_children[-1] if held[1].type == "pair" else held[1]
            item = self.ir.add(node.start_point[0], "e", self.want(held[0], scope))
            if name.type == "variable_name":
                self.ir.bind(scope, text(name).lstrip("$"), item, name.start_point[0])
        if body is not None:
            self.descend([body], scope)

    # calls

    def function(self, node: Node, index: int, scope: int) -> None:
        if index < 0:
            index = self.ir.reserve(node.start_point[0])
        callee, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        name = text(callee).lstrip("\\") if callee is not None and callee.end_byte - callee.start_byte < 60 else ""
        values = [first(part) for part in parts(given)]
        later = self.shared.pop(node.id, {})
        if name in _HOLDS and values and values[0] is not None:
            self.stack.append((values[0], index, scope))
        elif name == "sprintf" and values and values[0] is not None and values[0].type in ("string", "encapsed_string"):
            rows = [self.want(value, scope) for value in values[1:]]
            row = node.start_point[0]
            self.template(index, expressions.formatted(self, _string(values[0]), _VERB, rows, row), row)
        elif name in _MAKES and len(values) == 1 and values[0] is not None:
            self.ir.fill(index, "c", self.want(values[0], scope), [], later, scope, self.ir.line(node.end_point[0]))
        else:
            args, names = self.arguments(given, scope)
            if name == "define" and len(args) == 2 and self.ir.expressions[args[0]][0] == "s":
                self.ir.bind(0, self.ir.expressions[args[0]][2], args[1], node.start_point[0])
            called = self.want(callee, scope)
            self.ir.fill(index, "c", called, args, {**later, **names}, scope, self.ir.line(node.end_point[0]))

    def call(self, node: Node, index: int, scope: int) -> None:
        """``$a->b()``, ``A::b()``: with those after it in its chain it shares the arguments."""
        if index < 0:
            index = self.ir.reserve(node.start_point[0])
        below = node.child_by_field_name("object") or node.child_by_field_name("scope")
        name = text(node.child_by_field_name("name"))
        later = self.shared.pop(node.id, {})
        args, names = self.arguments(node.child_by_field_name("arguments"), scope)
        row = node.start_point[0]
        given = args or list(names.values())[:1]
        if given and len(later) < MAX_CHAIN:
            value = given[0] if len(given) == 1 else self.ir.add(row, "l", given)
            later = {**later, name: self.also(later, name, value)}
        inner = below
        while inner is not None and inner.type == "parenthesized_expression":
            inner = first(inner)
        if inner is not None and inner.type in (*_CALLS, "object_creation_expression", "function_call_expression"):
            self.shared[inner.id] = later
        if below is not None and name == "__construct" and text(below) == "parent":
            self.above(args, names, row, scope)
        callee = self.ir.reserve(row)
        self.ir.fill(index, "c", callee, args, {**later, **names}, scope, self.ir.line(node.end_point[0]))
        self.ir.fill(callee, "a", self.want(below, scope), name)

    def above(self, args: list[int], names: dict[str, int], row: int, scope: int) -> None:
        """What a class gives the constructor of its base says what it is: ``.parent``, and the names of arguments."""
        at = scope
        while at > 0 and self.ir.scopes[at][KIND] != CLASS:
            at = self.ir.scopes[at][PARENT]
        if at > 0 and args:
            self.ir.bind(at, ".parent", self.ir.add(row, "l", args), row)
        for name, value in names.items() if at > 0 else ():
            self.ir.bind(at, f".{name}", value, row)

    def also(self, later: dict[str, int], name: str, value: int) -> int:
        """An argument that a chain gives again is a list, the first one first."""
        if name not in later:
            return value
        at = self.ir.expressions[later[name]]
        held = at[2] if at[0] == "l" and len(at) > 3 else [later[name]]
        return self.ir.add(at[1] - 1, "l", [value, *held], True)

    def construction(self, node: Node, index: int, scope: int) -> None:
        if index < 0:
            index = self.ir.reserve(node.start_point[0])
        later = self.shared.pop(node.id, {})
        kind, given = first(node), of_kind(node, "arguments")
        if kind is not None and kind.type == "anonymous_class":
            self.anonymous(kind, index, scope)
            return
        args, names = self.arguments(given, scope)
        callee = self.want(kind if kind is not given else None, scope)
        self.ir.fill(index, "c", callee, args, {**later, **names}, scope, self.ir.line(node.end_point[0]))

    def anonymous(self, node: Node, index: int, scope: int) -> None:
        row = node.start_point[0]
        made = self.ir.reserve(row)
        self.class_(node, made, scope)
        self.ir.fill(index, "c", made, [], {}, scope, self.ir.line(node.end_point[0]))

    def arguments(self, node: Node | None, scope: int) -> tuple[list[int], dict[str, int]]:
        args: list[int] = []
        names: dict[str, int] = {}
        for child in parts(node):
            if child.type == "variadic_unpacking":
                row = self.want(first(child), scope)
                names[f"**{len(names)}"] = row
                args.append(self.ir.add(child.start_point[0], "*", row))
            elif child.type == "argument" and child.named_children:
                named, value = child.child_by_field_name("name"), child.named_children[-1]
                if value.type == "variadic_unpacking":
                    names[f"**{len(names)}"] = self.want(first(value), scope)
                elif named is not None and len(child.named_children) > 1:
                    names[text(named)] = self.want(value, scope)
                else:
                    args.append(self.want(value, scope))
        return args, names

    # values

    def array(self, node: Node, index: int, scope: int) -> None:
        pairs: list[list[Any]] = []
        rows: list[int] = []
        for child in parts(node):
            held = parts(child)
            if child.type != "array_element_initializer" or not held:
                continue
            if held[0].type == "variadic_unpacking":
                row = self.want(first(held[0]), scope)
                pairs.append(["**", row])
                rows.append(self.ir.add(child.start_point[0], "*", row))
            elif len(held) > 1:
                key = _string(held[0]) if held[0].type == "string" else self.want(held[0], scope)
                pairs.append([key, self.want(held[1], scope)])
            else:
                rows.append(self.want(held[0], scope))
        if index >= 0:
            keyed = len(pairs) > sum(pair[0] == "**" for pair in pairs)
            self.ir.fill(index, *(("d", pairs) if keyed else ("l", rows)))

    def shell(self, node: Node, index: int, scope: int) -> None:
        """A command in backticks: a call of ``shell_exec``."""
        row = node.start_point[0]
        command = self.ir.reserve(row)
        self.joined(node, command, scope)
        call = index if index >= 0 else self.ir.reserve(row)
        callee = self.ir.add(row, "r", "shell_exec", scope)
        self.ir.fill(call, "c", callee, [command], {}, scope, self.ir.line(node.end_point[0]))

    def joined(self, node: Node, index: int, scope: int) -> None:
        """A string with variables in it, a heredoc or a nowdoc."""
        body = node.child_by_field_name("value")
        end = node.child_by_field_name("end_tag")
        margin = end.start_point[1] if end is not None else 0
        found: list[int | str] = []
        for child in (node if body is None else body).named_children:
            if child.type in ("string_content", "nowdoc_string"):
                found.append(text(child))
            elif child.type == "escape_sequence":
                found.append(_ESCAPES.get(text(child), text(child)))
            elif child.type not in ("heredoc_start", "heredoc_end"):
                found.append(self.want(child, scope))
        if margin:
            cut = re.compile(rf"(\A|\n)[ \t]{{1,{min(margin, 1_000)}}}")
            later = re.compile(rf"(\n)[ \t]{{1,{min(margin, 1_000)}}}")
            found = [
                (later if place else cut).sub(r"\1", piece) if isinstance(piece, str) else piece
                for place, piece in enumerate(found)
            ]
        if index >= 0:
            self.template(index, found or [""], node.start_point[0])

    def variable(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            name = text(node).lstrip("$")
            self.ir.fill(index, "r", f"${name}" if name in _SUPERGLOBALS else name, scope)

    def name(self, node: Node, index: int, scope: int) -> None:
        """A class, function or constant; ``\\A\\B`` and ``A\\B`` are names with a way."""
        if index < 0:
            return
        said, row = text(node)[:500], node.start_point[0]
        if said in ("self", "static"):
            at = scope
            while at > 0 and self.ir.scopes[at][KIND] != CLASS:
                at = self.ir.scopes[at][PARENT]
            self.ir.fill(index, "r", self.ir.scopes[at][NAME] or "this", max(0, self.ir.scopes[at][PARENT]))
        elif "\\" not in said:
            self.ir.fill(index, "r", said, scope)
        elif said.startswith("\\"):
            path = said.strip("\\").replace("\\", ".")
            if path not in self.whole:
                self.whole.add(path)
                module, _, last = path.rpartition(".")
                self.ir.imports.append([0, said, module or path, last if module else "", self.ir.line(row)])
            self.ir.fill(index, "r", said, 0)
        else:
            words = said.split("\\")
            at = self.ir.add(row, "r", words[0], scope)
            for word in words[1:-1]:
                at = self.ir.add(row, "a", at, word)
            self.ir.fill(index, "a", at, words[-1])

    def kind(self, node: Node, index: int, scope: int) -> None:
        if index >= 0 and (inner := first(node)) is not None:
            self.stack.append((inner, index, scope))

    def constant_of(self, node: Node, index: int, scope: int) -> None:
        """``A::B``; ``A::class`` is A."""
        held = parts(node)
        if len(held) < 2 or index < 0:
            return
        if text(held[1]) == "class":
            self.stack.append((held[0], index, scope))
        else:
            self.ir.fill(index, "a", self.want(held[0], scope), text(held[1]))

    def static_field(self, node: Node, index: int, scope: int) -> None:
        base = self.want(node.child_by_field_name("scope"), scope)
        if index >= 0:
            self.ir.fill(index, "a", base, text(node.child_by_field_name("name")).lstrip("$"))

    def item(self, node: Node, index: int, scope: int) -> None:
        rows = [self.want(part, scope) for part in parts(node)[:2]]
        if index >= 0 and len(rows) == 2:
            self.ir.fill(index, "i", *rows)

    def choice(self, node: Node, index: int, scope: int) -> None:
        """``a ? b : c``, ``a ?: c``"""
        asked, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
        either = [body or asked, node.child_by_field_name("alternative")]
        if body is not None and asked is not None:
            self.descend([asked], scope)
        rows = [self.want(part, scope) for part in either if part is not None]
        if index >= 0:
            self.ir.fill(index, "o", rows)

    def match(self, node: Node, index: int, scope: int) -> None:
        body = node.child_by_field_name("body")
        rows = [self.want(arm.child_by_field_name("return_expression"), scope) for arm in parts(body)]
        if index >= 0:
            self.ir.fill(index, "o", [row for row in rows if row >= 0])

    def cast(self, node: Node, index: int, scope: int) -> None:
        if (value := node.child_by_field_name("value")) is not None:
            self.stack.append((value, index, scope))

    table: ClassVar[Table] = {
        **dict.fromkeys(
            ("comment", "text_interpolation", "text", "attribute_list", "use_declaration"), expressions.skip
        ),
        "namespace_definition": namespace,
        "namespace_use_declaration": use,
        **dict.fromkeys(_CLASSES, class_),
        "const_declaration": constants,
        "enum_case": case,
        "property_declaration": fields,
        **dict.fromkeys(
            ("method_declaration", "function_definition", "anonymous_function", "arrow_function"),
            method,
        ),
        **dict.fromkeys(("assignment_expression", "augmented_assignment_expression"), assignment),
        "foreach_statement": for_each,
        "return_statement": expressions.returned,
        "function_call_expression": function,
        **dict.fromkeys(_CALLS, call),
        "object_creation_expression": construction,
        "array_creation_expression": array,
        "string": expressions.string(_string),
        **dict.fromkeys(("encapsed_string", "heredoc", "nowdoc"), joined),
        "shell_command_expression": shell,
        **dict.fromkeys(("integer", "float"), expressions.number),
        **dict.fromkeys(("boolean", "null"), expressions.constant),
        "variable_name": variable,
        **dict.fromkeys(("name", "qualified_name", "relative_scope"), name),
        "named_type": kind,
        **dict.fromkeys(
            ("member_access_expression", "nullsafe_member_access_expression"), expressions.member("object", "name")
        ),
        "class_constant_access_expression": constant_of,
        "scoped_property_access_expression": static_field,
        "subscript_expression": item,
        "binary_expression": expressions.operation((".",), ("??", "||", "or")),
        "conditional_expression": choice,
        "match_expression": match,
        "cast_expression": cast,
        **dict.fromkeys(("parenthesized_expression", "argument", "clone_expression"), expressions.through),
    }  # fmt: skip


def _dotted(node: Node | None) -> str:
    return text(node)[:500].strip("\\").replace("\\", ".").replace(" ", "") if node is not None else ""


def _bare(node: Node | None) -> Node | None:
    """The named type of a type that may be null or one of several; None for those of the language."""
    for _ in range(10):
        if node is None or node.type in _NAMES:
            return node
        node = next((c for c in node.named_children if c.type != "primitive_type"), None)
    return node


PHP = define(
    Language(
        name="php",
        title="PHP",
        endings=("php",),
        walker=PhpWalker,
        grammars={"": tree_sitter_php.language_php},
        imports=re.compile(
            rb"(?:^[ \t]*use[ \t]+(?:function[ \t]+|const[ \t]+)?|(?<![\w>$\\'\"])\\?)"
            rb"(?P<module>[A-Z]\w*(?:\\\w+)*)\\?(?:\{(?P<names>[^}]{0,5000}))?"
            rb"|^[ \t]*namespace[ \t]+(?P<package>[\w\\]+)|\b(?:config|Config::get)\(['\"](?P<modules>[\w-]+)",
            re.MULTILINE,
        ),
        unseen="names built at run time; what a container makes",
    )
)
