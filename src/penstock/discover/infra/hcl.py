"""HCL (Terraform) read into blocks of expressions; broken parts are left out, the rest is kept."""

from __future__ import annotations

from functools import cache
from typing import Any

import tree_sitter_hcl
from tree_sitter import Language, Node, Parser

from penstock.discover.infra.expressions import Expression

#: Nesting of hand-written Terraform stays below 20; a template that nests deeper is left out.
MAX_DEPTH = 60
#: Expressions kept of one file: a generated file of 1 MB has about 60,000.
MAX_EXPRESSIONS = 100_000


def blocks(data: bytes) -> tuple[list[list[Any]], bool]:
    """(``[[type, [labels], line, body], …]``, whether all of it parsed); attributes outside of blocks are one block
    of type ``""``."""
    root = _parser().parse(data).root_node
    reading = _Reading(data)
    found: list[list[Any]] = []
    loose: list[Any] = []
    body = next((child for child in root.named_children if child.type == "body"), root)
    for child in body.named_children:
        if child.type == "block":
            kind, labels = reading.head(child)
            found.append([kind, labels, child.start_point[0] + 1, reading.body(child, 1)])
        elif child.type == "attribute":
            loose += reading.attribute(child, 1)
    if loose:
        found.append(["", [], 1, ["o", 1, loose]])
    return found, not root.has_error and reading.left > 0


class _Reading:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.left = MAX_EXPRESSIONS

    def head(self, block: Node) -> tuple[str, list[str]]:
        words = []
        for child in block.named_children:
            if child.type == "identifier":
                words.append(self.text(child))
            elif child.type == "string_lit":
                words.append(self.text(child).strip('"'))
            elif child.type in ("block_start", "body"):
                break
        return (words[0] if words else ""), words[1:]

    def body(self, block: Node, depth: int) -> Expression:
        """The attributes and inner blocks of a block as one object."""
        entries: list[Any] = []
        inside = next((child for child in block.named_children if child.type == "body"), None)
        for child in inside.named_children if inside is not None and depth < MAX_DEPTH else ():
            if child.type == "attribute":
                entries += self.attribute(child, depth + 1)
            elif child.type == "block":
                kind, labels = self.head(child)
                value = self.body(child, depth + 1)
                if kind == "dynamic" and labels:
                    kind = labels[0]
                    value = next((inner for key, inner in value[2] if key == "content"), value)
                entries.append([kind, value])
        return ["o", block.start_point[0] + 1, entries]

    def attribute(self, node: Node, depth: int) -> list[Any]:
        name = next((child for child in node.named_children if child.type == "identifier"), None)
        value = next((child for child in node.named_children if child.type == "expression"), None)
        return [[self.text(name), self.expression(value, depth)]] if name is not None and value is not None else []

    def expression(self, node: Node, depth: int) -> Expression:
        line = node.start_point[0] + 1
        self.left -= 1
        if depth > MAX_DEPTH or self.left < 0:
            return ["f", line, "", []]
        inner = [child for child in node.named_children if child.type != "comment"]
        match node.type:
            case "expression":
                if inner and inner[0].type == "variable_expr":
                    return self.reference(inner, line)
                if inner and inner[0].type == "function_call" and len(inner) > 1:
                    return self.expression(inner[0], depth + 1)
                return self.expression(inner[0], depth + 1) if inner else ["f", line, "", []]
            case "literal_value":
                return self.literal(inner[0] if inner else node, line)
            case "template_expr" | "quoted_template" | "heredoc_template":
                return self.template(node, line, depth)
            case "conditional":
                return ["a", line, [self.expression(child, depth + 1) for child in inner[1:3]]]
            case "collection_value":
                return self.expression(inner[0], depth + 1) if inner else ["l", line, []]
            case "tuple":
                items = [child for child in inner if child.type == "expression"]
                return ["l", line, [self.expression(child, depth + 1) for child in items]]
            case "object":
                return ["o", line, [entry for child in inner for entry in self.element(child, depth + 1)]]
            case "for_expr":
                return self.loop(inner[0], line, depth) if inner else ["l", line, []]
            case "function_call":
                name = self.text(inner[0]) if inner else ""
                arguments = next((child for child in inner if child.type == "function_arguments"), None)
                given = [c for c in arguments.named_children if c.type == "expression"] if arguments is not None else []
                return ["f", line, name, [self.expression(child, depth + 1) for child in given]]
        # An operation: its value is of no interest, what it refers to is no part of the value either.
        return ["f", line, "", []]

    def reference(self, parts: list[Node], line: int) -> Expression:
        names = [self.text(parts[0])]
        for part in parts[1:]:
            if part.type == "get_attr":
                names += [self.text(child) for child in part.named_children if child.type == "identifier"]
            elif part.type in ("index", "splat"):
                text = self.text(part).strip()
                if text.startswith('["') and text.endswith('"]') and "${" not in text:
                    names.append(text[2:-2])
                else:
                    names += [w for w in text.replace("[*]", "").replace(".*", "").split(".") if w.isidentifier()]
        return ["r", line, names[:20]]

    def literal(self, node: Node, line: int) -> Expression:
        if node.type == "string_lit":
            parts = [self.text(child) for child in node.named_children if child.type == "template_literal"]
            return ["s", line, "".join(parts)]
        text = self.text(node)
        return ["f", line, "null", []] if text == "null" else ["s", line, text]

    def template(self, node: Node, line: int, depth: int) -> Expression:
        parts: list[Expression] = []
        waiting = list(node.named_children)
        while waiting:
            child = waiting.pop(0)
            if child.type in ("quoted_template", "heredoc_template"):
                waiting = [*child.named_children, *waiting]
            elif child.type == "template_literal":
                parts.append(["s", child.start_point[0] + 1, self.text(child)])
            elif child.type == "template_interpolation":
                value = next((c for c in child.named_children if c.type == "expression"), None)
                parts.append(self.expression(value, depth + 1) if value is not None else ["f", line, "", []])
            elif child.type == "template_directive":
                parts.append(["f", line, "", []])
        return parts[0] if len(parts) == 1 and parts[0][0] in ("s", "r") else ["t", line, parts]

    def element(self, node: Node, depth: int) -> list[Any]:
        parts = [child for child in node.named_children if child.type == "expression"]
        if len(parts) != 2:
            return []
        key = self.expression(parts[0], depth)
        name = key[2] if key[0] == "s" else ".".join(key[2]) if key[0] == "r" else ""
        return [[name, self.expression(parts[1], depth)]] if isinstance(name, str) else []

    def loop(self, node: Node, line: int, depth: int) -> Expression:
        """What a loop makes: any of its values, whatever the key is."""
        values = [child for child in node.named_children if child.type == "expression"]
        return ["l", line, [self.expression(child, depth + 1) for child in values[-1:]]]

    def text(self, node: Node) -> str:
        return self.data[node.start_byte : node.end_byte].decode("utf-8", errors="replace")


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_hcl.language()))
