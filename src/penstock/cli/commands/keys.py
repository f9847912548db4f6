"""``penstock keys``: the gateway's virtual keys."""

from __future__ import annotations

import hashlib
import secrets
import time

import click

from penstock.cli.options import open_state, state_options, you
from penstock.cli.screen import as_table, printable
from penstock.errors import WrongUse

#: Bytes of randomness in a key: 256 bits, so that its plain SHA-256 may be stored (nothing to guess or to salt).
KEY_BYTES = 32


@click.group("keys")
def command() -> None:
    """Manage the gateway's virtual keys: each stands for one application."""


@command.command("add")
@click.argument("application")
@click.option("--name", default="", help="What the key is for; default the application's name.")
@state_options
def add(application: str, name: str, state: str | None, config: str | None) -> None:
    """Make a key for an application or agent, and print it. It is not stored and cannot be shown again."""
    from penstock.cli.find import asset_named
    from penstock.graph.store.protocol import AccessKey
    from penstock.respond.refresh import refresh

    with open_state(state, config) as opened:
        asset = asset_named(opened.store.graph(), application, {"application", "agent", "assistant"})
        key = f"psk_{secrets.token_urlsafe(KEY_BYTES)}"
        digest = hashlib.sha256(key.encode()).hexdigest()
        opened.store.save_key(AccessKey(digest[:12], name or asset.name, digest, asset.id, opened.now))
        opened.store.audit(you(), f"made key {digest[:12]}", asset.id, opened.now)
        refresh(opened.store, opened.settings, opened.directory, now=opened.now)
    click.echo(key)
    click.echo(
        printable(
            f"For {asset.kind} {asset.name}. Keep it: it is not shown again. Revoke: penstock keys revoke {digest[:12]}"
        ),
        err=True,
    )


@command.command("list")
@state_options
def list_keys(state: str | None, config: str | None) -> None:
    """List keys: which application each stands for, never the key itself."""
    with open_state(state, config) as opened:
        graph, keys = opened.store.graph(), opened.store.keys()
    if not keys:
        click.echo("There are no keys. Make one: penstock keys add APPLICATION")
        return
    rows = []
    for key in keys:
        asset = graph.assets.get(key.application)
        stands_for = f"{asset.kind} {asset.name}" if asset else key.application
        rows.append((key.id, day(key.created_at), day(key.revoked_at), key.name, stands_for))
    click.echo(as_table(("key", "made", "revoked", "name", "stands for"), rows), nl=False)


@command.command("revoke")
@click.argument("key")
@state_options
def revoke(key: str, state: str | None, config: str | None) -> None:
    """Revoke a key by its id; the gateway refuses it within a second."""
    import dataclasses

    from penstock.respond.refresh import refresh

    with open_state(state, config) as opened:
        made = opened.store.keys()
        for known in made:
            if known.id == key and known.revoked_at is None:
                opened.store.save_key(dataclasses.replace(known, revoked_at=opened.now))
                opened.store.audit(you(), f"revoked key {key}", known.application, opened.now)
                refresh(opened.store, opened.settings, opened.directory, now=opened.now)
                click.echo(printable(f"Revoked {key} ({known.name})."))
                return
    raise WrongUse(f"There is no key {key} in use", hint="penstock keys list")


def day(at: float | None) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at)) if at else ""
