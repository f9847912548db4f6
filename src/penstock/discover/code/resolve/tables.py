"""What the resolver asks of all files of a source at once, gathered in one pass while each of them is read."""

from __future__ import annotations

from typing import Any

from penstock.discover.code.ir import NAME, PARAMS
from penstock.discover.code.resolve.bounds import MAX_CALLERS
from penstock.discover.code.resolve.known import GROWS, THIS
from penstock.discover.code.resolve.module import Module

#: Calls of the same last name that are followed to see whether they mean a function.
MAX_LOOKED_AT = MAX_CALLERS * 4
#: Assignments to a name of a package that are looked at.
MAX_ASSIGNED = 20


class Tables:
    """Places in files by names.

    called: last name of what is called, if the source declares that name → (file, call).
    assigned: field → (file, row of its ``sets``), for assignments to names of packages: ``Settings.llm = …``.
    set: field → files that assign to it. grown: field → calls that add to it, ``x.field.append(…)``.
    added: method that the source adds to types of others (``static string Id(this Model model)``) → (file, scope).
    usings: file → what it imports for all files of its project.
    """

    def __init__(self) -> None:
        self.called: dict[str, list[tuple[str, int]]] = {}
        self.assigned: dict[str, list[tuple[str, list[Any]]]] = {}
        self.set: dict[str, list[str]] = {}
        self.grown: dict[str, list[tuple[str, int]]] = {}
        self.added: dict[str, list[tuple[str, int]]] = {}
        self.usings: dict[str, list[list[Any]]] = {}
        self._declared: set[str] = set()

    def take(self, module: Module) -> None:
        """Gather from one file."""
        path = module.path
        for number, scope in enumerate(module.scopes):
            if scope[NAME]:
                self._declared.add(scope[NAME])
            if scope[PARAMS] and len(scope[PARAMS][0]) > 3:
                self.added.setdefault(str(scope[NAME]), []).append((path, number))
        if rows := [row for row in module.imports if row[1] == "**"]:
            self.usings[path] = rows
        for attribute, rows in module.sets.items():
            self.set.setdefault(attribute, []).append(path)
            for row in rows:
                holder = module.expressions[row[1]]
                if holder[0] == "a" or (holder[0] == "r" and holder[2] not in THIS):
                    known = self.assigned.setdefault(attribute, [])
                    if len(known) < MAX_ASSIGNED:
                        known.append((path, row))
        self._take_calls(module)

    def _take_calls(self, module: Module) -> None:
        expressions, path = module.expressions, module.path
        for call, row in enumerate(expressions):
            if row[0] != "c":
                continue
            callee = expressions[row[2]]
            if callee[0] == "a" and callee[3] in GROWS:
                base = expressions[callee[2]]
                if base[0] == "a":
                    self.grown.setdefault(str(base[3]), []).append((path, call))
            if callee[0] == "a" and callee[3] == "new":
                callee = expressions[callee[2]]
            key = callee[2] if callee[0] == "r" else callee[3] if callee[0] == "a" else ""
            if key and isinstance(key, str):
                known = self.called.setdefault(key, [])
                if len(known) < MAX_LOOKED_AT:
                    known.append((path, call))

    def close(self) -> None:
        """All files were taken: forget calls of what no file declares."""
        self.called = {name: calls for name, calls in self.called.items() if name in self._declared}
        self._declared = set()
