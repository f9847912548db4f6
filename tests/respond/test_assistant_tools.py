"""A coding agent asks over MCP, with the real client and the real command; nothing is written."""

from __future__ import annotations

import json
import sys

import pytest
from respond_world import AGENT, AT, MODEL, shop

from penstock.graph.store import open_store
from penstock.graph.store.protocol import Scan
from penstock.respond.assistant_tools import Questions
from penstock.respond.words import say
from penstock.settings import Organisation, Settings


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path / "penstock.db")
    opened.ingest(Scan(tuple(shop().observations), at=AT))
    yield opened
    opened.close()


def test_what_nobody_has_said_is_unknown_and_not_no(store):
    asked = Questions(store, Settings(security_team="security"))
    (row,) = asked.is_approved("support-7b")["answer"]
    assert row["approved"] == "unknown" and row["why"] == "nobody has said"
    assert asked.is_approved("no-such-model")["known"] is False


def test_a_persons_word_and_the_operators_list_decide_whether_a_model_may_be_used(store):
    asked = Questions(store, Settings(organisation=Organisation(sanctioned_providers=("openai",))))
    assert asked.is_approved("support-7b")["answer"][0]["approved"] == "sanctioned"  # of our own house
    say(store, "ada", MODEL.id, props={"sanction": "unsanctioned"}, why="it was trained on tickets", now=AT)
    (row,) = asked.is_approved("support-7b")["answer"]
    assert row["approved"] == "unsanctioned" and "ada: it was trained on tickets" in row["why"]


def test_an_agents_data_and_owner_come_with_the_way_they_are_known(store):
    asked = Questions(store, Settings())
    (seen,) = asked.may_see("support-agent")["answer"]
    assert seen["may_see"]["pii"].startswith("customers.csv") and seen["exposure"] == "internet"
    (owner,) = asked.who_owns("support-agent")["answer"]
    assert owner["owner"] == "support" and "code owners" in owner["why"]
    assert asked.must_change(AGENT.name)["known"] is False


@pytest.mark.slow
async def test_the_real_client_asks_the_real_command(tmp_path, store):
    from mcp import StdioServerParameters
    from mcp.client.client import Client
    from mcp.client.stdio import stdio_client

    before = store.version()
    arguments = ["-m", "penstock", "mcp", "serve", "--state", str(tmp_path)]
    async with Client(stdio_client(StdioServerParameters(command=sys.executable, args=arguments))) as client:
        tools = (await client.list_tools()).tools
        assert {tool.name for tool in tools} == {"is_approved", "who_owns", "may_see", "must_change"}
        assert all(tool.annotations.read_only_hint for tool in tools)
        answer = await client.call_tool("who_owns", {"name": "support-agent"})
        assert json.loads(answer.content[0].text)["answer"][0]["owner"] == "support"
    assert store.version() == before
