"""Exports of accounts and states of infrastructure tools, told apart by their first words, as resources.

Formats: Terraform state 4 and plans as JSON (``terraform show -json``), Pulumi checkpoints and exports, ARM templates
(as compiled from Bicep), AWS Config snapshots and histories, Azure Resource Graph results (JSON and lines), Google
Cloud Asset Inventory (lines and lists).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

import orjson

from penstock.discover.cloud.items import LONGEST, items
from penstock.discover.cloud.things import Thing
from penstock.errors import NotUnderstood
from penstock.knowledge.pack import load_pack

#: Bytes by which a format is told.
_START = 65_536
_LINE = re.compile(rb"\s*\{")


@dataclass(frozen=True, slots=True)
class Export:
    """One format: its name, the words by which its start is told, the lists that hold its resources, how each reads.

    lines: also as JSON lines, one resource a line.
    """

    name: str
    told: Callable[[bytes], bool]
    keys: tuple[str, ...]
    read: Callable[[str, Mapping[str, Any], str], Iterator[Thing]]
    lines: bool = False


def kind_of(start: bytes) -> Export | None:
    """The format of a file by its first 64 KB; None when it is none of these."""
    return next((export for export in EXPORTS if export.told(start[:_START])), None)


def things(export: Export, file: IO[bytes], path: str) -> Iterator[Thing | None]:
    """The resources of an export, one at a time; None for an item that could not be read.

    Raises:
        NotUnderstood: the document breaks off; what came before was given.
    """
    if export.read is _arm:
        yield from _template(file, path)
        return
    if export.lines and _is_lines(file, export.keys):
        for number, line in enumerate(_lines(file), start=1):
            place = f"{path}:{number}"
            if line is None:
                yield None
                continue
            yield from export.read("", line, place)
        return
    for number, (key, item) in enumerate(items(file, export.keys)):
        if not isinstance(item, Mapping):
            yield None
            continue
        yield from export.read(key, item, f"{path}#{key or 'item'}[{number}]")


def _is_lines(file: IO[bytes], keys: tuple[str, ...]) -> bool:
    """Whether the first line is a resource by itself, not a document on one line that holds a list of them."""
    first = file.readline(LONGEST)
    file.seek(0)
    if not _LINE.match(first):
        return False
    try:
        said = orjson.loads(first)
    except orjson.JSONDecodeError:
        return False
    return not any(isinstance(said.get(key), list) for key in keys)


def _lines(file: IO[bytes]) -> Iterator[Any]:
    while line := file.readline(LONGEST + 1):
        if len(line) > LONGEST:
            while line and not line.endswith(b"\n"):  # the rest of it
                line = file.readline(LONGEST)
            yield None
            continue
        if line.strip():
            try:
                said = orjson.loads(line)
            except orjson.JSONDecodeError:
                said = None
            yield said if isinstance(said, Mapping) else None


# ── Terraform ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _state(key: str, item: Mapping[str, Any], place: str) -> Iterator[Thing]:
    type_, name = _text(item, "type"), _text(item, "name")
    module = _text(item, "module")
    for instance in _list(item, "instances"):
        attributes = _map(instance, "attributes")
        index = instance.get("index_key")
        address = ".".join(filter(None, [module, f"{type_}.{name}" + (f"[{index!r}]" if index is not None else "")]))
        yield _terraform(type_, address, attributes, place)


def _plan(key: str, item: Mapping[str, Any], place: str) -> Iterator[Thing]:
    if key == "child_modules":  # a list of modules, each with resources of its own, however deep
        for inner in _list(item, "resources"):
            yield from _plan("resources", inner, place)
        for module in _list(item, "child_modules"):
            yield from _plan("child_modules", module, place)
    elif item.get("mode", "managed") == "managed" and "values" in item:
        yield _terraform(_text(item, "type"), _text(item, "address"), _map(item, "values"), place)


def _terraform(type_: str, address: str, attributes: Mapping[str, Any], place: str) -> Thing:
    also = tuple(_text(attributes, name) for name in ("id", "arn", "self_link", "resource_id", f"{_last(type_)}_id"))
    return Thing(address, type_, _text(attributes, "name") or address, attributes, place, tuple(filter(None, also)))


def _last(type_: str) -> str:
    return type_.rpartition("_")[2]


# ── Pulumi ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _pulumi(key: str, item: Mapping[str, Any], place: str) -> Iterator[Thing]:
    urn, given = _text(item, "urn"), _text(item, "type")
    type_ = _pulumi_type(given)
    if not type_:
        return
    body = {**_map(item, "inputs"), **_map(item, "outputs")}
    also = tuple(filter(None, (_text(item, "id"), _text(body, "arn"), _text(body, "id"))))
    yield Thing(urn, type_, _text(body, "name") or urn.rpartition("::")[2], body, place, also)


def _pulumi_type(given: str) -> str:
    """The type in the words of the table: ``aws:bedrock/agentAgent:AgentAgent`` is ``aws_bedrockagent_agent``."""
    package, _, rest = given.partition(":")
    module, _, name = rest.partition(":")
    if package == "aws-native":
        return f"AWS::{module}::{name}"
    if package == "azure-native":
        return f"microsoft.{module.split('/')[0]}/{name}s"
    prefix = {"aws": "aws", "gcp": "google", "azure": "azurerm", "databricks": "databricks"}.get(package)
    if prefix is None:
        return ""
    return _plain_types().get(_plain(prefix + module.replace("/", "")), "")


def _plain(type_: str) -> str:
    return re.sub(r"[^a-z0-9]", "", type_.casefold())


def _plain_types() -> Mapping[str, str]:
    return {_plain(type_): type_ for row in load_pack("resources").rows for type_ in row.types if "*" not in type_}


# ── ARM, AWS Config, Resource Graph, Asset Inventory ─────────────────────────────────────────────────────────────────

_FROM = re.compile(r"\[?\s*(parameters|variables)\('([^']+)'\)\s*\]?")


def _template(file: IO[bytes], path: str) -> Iterator[Thing | None]:
    """A template is read whole: its resources take values from its parameters and variables."""
    try:
        document = orjson.loads(file.read(LONGEST + 1))
    except orjson.JSONDecodeError as error:
        raise NotUnderstood(f"The template is no JSON: {error}", path) from error
    if not isinstance(document, Mapping):
        return
    given = {
        "parameters": {name: _map(_map(document, "parameters"), name).get("defaultValue")
                       for name in _map(document, "parameters")},
        "variables": _map(document, "variables"),
    }  # fmt: skip
    listed = document.get("resources")
    named = list(listed.values()) if isinstance(listed, Mapping) else listed if isinstance(listed, list) else []
    for number, item in enumerate(named):
        place = f"{path}#resources[{number}]"
        if isinstance(item, Mapping):
            yield from _azure(_filled(item, given, 0), place, above="", around="")
        else:
            yield None


def _filled(value: Any, given: Mapping[str, Mapping[str, Any]], depth: int) -> Any:
    """A value with parameters and variables in place of their names; other functions stay as they are written."""
    if depth > 24:
        return None
    if isinstance(value, Mapping):
        return {key: _filled(inner, given, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, given, depth + 1) for inner in value]
    if isinstance(value, str) and value.startswith("["):
        if match := _FROM.fullmatch(value):
            found = given[match[1]].get(match[2])
            return _filled(found, given, depth + 1) if found is not None else value
        return _FROM.sub(lambda m: f"'{given[m[1]].get(m[2], m[2])}'", value)
    return value


def _arm(key: str, item: Mapping[str, Any], place: str) -> Iterator[Thing]:
    yield from _azure(item, place, above="", around="")


def _azure(item: Mapping[str, Any], place: str, *, above: str, around: str) -> Iterator[Thing]:
    """A resource of a template or of a subscription; those inside of it after it.

    above, around: type and id of the resource that it is written in.
    """
    type_, name = _text(item, "type"), _text(item, "name")
    if above and not type_.casefold().startswith("microsoft."):
        type_ = f"{above}/{type_}"
    id_ = _text(item, "id") or f"{around or type_}/{name}"
    properties = _map(item, "properties")
    words = ("kind", "sku", "identity", "location", "tags", "dependsOn")
    body = {**properties, **{word: item[word] for word in words if item.get(word)}}
    if parent := around or _parent(type_, name, id_):
        body["parentId"] = parent
    for inner in _list(item, "resources"):
        yield from _azure(inner, place, above=type_, around=id_)
    if type_.casefold() == "microsoft.resources/deployments":
        for inner in _list(_map(properties, "template"), "resources"):
            yield from _azure(inner, place, above="", around="")
        return
    yield Thing(id_, type_, name.rpartition("/")[2] or id_, body, place, (f"{type_}/{name}",))


def _parent(type_: str, name: str, id_: str) -> str:
    """The id of the resource whose child this is: ``…/accounts/a/deployments/d`` lies in ``…/accounts/a``."""
    if type_.count("/") < 2:
        return ""
    if id_.startswith("/"):
        return id_.rsplit("/", 2)[0]
    return f"{type_.rpartition('/')[0]}/{name.rpartition('/')[0]}"


def _config(key: str, item: Mapping[str, Any], place: str) -> Iterator[Thing]:
    if _text(item, "configurationItemStatus").startswith("ResourceDeleted"):
        return
    said = item.get("configuration")
    if isinstance(said, str):
        try:
            said = orjson.loads(said)
        except orjson.JSONDecodeError:
            said = {}
    body = dict(said) if isinstance(said, Mapping) else {}
    body["tags"] = item.get("tags") or {}
    for tie in _list(item, "relationships"):
        named = _text(tie, "resourceId") or _text(tie, "resourceName")
        body.setdefault(f"related {_text(tie, 'relationshipName') or _text(tie, 'name')} id", named)
    id_ = _text(item, "ARN") or _text(item, "arn") or f"{_text(item, 'resourceType')}/{_text(item, 'resourceId')}"
    name = _text(item, "resourceName") or _text(item, "resourceId")
    yield Thing(id_, _text(item, "resourceType"), name, body, place, tuple(filter(None, (_text(item, "resourceId"),))))


def _graph(key: str, item: Mapping[str, Any], place: str) -> Iterator[Thing]:
    yield from _azure(item, place, above="", around="")


def _inventory(key: str, item: Mapping[str, Any], place: str) -> Iterator[Thing]:
    full, type_ = _text(item, "name"), _text(item, "assetType") or _text(item, "asset_type")
    resource = _map(item, "resource")
    data = _map(resource, "data")
    short = full.removeprefix("//").partition("/")[2]
    name = _text(data, "displayName") or full.rpartition("/")[2]
    also = tuple(filter(None, (short, _text(data, "name"), _text(data, "email"), _text(data, "selfLink"))))
    yield Thing(full, type_, name, data, place, also)


# ── the formats ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _has(*words: bytes) -> Callable[[bytes], bool]:
    return lambda start: all(word in start for word in words)


def _any(*told: Callable[[bytes], bool]) -> Callable[[bytes], bool]:
    return lambda start: any(each(start) for each in told)


EXPORTS = (
    Export("Terraform state", _has(b'"terraform_version"', b'"lineage"'), ("resources",), _state),
    Export("Terraform plan", _has(b'"format_version"', b'"terraform_version"'), ("resources", "child_modules"), _plan),
    Export("Pulumi state", _has(b'"urn:pulumi:'), ("resources",), _pulumi),
    Export("ARM template", _has(b"deploymentTemplate.json"), ("resources",), _arm),
    Export("AWS Config", _has(b'"configurationItem'), ("configurationItems",), _config, lines=True),
    Export(
        "Google Cloud Asset Inventory",
        _any(_has(b'"assetType"', b'"//'), _has(b'"asset_type"', b'"//')),
        ("", "assets"),
        _inventory,
        lines=True,
    ),
    Export(
        "Azure Resource Graph",
        _any(
            _has(b'"/subscriptions/', b'"type"', b'"properties"'),
            _has(b'"subscriptionId"', b'"type"', b'"resourceGroup"'),
        ),
        ("", "data", "value", "rows"),
        _graph,
        lines=True,
    ),
)  # fmt: skip


def _text(item: Mapping[str, Any], key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""


def _map(item: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = item.get(key)
    return value if isinstance(value, Mapping) else {}


def _list(item: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = item.get(key)
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
