"""One scanned shop, copied for each test that wants to go on from there."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.cli.app import run
from penstock.graph.store import open_store
from tests.cli.command import SHOP, STRICT, Ended, penstock, write


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run a command in this process: the same code, without a second for a new Python."""

    def call_(*words: str | Path) -> Ended:
        capsys.readouterr()
        code = run([str(word) for word in words])
        said = capsys.readouterr()
        return Ended(code, said.out, said.err)

    return call_


@pytest.fixture(scope="session")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the ``shop``, a ``strict.yaml`` and the ``state`` after one scan with it."""
    place = tmp_path_factory.mktemp("scanned") / "place"
    write(place / "shop", SHOP)
    write(place, {"strict.yaml": STRICT})
    ended = penstock("scan", place / "shop", "--state", place / "state", "--config", place / "strict.yaml")
    assert ended.code == 1, ended.err
    return place


@pytest.fixture
def shop(scanned: Path, tmp_path: Path) -> Path:
    """The scanned shop, to be changed at will; paths in its state are those of the copy."""
    place = tmp_path / "place"
    shutil.copytree(scanned, place)
    (place / "state" / "config-path").write_text(f"{place / 'strict.yaml'}\n")
    with contextlib.closing(open_store(place / "state" / "penstock.db")) as store:
        store.put("places", {"place/shop": str(place / "shop")})
    return place
