"""Providers of hosted models: by the host that is called, and by the prefix that routers write before a model's id."""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from penstock.knowledge.pack import define_pack, load_pack

#: What is said of a model as its provider where nothing is sent away: own servers, and weights that were fetched.
AT_HOME: frozenset[str] = frozenset({"self-hosted", "huggingface", "ollama"})


class Provider(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One provider. ``local``: its software usually runs on the user's own machine."""

    id: str
    vendor: str
    hosts: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    local: bool = False
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


def provider_of_host(url: str) -> str:
    """The provider whose public API a URL is; empty when it is somebody's own."""
    try:
        host = (urlsplit(url if "://" in url else f"//{url}").hostname or "").lower()
    except ValueError:
        return ""
    return next((row.id for row in _rows() for pattern in row.hosts if _shape(pattern).fullmatch(host)), "")


def hosts() -> tuple[str, ...]:
    """The public API hosts of all providers, ``*`` for one part."""
    return tuple(host for row in _rows() for host in row.hosts)


def provider_of_prefix(prefix: str) -> str:
    """The provider that routers mean by a prefix such as ``bedrock`` or ``google-gla``."""
    return _prefixes().get(prefix.strip().lower(), "")


def is_local(provider: str) -> bool:
    """Whether a provider's software usually runs beside its user."""
    return any(row.id == provider and row.local for row in _rows())


def _rows() -> tuple[Provider, ...]:
    return load_pack("providers").rows


@cache
def _prefixes() -> dict[str, str]:
    return {prefix.lower(): row.id for row in _rows() for prefix in (row.id, *row.prefixes)}


@cache
def _shape(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", r"[a-z0-9-]+"))


def _check(row: Provider, example: Any) -> bool:
    return row.id in (provider_of_host(str(example)), provider_of_prefix(str(example)))


define_pack("providers", Provider, check=_check)
