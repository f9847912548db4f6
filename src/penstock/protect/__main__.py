"""``python -m penstock.protect``: run the gateway on this machine."""

from __future__ import annotations

import argparse
import ipaddress
import sys
from pathlib import Path

from penstock.errors import NotAllowed, NotReachable, PenstockError
from penstock.settings import state_directory


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; calls under way are answered first."""
    ask = argparse.ArgumentParser(prog="penstock gateway", description="Run the gateway.")
    ask.add_argument("--state", metavar="DIR", help="state directory (default: $PENSTOCK_STATE, or the user's)")
    ask.add_argument("--host", default="127.0.0.1")
    ask.add_argument("--port", type=int, default=8421)
    ask.add_argument(
        "--allow-remote", action="store_true", help="listen on an address that other machines can reach, without TLS"
    )
    given = ask.parse_args(arguments)
    try:
        serve(state_directory(given.state), given.host, given.port, allow_remote=given.allow_remote)
    except PenstockError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def serve(state: Path, host: str, port: int, *, allow_remote: bool = False) -> None:
    """Run the gateway over a state directory.

    Raises:
        NotAllowed: the address can be reached from outside and nobody said that this is wanted.
        NotReachable: the state directory or the address cannot be used.
    """
    if not allow_remote and not _is_loopback(host):
        raise NotAllowed(
            f"The gateway would listen on {host}, which other machines can reach",
            "--host",
            "Keys and prompts would cross the network unencrypted. Put a TLS proxy in front and let the gateway listen "
            "on 127.0.0.1, or pass --allow-remote if the network in between is yours",
        )
    import socket

    import uvicorn

    from penstock.protect.gateway import build
    from penstock.protect.secret import secret
    from penstock.protect.sink import Spool
    from penstock.protect.snapshot_source import SnapshotFile

    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise NotReachable(
            f"The gateway cannot listen on {host}:{port}",
            "--host, --port",
            f"{error.strerror}; stop what listens there or choose another port",
        ) from error
    try:
        sink, recorder = Spool(state / "spool"), Spool(state / "recordings")
        token_key = secret(state / "tokens.key")
    except OSError as error:
        listener.close()
        raise NotReachable(
            "Events cannot be written", str(state / "spool"), f"{error.strerror}; make the folder writable"
        ) from error
    source = SnapshotFile(state / "snapshot.json")
    config = uvicorn.Config(
        build(source, sink, token_key=token_key, recorder=recorder),
        http="httptools",
        ws="auto",  # realtime sessions, where the library for them is installed
        lifespan="on",
        access_log=False,
        proxy_headers=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=30,
        backlog=2048,
    )
    listener.listen(config.backlog)  # from here on connections wait rather than fail
    print(f"gateway on http://{host}:{listener.getsockname()[1]}/v1", flush=True)
    try:
        uvicorn.Server(config).run([listener])
    except KeyboardInterrupt:
        pass
    finally:
        source.close()
        sink.close()
        recorder.close()
        listener.close()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    sys.exit(main())
