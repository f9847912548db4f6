"""``penstock model scan``: one line a verdict, reasons with places, exit codes that say what to do."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from penstock.cli.commands.model import command
from penstock.errors import NotUnderstood
from tests.inspect.pickles import name, stream, system, text


@pytest.fixture
def files(tmp_path):
    (tmp_path / "bad.pkl").write_bytes(stream(system()))
    (tmp_path / "own.pkl").write_bytes(stream(name("acme", "Net") + b")\x81"))
    (tmp_path / "good.pkl").write_bytes(stream(b"}" + text("a") + b"Ns"))
    (tmp_path / "cut.pkl").write_bytes(b"\x80\x04}" + text("a"))
    return tmp_path


def run(*arguments: object, given: bytes = b"") -> tuple[int, str]:
    result = CliRunner().invoke(command, ["scan", *map(str, arguments)], input=given, standalone_mode=False)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return int(result.return_value or 0), result.output


def test_exit_codes_say_what_to_do(files):
    assert run(files / "good.pkl")[0] == 0
    assert run(files / "bad.pkl")[0] == 1
    assert run(files / "own.pkl")[0] == 0
    assert run(files / "own.pkl", "--fail-on", "review")[0] == 1
    assert run(files / "cut.pkl")[0] == 3
    assert run(files / "cut.pkl", files / "bad.pkl")[0] == 1
    assert run(files / "bad.pkl", "--fail-on", "never")[0] == 0


def test_table_shows_the_chain_and_its_place(files):
    _, shown = run(files / "bad.pkl")
    assert "malicious" in shown
    assert "os.system('echo penstock-inert')" in shown


def test_json_holds_every_reason(files):
    _, shown = run(files, "--each", "--format", "json", "--hash")
    document = json.loads(shown)
    assert document["verdict"] == "malicious"
    by_name = {one["path"].rpartition("/")[2]: one for one in document["results"]}
    assert {each: by_name[each]["verdict"] for each in by_name} == {
        "bad.pkl": "malicious", "cut.pkl": "inconclusive", "good.pkl": "clean", "own.pkl": "review",
    }  # fmt: skip
    assert by_name["bad.pkl"]["globals"] == ["os.system"]
    assert len(by_name["good.pkl"]["sha256"]) == 64


def test_folder_is_as_bad_as_its_worst_file(files):
    code, shown = run(files)
    assert code == 1
    assert shown.startswith("malicious")


def test_standard_input_is_scanned():
    assert run("-", given=stream(system()))[0] == 1
    assert run("-", given=stream(b"}"))[0] == 0


def test_names_cannot_steer_the_terminal(tmp_path):
    (tmp_path / "a.pkl").write_bytes(stream(name("acme", "x\x1b[2J") + b")R"))
    assert "\x1b[2J" not in run(tmp_path / "a.pkl")[1]


def test_lists_of_hashes_decide_first(files):
    from hashlib import sha256

    (files / "deny").write_text(f"{sha256((files / 'good.pkl').read_bytes()).hexdigest()}  from the incident\n")
    (files / "allow").write_text(f"{sha256((files / 'bad.pkl').read_bytes()).hexdigest()}\n")
    code, shown = run(files / "good.pkl", "--deny", files / "deny")
    assert code == 1
    assert "on the deny list: from the incident" in shown
    code, shown = run(files / "bad.pkl", "--allow", files / "allow")
    assert code == 0
    assert "set aside" in shown
    (files / "allow").write_text("not a hash\n")
    with pytest.raises(NotUnderstood, match="SHA-256"):
        run(files / "bad.pkl", "--allow", files / "allow")
