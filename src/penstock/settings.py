"""Operator configuration: ``penstock.yaml``, read only from the state directory, ``--config`` or the environment.

Never from inside a scanned tree: what lies there may inform, but never steer.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.errors import NotReachable, NotUnderstood


@dataclass(frozen=True, slots=True)
class Organisation:
    """What the organisation says about itself."""

    name: str = ""
    sector: str = ""
    regions: tuple[str, ...] = ()
    regimes: tuple[str, ...] = ()
    #: None: nothing was said about providers, so none can be unsanctioned.
    sanctioned_providers: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class UpstreamSetting:
    name: str
    base_url: str
    key_env: str = ""


@dataclass(frozen=True, slots=True)
class WebhookSetting:
    """Where case changes are sent; ``secret_env`` names the variable that holds the signing secret."""

    url: str
    secret_env: str


@dataclass(frozen=True, slots=True)
class Settings:
    organisation: Organisation = field(default_factory=Organisation)
    upstreams: tuple[UpstreamSetting, ...] = ()
    webhooks: tuple[WebhookSetting, ...] = ()
    #: asset name or id → team or person; a person's word, above everything a tree declares
    owners: dict[str, str] = field(default_factory=dict)
    #: application name or id → observe | enforce
    modes: dict[str, str] = field(default_factory=dict)
    #: paths (globs) the operator excludes from scans
    exclude: tuple[str, ...] = ()
    security_team: str = ""
    data_protection_officer: str = ""
    legal: str = ""


_SECTIONS = frozenset(Settings.__dataclass_fields__)


def state_directory(given: str | os.PathLike[str] | None = None) -> Path:
    """The state directory: as given, ``$PENSTOCK_STATE``, or the user's state folder. It is not created."""
    if given:
        return Path(given).expanduser().absolute()
    if env := os.environ.get("PENSTOCK_STATE"):
        return Path(env).expanduser().absolute()
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "penstock"


def load_settings(state: Path, given: str | os.PathLike[str] | None = None) -> Settings:
    """Settings from ``given``, ``$PENSTOCK_CONFIG`` or ``<state>/penstock.yaml``; defaults when there is none.

    Raises:
        NotReachable: a file that was named does not exist.
        NotUnderstood: it does not parse, or names a setting that does not exist.
    """
    named = given or os.environ.get("PENSTOCK_CONFIG")
    path = Path(named) if named else state / "penstock.yaml"
    if not path.is_file():
        if named:
            raise NotReachable(f"There is no configuration file {path}", hint="Check --config or PENSTOCK_CONFIG")
        return Settings()
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise NotUnderstood("The configuration is not readable as YAML", str(path), str(error)) from error
    return parse_settings(document or {}, str(path))


def parse_settings(document: Any, where: str) -> Settings:
    """Check a parsed configuration once, at the door."""
    if not isinstance(document, dict):
        raise NotUnderstood("The configuration is not a mapping", where, "See docs/configuration.md")
    if unknown := sorted(set(document) - _SECTIONS):
        raise NotUnderstood(
            f"Unknown setting {', '.join(map(repr, unknown))}", where, f"Known: {', '.join(sorted(_SECTIONS))}"
        )
    try:
        org = dict(document.get("organisation") or {})
        for name in ("regions", "regimes", "sanctioned_providers"):
            if org.get(name) is not None:
                org[name] = tuple(map(str, org[name]))
        modes = {str(k): str(v) for k, v in (document.get("modes") or {}).items()}
        if wrong := sorted(set(modes.values()) - {"observe", "enforce"}):
            raise NotUnderstood(f"Unknown mode {wrong[0]!r}", where, "Use observe or enforce")
        return Settings(
            organisation=Organisation(**org),
            upstreams=tuple(UpstreamSetting(**row) for row in document.get("upstreams") or ()),
            webhooks=tuple(WebhookSetting(**row) for row in document.get("webhooks") or ()),
            owners={str(k): str(v) for k, v in (document.get("owners") or {}).items()},
            modes=modes,
            exclude=tuple(map(str, document.get("exclude") or ())),
            security_team=str(document.get("security_team") or ""),
            data_protection_officer=str(document.get("data_protection_officer") or ""),
            legal=str(document.get("legal") or ""),
        )
    except (TypeError, AttributeError) as error:
        raise NotUnderstood("The configuration has a value of the wrong shape", where, str(error)) from error
