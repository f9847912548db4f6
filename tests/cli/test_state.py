"""What can be asked of, and said to, a state after a scan."""

import json
import shutil
import stat
import time

import pytest
import yaml

from penstock.graph.store import open_store
from penstock.graph.store.protocol import Acceptance
from penstock.protect.snapshot import decode
from tests.cli.command import KEY, SHOP, penstock, three_parts, write


def findings(call, state):
    return json.loads(call("risks", "--state", state, "--format", "json").out)["findings"]


# ── lists and pages ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["risks"], ["Key lies in a repository", "PS332", "team-shop"]),
        (["risks", "--questions"], ["ai-system.yaml"]),
        (["risks", "--accepted"], ["Nothing is accepted."]),
        (["assets"], ["Applications 1", "gpt-4o-mini", "pii"]),
        (["assets", "--kind", "model"], ["gpt-4o-mini"]),
        (["assets", "--kind", "MCP-servers"], ["files"]),
        (["coverage"], ["shop", "Everything in reach was read."]),
        (["cases"], ["Key lies in a repository", "open"]),
        (["cases", "--all"], ["open"]),
        (["show", "shop"], ["How bad could it be?", "Which sensitive data?", "app/data/customers.csv"]),
        (["show", "GPT-4O-mini"], ["model", "app/agent.py"]),
    ],
)
def test_lists_and_pages_say(scanned, call, words, said):
    ended = call(*words, "--state", scanned / "state")
    assert (ended.code, ended.err) == (0, "")
    for one in said:
        assert one in ended.out


@pytest.mark.parametrize("name", ["risks", "assets", "coverage", "cases", "risks --questions"])
def test_lists_are_also_json(scanned, call, name):
    ended = call(*name.split(), "--state", scanned / "state", "--format", "json")
    assert (ended.code, json.loads(ended.out)["schema"]) == (0, "penstock.report/1")


def test_a_finding_and_a_case_are_shown_by_the_beginning_of_their_ids(scanned, call):
    [found] = [f for f in findings(call, scanned / "state") if f["rule"] == "PS332"]
    page = call("show", found["id"][:8], "--state", scanned / "state").out
    for said in ("Path", "app/agent.py", "Score", "Owner", found["case"]):
        assert said in page
    for words in (["show", found["case"]], ["cases", found["case"]], ["cases", found["case"][5:11]]):
        assert "History" in call(*words, "--state", scanned / "state").out
    only = json.loads(call("cases", found["case"], "--state", scanned / "state", "--format", "json").out)
    assert [case["id"] for case in only["cases"]] == [found["case"]]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["show", "gpt-4-mini"], "Close: gpt-4o-mini"),
        (["assets", "--kind", "modle"], "model"),
        (["cases", "case-00"], "penstock cases --all"),
        (["accept", "PS999", "--why", "x"], "penstock risks"),
        (["accept", "PS332", "--why", " "], "--why"),
        (["accept", "PS332", "--why", "x", "--until", "tomorrow"], "2027-01-31"),
        (["accept", "PS332", "--why", "x", "--until", "2020-01-01"], "a date to come"),
        (["accept", "PS332", "--why", "x", "--until", "2999-01-01"], "earlier date"),
        (["accept", "PS332"], "penstock accept --help"),
        (["keys", "add", "nobody"], "penstock assets"),
        (["keys", "revoke", "abc"], "penstock keys list"),
        (["diff"], "Scan again after a change"),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(scanned, call, words, hint):
    ended = call(*words, "--state", scanned / "state")
    assert (ended.code, ended.out) == (2, "")
    assert hint in ended.err.partition("help: ")[2], ended.err


def test_one_name_for_several_things_asks_for_the_id(tmp_path, call):
    tree = write(tmp_path / "twice", {"a/Dockerfile": "FROM ollama/ollama\n", "b/requirements.txt": "openai\n",
                                      "b/x.py": "from openai import OpenAI\nOpenAI()\n"})  # fmt: skip
    call("scan", tree, "--state", tmp_path / "s")
    ended = call("show", "openai", "--state", tmp_path / "s")
    assert ended.code == 2
    assert "framework openai" in ended.err
    assert "provider openai" in ended.err


