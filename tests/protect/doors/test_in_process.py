"""The guard inside a Python program."""

import asyncio

import msgspec
import pytest

from penstock.errors import NotAllowed, NotReachable
from penstock.graph.vocabulary import Event
from penstock.protect.doors.in_process import Guard, Stopped
from penstock.protect.sink import MemorySink
from penstock.protect.snapshot import encode
from penstock.protect.snapshot_source import FixedSnapshot
from tests.protect.gateway_world import KEY, rule, snapshot

MAIL = "write to ada@analytical.co.uk"


def guard(*rules, **more):
    one = Guard(key=KEY, source=FixedSnapshot(snapshot(*rules, **more)), sink=MemorySink())
    one.events = one._sink.events
    return one


def test_a_call_is_masked_both_ways_and_is_one_event():
    one = guard(rule("redact", "pii", direction="in"), rule("redact", "pii", direction="out"))
    with one.call("gpt-4o") as call:
        assert call.sends(MAIL) == "write to [EMAIL]"
        said = {"choices": [{"text": MAIL, "n": 1}]}
        assert call.receives(said) == {"choices": [{"text": "write to [EMAIL]", "n": 1}]}
        assert said["choices"][0]["text"] == MAIL
    (event,) = one.events
    assert (event.model, event.verdict, event.seen) == ("gpt-4o", "redact", {"in.pii": 1, "out.pii": 1})


def test_what_is_stopped_is_an_error_in_words_and_an_event():
    one = guard(rule("stop", "pii", direction="in"))
    with pytest.raises(Stopped, match="an e-mail address") as caught, one.call() as call:
        call.sends(MAIL)
    assert caught.value.examined.reference == one.events[0].id
    assert one.events[0].props["outcome"] == "stopped_by_policy"


def test_a_tool_is_guarded_by_a_decorator_also_one_that_is_awaited():
    one = guard(rule("redact", "pii", direction="in"), rule("redact", "pii", direction="out"))

    @one.tool
    def mail(to: str, *, text: str) -> str:
        return f"{to} got {text} for ada@analytical.co.uk"

    @one.tool
    async def late(to: str) -> list[str]:
        return [to, MAIL]

    assert mail("ada@analytical.co.uk", text="hello") == "[EMAIL] got hello for [EMAIL]"
    assert asyncio.run(late(MAIL)) == ["write to [EMAIL]", "write to [EMAIL]"]
    assert mail.__name__ == "mail"
    assert {event.surface for event in one.events} == {"tool mail", "tool late"}


def test_a_check_tells_and_raises_nothing():
    examined = guard(rule("stop", "pii", direction="in")).check(MAIL)
    assert (examined.stopped, examined.texts) == (True, ())
    assert guard().check("fine").texts == ("fine",)


def test_it_reads_the_state_directory_and_writes_the_spool(tmp_path):
    (tmp_path / "snapshot.json").write_bytes(encode(snapshot(rule("redact", "pii", direction="in"))))
    one = Guard(tmp_path, KEY)
    assert one.check(MAIL).texts == ("write to [EMAIL]",)
    one.close()
    (spooled,) = (tmp_path / "spool").glob("*.jsonl")
    assert msgspec.json.decode(spooled.read_bytes(), type=Event).verdict == "redact"


def test_without_policy_or_key_it_says_what_to_do(tmp_path):
    with pytest.raises(NotReachable, match="no policy"):
        Guard(tmp_path, KEY).check("a")
    with pytest.raises(NotAllowed, match="not known"):
        Guard(key="psk_other", source=FixedSnapshot(snapshot()), sink=MemorySink()).check("a")


def test_a_value_that_holds_itself_ends():
    loop = []
    loop.append(loop)
    with guard().call() as call:
        assert call.sends(loop) is loop
