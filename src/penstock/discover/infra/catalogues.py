"""Models that configuration lists: ids in telling positions of YAML, JSON and TOML. The positions are data (pack).

An id is taken as it is written where its position proves it (the pack's header says how), known or not; other names
for a model (aliases) are no further models. Addresses (``hf://…``, ``ollama://…``) prove themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from typing import Any, Literal

import msgspec

from penstock.discover.assistants.documents import read
from penstock.discover.code.places import status_of
from penstock.discover.collector import File, Yielded, collector
from penstock.discover.infra.environment import is_address
from penstock.discover.infra.images import weights
from penstock.discover.infra.marked import Map, Seq, as_map, as_seq, as_text, line_of
from penstock.discover.infra.yaml_docs import documents, is_template, read_documents
from penstock.errors import NotUnderstood
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Observation, Unseen
from penstock.knowledge.models import family_of
from penstock.knowledge.pack import define_pack, load_pack
from penstock.knowledge.providers import is_local, provider_of_host, provider_of_prefix

NAME = "infra.catalogues"
#: Models taken from one file; the longest public price lists have about 2,500 and are data rather than intent.
MOST = 400
#: Entries of one list that are looked at; a longer list is a record of something.
LONGEST = 1_000
#: The only proof that is a word of its own: names of the providers' keys, in all the ways in which they are written.
_PROVIDER_KEYS = frozenset({"provider", "litellmprovider", "apitype", "llmprovider", "modelprovider", "engine"})
_URL_KEYS = frozenset({"baseurl", "apibase", "apiurl", "endpoint", "url", "apihost", "azureendpoint"})
_CHOSEN_KEYS = frozenset({"defaultmodel"})
_CHOSEN_PROVIDER_KEYS = frozenset({"defaultapi", "defaultprovider"})
#: Below these keys stand shapes and samples of data, no configuration.
_SHAPES = frozenset({"properties", "definitions", "$defs", "schemas", "example", "examples", "patternproperties"})
_ID = re.compile(r"[A-Za-z0-9][\w.:/@+-]{0,199}\Z")
_NO_ID = re.compile(
    r"\.(?:ya?ml|json|py|ts|js|sql|go|java|rb|md|txt|csv|toml)\Z|\A(?:true|false|null|none|auto)\Z", re.I
)
_PULL = re.compile(r"(?<![\w.-])ollama\s+(?:pull|run)\s+([A-Za-z0-9][\w.:/-]{1,120})")
#: A file without these is none of ours, at the price of one pass over its bytes.
_MAYBE = re.compile(rb"models?[\"']?\s*[:=]|model_list|litellm_provider|hf://|ollama://|ollama\s+(?:pull|run)", re.I)
_PROOF = re.compile(
    rb"hf://|ollama|provider|api[_-]?key|base[_-]?url|api[_-]?base|max[_-]|context|litellm|default|gpt-|claude|gemini"
    rb"|llama|mistral|edit.?format|weak-model", re.I,
)  # fmt: skip


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A position that holds model ids; the header of the pack says what each field means."""

    id: str
    keys: tuple[str, ...]
    reads: Literal["keys", "items", "field", "scalar"]
    fields: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    proves_beside: tuple[str, ...] = ()
    proves_inside: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    beside_provider: bool = False
    never: tuple[str, ...] = ()
    routed: bool = False
    yes: tuple[Any, ...] = ()
    no: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A model as a file lists it: its id, its line, the provider and the address that go with it."""

    id: str
    line: int
    provider: str
    url: str
    trail: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A mapping on its way from the root: the keys that led there and the mappings around it, nearest last."""

    keys: tuple[str, ...]
    around: tuple[Map, ...]


