"""YAML of strangers, read safely: every document with its lines, at a bounded cost.

Built on the event stream of PyYAML's C parser: no tags are constructed, nothing recurses, and an alias counts for as
many values as it stands for, so that a document that explodes is refused before it does. Only null, true/false and
whole numbers are resolved; everything else stays text, so that a version ``3.10`` is not a float.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from penstock.discover.collector import File
from penstock.discover.infra.marked import Map, Seq
from penstock.errors import NotUnderstood
from penstock.graph.vocabulary import Unseen

#: Largest hand-written manifests we met are about 1 MB (CRD bundles); generated ones go on to be data, not intent.
MAX_BYTES = 4_000_000
#: Values in one file after aliases are followed: a 1 MB manifest has about 60,000.
MAX_VALUES = 200_000
#: Kubernetes schemas nest below 40.
MAX_DEPTH = 64

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEMPLATE = re.compile(r"^[ \t]*\{\{|\{\{-|\{\{\s*(?:\.|\$|include|tpl|toYaml)", re.MULTILINE)
_NUMBER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,17})\Z")
#: Where one document ends and the next begins; no scalar can hold such a line.
_BORDER = re.compile(r"\n---(?=\s)")
#: Definitions of Kubernetes kinds: long schemas of which no collector reads a word.
_DEFINITION = re.compile(r"^kind:[ \t]*[\"']?CustomResourceDefinition\b", re.MULTILINE)
_LOCAL_TAG = re.compile(r"![A-Za-z]")


@dataclass(slots=True)
class _Open:
    """A container that is being filled."""

    value: Map | Seq
    anchor: str | None
    weight: int = 1
    key: str | None = None
    key_line: int = 1
    merges: list[Any] | None = None
    tag: str = ""


def documents(text: str, *, tagged: bool = False) -> Iterator[Any]:
    """Every document of a YAML text as Map, Seq or scalar, lines kept.

    Args:
        tagged: keep local tags: ``!Sub x`` is the mapping ``{"!Sub": "x"}``; else they are left out.
    Raises:
        NotUnderstood: it does not parse, or is larger, deeper or more explosive than the limits; documents that came
            before the broken place have been yielded by then.
    """
    if len(text) > MAX_BYTES:
        raise NotUnderstood(f"The YAML is longer than {MAX_BYTES:,} characters")
    stack: list[_Open] = []
    anchors: dict[str, tuple[Any, int]] = {}
    total = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            line = event.start_mark.line + 1 if event.start_mark else 1
            if isinstance(event, yaml.ScalarEvent):
                value: Any = _scalar(event)
                weight = 1
                if tagged and event.tag and event.tag[1:2].isalpha():
                    value = _tagged(event.tag, event.value, line)
                if event.anchor:
                    anchors[event.anchor] = value, weight
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in anchors:
                    raise NotUnderstood(f"The alias *{event.anchor} refers to itself or to nothing", f"line {line}")
                value, weight = anchors[event.anchor]
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                if len(stack) >= MAX_DEPTH:
                    raise NotUnderstood(f"The YAML nests deeper than {MAX_DEPTH} levels", f"line {line}")
                made = Map(line) if isinstance(event, yaml.MappingStartEvent) else Seq(line)
                stack.append(_Open(made, event.anchor, tag=event.tag if tagged and event.tag else ""))
                continue
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                done = stack.pop()
                if done.merges and isinstance(done.value, Map):
                    _merge(done.value, done.merges)
                value, weight, line = done.value, done.weight, done.value.line
                if done.tag[1:2].isalpha():
                    value = _tagged(done.tag, value, line)
                if done.anchor:
                    anchors[done.anchor] = value, weight
            else:
                if isinstance(event, yaml.DocumentStartEvent):
                    anchors = {}
                continue
            total += 1 if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent) else weight
            if total > MAX_VALUES or weight > MAX_VALUES:
                raise NotUnderstood(f"The YAML stands for more than {MAX_VALUES:,} values", f"line {line}")
            if stack:
                _put(stack[-1], value, weight, line)
            else:
                yield value
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = str(getattr(error, "problem", None) or error)
        raise NotUnderstood(f"The YAML does not parse: {problem}", f"line {mark.line + 1}" if mark else None) from error
    except UnicodeError as error:
        raise NotUnderstood("The YAML is not text") from error


def shared_documents(text: str, *, tagged: bool = False) -> Iterator[Any]:
    """The documents of a whole file, kept for the collectors that read it next: nobody may change them.

    Definitions of Kubernetes kinds are left out. Raises as ``documents`` does.
    """
    found, broken = _kept(text, tagged and _LOCAL_TAG.search(text) is not None)
    yield from found
    if broken is not None:
        raise NotUnderstood(*broken)


@lru_cache(maxsize=2)  # files are read one after another, each by all of its collectors
def _kept(text: str, tagged: bool) -> tuple[tuple[Any, ...], tuple[str, str | None] | None]:
    found: list[Any] = []
    try:
        found.extend(documents(_without_definitions(text), tagged=tagged))
    except NotUnderstood as error:
        return tuple(found), (error.message, error.where)
    return tuple(found), None


def _without_definitions(text: str) -> str:
    """The text with the lines of each definition left empty, so that those of everything else stay where they are."""
    if "CustomResourceDefinition" not in text:
        return text
    parts, last = [], 0
    for border in [*(match.start() + 1 for match in _BORDER.finditer(text)), len(text)]:
        part = text[last:border]
        kept = "CustomResourceDefinition" not in part or _DEFINITION.search(part) is None
        parts.append(part if kept else "---" * part.startswith("---") + "\n" * part.count("\n"))
        last = border
    return "".join(parts)


def read_documents(file: File, collector: str) -> Iterator[Any | Unseen]:
    """The documents of a file; where it breaks off, an Unseen says why."""
    try:
        yield from shared_documents(file.text)
    except NotUnderstood as error:
        yield Unseen(
            f"{file.path}:{error.where.removeprefix('line ')}" if error.where else file.path,
            "YAML from here on",
            error.message,
            collector=collector,
            scope=file.scope,
        )


def is_template(text: str) -> bool:
    """Whether a text is a template that becomes YAML only when rendered."""
    return "{{" in text and _TEMPLATE.search(text) is not None


def _scalar(event: Any) -> Any:
    text: str = event.value
    if not event.implicit[0]:
        return text
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    return int(text) if _NUMBER.match(text) else text


def _tagged(tag: str, value: Any, line: int) -> Map:
    made = Map(line)
    made[tag] = value
    made.lines[tag] = line
    return made


def _put(into: _Open, value: Any, weight: int, line: int) -> None:
    into.weight += weight
    if isinstance(into.value, Seq):
        into.value.append(value)
        into.value.lines.append(line)
    elif into.key is None:
        into.key = "" if isinstance(value, Map | Seq) or value is None else _key(value)
        into.key_line = line
    else:
        if into.key == "<<" and isinstance(value, Map | Seq):
            into.merges = [*(into.merges or []), *(value if isinstance(value, Seq) else [value])]
        else:
            into.value[into.key] = value
            into.value.lines[into.key] = into.key_line
        into.key = None


def _key(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _merge(target: Map, sources: list[Any]) -> None:
    for source in sources:
        if isinstance(source, Map):
            for key, value in source.items():
                if key not in target:
                    target[key] = value
                    target.lines[key] = source.lines.get(key, source.line)
