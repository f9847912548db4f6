"""Targets that are databases: how an address is recognised and called. What reads them is heavy and lies apart."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit


def is_database(target: str) -> bool:
    """Whether a target is the address of a PostgreSQL database."""
    return target.lower().startswith(("postgresql://", "postgres://"))


def place_of(url: str) -> str:
    """The database that an address names, without credentials and options: ``postgresql://host:port/name``."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "localhost").lower(), parts.port
    except ValueError:  # brackets that do not close, a port that is no number
        return "postgresql://?"
    name = parts.path.strip("/") or unquote(parts.username or "") or "postgres"
    return f"postgresql://{host}{f':{port}' if port and port != 5432 else ''}/{name}"


def scope_of(url: str) -> str:
    """The scope under which a database is scanned."""
    return f"database:{place_of(url).partition('://')[2]}"
