"""``penstock up``: one process tree that starts whole, says where to look, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import SHOP, environment, penstock, three_parts, write

READY_SECONDS = 60.0


class Up:
    """A running ``penstock up`` and what it printed so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said += line

    def wait_for(self, text: str) -> None:
        end = time.monotonic() + READY_SECONDS
        while text not in self.said and time.monotonic() < end and self.process.poll() is None:
            time.sleep(0.05)
        assert text in self.said, self.said

    def ends(self) -> int:
        code = self.process.wait(30)
        self._reader.join(10)
        return code


@contextlib.contextmanager
def up(*words: str | Path, **env: str) -> Iterator[Up]:
    process = subprocess.Popen(
        [sys.executable, "-m", "penstock", "up", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
        env=environment(**env), start_new_session=True,
    )  # fmt: skip
    running = Up(process)
    try:
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def answer(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def processes_of(state: Path) -> list[int]:
    """Processes whose command line names the state."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and os.fsencode(state) in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def gone(state: Path, seconds: float = 15.0) -> bool:
    end = time.monotonic() + seconds
    while processes_of(state) and time.monotonic() < end:
        time.sleep(0.1)
    return not processes_of(state)


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, Path, list[str | Path]]:
    """Tree, state, and the words that start them on ports of their own."""
    console, gateway = free_ports()
    state = tmp_path / "state"
    tree = write(tmp_path / "shop", SHOP)
    return tree, state, ["--state", state, "--port", str(console), "--gateway-port", str(gateway)]


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for left processes in /proc"),
]


def test_up_answers_on_both_ports_is_alone_on_its_state_and_ends_whole(place):
    tree, state, words = place
    console, gateway = int(words[3]), int(words[5])
    with up(tree, *words) as first:
        first.wait_for("Ctrl-C stops Penstock.")
        for said in ("1 application", "Key lies in a repository", "penstock keys add", f"http://127.0.0.1:{console}",
                     f"http://127.0.0.1:{gateway}", f"penstock risks --state {state}"):  # fmt: skip
            assert said in " ".join(first.said.split())
        assert answer(console, "/") == 200
        assert answer(console, "/healthz") == 200
        assert answer(gateway, "/healthz") == 200
        assert len(processes_of(state)) == 3

        other = [str(port) for port in free_ports()]
        second = penstock("up", tree, "--state", state, "--port", other[0], "--gateway-port", other[1])
        assert (second.code, three_parts(second)) == (3, True)
        assert "Penstock is up already" in second.err
        assert answer(console, "/healthz") == 200

        assert "Key lies" in penstock("risks", "--state", state).out  # the other commands go on beside it
        first.process.send_signal(signal.SIGINT)
        assert first.ends() == 0
    assert gone(state, 0)
    assert "Traceback" not in first.said
    assert "Stopped." in first.said

    (tree / ".mcp.json").unlink()
    with up(*words) as again:  # without a path: what it looked at last time
        again.wait_for("Ctrl-C stops Penstock.")
        assert re.search(r"Since last\s+2 gone", again.said), again.said
        again.process.send_signal(signal.SIGTERM)
        assert again.ends() == 0
    assert gone(state, 0)
    for log in (state / "logs").iterdir():
        assert "Traceback" not in log.read_text(), log


@pytest.mark.parametrize("name", ["SIGKILL", "SIGHUP"])
def test_servers_end_with_the_command_that_started_them_however_it_ends(place, name):
    tree, state, words = place
    with up(tree, *words) as running:
        running.wait_for("Ctrl-C stops Penstock.")
        running.process.send_signal(getattr(signal, name))
        running.process.wait(30)
    assert gone(state)


def test_a_port_that_is_taken_is_said_before_anything_is_scanned(place):
    tree, state, words = place
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(words[5])))
        taken.listen()
        ended = penstock("up", tree, *words)
    assert (ended.code, ended.out, three_parts(ended)) == (3, "", True)
    assert f"127.0.0.1:{words[5]}" in ended.err
    assert "--gateway-port" in ended.err
    assert gone(state, 0)


def test_ports_are_looked_at(tmp_path, call):
    ended = call("up", tmp_path, "--state", tmp_path / "s", "--port", "8500", "--gateway-port", "8500")
    assert (ended.code, three_parts(ended)) == (2, True)
    assert call("up", tmp_path, "--state", tmp_path / "s", "--port", "99999").code == 2


def test_a_server_that_dies_is_said_and_takes_the_rest_along(place):
    tree, state, words = place
    with up(tree, *words) as running:
        running.wait_for("Ctrl-C stops Penstock.")
        [server] = [
            pid for pid in processes_of(state) if b"penstock.protect" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        os.kill(server, signal.SIGKILL)
        assert running.ends() == 3
    assert "The gateway ended by itself" in running.said
    assert gone(state, 0)


def test_the_token_is_printed_once_and_only_its_hash_kept(tmp_path):
    ended = penstock("serve", "--make-token", "--state", tmp_path / "state")
    token = ended.out.strip()
    assert ended.code == 0
    assert len(token) >= 32
    for path in (tmp_path / "state").rglob("*"):
        assert not path.is_file() or token.encode() not in path.read_bytes()


@pytest.mark.parametrize("name", ["serve", "gateway"])
def test_a_server_alone_refuses_to_be_reached_from_outside_unguarded(tmp_path, name):
    ended = penstock(name, "--state", tmp_path / "state", "--host", "0.0.0.0", "--port", "0")
    assert ended.code in (2, 3)
    assert three_parts(ended), ended.err
