"""The path by which the packages of a Go module are imported, from its ``go.mod``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.discover.code.ir import Builder
from penstock.discover.collector import Fact, File, Yielded, collector


@collector(
    "code.go-module",
    reads="go.mod",
    sees="the path under which the packages of a Go module are imported",
    unseen="replaced modules",
)
def go_module(file: File) -> Iterator[Yielded]:
    """The module path of a ``go.mod``, as a module without any code."""
    if found := re.search(r"^module\s+\"?([\w./~-]+)", file.text, re.MULTILINE):
        builder = Builder("go.mod")
        builder.package = found[1]
        yield Fact("code", file.path, builder.value())
