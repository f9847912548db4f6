"""Attribute sets of the four dialects, as their instrumentations send them.

Names and shapes follow, for each: OpenTelemetry GenAI conventions v0.1.0 (github.com/open-telemetry/
semantic-conventions-genai) and 1.36 (docs/gen-ai of semantic-conventions v1.36.0), OpenInference
(spec/semantic_conventions.md of Arize-ai/openinference), OpenLLMetry (SpanAttributes of traceloop/openllmetry).
Values are ours.
"""

import json

MAIL = "write to ada@analytical.co.uk"
TOLD = "the account is DE89370400440532013000"

GEN_AI = {
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.agent.name": "helpdesk", "gen_ai.conversation.id": "c-1",
    "gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 8, "server.address": "api.openai.com",
    "gen_ai.tool.definitions": json.dumps([{"type": "function", "name": "search", "description": "Searches"}]),
    "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": MAIL}]}]),
    "gen_ai.output.messages": json.dumps(
        [{"role": "assistant", "finish_reason": "tool_call", "parts": [
            {"type": "text", "content": TOLD},
            {"type": "tool_call", "id": "t1", "name": "send_mail", "arguments": {"to": "x"}}]}]),
}  # fmt: skip
GEN_AI_OLD = {
    "gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.prompt_tokens": 12, "gen_ai.usage.completion_tokens": 8, "server.address": "api.openai.com",
}  # fmt: skip
OLD_EVENTS = [
    ("gen_ai.user.message", {"content": MAIL, "role": "user"}),
    ("gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": {
        "role": "assistant", "content": TOLD,
        "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "send_mail", "arguments": "{}"}}]}}),
]  # fmt: skip
OPENINFERENCE = {
    "openinference.span.kind": "LLM", "llm.system": "openai", "llm.provider": "openai", "llm.model_name": "gpt-4o",
    "session.id": "c-1", "llm.token_count.prompt": 12, "llm.token_count.completion": 8, "agent.name": "helpdesk",
    "llm.tools.0.tool.json_schema": json.dumps({"type": "function", "function": {"name": "search"}}),
    "llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": MAIL,
    "llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": TOLD,
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "send_mail",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": "{}",
}  # fmt: skip
OPENLLMETRY = {
    "traceloop.workflow.name": "support", "traceloop.association.properties.session_id": "c-1",
    "llm.request.type": "chat", "gen_ai.system": "OpenAI", "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.prompt_tokens": 12, "gen_ai.usage.completion_tokens": 8,
    "llm.request.functions.0.name": "search", "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": MAIL,
    "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": TOLD,
    "gen_ai.completion.0.tool_calls.0.name": "send_mail", "gen_ai.completion.0.tool_calls.0.arguments": "{}",
}  # fmt: skip
HTTP = {"http.request.method": "POST", "url.full": "https://api.anthropic.com/v1/messages?key=secret",
        "http.response.status_code": 200}  # fmt: skip
RETRIEVAL = {"db.system": "pinecone", "db.operation": "query", "db.name": "handbook", "traceloop.entity.name": "q"}
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lookup", "mcp.method.name": "tools/call",
        "server.address": "mcp.example.com", "gen_ai.tool.call.result": TOLD}  # fmt: skip
PLAIN = {"http.request.method": "GET", "url.full": "https://shop.example.com/cart", "http.response.status_code": 200,
         "thread.id": 7, "code.function": "cart"}  # fmt: skip
