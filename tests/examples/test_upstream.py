"""The scripted model server, asked by the real client."""

from __future__ import annotations

import csv
import importlib.util
import socket
import threading
import time
from pathlib import Path

import openai
import pytest
import uvicorn

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def upstream():
    spec = importlib.util.spec_from_file_location("upstream", EXAMPLES / "upstream.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def client(upstream):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(upstream.build(pause=0), host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="unused", max_retries=0)
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def customer():
    with (EXAMPLES / "estate/support-llm/data/customer_conversations.csv").open(encoding="utf-8") as lines:
        return next(csv.DictReader(lines))


def ask(client, text, **options):
    return client.chat.completions.create(model="support-llm", messages=[{"role": "user", "content": text}], **options)


@pytest.mark.parametrize("word", ["full_name", "customer_id", "email"])
def test_asked_about_a_customer_it_tells_too_much(client, customer, word):
    told = ask(client, f"What do you know about {customer[word]}?").choices[0].message.content
    assert customer["email"] in told
    assert customer["iban"] in told


def test_a_stream_says_the_same_in_pieces_shorter_than_an_address(client, customer):
    question = f"Who is {customer['full_name']}?"
    chunks = list(ask(client, question, stream=True, stream_options={"include_usage": True}))
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == ask(client, question).choices[0].message.content
    assert max(map(len, pieces)) < len(customer["email"])
    assert chunks[-1].usage.total_tokens > 0
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"


def test_asked_about_anything_else_it_says_what_it_is(client):
    assert "scripted" in ask(client, "Write a poem").choices[0].message.content


def test_it_lists_its_model(client):
    assert [model.id for model in client.models.list()] == ["support-llm"]


@pytest.mark.parametrize("messages", [[], [{"role": "system", "content": "x"}]])
def test_a_question_without_a_question_is_a_bad_request(client, messages):
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="support-llm", messages=messages)
