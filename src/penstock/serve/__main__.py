"""``python -m penstock.serve``: the API and the console on one port."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.errors import NotReachable, PenstockError, WrongUse
from penstock.settings import load_settings, state_directory

if TYPE_CHECKING:
    import uvicorn

    from penstock.graph.vocabulary import Case

DEFAULT_PORT = 8420


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; 0 after a clean stop, 2 when it could not start as asked."""
    asked = _parser().parse_args(arguments)
    os.umask(0o077)  # whatever is written tells of an organisation's weaknesses
    try:
        if asked.revoke_token:
            return _revoke_token(asked)
        return _make_token(asked) if asked.make_token else _serve(asked)
    except PenstockError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _serve(asked: argparse.Namespace) -> int:
    import uvicorn

    from penstock.graph.store import open_store
    from penstock.respond.messages import Messages
    from penstock.respond.signing import open_keyring
    from penstock.respond.telling import Notify, begin, forget
    from penstock.respond.webhook import Webhooks
    from penstock.serve.app import build
    from penstock.serve.guard import choose, is_loopback
    from penstock.serve.oidc import Oidc
    from penstock.serve.state import Live
    from penstock.serve.tokens import Tokens, named_tokens, stored_hash
    from penstock.work.jobs import Jobs

    state = state_directory(asked.state)
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    demands = not is_loopback(asked.host) or asked.token_file is not None or asked.require_token
    digest = stored_hash(state, asked.token_file) if demands else None
    let_in = bool(digest or (demands and named_tokens(state)))
    if asked.require_token and not let_in:
        raise WrongUse("No token was made yet", str(state / "token"), "python -m penstock.serve --make-token")
    settings = load_settings(state, asked.config)
    oidc = None
    if asked.oidc_issuer:
        oidc = Oidc(asked.oidc_issuer, asked.oidc_audience, asked.oidc_jwks, roles=settings.roles, tenant=asked.tenant)
    tokens = Tokens(digest or "", state, tenant=asked.tenant) if let_in else None
    guard = choose(asked.host, tokens=tokens, oidc=oidc, allowed=asked.allow_host)
    store = open_store(asked.store or state / "penstock.db", tenant=asked.tenant)
    jobs, stop = Jobs(state / "jobs.db", on_dead=lambda *dead: live.report(*_undelivered(*dead))), threading.Event()
    listeners: list[Notify] = [Webhooks(jobs, settings)] if settings.webhooks else []
    messages = None
    if settings.notify:
        messages = Messages(jobs, settings, lambda: live.world.people, open_keyring(state))
        listeners.append(messages.cases)

    def notify(cases: Sequence[Case]) -> None:
        for listener in listeners:
            listener(cases)

    live = Live(
        store, settings, state, notify=notify if listeners else None, ask=messages.approvals if messages else None
    )
    (begin if listeners else forget)(store)
    delivery = threading.Thread(target=jobs.run, args=(stop,), name="penstock-jobs", daemon=True)
    config = uvicorn.Config(
        build(live, guard),
        host=asked.host,
        port=asked.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
        timeout_keep_alive=30,
        limit_concurrency=500,
        ssl_certfile=asked.tls_cert,
        ssl_keyfile=asked.tls_key,
        proxy_headers=False,
    )
    try:
        listening = _bind(config)
        live.start()
        if listeners:
            delivery.start()
        scheme = "https" if asked.tls_cert else "http"
        name = f"[{asked.host}]" if ":" in asked.host else asked.host
        asks = "no sign-in on loopback" if guard.open else "asks for a token" if guard.tokens else "asks for OIDC"
        ready = f"Penstock console and API on {scheme}://{name}:{listening.getsockname()[1]} ({asks})"
        if not guard.open and not asked.tls_cert and not is_loopback(asked.host):
            print("note: plain http; put TLS in front or give --tls-cert and --tls-key", file=sys.stderr, flush=True)
        _run(config, listening, ready)
    finally:
        live.stop()
        stop.set()
        if delivery.is_alive():
            delivery.join(timeout=10)
        store.close()
    return 0


def _run(config: uvicorn.Config, listening: socket.socket, ready: str) -> None:
    """Serve until SIGTERM or SIGINT; says ``ready`` once connections are taken."""
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            print(ready, flush=True)

    # Having drained, uvicorn sends itself the signal again; by then the store still has to be closed.
    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, lambda *_: None)
    Server(config).run(sockets=[listening])


def _bind(config: uvicorn.Config) -> socket.socket:
    """The listening socket, so that a port that is taken is said in our words.

    Raises:
        NotReachable: the address or port cannot be had.
    """
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((config.host, config.port))
    except OSError as error:
        listening.close()
        raise NotReachable(
            "The address cannot be listened on", f"{config.host}:{config.port}", f"{error.strerror}; try --port 0"
        ) from error
    return listening


def _undelivered(name: str, payload: Any, why: str) -> tuple[str, str]:
    """A message that was given up, in the words of a failure."""
    from penstock.work.jobs import RETRIES

    url = payload.get("url", "") if isinstance(payload, dict) else ""
    return f"deliver case changes to {url or name}", f"Given up after {RETRIES} more tries: {why}"


def _make_token(asked: argparse.Namespace) -> int:
    from penstock.serve.tokens import make_named_token, make_token

    state = state_directory(asked.state)
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    if asked.token_for:
        print(make_named_token(state, asked.token_for, asked.role, days=asked.days, tenant=asked.tenant))
    else:
        print(make_token(state))
    print("Keep it: only its hash is stored, and any earlier token no longer works", file=sys.stderr)
    return 0


def _revoke_token(asked: argparse.Namespace) -> int:
    from penstock.serve.tokens import revoke_named_token

    state = state_directory(asked.state)
    if not revoke_named_token(state, asked.revoke_token):
        raise WrongUse("There is no token of this name", asked.revoke_token)
    print("It no longer works, and the sessions opened with it have ended", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("penstock serve", description="Serve the API and the console.")
    parser.add_argument("--state", help="state directory (default: $PENSTOCK_STATE or the user's)")
    parser.add_argument("--store", help="postgresql:// address of the store (default: SQLite in the state directory)")
    parser.add_argument("--host", default="127.0.0.1", help="address to bind; others than loopback demand a token")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free one")
    parser.add_argument("--config", help="configuration file (default: penstock.yaml in the state directory)")
    parser.add_argument("--allow-host", action="append", default=[], metavar="NAME", help="name it also answers to")
    parser.add_argument("--token-file", type=Path, help="file that holds the token to demand")
    parser.add_argument("--require-token", action="store_true", help="demand the state's token on loopback too")
    parser.add_argument("--make-token", action="store_true", help="make a new token, print it once, and stop")
    parser.add_argument("--for", dest="token_for", default="", metavar="NAME", help="make the token for this person")
    parser.add_argument("--role", default="viewer", help="what they may do: viewer, developer, approver or admin")
    parser.add_argument("--days", type=int, default=90, help="how long their token works")
    parser.add_argument("--revoke-token", default="", metavar="NAME", help="take away a person's token, and stop")
    parser.add_argument("--tenant", default="default", help="the tenant that is served; another one gets no answer")
    parser.add_argument("--oidc-issuer", default="", help="issuer whose bearer tokens are accepted")
    parser.add_argument("--oidc-audience", default="", help="audience that those tokens must name")
    parser.add_argument("--oidc-jwks", default="", help="address of the issuer's keys (default: discovered)")
    parser.add_argument("--tls-cert", help="certificate chain, PEM")
    parser.add_argument("--tls-key", help="its private key, PEM")
    return parser


if __name__ == "__main__":
    sys.exit(main())
