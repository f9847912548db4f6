"""Fixtures that more than one room needs."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.services import chromium, postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a real PostgreSQL server, started once for the run.

    Without its binaries the tests that need it are skipped by name; under CI=true that is a failure.
    """
    try:
        running = postgres.cluster()
        address = running.__enter__()
    except postgres.PostgresMissing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))
    try:
        yield address
    finally:
        running.__exit__(None, None, None)


@pytest.fixture
def postgres_database(postgres_server: str) -> Iterator[str]:
    """The address of an empty database of its own."""
    import psycopg

    name = f"penstock_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield postgres_server.rpartition("/")[0] + f"/{name}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def chromium_browser() -> Iterator[Browser]:
    """A real browser; without one the tests that need it are skipped by name, under CI=true they fail."""
    try:
        chromium.binary()
    except chromium.ChromiumMissing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))
    with chromium.browser() as running:
        yield running
