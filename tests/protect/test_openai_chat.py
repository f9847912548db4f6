"""Bytes in, texts out, bytes back: the surface and its JSON walk, without sockets."""

import contextlib
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import NotUnderstood
from penstock.protect.exchange import Asked, Exchange
from penstock.protect.framing.frame import Frame
from penstock.protect.jsontext import DEPTH, is_name, place, quoted, read, replaced, texts
from penstock.protect.surfaces.openai_chat import OpenAIChat

STREAM = Exchange("openai.chat", stream=True)


def read_request(body):
    return OpenAIChat().request(Asked("POST", "/v1/chat/completions", {}, body))


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=4)),
    max_leaves=20,
)


def walked(value, path=()):
    """The string values of a tree with their paths, by recursion; of keys, those that are no names."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not is_name(key):
                yield (*path, key), key
            yield from walked(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walked(inner, (*path, index))


@given(st.dictionaries(st.text(max_size=6), values, max_size=4), st.booleans(), st.sampled_from([None, 1]))
def test_every_text_is_found_where_it_stands(tree, ascii_only, indent):
    data = json.dumps(tree, ensure_ascii=ascii_only, indent=indent).encode()
    try:
        found = texts(data)
    except NotUnderstood:
        assert "\\ud" in data.decode()  # half a surrogate pair is no text
        return
    assert [text.value for text in found] == [value for _, value in walked(tree)]
    assert all(json.loads(data[text.start : text.end]) == text.value for text in found)


@given(st.dictionaries(st.text("abc", max_size=3), values, max_size=4))
def test_paths_lead_to_the_texts_of_objects_in_lists(tree):
    wrapped = {"messages": [{"content": "first", "more": tree}, {"content": [{"text": "second"}, {"text": "third"}]}]}
    found = {text.path: text.value for text in texts(json.dumps(wrapped).encode())}
    assert found["messages", 0, "content"] == "first"
    assert found["messages", 1, "content", 1, "text"] == "third"


@given(st.dictionaries(st.text(max_size=6), values, max_size=4), st.booleans(), st.sampled_from([None, 1]))
def test_a_place_that_is_looked_up_later_is_the_same_place(tree, ascii_only, indent):
    data = json.dumps(tree, ensure_ascii=ascii_only, indent=indent).encode()
    try:
        found = read(data)[1]
    except NotUnderstood:
        return
    assert [(text.value, *place(data, text.start, text.end)) for text in found] == [
        (text.value, text.start, text.end) for text in texts(data)
    ]


def test_parts_know_who_says_them():
    body = {
        "model": "gpt-4o",
        "stream": True,
        "messages": [
            {"role": "system", "content": "Be kind"},
            {"content": [{"type": "text", "text": "Hello"}], "role": "user"},
            {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "mail", "arguments": '{"a": 1}'}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "sent"},
        ],
        "tools": [{"type": "function", "function": {"name": "mail", "description": "Sends mail"}}],
        "something_new": {"note": "unknown fields are read, too"},
    }
    exchange = read_request(json.dumps(body).encode())
    assert (exchange.model, exchange.stream, exchange.tools) == ("gpt-4o", True, ("mail",))
    said = {part.text: (part.role, part.channel) for part in exchange.parts}
    assert said["Be kind"] == ("system", "system") and said["Hello"] == ("user", "user")
    assert said['{"a": 1}'] == ("assistant", "tool_call") and said["sent"] == ("tool", "tool_result")
    assert said["Sends mail"] == ("", "tool_definition") and "unknown fields are read, too" in said


def test_both_of_two_equal_keys_are_read():
    body = b'{"messages": [{"role": "user", "content": "shown", "cont\\u0065nt": "hidden"}]}'
    assert {part.text for part in read_request(body).parts} == {"shown", "hidden"}


def test_replacing_a_text_leaves_every_other_byte():
    body = b'{ "model" : "m",\n "messages":[{"role":"user","content":"a\\u0040b"}], "x": 1.50, "x": 1e3 }'
    [part] = [part for part in read_request(body).parts if part.text == "a@b"]
    assert replaced(body, [(*place(body, part.start, part.end), quoted("[EMAIL]"))]) == body.replace(
        b'"a\\u0040b"', b'"[EMAIL]"'
    )


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"a": "\xff"}', b'{"a": "\xc3"}', b'{"a": NaN}', b"null", b'{"a": "\n"}', b'{"a": "\\ud800"}',
     b'{"a":' * (DEPTH + 1) + b"1" + b"}" * (DEPTH + 1), b"[" * 100_000],
)  # fmt: skip
def test_what_is_no_request_is_refused_in_words(body):
    with pytest.raises(NotUnderstood):
        read_request(body)


def test_broken_bodies_never_crash():
    chance = random.Random(5)
    good = json.dumps({"model": "m", "messages": [{"role": "user", "content": 'é"\\ \u0000 text'}] * 3}).encode()
    for _ in range(3000):
        body = bytearray(good)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(body))
            body[at : at + chance.randrange(3)] = bytes(
                chance.choices(b'{}[]",:\\u\x00\xff\xc3a1', k=chance.randrange(3))
            )
        with contextlib.suppress(NotUnderstood):
            read_request(bytes(body))
        with contextlib.suppress(NotUnderstood):
            OpenAIChat().streaming(STREAM, "text/event-stream").read(Frame(b"", bytes(body)))