@collector(
    NAME,
    reads=["*.yml", "*.yaml", "*.json", "*.toml"],
    sees="models that configuration lists, with their provider; hf:// and ollama:// addresses; ollama pull in scripts",
    unseen="lists of models that nothing around them proves; templates that are no YAML before they are rendered",
)
def catalogues(file: File) -> Iterator[Yielded]:
    """A model for each entry of a list whose position proves it, and what each document chooses among them."""
    if not _MAYBE.search(file.data) or not _PROOF.search(file.data):
        return
    status = status_of(file.path)
    for document in _documents(file):
        if isinstance(document, Unseen):
            yield document
            continue
        if _is_schema(document):
            continue
        found = list(_unique(entries(document, file.path)))
        for entry in found[:MOST]:
            yield from _listed(file, entry, "catalogue" if status == "used" else status)
        if len(found) > MOST:
            yield Unseen(
                file.path, f"{len(found) - MOST} further models", f"a file is read up to {MOST} models",
                collector=NAME, scope=file.scope, skipped=True,
            )  # fmt: skip
        yield from _chosen(file, document, found, status)
        yield from _addressed(file, document, "declared" if status == "used" else status)


def entries(document: Any, path: str) -> Iterator[Entry]:
    """Models of a document, in the order of its rows and places."""
    file = path.rpartition("/")[2].casefold()
    rows = [
        row for row in load_pack("catalogues").rows if not row.files or any(fnmatchcase(file, f) for f in row.files)
    ]
    for row in rows:
        if not row.keys and isinstance(document, Map | Seq):
            yield from _entries(row, document, Place((), (Map(),)), "")
    named: dict[str, list[Shape]] = {}
    for row in rows:
        for key in row.keys:
            named.setdefault(_plain(key), []).append(row)
    for place in _places(document):
        here = place.around[-1]
        for key in here:
            for row in named.get(_plain(key), ()):
                yield from _entries(row, here[key], place, key)


# ── proof ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _entries(row: Shape, value: Any, place: Place, key: str) -> Iterator[Entry]:
    """The entries of one position, when enough proves it."""
    here = place.around[-1]
    if any(_plain(name) in _plain_set(row.never) for name in here):
        return
    ids = [found for found in _ids(row, value, here, key) if _is_id(found[0])]
    if not ids:
        return
    around = [place.around[-1], *([place.around[-2]] if len(place.around) > 1 else [])]
    url = next((u for mapping in (here,) for u in _values(mapping, _URL_KEYS) if is_address(u)), "")
    provider, telling = _provider(here, place, url)
    if row.beside_provider and not any(_plain(name) in _PROVIDER_KEYS for name in here):
        return
    if not row.files:
        points = _points(row, [i[0] for i in ids], [i[2] for i in ids], around[0], url)
        points += _provider_points(ids, provider, telling)
        if points < 2:
            return
    trail = ".".join([*place.keys, key][-4:]) or "the file"
    for id_, line, own in ids:
        own_provider, _ = _provider(own, Place((), (own,)), "")
        own_url = next((u for u in _values(own, _URL_KEYS) if is_address(u)), "") or url
        given = own_provider or provider
        if row.routed:
            prefix, slash, rest = id_.partition("/")
            if slash and rest and (known := provider_of_prefix(prefix)):
                given, id_ = known, rest
        aliases = tuple(as_text(alias) for alias in as_seq(own.get("aliases"))[:100])
        yield Entry(id_, line, given, own_url, trail, aliases)


def _points(row: Shape, ids: list[str], inside: list[Map], beside: Map, url: str) -> int:
    around = {_plain(name) for name in beside}
    within = {_plain(name) for own in inside[:LONGEST] for name in own}
    points = 2 if around & _plain_set(row.proves_beside) or within & _plain_set(row.proves_inside) else 0
    points += 2 if url and provider_of_host(url) else 0
    points += 1 if around & _plain_set(row.beside) or within & _plain_set(row.inside) else 0
    known = [id_ for id_ in ids if (family := family_of(id_)) and family.id != "hub-id"]
    if len(known) * 5 >= len(ids) * 4 and any(any(c.isdigit() for c in id_) and len(id_) > 4 for id_ in known):
        return points + 2 if row.reads != "scalar" else points + 1
    return points + (1 if len(known) * 2 >= len(ids) else 0)


