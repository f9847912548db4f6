"""Flows that people draw: what they use, whichever product they were drawn in."""

from __future__ import annotations

import json

import pytest

ONLY = ["infra.flows"]
LANG = "@n8n/n8n-nodes-langchain."

N8N = {
    "name": "Support desk",
    "nodes": [
        {"name": "Chat", "type": LANG + "chatTrigger", "parameters": {}},
        {"name": "Helper", "type": LANG + "agent", "parameters": {}},
        {
            "name": "Claude",
            "type": LANG + "lmChatAnthropic",
            "parameters": {"model": {"__rl": True, "value": "claude-3-5-sonnet-20241022", "mode": "list"}},
        },
        {"name": "Send mail", "type": "n8n-nodes-base.gmailTool", "parameters": {}},
        {"name": "Docs", "type": LANG + "vectorStoreQdrant", "parameters": {"mode": "retrieve-as-tool"}},
        {"name": "Vectors", "type": LANG + "embeddingsOpenAi", "parameters": {"model": "text-embedding-3-small"}},
        {"name": "Off", "type": LANG + "lmChatOpenAi", "parameters": {"model": "gpt-4o"}, "disabled": True},
        {"name": "Late", "type": LANG + "lmChatOpenAi", "parameters": {"model": "={{ $json.model }}"}},
    ],
    "connections": {
        "Chat": {"main": [[{"node": "Helper", "type": "main", "index": 0}]]},
        "Claude": {"ai_languageModel": [[{"node": "Helper", "type": "ai_languageModel", "index": 0}]]},
        "Send mail": {"ai_tool": [[{"node": "Helper", "type": "ai_tool", "index": 0}]]},
        "Docs": {"ai_tool": [[{"node": "Helper", "type": "ai_tool", "index": 0}]]},
        "Vectors": {"ai_embedding": [[{"node": "Docs", "type": "ai_embedding", "index": 0}]]},
    },
}


def test_an_agent_of_n8n_has_its_model_tools_and_store(look):
    seen = look({"flows/desk.json": json.dumps(N8N, indent=1)}, only=ONLY)
    assert seen.links() == {
        ("Support desk", "invokes", "Helper"),
        ("Helper", "uses_model", "claude-3-5-sonnet-20241022"),
        ("Helper", "uses_tool", "Send mail"),
        ("Helper", "retrieves_from", "qdrant"),
        ("qdrant", "embedded_by", "text-embedding-3-small"),
    }
    assert seen.one("model", "text-embedding-3-small").prop("role") == "embedding"
    assert seen.names("framework") == ["n8n"]


def test_a_flow_of_flowise_and_one_of_dify(look):
    flowise = {
        "nodes": [
            {"id": "a", "data": {"name": "toolAgent", "label": "Helper", "category": "Agents", "inputs": {}}},
            {
                "id": "m",
                "data": {
                    "name": "chatOpenAI",
                    "label": "ChatOpenAI",
                    "category": "Chat Models",
                    "inputs": {"modelName": "gpt-4o-mini", "temperature": 0},
                },
            },
            {"id": "t", "data": {"name": "calculator", "label": "Calculator", "category": "Tools", "inputs": {}}},
        ],
        "edges": [{"source": "m", "target": "a"}, {"source": "t", "target": "a"}],
    }
    dify = """
kind: app
app: {mode: workflow, name: Summary}
workflow:
  graph:
    edges: [{source: s, target: l}]
    nodes:
    - {id: s, data: {type: start, title: Start}}
    - {id: l, data: {type: llm, title: LLM, model: {provider: langgenius/openai/openai, name: gpt-4o}}}
"""
    seen = look({"chat.json": json.dumps(flowise), "summary.yml": dify}, only=ONLY)
    assert seen.links("uses_model", "uses_tool") == {
        ("Helper", "uses_model", "gpt-4o-mini"),
        ("Helper", "uses_tool", "Calculator"),
        ("Summary", "uses_model", "gpt-4o"),
    }


def test_a_flow_of_langflow(look):
    def node(id_: str, type_: str, name: str, **values: str) -> dict[str, object]:
        template = {key: {"value": value, "type": "str"} for key, value in values.items()}
        return {"id": id_, "data": {"type": type_, "node": {"display_name": name, "template": template}}}

    nodes = [
        node("a", "Agent", "Helper", code="x"),
        node("m", "AnthropicModel", "Anthropic", model_name="claude-3-5-haiku-latest"),
        node("i", "ChatInput", "In"),
    ]
    flow = {"name": "Desk", "data": {"nodes": nodes, "edges": [{"source": "m", "target": "a"}]}}
    seen = look({"desk.json": json.dumps(flow)}, only=ONLY)
    assert ("Helper", "uses_model", "claude-3-5-haiku-latest") in seen.links()
    assert "anthropic" in seen.names("provider")


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"nodes": [{"name": "A", "type": "n8n-nodes-base.httpRequest"}], "connections": {}}),
        '{"nodes": [{"id": "a", "data": {"label": "x"}}], "edges": []}',
        '{"nodes": [1, null, "n8n-nodes-base"], "connections": []}',
        '{"nodes": {"n8n-nodes-langchain": 1}, "edges": 3}',
    ],
)
def test_other_graphs_are_no_flows(look, text):
    assert look({"graph.json": text}, only=ONLY).yielded == ()
