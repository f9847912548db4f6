"""One identity per thing: kind → scope → canonical key, and the id that is issued from them at first sight.

A hosted model is one asset per provider and id for the whole tenant; agents, tools and prompts belong to their
repository; cloud things go by their resource id; data by its locator. Kinds that turn into one another as more
becomes known (agent ↔ application) share a family, so that a change of kind keeps the id.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
import unicodedata
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlsplit

from penstock.graph.vocabulary import KIND_ALIASES, KINDS, Asset, Relation

Scope = Literal["tenant", "source", "given"]

#: kind → where its name is unique: the whole tenant, the source (repository) it was seen in, or as the caller gives it
#: ("given": locators such as an ARN, URL or table are unique by themselves, other names in their source).
SCOPES: Mapping[str, Scope] = MappingProxyType(
    dict[str, Scope](dict.fromkeys(KINDS, "source"))
    | dict.fromkeys(("model", "provider", "framework", "package", "team", "person", "process", "repository"), "tenant")
    | dict.fromkeys(("dataset", "data_store", "vector_store", "knowledge_base", "log_store", "content_source",
                     "endpoint", "registry", "image"), "given")
)  # fmt: skip

#: Kinds that are one identity because one may turn out to be the other.
FAMILIES: Mapping[str, str] = MappingProxyType(
    {"agent": "actor", "application": "actor", "dataset": "data", "data_store": "data", "content_source": "data",
     "log_store": "data", "vector_store": "index", "knowledge_base": "index"}
)  # fmt: skip

#: ``models/…`` is a folder, as in "models/current".
_HUB_MODEL = re.compile(r"^(?!models/)\w[\w.-]*/\w[\w.-]*$")
#: Tags of the library start with a size, a variant or "latest"; a number alone is a version of a hosted model's id.
_OLLAMA_MODEL = re.compile(r"^\w[\w.-]*:(?!\d+$)\w[\w.-]*$")
_LOCATOR = re.compile(r"^(?:arn:|[a-z][a-z0-9+.-]*://)", re.IGNORECASE)


def asset(
    kind: str,
    name: str,
    *,
    scope: str = "",
    key: str = "",
    props: Mapping[str, Any] | None = None,
    labels: Iterable[str] = (),
    status: str = "used",
    formerly: Iterable[str] = (),
) -> Asset:
    """The asset with its issued id.

    Args:
        scope: the source it was seen in (``repo:shop/assistant``); ignored where the kind is unique tenant-wide.
        key: what identifies it where that is not its display name (symbol, locator, ``provider/model-id``).
        formerly: earlier keys of the same kind and scope.
    Raises:
        KeyError: the kind is not in the vocabulary.
    """
    kind = KIND_ALIASES.get(kind, kind)
    rule = SCOPES[kind]
    locator = key or name
    if rule == "tenant" or (rule == "given" and _LOCATOR.match(locator)):
        scope = ""
    if kind == "model" and not key and props and props.get("provider"):
        locator = f"{props['provider']}/{name}"
    return Asset(
        id=issue(kind, scope, locator),
        kind=kind,
        name=name,
        scope=scope,
        props=dict(props or {}),
        labels=frozenset(labels),
        status=status,
        formerly=tuple(issue(kind, scope, old) for old in formerly),
    )


def relation(source: Asset | str, verb: str, target: Asset | str, props: Mapping[str, Any] | None = None) -> Relation:
    """The relation between two assets, given as assets or as ids."""
    ends = [end if isinstance(end, str) else end.id for end in (source, target)]
    return Relation(ends[0], verb, ends[1], dict(props or {}))


def issue(kind: str, scope: str, key: str) -> str:
    """The id that first sight gives: readable kind family, then 80 bits of SHA-256 over family, scope and key.

    80 bits: among a billion assets the chance of one collision is below 1e-6 (birthday bound).
    """
    family = FAMILIES.get(kind, kind)
    digest = hashlib.sha256("\0".join((family, scope, canonical(key))).encode(errors="surrogatepass")).hexdigest()
    return f"{family}-{digest[:20]}"


def canonical(key: str) -> str:
    """Spelling differences that never tell two things apart: Unicode form, outer space, case."""
    return unicodedata.normalize("NFKC", key).strip().casefold()


def application(scope: str, name: str = "") -> Asset:
    """The application that a source (repository) is: one per source until its owner declares more.

    Every collector that speaks of "this repository's application" means this asset; whoever knows its display name
    (a catalogue, a declaration, a manifest) passes it.
    """
    return asset("application", name or scope.rpartition(":")[2].rpartition("/")[2], scope=scope, key=".")


def endpoint(url: str, scope: str, *, props: Mapping[str, Any] | None = None) -> Asset:
    """The endpoint at the origin (scheme, host, port) of a URL.

    A host with a dot (``llm.example.com``, ``llm.ml.svc.cluster.local``) is one endpoint for the tenant; a bare host
    (``ollama``, ``localhost``) means something only inside its source.
    """
    origin = origin_of(url)
    host = origin.partition("://")[2].partition(":")[0]
    everywhere = "." in host and not host.startswith("127.")
    return Asset(
        id=issue("endpoint", "" if everywhere else scope, origin),
        kind="endpoint",
        name=origin,
        scope="" if everywhere else scope,
        props={"url": origin, **(props or {})},
    )


def model_at(url: str, name: str, scope: str) -> Asset:
    """The model that a self-hosted endpoint offers under a name.

    Servers offer weights under the name of the library that these came from unless told another: ``org/name`` is that
    model of the Hugging Face hub, ``name:tag`` that of the Ollama library. Any other name is one of this endpoint.
    """
    if _HUB_MODEL.match(name):
        return asset("model", name, props={"provider": "huggingface"})
    if _OLLAMA_MODEL.match(name):
        return asset("model", name, props={"provider": "ollama"})
    place = endpoint(url, scope)
    return asset("model", name, key=f"{place.scope}{place.name}/{name}", props={"provider": "self-hosted"})


def local_model(path: str, scope: str, *, props: Mapping[str, Any] | None = None, status: str = "used") -> Asset:
    """The model whose weights lie at a path of the source, or of the machine its deployment runs on (``/…``, ``~/…``).

    A path of the source is its name; of a machine's path, which nobody can open, the last part is.
    """
    place = posixpath.normpath(path.strip())
    name = posixpath.basename(place) if place.startswith(("/", "~")) else place
    return asset("model", name or place, key=f"{scope}/file:{place}", props=props, status=status)


def origin_of(url: str) -> str:
    """Scheme, host and explicit port of a URL, lower-case, default ports left out, credentials dropped.

    A service of a cluster has its full name: ``x.ns.svc`` is ``x.ns.svc.cluster.local``, a dot at the end says
    nothing. What is no URL comes back up to its first slash.
    """
    text = url.strip() if "://" in url else f"http://{url.strip()}"
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").lower().rstrip(".")
    except ValueError:  # brackets that do not close, letters that no host has
        scheme, _, rest = text.partition("://")
        return f"{scheme}://{re.split('[/?#]', rest, maxsplit=1)[0].rpartition('@')[2]}".lower()
    try:
        port = parts.port
    except ValueError:
        port = None
    host = f"[{host}]" if ":" in host else host
    host += ".cluster.local" if host.endswith(".svc") else ""
    default = {"http": 80, "https": 443}.get(parts.scheme.lower())
    return f"{parts.scheme.lower()}://{host}" + (f":{port}" if port and port != default else "")


def file_dataset(path: str, scope: str, *, labels: Iterable[str] = (), props: Mapping[str, Any] | None = None) -> Asset:
    """The dataset that a file of the source holds; ``path`` is relative to the source's root."""
    return asset("dataset", path, scope=scope, key=f"file:{path}", labels=labels, props=props)


def file_store(
    folder: str, scope: str, library: str, *, labels: Iterable[str] = (), props: Mapping[str, Any] | None = None
) -> Asset:
    """A vector store of a library whose files lie in a folder, told apart from others of the library in one source."""
    named = f"{library} in {folder or '.'}"
    return asset("vector_store", named, scope=scope, key=f"{library}:{folder}", labels=labels, props=props)