def _provider_points(ids: list[tuple[str, int, Map]], provider: str, telling: bool) -> int:
    if provider:
        return 2 if telling else 1
    named = [own for _, _, own in ids if _provider(own, Place((), (own,)), "")[0]]
    vague = any(not _provider(own, Place((), (own,)), "")[1] for own in named)
    return 0 if not named else 1 if vague else 2


def _provider(here: Map, place: Place, url: str) -> tuple[str, bool]:
    """The provider that goes with a mapping, and whether its name alone says that AI is meant."""
    for said in _values(here, _PROVIDER_KEYS):
        if known := provider_of_prefix(said):
            return known, said.casefold() not in _vague()
    if known := provider_of_host(url):
        return known, True
    for key in reversed(place.keys[-2:]):
        if known := provider_of_prefix(key):
            return known, False
    for said in _values(here, frozenset({"name", "type", "id"})):
        if known := provider_of_prefix(said):
            return known, False
    return "", False


def _ids(row: Shape, value: Any, here: Map, key: str) -> Iterator[tuple[str, int, Map]]:
    """(id, line, the mapping that describes it) of what a row reads in a value."""
    if row.reads == "scalar":
        if isinstance(value, str):
            yield value, line_of(here, key), Map()
    elif row.reads == "keys":
        mapping = as_map(value)
        # In a catalogue every entry says something; a mapping of scalars is settings.
        if mapping and all(isinstance(child, Map) or child is None for child in mapping.values()):
            told = [name for name in mapping if isinstance(mapping[name], Map)]
            if row.keys or all(_inside(row, as_map(mapping[name])) for name in told[:20] if name != "sample_spec"):
                for name in mapping:
                    if name != "sample_spec":
                        yield name, line_of(mapping, name), as_map(mapping[name])
    elif row.reads == "items":
        listed = as_map(value).get("default") if isinstance(value, Map) and "default" in value else value
        items = as_seq(listed)
        if items and len(items) <= LONGEST and all(isinstance(item, str) for item in items):
            for index, item in enumerate(items):
                yield item, line_of(items, index), Map()
    else:
        for index, item in enumerate(as_seq(value)[:LONGEST]):
            entry = as_map(item)
            for name in row.fields:
                found = _field(entry, name)
                if found is not None:
                    yield found[0], found[1] or line_of(value, index), _described(entry, name)
                    break


def _inside(row: Shape, own: Map) -> bool:
    return bool({_plain(name) for name in own} & _plain_set(row.proves_inside))


def _described(entry: Map, name: str) -> Map:
    """The mapping that describes an entry: the nested one where the id is nested, with what stands around it."""
    outer, dot, _ = name.partition(".")
    if not dot:
        return entry
    inner = next((as_map(entry[key]) for key in entry if _plain(key) == _plain(outer)), Map())
    both = Map(entry.line)
    for part in (entry, inner):
        both.update(part)
        both.lines.update(part.lines)
    return both


def _field(entry: Map, name: str) -> tuple[str, int] | None:
    first, dot, rest = name.partition(".")
    for key in entry:
        if _plain(key) == _plain(first):
            if dot:
                return _field(as_map(entry[key]), rest)
            if isinstance(entry[key], str):
                return entry[key], line_of(entry, key)
    return None


def _is_id(text: str) -> bool:
    return bool(_ID.match(text)) and not _NO_ID.search(text) and not text.isdecimal()


# ── walk ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _documents(file: File) -> Iterator[Any]:
    if not file.path.casefold().endswith((".yml", ".yaml")):
        # Whoever owns a file says when it does not parse; a file of any kind that does not is none of ours.
        found = read(file, NAME)
        if not isinstance(found, Unseen):
            yield found
        return
    for document in read_documents(file, NAME):
        if not isinstance(document, Unseen):
            yield document
        elif "templates/" in file.path:
            return  # a chart's templates: whoever reads the chart says that they are not rendered
        elif is_template(file.text):
            yield replace(document, what="models that a template lists", skipped=True)
        else:
            yield document


