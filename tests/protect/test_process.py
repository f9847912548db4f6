"""The gateway as a process of its own, over a state directory."""

import hashlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time

import openai
import pytest

from penstock.protect.__main__ import main
from penstock.protect.snapshot import encode
from penstock.protect.snapshot_source import SnapshotFile
from tests.protect.gateway_world import KEY, caller, rule, snapshot


@pytest.fixture
def process(tmp_path):
    started = subprocess.Popen(
        [sys.executable, "-m", "penstock.protect", "--state", str(tmp_path), "--port", "0"],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        text=True,
    )
    started.url = started.stdout.readline().split()[-1]
    yield started
    if started.poll() is None:
        started.kill()
    started.wait(5)


def put(path, value):
    path.with_suffix(".new").write_bytes(encode(value))
    path.with_suffix(".new").replace(path)


def ready(url):
    connection = http.client.HTTPConnection(url.removeprefix("http://").removesuffix("/v1"), timeout=5)
    connection.request("GET", "/readyz")
    return json.loads(connection.getresponse().read())


def eventually(true, seconds=8.0):
    until = time.monotonic() + seconds
    while not true() and time.monotonic() < until:
        time.sleep(0.05)
    return true()


@pytest.mark.slow
def test_it_waits_for_a_policy_follows_it_writes_events_and_ends_gracefully(process, provider, tmp_path):
    client = openai.OpenAI(base_url=process.url, api_key=KEY, max_retries=0)
    messages = [{"role": "user", "content": "Hi"}]
    with pytest.raises(openai.InternalServerError, match="no policy yet"):
        client.chat.completions.create(model="gpt-4o", messages=messages)
    put(tmp_path / "snapshot.json", snapshot(rule("redact", "pci"), upstream=provider.url))
    assert eventually(lambda: ready(process.url)["policy"] == 1)
    provider.completes("Card 4111 1111 1111 1111")
    answer = client.chat.completions.create(model="gpt-4o", messages=messages)
    assert answer.choices[0].message.content == "Card [CREDIT_CARD]"

    (tmp_path / "snapshot.json").write_text("{broken")
    assert eventually(lambda: "no policy snapshot" in ready(process.url)["problem"])
    answer = client.chat.completions.create(model="gpt-4o", messages=messages)
    assert answer.choices[0].message.content == "Card [CREDIT_CARD]"  # the old policy stays in force

    process.send_signal(signal.SIGTERM)
    assert process.wait(10) in (0, -signal.SIGTERM)
    lines = [line for path in (tmp_path / "spool").glob("*.jsonl") for line in path.read_text().splitlines()]
    assert [json.loads(line)["verdict"] for line in lines] == ["redact", "redact"]
    assert "4111" not in "".join(lines)


@pytest.mark.slow
def test_a_killed_gateway_loses_at_most_the_last_moment(process, provider, tmp_path):
    put(tmp_path / "snapshot.json", snapshot(upstream=provider.url))
    assert eventually(lambda: ready(process.url)["policy"] == 1)
    client = openai.OpenAI(base_url=process.url, api_key=KEY, max_retries=0)
    provider.completes("ok")
    for _ in range(5):
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}])
    time.sleep(0.3)
    process.kill()
    process.wait(5)
    assert sum(len(path.read_text().splitlines()) for path in (tmp_path / "spool").glob("*.jsonl")) == 5


def test_it_does_not_listen_to_other_machines_unasked(tmp_path, capsys):
    assert main(["--state", str(tmp_path), "--host", "0.0.0.0"]) == 2
    said = capsys.readouterr().err
    assert "other machines can reach" in said and "--allow-remote" in said


def test_a_port_in_use_is_said_in_words(tmp_path, capsys):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["--state", str(tmp_path), "--port", str(taken.getsockname()[1])]) == 2
    assert "cannot listen" in capsys.readouterr().err


def test_a_snapshot_is_swapped_whole_or_not_at_all(tmp_path):
    path = tmp_path / "snapshot.json"
    source = SnapshotFile(path)
    assert source.current() is None and "no file" in source.problem
    put(path, snapshot())
    source.look()
    first = source.current()
    assert first is not None and source.problem == ""
    path.write_bytes(encode(snapshot(rule("stop")))[:-9])
    source.look()
    assert source.current() is first and "no policy snapshot" in source.problem
    changed = snapshot(rule("stop"))
    put(path, changed)
    source.look()
    assert source.current().snapshot == changed and source.problem == ""
    path.unlink()
    source.look()
    assert source.current().snapshot == changed and "no file" in source.problem
    source.close()


def test_callers_are_keyed_by_the_hash_of_their_key():
    assert list(snapshot().callers) == [hashlib.sha256(KEY.encode()).hexdigest()]
    assert caller().application == "actor-1"
