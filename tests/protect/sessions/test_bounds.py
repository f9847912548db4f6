"""Conversations that are made to cost: bounded, and what was not read whole is not taken for clean."""

import json

from penstock.protect.exchange import ToolCall
from penstock.protect.sessions.conversation import TURNS, conversation
from penstock.protect.sessions.judge import judged
from tests.protect.sessions.suite import cases, request

SEND = [ToolCall("send_email", '{"to": "ana@orla.example"}', "x")]


def case():
    return next(one for one in cases() if not one["hold"])


def test_a_conversation_of_a_hundred_thousand_messages_is_not_read_whole_and_the_call_waits():
    tree = request(case())
    talk = conversation("openai.chat", {**tree, "messages": tree["messages"] + tree["messages"][:2] * 50_000})
    assert len(talk.turns) == TURNS and not talk.whole
    assert judged(talk, SEND)[0].rule == "call-unread"


def test_a_content_of_five_million_characters_is_not_read_whole_and_the_call_waits():
    assert judged(conversation("openai.chat", request(case(), ["a b c d. " * 600_000])), SEND)[0].rule == "call-unread"


def test_arguments_of_any_depth_and_size_end():
    for arguments in (
        "[" * 5_000,
        '{"a":' * 60 + "1" + "}" * 60,
        json.dumps(["x@y.example"] * 5_000),
        "{" * 10,
        "\ud800",
    ):
        found = judged(conversation("openai.chat", request(case())), [ToolCall("send_email", arguments, "x")])
        assert found[0].action in ("allow", "ask")


def test_bodies_of_another_shape_hold_no_conversation_or_an_empty_one():
    for surface in ("openai.chat", "anthropic.messages", "bedrock.converse", "gemini", "openai.responses"):
        for tree in ({}, {"messages": 3}, {"messages": [1, None]}, {"input": {}}, {"contents": [{"parts": [[]]}]}):
            assert conversation(surface, tree).turns == ()
    assert conversation("openai.images", {"messages": []}) is None