def test_nothing_scanned_yet_says_what_to_do(tmp_path, call):
    for words in (["risks"], ["assets"], ["coverage"], ["diff"], ["cases"], ["keys", "list"], ["show", "x"]):
        ended = call(*words, "--state", tmp_path / "none")
        assert ended.code == 3
        assert three_parts(ended), ended.err
        assert "penstock scan PATH" in ended.err
    assert not (tmp_path / "none").exists()


def test_diff_tells_what_came_and_went_and_counts_only_scans_that_were_run(shop, call):
    (shop / "shop" / ".mcp.json").unlink()
    (shop / "shop" / "app" / "more.py").write_text(
        "from anthropic import Anthropic\n\nAnthropic().messages.create(model='claude-sonnet-4-5', messages=[])\n"
    )
    assert call("scan", shop / "shop", "--state", shop / "state").code == 1
    said = call("diff", "--state", shop / "state").out
    assert "+ model claude-sonnet-4-5" in said
    assert "- MCP server files" in said
    assert json.loads(call("diff", "--state", shop / "state", "--format", "json").out)["changes"]["added"]
    assert call("diff", "2", "--state", shop / "state").code == 2
    assert "Since last" in call("scan", shop / "shop", "--state", shop / "state").out
    assert "Nothing changed." in call("diff", "--state", shop / "state").out


# ── decisions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_accepting_takes_a_finding_out_of_the_gate_until_it_runs_out(shop, call):
    state = shop / "state"
    ended = call("accept", "ps332", "--why", "rotated, history is rewritten in March", "--by", "mara", "--state", state)
    assert ended.code == 0
    until = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 90 * 86400))
    assert f"Accepted until {until}" in ended.out
    assert call("scan", shop / "shop", "--state", state).code == 0
    listed = call("risks", "--accepted", "--state", state).out
    assert f"until {until}, mara: rotated, history is rewritten in March" in listed
    assert "PS332" not in call("risks", "--state", state).out
    [accepted] = [f for f in findings(call, state) if f["accepted"]]
    assert accepted["acceptance"]["who"] == "mara"
    assert "accepted" in call("cases", "--state", state).out

    store = open_store(state / "penstock.db")
    now = time.time()
    store.accept(Acceptance(accepted["id"], "mara", "until now", now - 1, now - 2))
    for old in store.acceptances():
        store.accept(Acceptance(old.finding, old.who, old.why, now - 1, old.at))
    store.close()
    assert call("scan", shop / "shop", "--state", state).code == 1


def test_accepting_by_rule_and_file_takes_only_that_place(shop, call):
    wrong = call("accept", "PS332", "elsewhere.py", "--why", "x", "--state", shop / "state")
    assert wrong.code == 2
    right = call("accept", "PS375", ".mcp.json", "--why", "pinned by the proxy", "--state", shop / "state")
    assert (right.code, right.out.count("Accepted until")) == (0, 1)


def test_declare_prints_then_writes_and_never_overwrites(tmp_path, call):
    tree, state = write(tmp_path / "shop", {k: v for k, v in SHOP.items() if k != "ai-system.yaml"}), tmp_path / "s"
    printed = call("declare", tree, "--state", state)
    assert not state.exists()
    said = yaml.safe_load(printed.out)["system"]
    assert (said["name"], said["models"]) == ("shop", [{"name": "gpt-4o-mini", "provider": "openai"}])
    assert not (tree / "ai-system.yaml").exists()
    assert call("declare", tree, "--write", "--state", state).code == 0
    text = (tree / "ai-system.yaml").read_text()
    assert text == printed.out
    (tree / "ai-system.yaml").write_text(text.replace("  # owner:", "  owner: team-till  #"))
    assert "team-till" in call("scan", tree, "--state", state).out
    ended = call("declare", tree, "--write", "--state", state)
    assert (ended.code, three_parts(ended)) == (2, True)
    assert "team-till" in (tree / "ai-system.yaml").read_text()