def _places(document: Any) -> Iterator[Place]:
    """Every mapping of a document, texts that are documents themselves (a ConfigMap's files) included."""
    waiting: list[tuple[Any, tuple[str, ...], tuple[Map, ...]]] = [(document, (), ())]
    while waiting:
        value, keys, around = waiting.pop()
        if isinstance(value, Map):
            inner = (*around[-2:], value)
            yield Place(keys, inner)
            for key in reversed(list(value)):
                child = value[key]
                if isinstance(child, Map | Seq) and key.casefold() not in _SHAPES:
                    waiting.append((child, (*keys[-4:], key), inner))
                elif isinstance(child, str) and key.endswith((".yaml", ".yml")) and "\n" in child:
                    waiting += [(inside, (*keys[-4:], key), inner) for inside in _inner(child, line_of(value, key))]
        elif isinstance(value, Seq):
            waiting += [(child, keys, around) for child in reversed(value[:LONGEST]) if isinstance(child, Map | Seq)]


def _inner(text: str, line: int) -> list[Any]:
    """The documents in a text, their lines moved to where the text stands."""
    try:
        found = list(documents(text))
    except NotUnderstood:
        return []
    waiting = list(found)
    seen: set[int] = set()
    while waiting:
        value = waiting.pop()
        if not isinstance(value, Map | Seq) or id(value) in seen:
            continue
        seen.add(id(value))
        value.line += line
        if isinstance(value, Map):
            value.lines = {key: at + line for key, at in value.lines.items()}
            waiting += value.values()
        else:
            value.lines = [at + line for at in value.lines]
            waiting += value
    return found


def _is_schema(document: Any) -> bool:
    root = as_map(document)
    return any(key in root for key in ("openapi", "swagger", "asyncapi")) or "json-schema" in as_text(
        root.get("$schema")
    )


def _texts(document: Any) -> Iterator[tuple[str, int]]:
    """Every text of a document with its line."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Map | Seq):
            for key in value if isinstance(value, Map) else range(len(value)):
                child = value[key]  # type: ignore[index]
                if isinstance(child, str):
                    yield child, line_of(value, key)
                elif child and str(key).casefold() not in _SHAPES:
                    waiting.append(child)


# ── what it says ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _unique(found: Iterable[Entry]) -> Iterator[Entry]:
    """Each (id, line) once: rows may overlap; who knows the provider comes first."""
    seen: dict[tuple[str, int], Entry] = {}
    for entry in found:
        before = seen.get((entry.id, entry.line))
        if before is None or (entry.provider and not before.provider):
            seen[entry.id, entry.line] = entry
    yield from seen.values()


def _listed(file: File, entry: Entry, status: str) -> Iterator[Observation]:
    model, provider = _model(file, entry, status)
    at = file.evidence(NAME, entry.line, confidence="declared", chain=(f"listed under {entry.trail}",))
    yield Observation(model, at)
    if provider:
        yield Observation(identity.asset("provider", provider, status=status), at)


def _model(file: File, entry: Entry, status: str) -> tuple[Asset, str]:
    """The model of an entry and its provider: at an address of one's own it is what that address offers."""
    family = family_of(entry.id)
    hosted = provider_of_host(entry.url) if entry.url else ""
    provider = hosted or entry.provider
    if entry.url and not hosted and (not provider or (is_local(provider) and provider != "ollama")):
        return replace(identity.model_at(entry.url, entry.id, file.scope), status=status), provider
    if not provider and family is not None:
        provider = family.provider
    if provider == "huggingface" and (model := weights(entry.id, "huggingface", file.scope)) is not None:
        return replace(model, status=status), provider
    props = {"provider": provider} if provider else {}
    if family is not None and family.role:
        props["role"] = family.role
    if family is not None and family.vendor:
        props["vendor"] = family.vendor
    return identity.asset("model", entry.id, props=props, status=status), provider


