"""Options that several commands share, and the state they open."""

from __future__ import annotations

import contextlib
import getpass
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from penstock.errors import NotReachable
from penstock.settings import Settings, load_settings, remember, state_directory

if TYPE_CHECKING:
    from penstock.graph.store.protocol import Store

#: Bytes below which a disk is as good as full: SQLite's shared memory (32 kB) and the first pages of its log.
SPACE = 256 * 1024

Function = TypeVar("Function", bound=Callable[..., Any])


def state_options(function: Function) -> Function:
    """``--state`` and ``--config``."""
    function = click.option(
        "--config", metavar="FILE", type=click.Path(),
        help="Operator configuration; default the one given last, or <state>/penstock.yaml.",
    )(function)  # fmt: skip
    return click.option(
        "--state", metavar="DIR", type=click.Path(), envvar="PENSTOCK_STATE",
        help="State directory; default ~/.local/state/penstock.",
    )(function)  # fmt: skip


def format_option(*formats: str) -> Callable[[Function], Function]:
    return click.option(
        "--format", "format_", type=click.Choice(formats), default=formats[0], show_default=True, help="Output format."
    )


@dataclass(frozen=True, slots=True)
class State:
    """An opened state directory."""

    directory: Path
    settings: Settings
    store: Store
    now: float


@contextmanager
def open_state(state: str | None, config: str | None, *, create: bool = False) -> Iterator[State]:
    """Open the state directory and its store.

    A configuration that is given stays this state's configuration: what it says of modes and owners must not end
    with the next command that does not repeat it.

    Raises:
        NotReachable: nothing was scanned into it yet, or it cannot be created.
    """
    directory = state_directory(state)
    if in_the_way := next((p for p in (directory, *directory.parents) if p.exists() and not p.is_dir()), None):
        raise NotReachable("The state directory is a file", str(in_the_way), "Name a folder with --state")
    settings = load_settings(directory, config)
    database = directory / "penstock.db"
    if not create and not database.exists():
        raise NotReachable("Nothing was scanned yet", str(directory), "Run: penstock scan PATH")
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise NotReachable(
            f"The state directory cannot be made: {error.strerror}", str(directory), "Name another with --state"
        ) from error
    from penstock.graph.store import open_store

    try:
        store = open_store(database)
    except NotReachable as error:
        if shutil.disk_usage(directory).free < SPACE:  # SQLite cannot even make the files beside its own, and says less
            raise NotReachable(
                "The disk is full", str(directory), "Free space and try again; what was stored is kept"
            ) from error
        raise
    try:
        if config:
            remember(directory, config)
        yield State(directory, settings, store, time.time())
    finally:
        store.close()


def typed_here(state: State, steps: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """``penstock …`` as it has to be typed here: which program, and ``--state`` unless it is the user's own."""
    own = state.directory == state_directory(None)
    option = "" if own else f" --state {shlex.quote(_from_here(state.directory))}"
    return [(f"{_program()}{command.removeprefix('penstock')}{option}", meaning) for command, meaning in steps]


def _program() -> str:
    """What starts this program from here: its name where the search path leads to it, else its place."""
    started = Path(sys.argv[0])
    if started.stem == "__main__":
        return f"{shlex.quote(_from_here(Path(sys.executable)))} -m penstock"
    found = shutil.which("penstock")
    if found and started.is_file() and not Path(found).samefile(started):
        found = None
    return "penstock" if found or not started.is_file() else shlex.quote(_from_here(started.absolute()))


def _from_here(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def you() -> str:
    """The person who types, as the system knows them; empty where it knows only a number (some containers)."""
    with contextlib.suppress(KeyError, OSError):
        return getpass.getuser()
    return ""