def test_declare_asks_for_one_repository_of_several(tmp_path, call):
    write(tmp_path / "all", {"one/requirements.txt": "openai\n", "two/package.json": "{}\n"})
    ended = call("declare", tmp_path / "all")
    assert (ended.code, ended.out, three_parts(ended)) == (2, "", True)
    assert "one, two" in ended.err


def test_declare_does_not_write_through_a_link(tmp_path, call):
    tree, outside = write(tmp_path / "shop", SHOP), tmp_path / "outside.yaml"
    (tree / "ai-system.yaml").unlink()
    (tree / "ai-system.yaml").symlink_to(outside)
    assert call("declare", tree, "--write", "--state", tmp_path / "s").code == 2
    assert not outside.exists()


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_key_is_shown_once_stored_as_a_hash_and_known_to_the_gateway_until_revoked(shop, call):
    state = shop / "state"
    ended = call("keys", "add", "shop", "--name", "till", "--state", state)
    key = ended.out.strip()
    assert key.startswith("psk_")
    assert len(key) > 40
    assert key not in ended.err
    for path in state.rglob("*"):
        assert not path.is_file() or key.encode() not in path.read_bytes(), path
    [caller] = decode((state / "snapshot.json").read_bytes()).callers.values()
    assert (caller.name, caller.mode) == ("shop", "enforce")
    listed = call("keys", "list", "--state", state).out
    assert "till" in listed
    assert "application shop" in listed
    assert key not in listed
    id = ended.err.split()[-1]
    assert call("keys", "revoke", id, "--state", state).code == 0
    assert decode((state / "snapshot.json").read_bytes()).callers == {}
    assert call("keys", "revoke", id, "--state", state).code == 2


def test_the_state_is_readable_by_its_owner_only(tmp_path, call):
    call("scan", write(tmp_path / "shop", SHOP), "--state", tmp_path / "deep" / "state")
    assert stat.S_IMODE((tmp_path / "deep" / "state").stat().st_mode) == 0o700
    for path in (tmp_path / "deep" / "state").rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), f"{path} holds the key that was found"


# ── configuration ────────────────────────────────────────────────────────────────────────────────────────────────────


def rules(call, state):
    return {finding["rule"] for finding in findings(call, state)}


def test_what_config_said_once_holds_for_the_next_command(shop, call):
    state = shop / "state"
    assert "PS390" in rules(call, state)
    cases = call("cases", "--all", "--state", state, "--format", "json").out
    assert '"resolved"' not in cases
    (shop / "strict.yaml").write_text("organisation: {sanctioned_providers: [openai, ollama]}\n")
    assert "PS390" not in rules(call, state)
    other = write(shop, {"other.yaml": "organisation: {sanctioned_providers: [openai]}\n"}) / "other.yaml"
    assert "PS390" in {
        f["rule"]
        for f in json.loads(call("risks", "--state", state, "--config", other, "--format", "json").out)["findings"]
    }
    other.unlink()
    ended = call("risks", "--state", state)
    assert (ended.code, three_parts(ended)) == (3, True)
    assert "config-path" in ended.err


