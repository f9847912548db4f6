"""Bad input through the command: bounded, said in parts, on the coverage page, and nothing found before is lost."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.command import KEY, SHOP, Ended, environment, penstock, three_parts, write

#: Far more than any of these scans needs (0.3 CPU s of work, 0.8 of starting), far less than an unbounded one takes.
CPU_SECONDS = 30
#: Bytes of address space: what the libraries reserve, and room for a file of 5 MB and its tree.
MEMORY = 6 << 30


def bounded(*words: str | Path) -> Ended:
    """Run the command where the system kills it should its cost have no bound."""

    def limits() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    done = subprocess.run(
        [sys.executable, "-m", "penstock", *map(str, words)],
        capture_output=True, env=environment(), timeout=120, check=False, preexec_fn=limits, encoding="utf-8",
    )  # fmt: skip
    return Ended(done.returncode, done.stdout, done.stderr)


def scan(tree: Path, state: Path) -> tuple[int, dict[str, object], list[dict[str, str]], list[dict[str, str]]]:
    """Exit code (nothing gated), the report, and its rows of what failed and what was skipped."""
    ended = bounded("scan", tree, "--state", state, "--format", "json", "--fail-on", "never")
    assert "Traceback" not in ended.err, ended.err
    assert ended.out, ended
    report = json.loads(ended.out)
    return ended.code, report, report["coverage"]["unseen"], report["coverage"]["skipped"]


def names(report: dict[str, object], kind: str) -> set[str]:
    return {asset["name"] for asset in report["assets"] if asset["kind"] == kind}  # type: ignore[index,union-attr]


def found_the_shop(report: dict[str, object]) -> bool:
    return "gpt-4o-mini" in names(report, "model") and "PS332" in {f["rule"] for f in report["findings"]}  # type: ignore[index,union-attr]


def row(rows: list[dict[str, str]], where: str) -> dict[str, str]:
    [one] = [row for row in rows if row["where"] == where]
    assert one["why"]
    return one


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write(tmp_path / "shop", SHOP)


def with_rights(*words: str | Path) -> Ended:
    """The command where the rights on files count, as they do for everybody but root."""

    def without_override() -> None:
        libc = ctypes.CDLL(None)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, out of the bounding set (24), prctl(2)
            libc.prctl(24, capability, 0, 0, 0)

    done = subprocess.run(
        [sys.executable, "-m", "penstock", *map(str, words)],
        capture_output=True, env=environment(), timeout=120, check=False, text=True, preexec_fn=without_override,
    )  # fmt: skip
    return Ended(done.returncode, done.stdout, done.stderr)


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_that_may_not_be_read_is_a_row_and_the_rest_is_found(tree, tmp_path):
    write(tree, {"app/secret.py": "import openai\n", "closed/x.py": "import openai\n"})
    (tree / "app" / "secret.py").chmod(0)
    (tree / "closed").chmod(0)
    ended = with_rights("scan", tree, "--state", tmp_path / "state", "--format", "json", "--fail-on", "critical")
    (tree / "closed").chmod(0o755)
    report = json.loads(ended.out)
    assert ended.code == 3
    assert found_the_shop(report)
    rows = {one["where"].rstrip("/"): one for one in report["coverage"]["unseen"]}
    for where in ("app/secret.py", "closed"):
        assert "permission denied" in rows[where]["why"]
        assert rows[where]["hint"]


def test_binary_files_under_a_code_name_are_cheap_and_harmless(tree, tmp_path):
    noise = bytes(range(256)) * 4000
    write(tree, {"app/blob.py": noise, "app/blob.ts": noise, "app/blob.json": noise, "app/blob.yaml": noise,
                 "app/blob.ipynb": noise, "data/blob.csv": noise, "app/zeros.py": bytes(1_000_000)})  # fmt: skip
    code, report, failed, _ = scan(tree, tmp_path / "state")
    assert found_the_shop(report)
    assert code == (3 if failed else 0)
    assert "app/blob.ipynb" in {one["where"] for one in failed}


def test_a_huge_file_is_left_out_by_name(tree, tmp_path):
    write(tree, {"app/huge.py": b"import openai\n" * 400_000, "app/big.json": b"[" + b"1," * 3_000_000 + b"1]"})
    code, report, failed, skipped = scan(tree, tmp_path / "state")
    assert (code, failed) == (0, [])
    assert found_the_shop(report)
    assert "larger than 5 MB" in row(skipped, "app/huge.py")["why"]


def test_links_that_go_round_or_out_are_not_followed(tree, tmp_path):
    write(tmp_path / "outside", {"steal.py": "from anthropic import Anthropic\nAnthropic()\n"})
    (tree / "round").symlink_to(tree, target_is_directory=True)
    (tree / "app" / "self").symlink_to(tree / "app" / "self")
    (tree / "out").symlink_to(tmp_path / "outside", target_is_directory=True)
    (tree / "app" / "out.py").symlink_to(tmp_path / "outside" / "steal.py")
    code, report, failed, skipped = scan(tree, tmp_path / "state")
    assert (code, failed) == (0, [])
    assert found_the_shop(report)
    assert "anthropic" not in names(report, "framework") | names(report, "provider")
    said = {one["why"] for one in skipped if one["where"] in (".", "app/")}
    assert said == {
        "symbolic link to a folder above it",
        "symbolic link that leads nowhere",
        "symbolic link that leaves the tree",
    }


def test_mis_encoded_files_are_read_as_far_as_they_go(tree, tmp_path):
    latin = "from anthropic import Anthropic\nAnthropic().messages.create(model='claude-sonnet-4-5')  # für\n"
    write(tree, {"app/latin.py": latin.encode("latin-1"), "app/wide.py": latin.encode("utf-16"),
                 "app/mark.py": latin.replace("claude-sonnet-4-5", "claude-opus-4-5").encode("utf-8-sig")})  # fmt: skip
    (tree / "app" / os.fsdecode(b"name-\xff\xfe.py")).write_text("import openai\n")
    _, report, _, _ = scan(tree, tmp_path / "state")
    assert found_the_shop(report)
    assert {"claude-sonnet-4-5", "claude-opus-4-5"} <= names(report, "model")


def test_broken_files_are_rows_and_what_they_say_before_the_break_is_kept(tree, tmp_path):
    half = "from anthropic import Anthropic\nclient = Anthropic(\n"
    write(tree, {"app/half.py": half, "docker-compose.yml": "a: [\n",
                 "package.json": '{"dependencies": ', "pyproject.toml": "[project\n", "nb.ipynb": "{",
                 "catalog-info.yaml": "apiVersion: backstage.io/v1alpha1\nkind: [\n"})  # fmt: skip
    code, report, failed, _ = scan(tree, tmp_path / "state")
    assert code == 3
    assert found_the_shop(report)
    wheres = {one["where"].partition(":")[0] for one in failed}
    assert {"docker-compose.yml", "package.json", "pyproject.toml", "nb.ipynb", "catalog-info.yaml"} <= wheres
    assert all(one["why"] for one in failed)


def test_a_notebook_of_100_000_cells_is_bounded(tree, tmp_path):
    def cell(text: str) -> dict[str, object]:
        return {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": [text]}

    cells = [cell("from openai import OpenAI\nOpenAI().responses.create(model='gpt-5-mini', input='hi')")]
    cells += [cell("x = 1")] * 100_000
    text = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})
    small = json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code", "source": "x"}] * 100_000}
    )
    write(tree, {"nb/large.ipynb": text, "nb/small.ipynb": small})
    assert len(small) < 5 << 20 < len(text)
    code, report, failed, skipped = scan(tree, tmp_path / "state")
    assert found_the_shop(report)
    assert "nb/large.ipynb" in {one["where"] for one in (*failed, *skipped)}
    assert code in (0, 3)


def test_exploding_anchors_and_depth_cost_one_file(tree, tmp_path):
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    write(tree, {"docker-compose.yml": f"services:\n  x: {{image: ollama/ollama}}\n{bomb}", "deep.json": "[" * 100_000,
                 "k8s/deep.yaml": "[" * 100_000, "catalog-info.yaml": f"apiVersion: backstage.io/v1\n{bomb}",
                 "ai-system.yaml": bomb,
                 "round.yaml": "a: &a {b: *a}\n", ".mcp.json": '{"mcpServers":' * 50_000})  # fmt: skip
    code, report, failed, _ = scan(tree, tmp_path / "state")
    assert code == 3
    assert found_the_shop(report)
    assert {"catalog-info.yaml", "ai-system.yaml", ".mcp.json"} <= {one["where"].partition(":")[0] for one in failed}


def test_special_files_are_not_waited_for(tree, tmp_path):
    os.mkfifo(tree / "app" / "pipe.py")
    code, report, _, skipped = scan(tree, tmp_path / "state")
    assert code == 0
    assert found_the_shop(report)
    assert "pipe" in row(skipped, "app/")["why"]


# ── places ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_git_everything_but_history_is_seen(tmp_path, tree):
    subprocess.run(["git", "init", "-q", tree], check=True)
    ended = penstock("scan", tree, "--state", tmp_path / "s", "--format", "json", PATH="/nonexistent")
    report = json.loads(ended.out)
    assert found_the_shop(report)
    assert ended.code == 1
    ended = penstock("scan", "https://git.example.invalid/a/b.git", "--state", tmp_path / "t", PATH="/nonexistent")
    assert ended.code == 3
    assert "Not seen" in ended.out
    assert "git" in ended.out


def test_no_such_path_changes_nothing(scanned, call):
    before = call("risks", "--state", scanned / "state").out
    ended = call("scan", scanned / "none", "--state", scanned / "state")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines()[0].endswith(str(scanned / "none"))
    assert call("risks", "--state", scanned / "state").out == before


def test_a_repository_that_cannot_be_reached_is_not_seen_rather_than_clean(tmp_path, call):
    ended = call("scan", f"file://{tmp_path}/none.git", "--state", tmp_path / "s")
    assert ended.code == 3
    assert "Not seen" in ended.out
    assert "nothing: all" not in ended.out


def test_a_tree_cannot_configure_accept_or_lower_anything(tree, tmp_path):
    plain = scan(tree, tmp_path / "plain")[1]
    steering = "exclude: ['**']\nowners: {shop: team-evil}\nwebhooks: [{url: 'http://x', secret_env: Y}]\n"
    write(tree, {"penstock.yaml": steering,
                 ".penstock/penstock.yaml": "exclude: ['**']\n", "app/data/public.txt": "public\n",
                 "ai-system.yaml": """
                    system:
                      name: shop-helper
                      owner: team-shop
                      exclude: ["**"]
                      accept: [PS332]
                      disclosure: true
                      data: [{path: app/data/customers.csv, labels: [public, synthetic]}]
                 """})  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "penstock", "scan", ".", "--state", str(tmp_path / "s"), "--format", "json"],
        capture_output=True, text=True, cwd=tree, env=environment(), timeout=60, check=False,
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert found_the_shop(report)
    labels = {asset["name"]: asset["labels"]["contains"] for asset in report["assets"]}
    assert "pii" in labels["app/data/customers.csv"]
    assert {f["rule"] for f in plain["findings"]} <= {f["rule"] for f in report["findings"]}
    assert "team-evil" not in done.stdout
    notes = {one["where"].partition(":")[0] for one in report["coverage"]["skipped"]}
    assert {"penstock.yaml", "ai-system.yaml"} <= notes


# ── state ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_state_from_a_newer_version_is_left_as_it_is(shop, call):
    database = shop / "state" / "penstock.db"
    with sqlite3.connect(database) as store:
        assert store.execute("update penstock_version set version_num = '9999_later'").rowcount == 1
    store.close()
    before = database.read_bytes()
    for words in (["risks"], ["scan", shop / "shop"], ["up", shop / "shop"], ["keys", "list"]):
        ended = call(*words, "--state", shop / "state")
        assert ended.code == 2
        assert three_parts(ended), ended.err
        assert "newer Penstock" in ended.err
    assert database.read_bytes() == before


def test_a_damaged_state_says_so(shop, call):
    (shop / "state" / "penstock.db").write_bytes(b"not a database, for sure " * 1000)
    for suffix in ("-wal", "-shm"):
        (shop / "state" / f"penstock.db{suffix}").unlink(missing_ok=True)
    ended = call("risks", "--state", shop / "state")
    assert ended.code in (2, 3)
    assert three_parts(ended), ended.err


def test_a_damaged_cache_is_no_reason_to_fail(shop, call):
    for path in (shop / "state" / "cache").rglob("*"):
        if path.is_file():
            path.write_bytes(b"garbage" * 100)
    ended = call("scan", shop / "shop", "--state", shop / "state")
    assert ended.code == 1
    assert "Traceback" not in ended.err
    assert "Key lies in a repository" in ended.out


def test_a_state_that_is_a_file_or_may_not_be_written_is_said(shop, tmp_path, call):
    (tmp_path / "file").write_text("x")
    for state in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/penstock")):
        ended = call("scan", shop / "shop", "--state", state)
        assert ended.code == 3
        assert three_parts(ended), ended.err
    empty = tmp_path / "closed"
    empty.mkdir()
    for state in (empty, shop / "state"):
        for path in (state, *state.rglob("*")):
            path.chmod(0o444 if path.is_file() else 0o555)
        ended = with_rights("scan", shop / "shop", "--state", state)
        assert ended.code == 3, ended
        assert three_parts(ended), ended.err
        for path in (state, *state.rglob("*")):
            path.chmod(0o755)


def small_disk(place: Path, size: str) -> bool:
    """A file system of a few megabytes, where we may mount one."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", place]
    return subprocess.run(mount, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("left", [0, 400_000])
def test_a_full_disk_is_said_and_what_was_stored_before_stays(shop, tmp_path, left):
    disk = tmp_path / "disk"
    if not small_disk(disk, "6m"):
        pytest.skip("no right to mount a small disk")
    try:
        state = disk / "state"
        shutil.copytree(shop / "state", state)
        files = {f"m{n}.py": f"from openai import OpenAI\nOpenAI().responses.create(model='gpt-4o-{n}', input='x')\n"
                 for n in range(400)}  # fmt: skip
        write(shop / "shop", files)
        with (disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space"):
            while True:
                filler.write(bytes(4096))
        os.truncate(disk / "filler", (disk / "filler").stat().st_size - left)
        ended = penstock("scan", shop / "shop", "--state", state)
        assert ended.code == 3
        assert three_parts(ended), ended.err
        assert "disk is full" in ended.err.lower()
        (disk / "filler").unlink()
        after = penstock("risks", "--state", state)
        assert after.code == 0
        assert "Key lies in a repository" in after.out
        again = penstock("scan", shop / "shop", "--state", state)
        assert again.code == 1
        assert "gpt-4o-399" in penstock("assets", "--state", state).out
    finally:
        subprocess.run(["umount", disk], check=False)


def test_a_limit_on_file_sizes_is_as_a_full_disk(tree, tmp_path):
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    done = subprocess.run(
        [sys.executable, "-m", "penstock", "scan", str(tree), "--state", str(tmp_path / "state")],
        capture_output=True, text=True, env=environment(), timeout=60, check=False, preexec_fn=limit,
    )  # fmt: skip
    ended = Ended(done.returncode, done.stdout, done.stderr)
    assert ended.code == 3
    assert three_parts(ended), ended.err
    assert penstock("scan", tree, "--state", tmp_path / "state").code == 1


@pytest.mark.slow
def test_ctrl_c_in_the_middle_keeps_what_was_found_and_leaves_no_process(tmp_path):
    code = "from openai import OpenAI\nOpenAI().responses.create(model='gpt-4o', input='x')\n"
    files = {f"p{n % 40}/m{n}.py": f"# {n}\n{code}" + "# a line\n" * 200 for n in range(2000)}  # fmt: skip
    tree, state = write(tmp_path / "many", files), tmp_path / "state"
    process = subprocess.Popen(
        [sys.executable, "-m", "penstock", "scan", str(tree), "--state", str(state)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), text=True, start_new_session=True,
    )  # fmt: skip
    time.sleep(2.5)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the whole group
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err, err
    assert process.returncode in (3, 130)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    if process.returncode == 3:
        assert "interrupted" in out
    again = penstock("scan", tree, "--state", state)
    assert again.code == 0
    assert "nothing: all that was in reach was read" in again.out


def test_nothing_that_is_scanned_is_run(tree, tmp_path):
    mark = tmp_path / "was-run"
    evil = f"import pathlib\npathlib.Path({str(mark)!r}).touch()\nfrom openai import OpenAI\n"
    write(tree, {"setup.py": evil, "conftest.py": evil, "sitecustomize.py": evil, "openai.py": evil, "yaml.py": evil,
                 "penstock/__init__.py": evil, "penstock/__main__.py": evil, "Makefile": f"all:\n\ttouch {mark}\n",
                 "package.json": json.dumps({"scripts": {"install": f"touch {mark}"}})})  # fmt: skip
    console = Path(sys.executable).with_name("penstock")
    command = [str(console)] if console.exists() else [sys.executable, "-P", "-m", "penstock"]
    done = subprocess.run(
        [*command, "scan", ".", "--state", str(tmp_path / "s")],
        capture_output=True, text=True, cwd=tree, env=environment(), timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert not mark.exists()
    assert KEY not in done.stdout
