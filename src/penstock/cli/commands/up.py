"""``penstock up``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from penstock.cli.options import State, open_state, state_options, typed_here
from penstock.errors import NotAllowed, WrongUse


@click.command("up")
@click.argument("targets", nargs=-1, metavar="[PATH…]")
@click.option("--port", type=click.IntRange(1, 65535), default=8420, show_default=True, help="Console and API.")
@click.option("--gateway-port", type=click.IntRange(1, 65535), default=8421, show_default=True, help="Gateway.")
@state_options
def command(targets: tuple[str, ...], port: int, gateway_port: int, state: str | None, config: str | None) -> int:
    """Discover, assess and serve: console, API and gateway in one go, on this machine only.

    Without PATH it looks again at what it looked at last time; the very first time, at a small example company.
    Ctrl-C stops everything; what was found stays in the state directory.
    """
    from penstock.cli.processes import Part, check_port, ended_by_signals, running, watch
    from penstock.cli.scanning import scan_into
    from penstock.report.table import closing_screen

    if port == gateway_port:
        raise WrongUse(f"Console and gateway cannot both listen on {port}", "--port, --gateway-port", "Name two ports")
    with ended_by_signals(), open_state(state, config, create=True) as opened, only_one(opened.directory):
        parts = [
            Part("console", "penstock.serve", "127.0.0.1", port, ("--config", config) if config else ()),
            Part("gateway", "penstock.protect", "127.0.0.1", gateway_port),
        ]
        for part in parts:
            check_port(part)
        outcome = scan_into(opened, targets or earlier_targets(opened))
        with running(parts, opened.directory) as processes:
            click.echo(
                closing_screen(
                    outcome.report, where={part.name: part.address for part in parts}, next_steps=next_steps(opened)
                )
            )
            click.echo("Ctrl-C stops Penstock.", err=True)
            sys.stdout.flush()
            opened.store.close()  # the servers own the database from here on
            watch(parts, processes, opened.directory)
    click.echo("Stopped.", err=True)
    return 0


def earlier_targets(state: State) -> list[str]:
    """What was looked at last time, or the example company the very first time."""
    if kept := state.store.get("targets"):
        return [str(target) for target in kept]
    estate = example_estate()
    if estate is None:
        raise WrongUse("There is nothing to look at yet", hint="Name a path: penstock up PATH")
    click.echo("No path given: this is the example company. Your own: penstock up PATH", err=True)
    return [str(estate)]


def example_estate() -> Path | None:
    """The example company: inside the wheel, or in the checkout."""
    package = Path(__file__).parents[2]
    for place in (package / "examples" / "estate", package.parents[1] / "examples" / "estate"):
        if place.is_dir():
            return place
    return None


def next_steps(state: State) -> list[tuple[str, str]]:
    """What to type next, given what is there."""
    steps = [
        ("penstock risks", "all findings, worst first"),
        ("penstock show NAME", "the six questions about an asset"),
    ]
    if not state.store.keys():
        steps.append(("penstock keys add NAME", "a gateway key for an application"))
    return typed_here(state, steps)


@contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Hold the state directory's lock: two `penstock up` on one state would fight for ports and policy."""
    path = directory / "up.lock"
    with path.open("a+") as lock:
        try:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # Windows: the ports are the lock there
            pass
        except OSError as error:
            raise NotAllowed(
                "Penstock is up already with this state", str(directory), "Stop the other one, or name another --state"
            ) from error
        yield
