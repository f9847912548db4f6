"""A language whose files are read: its grammar, its walk, its file names. Defining one registers its collector."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import tree_sitter
from tree_sitter import Node, Parser

from penstock.discover.code.ir import Builder, utf8
from penstock.discover.code.parse import parse
from penstock.discover.code.relevance import CODE, show
from penstock.discover.code.walker import Meaning, Walker
from penstock.discover.collector import Fact, File, Yielded, collector
from penstock.graph.vocabulary import Unseen

LANGUAGES: dict[str, Language] = {}


def nothing_left_out(data: bytes) -> str:
    """No file of the language is left out."""
    return ""


@dataclass(frozen=True, slots=True)
class Language:
    """How files of one language become IR.

    name: as IR, resolver and data rows call it. endings: of its files, without a dot. title: as people call it.
    grammars: file ending → grammar, "" for all others. left_out: why a file is not read ("it is generated"), or "".
    imports: how imports look in the source, for a glance before anything is parsed (see `relevance.show`); it may find
        too much, never too little. Without it every file is read.
    prepare: the source as the grammar wants it, lines unmoved (a script in a page).
    texts: nodes that hold text for people, in which the grammar may stumble (an ``&`` in JSX) without losing code.
    """

    name: str
    title: str
    endings: tuple[str, ...]
    walker: type[Walker]
    grammars: Mapping[str, Callable[[], object]]
    unseen: str = "names built at run time"
    left_out: Callable[[bytes], str] = nothing_left_out
    imports: re.Pattern[bytes] | None = None
    prepare: Callable[[bytes], bytes] = bytes
    texts: frozenset[str] = frozenset()

    def read(self, data: bytes, path: str = "", lines: list[int] | None = None) -> tuple[dict[str, Any], int]:
        """IR of the source, and the first line that does not parse (0: all does).

        Args:
            lines: for a virtual file, the reader's line for each of its lines.

        Raises:
            Overrun: it takes too long to parse.
        """
        ending = path.rpartition(".")[2].lower()
        parser, meanings = _ready(self.name, ending if ending in self.grammars else "")
        root = parse(parser, utf8(self.prepare(data))).root_node
        builder = Builder(self.name, lines)
        self.walker(builder).run(root, meanings)
        broken = first_error(root, self.texts) + 1 if root.has_error else 0
        return builder.value(), lines[min(broken, len(lines)) - 1] if lines and broken else broken


def define(language: Language) -> Language:
    """Register a language and the collector of its files."""
    LANGUAGES[language.name] = language
    if language.imports:
        show(language.name, language.endings, language.imports)
    what, name = f"{language.title} code", f"code.{language.name}"

    @collector(
        name,
        reads=tuple(f"*.{ending}" for ending in language.endings),
        sees=f"imports, calls, values, functions and classes of {language.title} files",
        unseen=language.unseen,
        gate=CODE if language.imports else None,
    )
    def source_file(file: File) -> Iterator[Yielded]:
        if why := language.left_out(file.data):
            yield Unseen(file.path, what, why, "Scan what it is made from", name, file.scope, skipped=True)
            return
        value, broken = language.read(file.data, file.path)
        value["broken"] = broken
        if broken:
            yield Unseen(file.at(broken), what, "a part does not parse", collector=name, scope=file.scope)
        yield Fact("code", file.path, value)

    return language


def language(name: str) -> Language:
    """A language by its name.

    Raises:
        ImportError: there is none of this name.
    """
    if name not in LANGUAGES:
        importlib.import_module(f"penstock.discover.code.languages.{name}")
    return LANGUAGES[name]


@cache
def _ready(name: str, ending: str) -> tuple[Parser, list[Meaning]]:
    """The parser for files with an ending and what its nodes mean, made when first needed."""
    grammar = tree_sitter.Language(LANGUAGES[name].grammars[ending]())
    return Parser(grammar), LANGUAGES[name].walker.meanings_in(grammar)


def first_error(root: Node, texts: frozenset[str]) -> int:
    """The row of the first node that does not parse; -1 when all that do not are a line of text for people."""
    waiting, steps = [(root, "")], 0
    while waiting and steps < 100_000:
        steps += 1
        node, inside = waiting.pop()
        if node.is_error or node.is_missing:
            if inside not in texts or node.start_point[0] != node.end_point[0]:
                return node.start_point[0]
            continue
        waiting += [(child, node.type) for child in reversed(node.children) if child.has_error]
    return -1
