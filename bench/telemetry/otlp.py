"""Spans a CPU second from the bytes of an OTLP export to events and observations.

    python bench/telemetry/otlp.py [--spans 200] [--seconds 3]

Three exports: AI calls of the four dialects without content, with content in which sensitive data is looked for, and
what an application sends (one AI call among nine other spans). CPU time of this process, best of five.
"""

import argparse
import time

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from penstock.discover.telemetry import observe, otlp
from penstock.discover.telemetry.dialects import call_of
from penstock.inspect.sensitive import detect

AI = [
    {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
     "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.agent.name": "helpdesk", "gen_ai.conversation.id": "c-1",
     "gen_ai.usage.input_tokens": 120, "gen_ai.usage.output_tokens": 80, "server.address": "api.openai.com",
     "server.port": 443, "gen_ai.response.id": "chatcmpl-1", "gen_ai.request.temperature": 0.2},
    {"gen_ai.operation.name": "chat", "gen_ai.system": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5",
     "gen_ai.usage.prompt_tokens": 120, "gen_ai.usage.completion_tokens": 80, "gen_ai.response.id": "msg_1"},
    {"openinference.span.kind": "LLM", "llm.provider": "openai", "llm.model_name": "gpt-4o", "session.id": "c-1",
     "llm.token_count.prompt": 120, "llm.token_count.completion": 80, "llm.invocation_parameters": "{}"},
    {"traceloop.workflow.name": "support", "llm.request.type": "chat", "gen_ai.system": "OpenAI",
     "gen_ai.request.model": "gpt-4o", "gen_ai.usage.prompt_tokens": 120, "llm.usage.total_tokens": 200},
]  # fmt: skip
OTHER = {"http.request.method": "GET", "url.full": "https://shop.example.com/cart", "http.response.status_code": 200,
         "network.protocol.version": "1.1", "user_agent.original": "curl", "thread.id": 7,
         "thread.name": "main", "code.function": "cart", "client.address": "10.0.0.1",
         "url.scheme": "https"}  # fmt: skip
SAID = "Please look up the order of ada@analytical.co.uk and tell her when it arrives. " * 6


def export(spans: int, content: bool, plain: int) -> ExportTraceServiceRequest:
    """``plain``: spans of no AI call for each that is one."""
    asked = ExportTraceServiceRequest()
    resource = asked.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope = resource.scope_spans.add()
    for number in range(spans):
        span = scope.spans.add(
            name="chat", span_id=number.to_bytes(8), trace_id=number.to_bytes(16),
            start_time_unix_nano=1_795_000_000_000_000_000 + number, end_time_unix_nano=1_795_000_001_000_000_000,
        )  # fmt: skip
        for key, value in (OTHER if plain and number % (plain + 1) else AI[number % len(AI)]).items():
            one = span.attributes.add(key=key).value
            if isinstance(value, str):
                one.string_value = value
            elif isinstance(value, int):
                one.int_value = value
            else:
                one.double_value = value
        if content:
            span.attributes.add(key="gen_ai.prompt.0.content").value.string_value = SAID
            span.attributes.add(key="gen_ai.completion.0.content").value.string_value = SAID
    return asked


def taken(body: bytes, kind: str) -> int:
    """All that the receiver does with an export, but for the disk."""
    seen, budget, events = set(), observe.Budget(), 0
    for said in otlp.read(body, kind, "traces"):
        call = call_of(said)
        if call is None:
            continue
        application = observe.application_of(call)
        observe.event_of(call, application.id, detect, budget)
        if (use := observe.uses(call, application.id)) not in seen:
            seen.add(use)
            tuple(observe.observations_of(call, application))
        events += 1
    return events


def rate(body: bytes, kind: str, spans: int, seconds: float) -> float:
    best = 0.0
    for _ in range(5):
        began, done = time.process_time(), 0
        while time.process_time() - began < seconds / 5:
            taken(body, kind)
            done += spans
        best = max(best, done / (time.process_time() - began))
    return best


def main() -> None:
    from google.protobuf.json_format import MessageToJson

    ask = argparse.ArgumentParser()
    ask.add_argument("--spans", type=int, default=200)
    ask.add_argument("--seconds", type=float, default=3.0)
    given = ask.parse_args()
    detect("warm")
    print(f"{'export':<34}{'kB':>8}{'protobuf spans/CPU-s':>24}{'JSON spans/CPU-s':>20}")
    for name, content, plain in (
        ("AI calls, no content", False, 0), ("AI calls, 1 kB of content", True, 0),
        ("one AI call in ten spans", False, 9),
    ):  # fmt: skip
        asked = export(given.spans, content, plain)
        body, text = asked.SerializeToString(), MessageToJson(asked).encode()
        rates = [
            rate(body, "application/x-protobuf", given.spans, given.seconds),
            rate(text, "application/json", given.spans, given.seconds),
        ]
        print(f"{name:<34}{len(body) / 1000:>8.0f}{rates[0]:>24,.0f}{rates[1]:>20,.0f}")


if __name__ == "__main__":
    main()
