"""``penstock mcp``: tools as they stand, and a person's yes that reaches the gateway."""

import json

import pytest

from penstock.cli.app import run
from penstock.protect.mcp.pins import Pins
from penstock.protect.snapshot import decode, encode
from tests.protect.gateway_world import snapshot
from tests.protect.mcp.test_messages import listed, relay, tool


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("PENSTOCK_STATE", str(tmp_path))
    return tmp_path


def test_a_changed_tool_is_listed_and_a_yes_is_in_the_snapshot(state, capsys):
    (state / "snapshot.json").write_bytes(encode(snapshot()))
    listed(relay(pins=Pins.beside(state)), tool("read_file"), tool("write_file"))
    listed(relay(pins=Pins.beside(state)), tool("read_file", "Reads any file"))
    assert run(["mcp", "tools", "--json"]) == 0
    rows = {row["tool"]: row["state"] for row in json.loads(capsys.readouterr().out)}
    assert rows == {"read_file": "changed", "write_file": "known"}
    assert run(["mcp", "approve", "files", "read_file"]) == 0
    (pin,) = decode((state / "snapshot.json").read_bytes()).tools
    assert (pin.server, pin.tool, bool(pin.approved_by)) == ("files", "read_file", True)
    assert listed(relay(pins=Pins.beside(state)), tool("read_file", "Reads any file")) == ["read_file"]


def test_a_tool_that_nobody_saw_cannot_be_approved(state, capsys):
    assert run(["mcp", "tools"]) == 0
    assert "No tools were seen yet" in capsys.readouterr().out
    assert run(["mcp", "approve", "files", "read_file"]) == 3
    assert "was seen" in capsys.readouterr().err
