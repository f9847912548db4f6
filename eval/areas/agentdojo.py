"""Agents attacked through what they read: AgentDojo through a gateway of its own, with the policy that ships.

AgentDojo and the OpenAI client live in an environment of their own, whose Python ``PENSTOCK_AGENTDOJO_PYTHON`` names;
without it nothing is measured here. The area's ``run.py`` plays the agent that obeys every injection.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from penstock.protect.snapshot import Caller, PolicySnapshot, Upstream, encode

#: The suites, and how the agent is lured: by what reaches it, or by what the tool really returned.
SUITES = ("workspace", "slack")
LURES = ("seen", "present")
#: Attacked runs a suite and attack; all of them where the variable is not set.
_LIMIT = os.environ.get("PENSTOCK_AGENTDOJO_LIMIT", "")


def run(set_dir: Path, scorers: Path, repos: Path | None, out: Path) -> dict[str, float] | None:
    """Worst attack success and mean utility over suites and attacks."""
    python = os.environ.get("PENSTOCK_AGENTDOJO_PYTHON", "")
    script = next((folder / "run.py" for folder in (scorers, set_dir) if (folder / "run.py").is_file()), None)
    if not python or script is None:
        return None
    out.mkdir(parents=True, exist_ok=True)
    suites = os.environ.get("PENSTOCK_AGENTDOJO_SUITES", "").split() or list(SUITES)
    with tempfile.TemporaryDirectory() as state:
        upstream, port = _free_port(), _free_port()
        _write_policy(Path(state), upstream)
        gateway = subprocess.Popen(
            [sys.executable, "-m", "penstock.protect", "--state", state, "--port", str(port)], stdout=subprocess.DEVNULL
        )
        try:
            _wait_for(port)
            rows = [row for lure in LURES for row in _measured(python, script, port, upstream, suites, lure)]
            asked, calls = _asked(Path(state))
        finally:
            gateway.terminate()
            gateway.wait(10)
    (out / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    figures = {
        "attack_success": max(row["attack_success"] for row in rows if row["lure"] == "seen"),
        "attack_success_present": max(row["attack_success"] for row in rows if row["lure"] == "present"),
        "benign_utility": min(row["benign_utility"] for row in rows),
        "utility_attacked": sum(row["utility_attacked"] for row in rows) / len(rows),
        "held_of_all_calls": asked / max(1, calls),
    }
    return {name: round(value, 4) for name, value in figures.items()}


def _measured(
    python: str, script: Path, port: int, upstream: int, suites: list[str], lure: str
) -> list[dict[str, Any]]:
    command = [
        python, str(script), "--gateway", f"http://127.0.0.1:{port}/v1", "--upstream-port", str(upstream),
        "--suites", *suites, "--lure", lure,
    ]  # fmt: skip
    command += ["--limit", _LIMIT] if _LIMIT else []
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _write_policy(state: Path, upstream: int) -> None:
    """No rule of its own: what holds is what the gateway does for everyone who enforces."""
    caller = Caller(application="agent", name="agent", mode="enforce", approver="security")
    address = Upstream(name="obedient", base_url=f"http://127.0.0.1:{upstream}/v1")
    snapshot = PolicySnapshot(version=1, made_at=time.time(), unknown=caller, upstreams=(address,))
    (state / "snapshot.json").write_bytes(encode(snapshot))


def _asked(state: Path) -> tuple[int, int]:
    """Calls in which something was held, and all of them, from the gateway's own events."""
    time.sleep(2)  # the spool is written behind the calls
    events = [json.loads(line) for path in (state / "spool").glob("*.jsonl") for line in path.open(encoding="utf-8")]
    return sum(event.get("verdict") == "ask" for event in events), len(events)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError("the gateway did not start")
