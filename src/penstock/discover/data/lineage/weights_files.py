"""The header of weights files: GGUF's key-values and safetensors' ``__metadata__``. No tensor is read.

Formats: GGUF v2-v3 (ggml, its page on GGUF: general.*, general.base_model.*, general.dataset.*, general.source.*);
safetensors (eight bytes of length, then JSON) with the metadata that kohya's scripts (``ss_*``) and the model
specification (``modelspec.*``) put there.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.lineage import places
from penstock.discover.data.lineage.reading import entries, inner_json, json_of, mapping, mappings, text, texts
from penstock.discover.data.lineage.saying import Saying
from penstock.errors import NotUnderstood
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Unseen

NAME = "lineage.files"
#: Key-values of one header; real ones have 20 to 60.
_MOST_KEYS = 4_096
#: The longest text kept of a header; chat templates and vocabularies are passed over.
_LONGEST = 4_096
#: Size in bytes of GGUF's value types by number; 8 is a text, 9 an array.
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 10: "Q", 11: "q"}
#: Layers of arrays in arrays that are followed.
_DEEPEST = 4


class _CutOff(Exception):
    """The bytes end before the value does."""


@collector(
    f"{NAME}.gguf",
    reads="*.gguf",
    sees="what a GGUF file says it was converted from, its base models and datasets",
    unseen="files whose header names no origin",
)
def gguf(file: File) -> Iterator[Yielded]:
    """The origin of a GGUF file."""
    if file.data[:4] != b"GGUF":
        return
    said, whole = header(file.data)
    saying = Saying(f"{NAME}.gguf", file.scope, file.path)
    model = identity.local_model(file.path, file.scope, props={"format": "gguf"})
    saying.asset(model, saying.at("", "its header", *_named(said, "general.name", "general.architecture")))
    verb = "derived_from"
    for number in range(min(_number(said.get("general.base_model.count")), 64)):
        base = _origin(said, f"general.base_model.{number}", "model")
        if base is not None:
            saying.link(model, verb, base, saying.at("", f"general.base_model.{number}: {base.name}"))
    for key in ("general.source.huggingface.repository", "general.source.repo_url", "general.source.url"):
        if source := places.hub_model(text(said.get(key))):
            saying.link(model, verb, source, saying.at("", f"{key}: {source.name}"))
    for number in range(min(_number(said.get("general.dataset.count")), 256)):
        data = _origin(said, f"general.dataset.{number}", "dataset")
        if data is not None:
            saying.link(model, "trained_on", data, saying.at("", f"general.dataset.{number}: {data.name}"))
    for name in texts(said.get("general.datasets"))[:256]:
        if places.is_hub_id(name):
            data = identity.asset("dataset", name, key=f"hf://datasets/{name}")
            saying.link(model, "trained_on", data, saying.at("", f"general.datasets: {name}"))
    yield from saying
    if not whole:
        why = "its header goes on beyond what was read" if len(said) else "its header does not parse"
        yield Unseen(file.path, "the rest of its header", why, collector=NAME, scope=file.scope, skipped=bool(said))


def header(data: bytes) -> tuple[dict[str, Any], bool]:
    """The key-values of a GGUF header, long values left out, and whether all of them were there."""
    said: dict[str, Any] = {}
    try:
        version, _, count = struct.unpack_from("<IQQ", data, 4)
        if version not in (2, 3):
            return said, False
        at = 24
        for _ in range(min(count, _MOST_KEYS)):
            key, at = _text(data, at)
            kind, at = _take(data, at, 4, "<I")
            value, at = _value(data, at, kind)
            if value is not None and isinstance(key, str):
                said[key] = value
    except (struct.error, _CutOff):
        return said, False
    return said, True


def _value(data: bytes, at: int, kind: int, depth: int = 0) -> tuple[Any, int]:
    if kind == 8:
        return _text(data, at)
    if kind in _SIZES:
        if at + _SIZES[kind] > len(data):
            raise _CutOff
        number = struct.unpack_from(f"<{_NUMBERS[kind]}", data, at)[0] if kind in _NUMBERS else None
        return number, at + _SIZES[kind]
    if kind != 9 or depth >= _DEEPEST:
        raise _CutOff
    inner, at = _take(data, at, 4, "<I")
    count, at = _take(data, at, 8, "<Q")
    if inner in _SIZES:  # numbers say nothing here: pass over them at once
        if count > len(data) or at + count * _SIZES[inner] > len(data):
            raise _CutOff
        return None, at + count * _SIZES[inner]
    found: list[Any] = []
    while count:
        value, at = _value(data, at, inner, depth + 1)
        if len(found) < 256:
            found.append(value)
        count -= 1
    return found, at


def _text(data: bytes, at: int) -> tuple[str | None, int]:
    length, at = _take(data, at, 8, "<Q")
    if length > len(data) - at:
        raise _CutOff
    value = data[at : at + length].decode("utf-8", "replace") if length <= _LONGEST else None
    return value, at + length


def _take(data: bytes, at: int, size: int, shape: str) -> tuple[int, int]:
    if at + size > len(data):
        raise _CutOff
    return struct.unpack_from(shape, data, at)[0], at + size


def _origin(said: Mapping[str, Any], key: str, kind: str) -> Asset | None:
    """A base model or dataset of a header: by its address on the hub, else by organisation and name."""
    address = text(said.get(f"{key}.repo_url")) or text(said.get(f"{key}.url"))
    owner, name = text(said.get(f"{key}.organization")), text(said.get(f"{key}.name"))
    plain = f"{owner}/{name}".strip("/").replace(" ", "-")
    if kind == "dataset":
        id_ = places.hub_dataset(address) or plain
        if places.is_hub_id(id_):
            return identity.asset("dataset", id_, key=f"hf://datasets/{id_}")
        return places.dataset(address, "") if address else None
    return places.hub_model(address) or places.hub_model(plain)


def _number(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _named(said: Mapping[str, Any], *keys: str) -> list[str]:
    return [f"{key}: {value}" for key in keys if (value := text(said.get(key)))]


# ── safetensors ──────────────────────────────────────────────────────────────────────────────────────────────────────


@collector(
    f"{NAME}.safetensors",
    reads="*.safetensors",
    sees="the base model, the training folders and the parents of a merge that the metadata of safetensors names",
    unseen="files without metadata: most have none",
)
def safetensors(file: File) -> Iterator[Yielded]:
    """The origin of a safetensors file, as its metadata has it."""
    said, why = metadata(file.data)
    if why:
        yield Unseen(file.path, "its metadata", why, collector=NAME, scope=file.scope, skipped=True)
    if not said:
        return
    saying = Saying(f"{NAME}.safetensors", file.scope, file.path)
    model = identity.local_model(file.path, file.scope, props={"format": "safetensors"})
    for key in ("ss_sd_model_name", "ss_base_model", "base_model", "base_model_name_or_path", "modelspec.base_model"):
        name = text(said.get(key))
        if re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", name) and (base := places.hub_model(name)):
            saying.link(model, "fine_tuned_from", base, saying.at("", f"{key}: {name}"))
    for key in ("ss_dataset_dirs", "ss_datasets"):
        for folder in _folders(inner_json(said.get(key))):
            # a folder of the machine that trained: known by its name in this source
            data = identity.asset("dataset", folder, scope=file.scope, key=f"training-folder:{folder}")
            saying.link(model, "trained_on", data, saying.at("", f"{key}: {folder}"))
    for name in _parents(said):
        if parent := places.hub_model(name):
            saying.link(model, "derived_from", parent, saying.at("", f"merged from {name}"))
    yield from saying


def metadata(data: bytes) -> tuple[Mapping[str, Any], str]:
    """The ``__metadata__`` of a safetensors header, and why it could not be read (empty when it could)."""
    if len(data) < 10 or data[8:9] != b"{":
        return {}, ""
    (length,) = struct.unpack_from("<Q", data)
    if length > 100_000_000:  # the format's own limit
        return {}, "its header is longer than the format allows"
    if length <= len(data) - 8:
        try:
            return mapping(mapping(json_of(data[8 : 8 + length])).get("__metadata__")), ""
        except NotUnderstood as error:
            return {}, error.message
    # a header longer than what was read: writers put the metadata first
    first = re.match(rb'\{\s*"__metadata__"\s*:\s*(\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\})', data[8:])
    if first is None:
        return {}, "its header goes on beyond what was read"
    try:
        return mapping(json_of(first[1])), ""
    except NotUnderstood as error:
        return {}, error.message


def _folders(value: Any) -> list[str]:
    """Names of training folders: keys of a mapping (with counts), or ``subsets`` of a list."""
    found = [text(key) for key, about in entries(value)[:256] if isinstance(about, dict)]
    for entry in mappings(value)[:256]:
        found += [text(subset.get("image_dir")) for subset in mappings(entry.get("subsets"))[:256]]
    return [name for name in dict.fromkeys(found) if name]


def _parents(said: Mapping[str, Any]) -> list[str]:
    merged = text(said.get("modelspec.merged_from"))
    found = [part.strip() for part in merged.split(",")]
    for _, about in entries(inner_json(said.get("sd_merge_models")))[:64]:
        found.append(text(mapping(about).get("name")))
    return [name for name in dict.fromkeys(found) if re.fullmatch(r"[\w.-]+/[\w.-]+", name)]
