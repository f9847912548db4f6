"""``penstock redteam``."""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from penstock.cli.options import format_option, open_state, state_options, you
from penstock.cli.screen import as_table, printable
from penstock.errors import WrongUse

if TYPE_CHECKING:
    from penstock.graph.graph import Graph
    from penstock.graph.vocabulary import Asset
    from penstock.respond.redteam import Run


@click.command("redteam")
@click.argument("endpoint", metavar="[ENDPOINT]", required=False)
@click.option("--model", default="", help="Name of the model to ask for.")
@click.option("--probes", default="injection,jailbreak,leakage", show_default=True, help="Kinds of attack, by comma.")
@click.option("--requests", default=100, show_default=True, help="Requests made at most.")
@click.option("--seconds", default=900.0, show_default=True, help="After which the run is stopped.")
@click.option("--key-env", metavar="NAME", help="Variable of the environment that holds the endpoint's key.")
@click.option("--body", default="", metavar="JSON", help="For any other API: the request, $INPUT for the prompt.")
@click.option("--answer", default="", metavar="PATH", help="Dotted path to the text in the answer to --body.")
@click.option("--through-gateway", metavar="URL", help="The same again through the gateway, to compare.")
@click.option("--gateway-key-env", metavar="NAME", help="Variable that holds a key of the gateway.")
@click.option("--garak", metavar="PATH", help="The garak to run, where it is not on the path.")
@click.option("--i-may", is_flag=True, help="I own the endpoint, or its owner agreed to this run.")
@click.option("--dry-run", is_flag=True, help="Attack a scripted endpoint on this machine, write nothing down.")
@click.option("--by", default=you, show_default="you", help="Who asks for the run.")
@format_option("table", "json")
@state_options
def command(
    endpoint: str | None, model: str, probes: str, requests: int, seconds: float, key_env: str | None, body: str,
    answer: str, through_gateway: str | None, gateway_key_env: str | None, garak: str | None, i_may: bool,
    dry_run: bool, by: str, format_: str, state: str | None, config: str | None,
) -> None:  # fmt: skip
    """Try a bounded set of attacks on an endpoint that you own, with garak.

    ENDPOINT is an address, or an endpoint of the inventory by name. What gets through becomes a finding on it for 90
    days. Keys are read from the environment alone.
    """
    from penstock.respond import redteam
    from penstock.respond.redteam_relay import Target

    if dry_run == bool(endpoint):
        raise WrongUse("Name an endpoint, or try the run out with --dry-run", hint="one of the two")
    if not dry_run and not i_may:
        raise WrongUse("Attacks are run only where their owner agreed", endpoint, "If you may: --i-may")
    chosen = [name.strip() for name in probes.split(",") if name.strip()]
    command_ = [garak] if garak else None
    with open_state(state, config) as opened:
        asset: Asset | None = None
        if endpoint:
            asset = _asset(opened.store.graph(), endpoint)
            url = endpoint if "://" in endpoint else str(asset.prop("url") or asset.name)
            meant = nullcontext(Target(url, model, _secret(key_env), body, answer))
        runs: dict[str, Run] = {}
        with redteam.dry_target() if dry_run else meant as target:
            runs["directly"] = redteam.run(target, chosen, requests=requests, seconds=seconds, garak=command_)
        if through_gateway:
            gateway = Target(through_gateway, model, _secret(gateway_key_env))
            runs["through the gateway"] = redteam.run(
                gateway, chosen, requests=requests, seconds=seconds, garak=command_
            )
        if asset is not None:
            redteam.take_down(opened.store, asset, runs["directly"], who=by, now=opened.now)
        _show(runs, format_)


def _asset(graph: Graph, endpoint: str) -> Asset:
    from penstock.cli.find import asset_named
    from penstock.respond.redteam import endpoint_of

    return endpoint_of(graph, endpoint) if "://" in endpoint else asset_named(graph, endpoint, ("endpoint",))


def _secret(name: str | None) -> str:
    if not name:
        return ""
    if not os.environ.get(name):
        raise WrongUse(f"The environment has no {name}", hint=f"export {name}=… before the run")
    return os.environ[name]


def _show(runs: dict[str, Run], format_: str) -> None:
    if format_ == "json":
        from penstock.cli.listing import print_json

        print_json({"schema": "penstock.redteam/1", "runs": {name: _document(run) for name, run in runs.items()}})
        return
    kinds = list(dict.fromkeys(kind for run in runs.values() for kind in run.by_kind()))
    rows = [(kind, *(_share(run, kind) for run in runs.values())) for kind in kinds]
    heads = ("Attack", *(f"Got through {name}" for name in runs))
    click.echo(as_table(heads, rows) if rows else "Nothing was tried.\n", nl=False)
    for name, run in runs.items():
        left = f", {run.refused:,} more were not made: the budget was spent" if run.refused else ""
        late = ", stopped at its time" if run.stopped else ""
        click.echo(printable(f"{name}: {run.requests:,} requests{left}{late}"))


def _document(run: Run) -> dict[str, object]:
    return {
        "requests": run.requests,
        "refused": run.refused,
        "stopped": run.stopped,
        "gives_way": list(run.gives_way_to()),
        "kinds": {kind: {"hits": hits, "tries": tries} for kind, (hits, tries) in run.by_kind().items()},
        "probes": [{"probe": t.probe, "detector": t.detector, "hits": t.hits, "tries": t.tries} for t in run.tallies],
    }


def _share(run: Run, kind: str) -> str:
    hits, tries = run.by_kind().get(kind, (0, 0))
    return f"{hits} of {tries}" if tries else "not tried"
