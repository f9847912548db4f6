"""A project of .NET: the packages it references, and the namespaces that all of its files use."""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.discover.code.ir import Builder
from penstock.discover.code.relevance import CODE, show
from penstock.discover.collector import Fact, File, Yielded, collector

_USED = re.compile(rb"<(?P<kind>Using|PackageReference)\s[^<>]{0,200}?\bInclude\s*=\s*\"(?P<module>[\w.]{1,200})\"")
show("csproj", ("csproj",), _USED)
#: Packages and namespaces of one project that are looked at.
_MOST = 500


@collector(
    "code.dotnet-project",
    reads="*.csproj",
    sees="packages that a project references, and the namespaces that all of its files use",
    unseen="what imported property files add",
    gate=CODE,
)
def dotnet_project(file: File) -> Iterator[Yielded]:
    """The packages and usings of a ``.csproj``, as the imports of a module without any code."""
    builder = Builder("csproj")
    for count, found in enumerate(_USED.finditer(file.data)):
        if count >= _MOST:
            break
        line = file.data.count(b"\n", 0, found.start()) + 1
        everywhere = found["kind"] == b"Using"
        name = "**" if everywhere else ""
        builder.imports.append([0, name, found["module"].decode(), "*" if everywhere else "", line])
    yield Fact("code", file.path, builder.value())
