"""What a source file says, in the same small words for every language: the IR.

A module is one msgpack-able mapping of flat tables. Expressions refer to each other by index, so that an expression
nested ten thousand levels deep is a long table, never a deep value. Each row starts with its operation and line:

    s text                     string                     S sha256 length head      long string, not kept in full
    f [parts]                  joined text                n number    b bool        0 (none, null, undefined)
    r name scope               name                       a base attr    i base key    (attribute, subscript)
    l [items]                  list, tuple, set           d [[key, value], …]       dict, object ("**" = spread)
    c callee [args] {names} scope end                     call or construction
    o [alternatives]           a or b, a ?? b, c ? a : b   e base                    an element of (for x in base)
    x scope                    function or class as a value                        * base   spread     ? unknown
    t type                     something of that type, made elsewhere

``scopes`` row 0 is the module; functions, lambdas and classes follow. Names are bound by ``imports``, ``assigns``,
scopes and parameters. ``sets`` are attribute assignments (``self.model = …``, ``agent.handoffs = […]``).
``package`` is the package that a file says it is part of, where a language has that.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

#: A longer string is a text (prompt, query), kept only as hash, length and a head that is enough to tell its kind.
LONG = 300
HEAD = 200
#: More rows than any readable file needs (5 MB of code has about 10⁶ nodes); what is beyond is not looked at.
MAX_EXPRESSIONS = 400_000
MAX_ITEMS = 2_000

_SECRET = re.compile(
    r"(?:sk|pk|rk)[-_](?:[a-z]+[-_])*[A-Za-z0-9_-]{16,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|xox[abp]-[\w-]{10,}"
    r"|hf_[A-Za-z0-9]{20,}|AIza[\w-]{30,}|eyJ[\w-]{20,}\.[\w-]+"
)  # well-known prefixes of keys and tokens, as their vendors document them; only masked here, reported elsewhere
_PASSWORD_IN_URL = re.compile(r"(?<=://)([^/\s:@]*):[^/\s@]+@")

MODULE, FUNCTION, CLASS = "m", "f", "c"
# fields of a scope row
KIND, NAME, PARENT, LINE, END, PARAMS, DECORATORS, BASES, RETURNS = range(9)


class Builder:
    """Collects the tables of one module while a walker visits its nodes."""

    def __init__(self, language: str, lines: list[int] | None = None) -> None:
        self.expressions: list[list[Any]] = []
        self.scopes: list[list[Any]] = [[MODULE, "", -1, 1, 0, [], [], [], []]]
        self.imports: list[list[Any]] = []
        self.assigns: list[list[Any]] = []
        self.sets: list[list[Any]] = []
        self.language = language
        self.package = ""
        self.lines = lines
        self.most = MAX_EXPRESSIONS

    def line(self, row: int) -> int:
        """The line of a row; those of a virtual file become its reader's in `value`."""
        return row + 1

    def reserve(self, row: int) -> int:
        self.expressions.append(["?", row + 1])
        return len(self.expressions) - 1

    def text(self, index: int, text: str) -> None:
        """Fill a reserved row with a string."""
        row = self.expressions[index]
        if len(text) > LONG:
            self.expressions[index] = ["S", row[1], sha256(text), len(text), mask(text[:HEAD])]
        else:
            self.expressions[index] = ["s", row[1], mask(text)]

    def fill(self, index: int, op: str, *rest: Any) -> None:
        self.expressions[index] = [op, self.expressions[index][1], *rest]

    def add(self, row: int, op: str, *rest: Any) -> int:
        index = self.reserve(row)
        self.fill(index, op, *rest)
        return index

    def scope(self, kind: str, name: str, parent: int, row: int, end: int) -> int:
        self.scopes.append([kind, name, parent, self.line(row), self.line(end), [], [], [], []])
        return len(self.scopes) - 1

    def bind(self, scope: int, name: str, expression: int, row: int) -> None:
        self.assigns.append([scope, name, expression, self.line(row)])

    @property
    def full(self) -> bool:
        """Whether nothing more is to be looked at."""
        return len(self.expressions) >= self.most

    def value(self) -> dict[str, Any]:
        """The module as a value for a ``Fact``."""
        if self.lines is not None:
            self._read_lines(self.lines)
            self.lines = None
        return {
            "language": self.language,
            "package": self.package,
            "expressions": self.expressions,
            "scopes": self.scopes,
            "imports": self.imports,
            "assigns": self.assigns,
            "sets": self.sets,
        }

    def _read_lines(self, lines: list[int]) -> None:
        """Put the lines that a reader sees where those of the virtual file stand."""
        for rows, places in (
            (self.expressions, (1,)),
            ([row for row in self.expressions if row[0] == "c"], (6,)),
            (self.scopes, (LINE, END)),
            (self.imports, (4,)),
            (self.assigns, (3,)),
            (self.sets, (4,)),
        ):
            for row in rows:
                for place in places:
                    row[place] = lines[min(max(row[place], 1), len(lines)) - 1] if lines else 1


def utf8(data: bytes) -> bytes:
    """Bytes that a parser reads to their end: broken characters and NULs replaced, a byte-order mark dropped."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        data = data.decode("utf-8", "replace").encode()
    return data.replace(b"\0", b" ")


def mask(text: str) -> str:
    """The text with keys and passwords replaced, so that no cache or report can hold one."""
    if len(text) < 16:
        return text
    return _PASSWORD_IN_URL.sub(r"\1:***@", _SECRET.sub("[secret]", text))


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
