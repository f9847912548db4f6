"""The name by which a crate is imported, from its ``Cargo.toml``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.discover.code.ir import Builder
from penstock.discover.code.relevance import CODE, show
from penstock.discover.collector import Fact, File, Yielded, collector

_NAME = re.compile(rb"^\[(?:package|lib)\][^\[]{0,5000}?^name\s*=\s*[\"'](?P<package>[\w-]+)", re.MULTILINE)
show("cargo.toml", ("toml",), _NAME)


@collector(
    "code.crate",
    reads="Cargo.toml",
    sees="the name under which a crate is imported",
    unseen="crates that are renamed where they are used",
    gate=CODE,
)
def crate(file: File) -> Iterator[Yielded]:
    """The name of a crate, as a module without any code."""
    if found := _NAME.search(file.data):
        builder = Builder("cargo.toml")
        builder.package = found[1].decode().replace("-", "_")
        yield Fact("code", file.path, builder.value())
