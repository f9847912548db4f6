"""The inventory learns from MCP traffic which application uses which tools of which servers."""

import json

from penstock.respond.traffic import roll_up
from tests.protect.gateway_world import rule
from tests.protect.mcp.test_messages import relay, request, result


def seen(one):
    found = [observation.subject for observation in roll_up(one.sink.events)]
    named = {asset.id: asset.name for asset in found if hasattr(asset, "kind")} | {"actor-1": "agent"}
    return {(named[one.source], one.verb, named[one.target]) for one in found if hasattr(one, "verb")}


def test_a_tool_that_answered_is_in_the_inventory():
    one = relay()
    one.from_client(request("tools/call", name="read_file", arguments={}))
    one.from_server(result(content=[]))
    assert seen(one) == {
        ("agent", "connects_to", "files"), ("agent", "uses_tool", "read_file"), ("files", "exposes_tool", "read_file"),
    }  # fmt: skip


def test_a_call_that_was_stopped_or_only_listed_tools_shows_no_use():
    one = relay(rule("stop", "pii", direction="in"))
    stopped = one.from_client(request("tools/call", name="note", arguments={"text": "ada@analytical.co.uk"}))
    assert json.loads(stopped.back)["result"]["isError"]
    one.from_client(request("tools/list"))
    one.from_server(result(tools=[]))
    assert seen(one) == set()