def _chosen(file: File, document: Any, found: list[Entry], status: str) -> Iterator[Observation]:
    """The model that a document names as its default, when the document itself lists it."""
    root = as_map(document)
    preferred = {provider_of_prefix(said) for said in _values(root, _CHOSEN_PROVIDER_KEYS)}
    for key in root:
        if _plain(key) not in _CHOSEN_KEYS or not isinstance(root[key], str):
            continue
        fits = [e for e in found if root[key] == e.id] or [e for e in found if root[key] in e.aliases]
        if not fits:
            continue
        entry = next((e for e in fits if e.provider in preferred), fits[0])
        model, _ = _model(file, entry, status)
        application = identity.application(file.scope)
        at = file.evidence(NAME, line_of(root, key), chain=(f"{key} is {root[key]}", f"listed under {entry.trail}"))
        yield Observation(model, at)
        yield Observation(application, at)
        yield Observation(identity.relation(application, "uses_model", model), at)


def _addressed(file: File, document: Any, status: str) -> Iterator[Observation]:
    """Models and datasets that addresses and scripts name."""
    for text, line in _texts(document):
        if text.startswith("hf://datasets/"):
            name = "/".join(text[14:].partition("@")[0].split("/")[:2])
            if re.fullmatch(r"[\w.-]+/[\w.-]+", name):
                dataset = identity.asset("dataset", name, key=f"hf://datasets/{name}", status=status)
                yield Observation(dataset, file.evidence(NAME, line, chain=(text[:200],)))
        elif text.startswith(("hf://", "ollama://")) and not text.startswith(("hf://spaces/", "hf://buckets/")):
            if (model := weights(text, "", file.scope)) is not None:
                at = file.evidence(NAME, line, chain=(text[:200],))
                yield Observation(replace(model, status=status), at)
        elif "ollama" in text:
            for match in list(_PULL.finditer(text))[:50]:
                name = match[1].rstrip(".:/")
                if not (re.search(r"[-0-9:/]", name) or family_of(name)):
                    continue
                at = file.evidence(NAME, line + text.count("\n", 0, match.start()), chain=(match[0],))
                if (model := weights(name, "ollama", file.scope)) is not None:
                    yield Observation(replace(model, status=status), at)
                    yield Observation(identity.asset("provider", "ollama", status=status), at)


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _values(mapping: Map, names: frozenset[str]) -> Iterator[str]:
    for key, value in mapping.items():
        if isinstance(value, str) and _plain(key) in names:
            yield value.strip()


@lru_cache(maxsize=20_000)
def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9$.]", "", name.casefold())


@cache
def _plain_set(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(_plain, names))


@cache
def _vague() -> frozenset[str]:
    return frozenset(str(name) for name in load_pack("catalogues").header.get("vague", ()))


def _marked(value: Any) -> Any:
    """Plain data as it looks when it was read from a file."""
    if isinstance(value, Mapping):
        marked = Map()
        for key, child in value.items():
            marked[str(key)] = _marked(child)
        return marked
    if isinstance(value, list | tuple):
        listed = Seq()
        listed.extend(map(_marked, value))
        return listed
    return value


def _check(row: Shape, example: Any) -> bool:
    path, holds = "config.yaml", example
    if isinstance(example, Mapping) and set(example) == {"file", "holds"}:
        path, holds = str(example["file"]), example["holds"]
    document = _marked(holds)
    if row.files and not any(fnmatchcase(path, pattern) for pattern in row.files):
        return False
    if not row.keys:
        return any(True for _ in _entries(row, document, Place((), (Map(),)), ""))
    names = _plain_set(row.keys)
    return any(
        True
        for place in _places(document)
        for key in place.around[-1]
        if _plain(key) in names
        for _ in _entries(row, place.around[-1][key], place, key)
    )


define_pack("catalogues", Shape, check=_check)
