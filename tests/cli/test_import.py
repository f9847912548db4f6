"""``penstock import``: an export becomes part of the graph, and taken in again it replaces itself."""

import json

from penstock.cli.app import run
from tests.discover.cloud.test_exports import CONFIG, MODEL


def test_an_export_is_taken_in_and_replaced_by_its_next(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PENSTOCK_STATE", str(tmp_path / "state"))
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIG))
    assert run(["import", str(path)]) == 0
    assert "from cloud:aws:123456789012" in capsys.readouterr().out
    run(["assets", "--format", "json"])
    names = {asset["name"] for asset in json.loads(capsys.readouterr().out)["assets"]}
    assert {"support-agent", "support-base", MODEL, "tickets-of-customers"} <= names
    fewer = [
        item
        for item in CONFIG["configurationItems"]
        if item["resourceName" if "resourceName" in item else "ARN"] != "support-agent"
    ]
    path.write_text(json.dumps({**CONFIG, "configurationItems": fewer}))
    assert run(["import", str(path)]) == 0
    capsys.readouterr()
    run(["assets", "--format", "json"])
    names = {
        asset["name"]
        for asset in json.loads(capsys.readouterr().out)["assets"]
        if asset.get("lifecycle", "current") == "current"
    }
    assert "support-agent" not in names
    assert "support-base" in names


def test_what_nobody_knows_is_refused_with_what_is_known(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PENSTOCK_STATE", str(tmp_path / "state"))
    path = tmp_path / "notes.txt"
    path.write_text("milk, bread")
    assert run(["import", str(path)]) == 2
    assert "AWS Config" in capsys.readouterr().err
