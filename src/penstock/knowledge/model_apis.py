"""Calls of models over plain HTTP: which URLs are such calls, and which model and role their path names."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from penstock.knowledge.pack import define_pack, load_pack
from penstock.knowledge.providers import hosts, provider_of_host


class ModelApi(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Paths of an API that are calls of a model; see the header of the pack."""

    id: str
    path: str
    provider: str = ""
    role: str = ""
    only: bool = False
    shared: bool = False
    literal: str = ""
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


class ApiCall(NamedTuple):
    """A call of a model: its provider ("" at an own endpoint), and the model and role that the path names."""

    provider: str
    model: str = ""
    role: str = ""


def api_call(url: str) -> ApiCall | None:
    """What a URL calls when that is a model; None for all other URLs.

    Unknown parts of the URL are ``{}``.
    """
    if not url.startswith(("http://", "https://")):
        return None
    url = re.sub(r"^(https?://[^/]*?)\{\}", r"\1unknown", url)
    row, path = _row(url)
    provider = provider_of_host(url)
    if row is None:
        only = any(each.only for each in load_pack("model_apis").rows if each.provider == provider)
        return ApiCall(provider) if provider and not only else None
    model = (re.search(row.path, path) or re.match("", "")).groupdict().get("model") or ""  # type: ignore[union-attr]
    return ApiCall(provider, "" if "{" in model else model.replace("%3A", ":"), row.role)


def mentions_api(data: bytes) -> bool:
    """Whether a file has the address of such an API in it: a cheap look before anything is parsed."""
    return bool(_addresses().search(data)) or any(literal in data for literal in _literals())


def _row(url: str) -> tuple[ModelApi | None, str]:
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None, ""
    provider = provider_of_host(url)
    path = parts.path if provider else f"{port}{parts.path}"
    for row in load_pack("model_apis").rows:
        fits = row.provider == provider and not row.shared and not (provider and row.literal)
        if (fits or (row.shared and provider)) and re.search(row.path, path):
            return row, path
    return None, path


@cache
def _addresses() -> re.Pattern[bytes]:
    """``//`` and a provider's host, or what of it does not change; starts with a literal, so that it is found fast."""
    fixed = {max(host.split("*"), key=len).encode() for host in hosts()}
    return re.compile(rb"//[\w${}.-]*?(?:" + b"|".join(map(re.escape, sorted(fixed))) + rb")")


@cache
def _literals() -> tuple[bytes, ...]:
    return tuple({row.literal.encode() for row in load_pack("model_apis").rows if row.literal})


def _check(row: ModelApi, example: Any) -> bool:
    return _row(str(example))[0] == row


define_pack("model_apis", ModelApi, check=_check)
