"""Spring's configuration: each property as a fact under its full name, as ``@Value("${…}")`` and Spring AI read it.

``spring.ai.openai.chat.options.model: ${CHAT_MODEL:gpt-4o-mini}`` gives two facts with the value ``gpt-4o-mini``: the
property's, and that of the variable, whose default stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.discover.collector import Fact, File, Yielded, collector
from penstock.discover.infra.environment import alias_fact, env_fact
from penstock.discover.infra.marked import Map, Seq, as_text, line_of
from penstock.discover.infra.yaml_docs import read_documents
from penstock.graph.vocabulary import Unseen

NAME = "infra.spring"
#: Properties of one file; large services have about 500.
MOST = 5_000
_LINE = re.compile(r"\s*([A-Za-z_][\w.\[\]-]{0,199})\s*[=:]\s*(.*?)\s*\Z")
_PLACE = re.compile(r"\$\{([A-Za-z_][\w.-]{0,199})(?::([^${}]{0,1000}))?\}")


@collector(
    NAME,
    reads=[
        "application*.yml",
        "application*.yaml",
        "application*.properties",
        "bootstrap*.yml",
        "bootstrap*.properties",
    ],
    sees="properties of Spring and Quarkus services with their values, and the defaults of variables in them",
    unseen="which profiles are active; configuration servers; values of secrets, on purpose",
)  # fmt: skip
def spring(file: File) -> Iterator[Yielded]:
    """A fact for each property that has a value."""
    if file.path.endswith(".properties"):
        for number, line in enumerate(file.text.splitlines()[:MOST], 1):
            match = _LINE.match(line[:4_000])
            if match and not line.lstrip().startswith(("#", "!")):
                yield from _property(file, match[1], match[2], number)
        return
    for document in read_documents(file, NAME):
        if isinstance(document, Unseen):
            yield document
        elif isinstance(document, Map):
            yield from _properties(file, document)


def _properties(file: File, document: Map) -> Iterator[Fact]:
    waiting: list[tuple[str, Map | Seq]] = [("", document)]
    said = 0
    while waiting and said < MOST:
        prefix, parent = waiting.pop()
        for key in parent if isinstance(parent, Map) else range(len(parent)):
            value = parent[key]  # type: ignore[index]
            name = f"{prefix}[{key}]" if isinstance(parent, Seq) else f"{prefix}.{key}" if prefix else str(key)
            if isinstance(value, Map | Seq):
                waiting.append((name, value))
            elif as_text(value):
                said += 1
                yield from _property(file, name, as_text(value), line_of(parent, key))


def _property(file: File, name: str, text: str, line: int) -> Iterator[Fact]:
    """The property's fact where its value is known, and one for each variable whose default it holds."""
    known = True
    for match in _PLACE.finditer(text):
        if match[2]:
            yield from env_fact(file, match[1], match[2], line)
        if match[0] == text:
            yield alias_fact(file, name, match[1], line)
        known = known and bool(match[2])
    if known:
        yield from env_fact(file, name, _PLACE.sub(lambda match: match[2], text), line)
