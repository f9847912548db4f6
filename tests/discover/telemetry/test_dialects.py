"""Four dialects, one call: the same model, tools, texts and tokens, whoever instrumented the application."""

import json

import pytest

from penstock.discover.telemetry import observe, otlp
from penstock.discover.telemetry.dialects import call_of
from penstock.errors import NotUnderstood
from penstock.inspect.sensitive import detect
from tests.discover.telemetry import recorded as r


def said(attributes, events=(), **service):
    return otlp.Said("a" * 16, "chat gpt-4o", 1.0, 0.5, attributes, tuple(events), {"service.name": "shop"} | service)


DIALECTS = {
    "gen_ai": said(r.GEN_AI), "gen_ai.1.36": said(r.GEN_AI_OLD, r.OLD_EVENTS), "openinference": said(r.OPENINFERENCE),
    "openllmetry": said(r.OPENLLMETRY),
}  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_dialect_says_the_same(dialect):
    call = call_of(DIALECTS[dialect])
    assert (call.dialect, call.operation, call.provider, call.model) == (dialect, "chat", "openai", "gpt-4o")
    assert (call.sent, call.answered, call.wanted) == (12, 8, ("send_mail",))
    assert call.tools == (() if dialect == "gen_ai.1.36" else ("search",))
    assert ("in", "user", r.MAIL) in call.texts
    assert ("out", "assistant", r.TOLD) in call.texts


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_event_holds_categories_and_no_text(dialect):
    call = call_of(DIALECTS[dialect])
    event = observe.event_of(call, "actor-1", detect, observe.Budget())
    assert event.seen == {"in.pii": 1, "out.pii": 1} or set(event.seen) == {"in.pii", "out.pii"}
    assert (event.surface, event.provider, event.model) == (f"otel.{dialect}", "openai", "gpt-4o")
    assert "ada@" not in repr(event)
    assert "DE8937" not in repr(event)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_inventory_learns_who_uses_what(dialect):
    call = call_of(DIALECTS[dialect])
    application = observe.application_of(call)
    found = [seen.subject for seen in observe.observations_of(call, application)]
    named = {one.id: one.name for one in found if hasattr(one, "kind")}
    told = {(named[one.source], one.verb, named[one.target]) for one in found if hasattr(one, "verb")}
    actor = "helpdesk" if call.agent else "shop"
    assert (actor, "uses_model", "gpt-4o") in told
    assert (actor, "uses_tool", "send_mail") in told
    if call.agent:
        assert ("shop", "invokes", "helpdesk") in told


def test_a_resource_that_names_its_repository_is_that_repositorys_application():
    from penstock.graph import identity

    call = call_of(said(r.GEN_AI, **{"vcs.repository.url.full": "https://github.com/acme/shop.git"}))
    assert observe.application_of(call) == identity.application("repo:acme/shop")


def test_a_plain_http_client_that_calls_a_model_is_found_and_its_query_is_not_kept():
    call = call_of(said(r.HTTP))
    assert (call.dialect, call.provider, call.address) == ("http", "anthropic", "https://api.anthropic.com")
    assert "secret" not in repr(observe.event_of(call, "a", detect, observe.Budget()))
    verbs = {one.subject.verb for one in observe.observations_of(call, observe.application_of(call))
             if hasattr(one.subject, "verb")}  # fmt: skip
    assert verbs == {"invokes", "provided_by"}


def test_stores_tools_and_servers_of_mcp_are_told():
    store, tool = call_of(said(r.RETRIEVAL)), call_of(said(r.TOOL))
    assert (store.store, store.collection, store.operation) == ("pinecone", "handbook", "retrieval")
    assert (tool.tool, tool.server, tool.operation) == ("lookup", "mcp.example.com", "execute_tool")
    verbs = {one.subject.verb for one in observe.observations_of(tool, observe.application_of(tool))
             if hasattr(one.subject, "verb")}  # fmt: skip
    assert verbs == {"uses_tool", "connects_to", "exposes_tool"}


def test_a_span_of_no_ai_call_says_nothing():
    assert call_of(said(r.PLAIN)) is None
    assert call_of(said({})) is None


@pytest.mark.parametrize(
    ("named", "provider"),
    [("aws.bedrock", "aws-bedrock"), ("gcp.vertex_ai", "google-vertex-ai"), ("Azure", "azure-openai"),
     ("Anthropic", "anthropic"), ("mistral_ai", "mistral"), ("nobody", "")],
)  # fmt: skip
def test_providers_are_called_as_everywhere_else(named, provider):
    assert call_of(said({"gen_ai.provider.name": named, "gen_ai.request.model": "m"})).provider == provider


