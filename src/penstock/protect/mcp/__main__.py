"""``python -m penstock.protect.mcp [--server NAME] -- COMMAND …``: an MCP server over pipes, guarded."""

from __future__ import annotations

import argparse
import os
import sys

from penstock.errors import PenstockError
from penstock.settings import state_directory


def main(arguments: list[str]) -> int:
    """Run the command; its exit code, or 2 when it could not be run."""
    ask = argparse.ArgumentParser(prog="penstock mcp wrap", description="Run an MCP server, each message judged.")
    ask.add_argument("--state", metavar="DIR", help="state directory (default: $PENSTOCK_STATE, or the user's)")
    ask.add_argument("--server", default="", metavar="NAME", help="name of the server (default: what the command runs)")
    ask.add_argument("--key-env", default="PENSTOCK_KEY", metavar="NAME", help="variable that holds the caller's key")
    ask.add_argument("command", nargs="+", metavar="COMMAND", help="after --: the server's command and its arguments")
    given = ask.parse_args(arguments)
    from penstock.protect.mcp.stdio import wrap

    os.umask(0o077)
    key = os.environ.pop(given.key_env, "")  # not the server's business
    try:
        return wrap(given.command, state_directory(given.state), server=given.server, key=key)
    except PenstockError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # the thread that waits for the client's next line must not keep the process
