"""``python -m penstock.protect``: run the gateway on this machine."""

from __future__ import annotations

import argparse
import ipaddress
import logging
import os
import signal
import socket
import ssl
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import NotAllowed, NotReachable, PenstockError, WrongUse
from penstock.settings import state_directory

_log = logging.getLogger("penstock.protect")


@dataclass(frozen=True, slots=True)
class Given:
    """How the gateway was asked to run."""

    state: Path
    host: str
    port: int
    workers: int = 1
    parent: int = 0  # process id of who started this worker; 0 when it is the only one
    certificate: Path | None = None
    key: Path | None = None
    callers: Path | None = None
    allow_remote: bool = False
    log: str = "text"
    largest: int = 32  # MiB of a request's body
    patience: float = 60.0  # seconds until a request's body must be there


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; calls under way are answered first."""
    ask = argparse.ArgumentParser(prog="penstock gateway", description="Run the gateway.")
    ask.add_argument("--state", metavar="DIR", help="state directory (default: $PENSTOCK_STATE, or the user's)")
    ask.add_argument("--host", default="127.0.0.1")
    ask.add_argument("--port", type=int, default=8421)
    ask.add_argument("--workers", type=int, default=1, metavar="N", help="processes that share the address")
    ask.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate chain (PEM): speak TLS")
    ask.add_argument("--tls-key", type=Path, metavar="FILE", help="its private key (PEM)")
    ask.add_argument("--client-ca", type=Path, metavar="FILE", help="take certificates of callers that these signed")
    ask.add_argument("--largest-body", type=int, default=32, metavar="MIB", help="size of a request at most (32)")
    ask.add_argument("--body-seconds", type=float, default=60.0, metavar="S", help="time for a request's body (60)")
    ask.add_argument("--log", choices=("text", "json"), default="text", help="form of the log on standard error")
    ask.add_argument(
        "--allow-remote", action="store_true", help="listen on an address that other machines can reach, without TLS"
    )
    ask.add_argument("--one-of-several", type=int, default=0, help=argparse.SUPPRESS)
    said = ask.parse_args(arguments)
    given = Given(
        state_directory(said.state), said.host, said.port, said.workers, said.one_of_several, said.tls_cert,
        said.tls_key, said.client_ca, said.allow_remote, said.log, said.largest_body, said.body_seconds,
    )  # fmt: skip
    try:
        return run(given, sys.argv[1:] if arguments is None else arguments)
    except PenstockError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def run(given: Given, arguments: list[str]) -> int:
    """Serve in this process, or in several that this one looks after.

    Raises:
        NotAllowed: the address can be reached from outside, in plain text, and nobody said that this is wanted.
        NotReachable: the state directory or the address cannot be used.
        WrongUse: the arguments do not go together.
    """
    checked(given)
    if given.workers == 1 or given.parent:
        serve(given)
        return 0
    from penstock.protect.logs import log_to_stderr
    from penstock.protect.workers import Workers, worker_command

    with listening(given) as holder:  # holds the port, and takes no connection
        port = holder.getsockname()[1]
        log_to_stderr(given.log)
        told(given, port)
        return Workers(worker_command([*arguments, "--port", str(port)]), given.workers).run()


def checked(given: Given) -> None:
    """Raises as ``run``."""
    if not given.certificate and not given.allow_remote and not _is_loopback(given.host):
        raise NotAllowed(
            f"The gateway would listen on {given.host}, which other machines can reach",
            "--host",
            "Keys and prompts would cross the network unencrypted. Give --tls-cert and --tls-key, put a TLS proxy in "
            "front and listen on 127.0.0.1, or pass --allow-remote if the network in between is yours",
        )
    if bool(given.certificate) != bool(given.key):
        raise WrongUse("A certificate and its key belong together", "--tls-cert, --tls-key", "Give both")
    if given.callers and not given.certificate:
        raise WrongUse("Certificates of callers need TLS", "--client-ca", "Give --tls-cert and --tls-key, too")
    if given.largest < 1 or given.patience <= 0:
        raise WrongUse("Nothing could be sent", "--largest-body, --body-seconds", "Give numbers above 0")
    if not 1 <= given.workers <= 256:
        raise WrongUse(f"{given.workers} processes are not possible", "--workers", "Give a number from 1 to 256")
    if given.workers > 1 and not hasattr(socket, "SO_REUSEPORT"):
        raise WrongUse("This system does not share addresses", "--workers", "Run one process")


def serve(given: Given) -> None:
    """Run one gateway process over a state directory until it is told to end. SIGHUP renews its certificate."""
    import uvicorn

    from penstock.protect.connection import Connection
    from penstock.protect.gateway import build
    from penstock.protect.logs import log_to_stderr
    from penstock.protect.permits import UsedGrants
    from penstock.protect.requests import BOUNDS
    from penstock.protect.secret import secret
    from penstock.protect.sink import Spool
    from penstock.protect.snapshot_source import SnapshotFile
    from penstock.protect.tls import context

    tls = context(given.certificate, given.key, given.callers) if given.certificate and given.key else None
    listener = listening(given)
    try:
        sink, recorder = Spool(given.state / "spool"), Spool(given.state / "recordings")
        token_key = secret(given.state / "tokens.key")
        used = UsedGrants(given.state / "grants.used")
    except OSError as error:
        listener.close()
        raise NotReachable(
            "Events cannot be written", str(given.state / "spool"), f"{error.strerror}; make the folder writable"
        ) from error
    source = SnapshotFile(given.state / "snapshot.json")
    config = uvicorn.Config(
        build(source, sink, token_key=token_key, recorder=recorder, used=used),
        http=Connection,
        ws="auto",  # realtime sessions, where the library for them is installed
        lifespan="on",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=30,
        backlog=2048,
    )
    log_to_stderr(given.log)
    BOUNDS.largest, BOUNDS.patience = given.largest << 20, given.patience
    config.load()
    config.ssl = tls
    if tls is not None and given.certificate and given.key and hasattr(signal, "SIGHUP"):
        _renewed_on_hangup(tls, given.certificate, given.key)
    elif hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the policy is followed without being told
    listener.listen(config.backlog)  # from here on connections wait rather than fail
    if given.parent:
        print("ready", flush=True)
        threading.Thread(target=_end_with, args=(given.parent,), name="parent", daemon=True).start()
    else:
        told(given, listener.getsockname()[1])
    try:
        uvicorn.Server(config).run([listener])
    except KeyboardInterrupt:
        pass
    finally:
        source.close()
        sink.close()
        recorder.close()
        listener.close()
        _log.info("the gateway has ended", extra={"lost": sink.shed})


def listening(given: Given) -> socket.socket:
    """A socket bound to the address.

    Raises:
        NotReachable: it cannot be used.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in given.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if given.workers > 1:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((given.host, given.port))
    except OSError as error:
        listener.close()
        raise NotReachable(
            f"The gateway cannot listen on {given.host}:{given.port}",
            "--host, --port",
            f"{error.strerror}; stop what listens there or choose another port",
        ) from error
    return listener


def told(given: Given, port: int) -> None:
    """Say where the gateway is."""
    scheme = "https" if given.certificate else "http"
    print(f"gateway on {scheme}://{given.host}:{port}/v1", flush=True)


def _renewed_on_hangup(tls: ssl.SSLContext, certificate: Path, key: Path) -> None:
    from penstock.protect.tls import renew

    def renewed(*_: object) -> None:
        try:
            renew(tls, certificate, key)
            _log.info("the certificate is renewed")
        except (OSError, PenstockError) as error:
            _log.error("the new certificate cannot be used; the old one stays", extra={"why": str(error)})

    signal.signal(signal.SIGHUP, renewed)


def _end_with(parent: int) -> None:
    """End when whoever looks after this worker is gone: nobody else would end it."""
    ended = threading.Event()
    while os.getppid() == parent:
        ended.wait(1.0)
    os.kill(os.getpid(), signal.SIGTERM)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    sys.exit(main())
