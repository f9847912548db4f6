"""The path by which the packages of a Go module are imported, from its ``go.mod``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.discover.code.ir import Builder
from penstock.discover.code.relevance import CODE, show
from penstock.discover.collector import Fact, File, Yielded, collector

_MODULE = re.compile(rb"^module\s+\"?(?P<package>[\w./~-]+)", re.MULTILINE)
show("go.mod", ("mod",), _MODULE)


@collector(
    "code.go-module",
    reads="go.mod",
    sees="the path under which the packages of a Go module are imported",
    unseen="replaced modules",
    gate=CODE,
)
def go_module(file: File) -> Iterator[Yielded]:
    """The module path of a ``go.mod``, as a module without any code."""
    if found := _MODULE.search(file.data):
        builder = Builder("go.mod")
        builder.package = found[1].decode()
        yield Fact("code", file.path, builder.value())