def test_a_model_of_ones_own_is_known_by_its_address():
    attributes = {"gen_ai.provider.name": "vllm", "gen_ai.request.model": "m", "server.address": "llm.corp.example",
                  "server.port": 8000}  # fmt: skip
    call = call_of(said(attributes))
    verbs = [one.subject.verb for one in observe.observations_of(call, observe.application_of(call))
             if hasattr(one.subject, "verb")]  # fmt: skip
    assert verbs == ["uses_model", "invokes"]
    assert observe.event_of(call, "a", detect, observe.Budget()).props["upstream"] == "http://llm.corp.example:8000"


def test_texts_beyond_the_budget_are_said_to_be_unread():
    call = call_of(said({"gen_ai.prompt.0.content": "a" * 20_000, "gen_ai.system": "openai"}))
    event = observe.event_of(call, "a", detect, observe.Budget(100))
    assert event.props["unread"]


# ── off the wire ─────────────────────────────────────────────────────────────────────────────────────────────────────


def as_json(attributes, **more):
    def value(one):
        if isinstance(one, bool):
            return {"boolValue": one}
        return {"intValue": str(one)} if isinstance(one, int) else {"stringValue": one}

    pairs = [{"key": key, "value": value(one)} for key, one in attributes.items()]
    span = {"spanId": "ab" * 8, "name": "chat", "startTimeUnixNano": "1795000000000000000", "attributes": pairs} | more
    service = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    return json.dumps({"resourceSpans": [{"resource": service, "scopeSpans": [{"spans": [span]}]}]}).encode()


def test_json_and_protobuf_say_the_same():
    from google.protobuf.json_format import Parse
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    body = as_json(r.GEN_AI | r.PLAIN, spanId="q6urq6urq6s=")  # protobuf's own JSON writes bytes in base64
    asked = Parse(body, ExportTraceServiceRequest())
    one = list(otlp.read(body, "application/json", "traces"))
    other = list(otlp.read(asked.SerializeToString(), "application/x-protobuf; a=b", "traces"))
    assert one == other
    assert call_of(one[0]).model == "gpt-4o"


@pytest.mark.parametrize("kind", ["application/json", "application/x-protobuf"])
@pytest.mark.parametrize(
    "body", [b"\x00\xff" * 50, b"[" * 100_000, b"not otlp", b'{"resourceSpans": 7}', b"\n\xff\xff\xff"]
)
def test_what_is_no_otlp_is_refused(body, kind):
    with pytest.raises(NotUnderstood):
        list(otlp.read(body, kind, "traces"))


def test_another_content_type_is_refused():
    with pytest.raises(NotUnderstood):
        otlp.read(b"", "text/plain", "traces")


@pytest.mark.parametrize("signal", ["traces", "logs"])
def test_an_empty_export_is_empty(signal):
    assert list(otlp.read(b"", "application/x-protobuf", signal)) == []
    assert list(otlp.read(b"{}", "application/json", signal)) == []


def test_a_bomb_is_not_unpacked():
    import gzip

    with pytest.raises(NotUnderstood, match="MiB"):
        otlp.unpacked(gzip.compress(b"\0" * (otlp.UNPACKED + 1)), "gzip")
    with pytest.raises(NotUnderstood, match="cut short"):
        otlp.unpacked(gzip.compress(b"x" * 100)[:-9], "gzip")
    with pytest.raises(NotUnderstood, match="broken"):
        otlp.unpacked(b"nothing", "gzip")


def test_values_that_nest_and_keys_without_end_are_bounded():
    deep = {"stringValue": "x"}
    for _ in range(60):
        deep = {"arrayValue": {"values": [deep]}}
    pairs = [{"key": "gen_ai.input.messages", "value": deep}]
    pairs += [{"key": f"gen_ai.prompt.{number}.content", "value": {"stringValue": "a"}} for number in range(5_000)]
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{"attributes": pairs}]}]}]}).encode()
    (found,) = otlp.read(body, "application/json", "traces")
    assert len(found.attributes) == otlp.ATTRIBUTES
    assert len(call_of(found).texts) == 64


def test_values_of_the_wrong_type_harm_nothing():
    odd = {"gen_ai.request.model": 7, "gen_ai.provider.name": True, "gen_ai.tool.definitions": "[1, {\"name\": 3}]",
           "gen_ai.output.messages": "{", "gen_ai.usage.input_tokens": "many", "llm.tools.0.tool.json_schema": "[",
           "server.address": 5, "gen_ai.input.messages": "[[[[[[[[[[[[1]]]]]]]]]]]]"}  # fmt: skip
    call = call_of(said(odd, [("gen_ai.choice", {"message": [1]}), ("gen_ai.user.message", {})]))
    tuple(observe.observations_of(call, observe.application_of(call)))
    assert observe.event_of(call, "a", detect, observe.Budget()).model == ""
