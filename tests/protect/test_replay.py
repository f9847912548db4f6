"""A changed policy is tried on what was seen in earlier calls, of which no text was kept."""

import time

import msgspec
import openai
import pytest

from penstock.protect.gateway import build
from penstock.protect.replay import recordings, replay
from penstock.protect.sink import MemorySink, Spool
from penstock.protect.snapshot_source import FixedSnapshot
from tests.protect.gateway_world import KEY, rule, served, snapshot

PROMPTS = ("Charge 4111 1111 1111 1111", "Write to ada@analytical.co.uk", "Hello there")


@pytest.fixture
def recorded(provider, tmp_path):
    """Recordings of three calls, made under a policy that only looks on."""
    policy = snapshot(rule("observe", direction="in"), upstream=provider.url)
    recorder = Spool(tmp_path)
    source = FixedSnapshot(msgspec.structs.replace(policy, records=True))
    with served(build(source, MemorySink(), recorder=recorder)) as url:
        client = openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0)
        provider.completes("Done")
        for prompt in PROMPTS:
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": prompt}])
        time.sleep(0.2)
    recorder.close()
    return policy, tmp_path


def test_no_text_is_recorded(recorded):
    _, folder = recorded
    kept = b"".join(path.read_bytes() for path in folder.glob("*.jsonl"))
    assert kept.count(b"\n") == 3 and b"4111" not in kept and b"analytical" not in kept and b"Hello" not in kept


def test_a_changed_policy_shows_what_it_would_change(recorded):
    before, folder = recorded
    after = snapshot(rule("observe", direction="in"), rule("stop", "pci", direction="in", id="no-cards"))
    done = replay(recordings(folder), before, after)
    assert done.calls == 3
    assert [(one.before, one.after, one.rules, one.calls) for one in done.changes] == [
        ("observe", "stop", ("no-cards",), 1)
    ]


def test_the_same_policy_changes_nothing(recorded):
    before, folder = recorded
    assert replay(recordings(folder), before, before).changes == ()


def test_calls_of_applications_without_a_key_are_counted_apart(recorded):
    before, folder = recorded
    nobody = msgspec.structs.replace(before, callers={})
    assert (replay(recordings(folder), before, nobody).unknown, replay((), before, before).calls) == (3, 0)


def test_a_torn_line_costs_itself_only(recorded):
    before, folder = recorded
    path = next(folder.glob("*.jsonl"))
    path.write_bytes(path.read_bytes() + b'{"id": "ev-1", "at"')
    assert replay(recordings(folder), before, before).calls == 3