def test_the_state_s_own_configuration_is_read_and_can_be_returned_to(shop, call):
    state = shop / "state"
    (state / "penstock.yaml").write_text("organisation: {sanctioned_providers: [openai, ollama]}\n")
    assert "PS390" in rules(call, state)
    call("risks", "--state", state, "--config", state / "penstock.yaml")
    assert "PS390" not in rules(call, state)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("organization: {name: x}\n", "Did you mean organisation?"),
        ("organisation: {nmae: x}\n", "Did you mean name?"),
        ("upstreams: [{name: a, url: b}]\n", "upstreams[0].url"),
        ("upstreams: [{name: a}]\n", "base_url is missing"),
        ("exclude: vendor\n", "Expected a list, got text"),
        ("organisation: {regimes: gdpr}\n", "organisation.regimes"),
        ("owners: [team]\n", "Expected a mapping, got a list"),
        ("modes: {shop: block}\n", "Use observe, warn or enforce"),
        ("gateway: {unknown_paths: block}\n", "Use pass or refuse"),
        ("gateway: {unknown_path: pass}\n", "Did you mean unknown_paths?"),
        ("- a\n", "docs/configuration.md"),
        ("a: [\n", "not readable as YAML"),
        ("[" * 20000, "not readable as YAML"),
        ("\x00", "not readable as YAML"),
    ],
)
def test_a_configuration_that_cannot_be_meant_is_refused_before_anything_happens(tmp_path, call, text, said):
    write(tmp_path, {"penstock.yaml": text})
    ended = call("scan", tmp_path, "--state", tmp_path / "state", "--config", tmp_path / "penstock.yaml")
    assert (ended.code, three_parts(ended)) == (2, True), ended.err
    assert said in ended.err
    assert str(tmp_path / "penstock.yaml") in ended.err
    assert not (tmp_path / "state").exists()


def test_a_configuration_that_is_missing_is_an_error(tmp_path, call, monkeypatch):
    ended = call("scan", tmp_path, "--state", tmp_path / "state", "--config", tmp_path / "none.yaml")
    assert (ended.code, three_parts(ended)) == (3, True)
    monkeypatch.setenv("PENSTOCK_CONFIG", str(tmp_path / "none.yaml"))
    ended = call("scan", tmp_path, "--state", tmp_path / "state")
    assert (ended.code, three_parts(ended)) == (3, True)


# ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_rule_that_is_listed_can_be_explained(call):
    listed = call("explain").out
    ids = [line.split()[0] for line in listed.splitlines()[1:] if line.startswith("PS")]
    assert len(ids) > 50
    for id in ids:
        ended = call("explain", id.lower())
        assert (ended.code, ended.out.startswith(f"# {id} ")) == (0, True)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_of_the_shell_and_offers_commands(call, shell):
    script = call("completion", shell).out
    assert "_PENSTOCK_COMPLETE" in script
    if shutil.which(shell):
        import subprocess

        subprocess.run([shell, "-n"], input=script.encode(), check=True, timeout=20)
    ended = penstock(_PENSTOCK_COMPLETE="bash_complete", COMP_WORDS="penstock sc", COMP_CWORD="1")
    assert "scan" in ended.out


def test_completion_for_another_shell_names_the_three(call):
    ended = call("completion", "powershell")
    assert ended.code == 2
    assert "bash" in ended.err


HOSTILE = "evil\x1b]0;owned\x07\x1b[2Jname\u202egpj"


def test_names_from_a_scanned_tree_reach_no_terminal_raw(tmp_path, call):
    servers = json.dumps({"mcpServers": {HOSTILE: {"command": "npx", "args": ["-y", "@a/b"]}}})
    tree = write(tmp_path / "x", {".mcp.json": servers, "ai-system.yaml": json.dumps({"system": {"name": HOSTILE,
                 "owner": HOSTILE, "purpose": HOSTILE}}), "a.py": SHOP["app/agent.py"]})  # fmt: skip
    state = tmp_path / "s"
    said = [call("scan", tree, "--state", state)]
    said += [call(name, "--state", state) for name in ("risks", "assets", "coverage", "cases")]
    said += [call("show", "x", "--state", state)]
    said += [call("scan", tree, "--state", state, "--format", name) for name in ("json", "sarif", "cyclonedx")]
    said += [call("accept", "PS375", "--why", HOSTILE, "--by", HOSTILE, "--state", state), call("declare", tree)]
    said += [call("risks", "--accepted", "--state", state), call("show", HOSTILE, "--state", state)]
    said += [call("keys", "add", "x", "--name", HOSTILE, "--state", state), call("keys", "list", "--state", state)]
    assert any("evil" in ended.out for ended in said)
    for ended in said:
        for raw in ("\x1b", "\x07", "\u202e", "\x9b"):
            assert raw not in ended.out + ended.err, ended.out
