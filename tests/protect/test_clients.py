"""The providers' own client libraries, through the gateway, to a provider that speaks as each of them."""

import json

import anthropic
import boto3
import botocore.config
import cohere
import ollama
import openai
import pytest
from botocore.exceptions import ClientError, EventStreamError
from google import genai
from google.genai import errors, types

from examples.upstream import build as upstream
from penstock.protect.gateway import build
from penstock.protect.sink import MemorySink
from penstock.protect.snapshot_source import FixedSnapshot
from tests.protect.gateway_world import KEY, rule, served, snapshot

ASK = "What do you know about customer FR-10000? Asked by ada@analytical.co.uk"
PARAMETERS = {"type": "object", "properties": {"note": {"type": "string"}}}
DESCRIBED = {"name": "send", "description": "Sends a note", "parameters": PARAMETERS}


class World:
    """A gateway in front of a provider, both on loopback; ``root`` is where clients go."""

    source = FixedSnapshot(None)
    sink = MemorySink()
    root = upstream = ""

    def rules(self, *rules, **more):
        self.source.put(snapshot(*rules, upstream=self.upstream, **more))


@pytest.fixture(scope="module")
def world():
    here = World()
    with served(upstream(pause=0.0)) as provider, served(build(here.source, here.sink)) as root:
        here.upstream, here.root = provider, root
        yield here


class OpenAIChat:
    """Each client: ``whole``, ``stream`` and their twins with a tool answer what a user of the library would see."""

    typed = openai.PermissionDeniedError
    broken = openai.APIError

    def __init__(self, root):
        self.client = openai.OpenAI(base_url=f"{root}/v1", api_key=KEY, max_retries=0)

    def ask(self, tools, **more):
        offered = {"tools": [{"type": "function", "function": DESCRIBED}]} if tools else {}
        return self.client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": ASK}], **offered, **more
        )

    def whole(self, tools=False):
        message = self.ask(tools).choices[0].message
        return message.tool_calls[0].function.arguments if message.tool_calls else message.content

    def stream(self, tools=False):
        deltas = [chunk.choices[0].delta for chunk in self.ask(tools, stream=True) if chunk.choices]
        calls = [call.function.arguments or "" for delta in deltas for call in delta.tool_calls or ()]
        return "".join([*(delta.content or "" for delta in deltas), *calls])


class OpenAIResponses(OpenAIChat):
    def ask(self, tools, **more):
        offered = {"tools": [{"type": "function", **DESCRIBED}]} if tools else {}
        return self.client.responses.create(model="m", input=ASK, **offered, **more)

    def whole(self, tools=False):
        answer = self.ask(tools)
        return answer.output_text or answer.output[0].arguments

    def stream(self, tools=False):
        events = list(self.ask(tools, stream=True))
        text = "".join(event.delta for event in events if event.type.endswith(".delta"))
        last = events[-1].response
        assert text == (last.output_text or last.output[0].arguments)
        return text


class AzureChat(OpenAIChat):
    def __init__(self, root):
        self.client = openai.AzureOpenAI(
            azure_endpoint=root, api_key=KEY, api_version="2025-01-01", max_retries=0, azure_deployment="d"
        )


class Anthropic:
    typed = anthropic.PermissionDeniedError
    broken = anthropic.APIStatusError

    def __init__(self, root):
        self.client = anthropic.Anthropic(base_url=root, api_key=KEY, max_retries=0)

    def asked(self, tools):
        described = {"name": "send", "description": "Sends a note", "input_schema": PARAMETERS}
        offered = {"tools": [described]} if tools else {}
        return {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": ASK}], **offered}

    def seen(self, message):
        return "".join(block.text if block.type == "text" else json.dumps(block.input) for block in message.content)

    def whole(self, tools=False):
        return self.seen(self.client.messages.create(**self.asked(tools)))

    def stream(self, tools=False):
        with self.client.messages.stream(**self.asked(tools)) as stream:
            return self.seen(stream.get_final_message())


class Gemini:
    typed = errors.ClientError
    broken = errors.APIError

    def __init__(self, root):
        self.client = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=root))

    def asked(self, tools):
        declared = types.FunctionDeclaration(name="send", description="Sends", parameters_json_schema=PARAMETERS)
        off = types.AutomaticFunctionCallingConfig(disable=True)
        config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[declared])] if tools else None,
                                             automatic_function_calling=off)  # fmt: skip
        return {"model": "gemini-x", "contents": ASK, "config": config}

    def seen(self, answer):
        calls = [json.dumps(dict(call.args)) for call in answer.function_calls or ()]
        return "".join([*calls] if calls else [answer.text or ""])

    def whole(self, tools=False):
        return self.seen(self.client.models.generate_content(**self.asked(tools)))

    def stream(self, tools=False):
        return "".join(self.seen(chunk) for chunk in self.client.models.generate_content_stream(**self.asked(tools)))


class Bedrock:
    typed = ClientError
    broken = EventStreamError

    def __init__(self, root):
        self.client = boto3.client(
            "bedrock-runtime", endpoint_url=root, region_name="eu-central-1", aws_access_key_id=KEY,
            aws_secret_access_key="any", config=botocore.config.Config(retries={"max_attempts": 0}),
        )  # fmt: skip

    def asked(self, tools):
        spec = {"toolSpec": {"name": "send", "description": "Sends", "inputSchema": {"json": PARAMETERS}}}
        offered = {"toolConfig": {"tools": [spec]}} if tools else {}
        return {"modelId": "eu.model-1:0", "messages": [{"role": "user", "content": [{"text": ASK}]}], **offered}

    def whole(self, tools=False):
        blocks = self.client.converse(**self.asked(tools))["output"]["message"]["content"]
        return "".join(json.dumps(b["toolUse"]["input"]) if "toolUse" in b else b["text"] for b in blocks)

    def stream(self, tools=False):
        events = self.client.converse_stream(**self.asked(tools))["stream"]
        deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
        return "".join(delta["text"] if "text" in delta else delta["toolUse"]["input"] for delta in deltas)


class Ollama:
    typed = broken = ollama.ResponseError

    def __init__(self, root):
        self.client = ollama.Client(host=root, headers={"Authorization": f"Bearer {KEY}"})

    def ask(self, tools, **more):
        offered = {"tools": [{"type": "function", "function": DESCRIBED}]} if tools else {}
        return self.client.chat(model="m", messages=[{"role": "user", "content": ASK}], **offered, **more)

    def seen(self, message):
        calls = [json.dumps(dict(call.function.arguments)) for call in message.tool_calls or ()]
        return "".join([message.content or "", *calls])

    def whole(self, tools=False):
        return self.seen(self.ask(tools).message)

    def stream(self, tools=False):
        return "".join(self.seen(line.message) for line in self.ask(tools, stream=True))


class Cohere:
    typed = cohere.ForbiddenError
    broken = None  # the library shows the end of the message, whose reason is ERROR

    def __init__(self, root):
        self.client = cohere.ClientV2(api_key=KEY, base_url=root)

    def asked(self, tools):
        offered = {"tools": [{"type": "function", "function": DESCRIBED}]} if tools else {}
        return {"model": "m", "messages": [{"role": "user", "content": ASK}], **offered}

    def whole(self, tools=False):
        message = self.client.chat(**self.asked(tools)).message
        return message.tool_calls[0].function.arguments if message.tool_calls else message.content[0].text

    def stream(self, tools=False):
        said = []
        for event in self.client.chat_stream(**self.asked(tools)):
            if event.type == "content-delta":
                said.append(event.delta.message.content.text)
            elif event.type == "tool-call-delta":
                said.append(event.delta.message.tool_calls.function.arguments)
        return "".join(said)


CLIENTS = (OpenAIChat, OpenAIResponses, AzureChat, Anthropic, Gemini, Bedrock, Ollama, Cohere)
ALL = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
STREAM = pytest.mark.parametrize("way", ["whole", "stream"])
TOOLS = pytest.mark.parametrize("tools", [False, True], ids=["words", "tool"])
MODE = {"redact": rule("redact", "pii", "pci"), "stop": rule("stop", "pii", "pci")}


@pytest.fixture
def answer(world, client, way):
    def told(tools=False):
        return getattr(client(world.root), way)(tools)

    return told


@ALL
@STREAM
@TOOLS
def test_an_allowed_answer_arrives_whole(world, answer, tools, client, way):
    world.rules()
    told = answer(tools)
    assert "I found Xenia Nordhoff" in told and "@" in told


@ALL
@STREAM
@TOOLS
def test_a_masked_answer_is_an_answer_with_masks(world, answer, tools, client, way):
    world.rules(MODE["redact"])
    told = answer(tools)
    assert "[EMAIL]" in told and "[PHONE]" in told and "@" not in told
    assert not tools or json.loads(told)["note"].startswith("I found")


@ALL
@STREAM
@TOOLS
def test_a_stopped_answer_reads_as_the_reason(world, answer, tools, client, way):
    world.rules(MODE["stop"])
    told = answer(tools)
    assert "The model's answer was stopped here" in told and "team-security" in told and "@" not in told


@ALL
@STREAM
def test_a_stopped_prompt_reads_as_the_reason(world, answer, client, way):
    world.rules(rule("stop", "pii", direction="in"))
    assert "This message was not sent to the model" in answer()


@ALL
@STREAM
def test_a_prompt_that_waits_for_a_person_says_who_was_asked(world, answer, client, way):
    world.rules(rule("ask", "pii", direction="in"))
    assert "team-security was asked to allow it" in answer()


@ALL
@STREAM
@TOOLS
def test_a_value_that_the_provider_saw_as_a_token_comes_back_to_its_caller(world, answer, tools, client, way):
    world.rules(rule("tokenise", "pii", direction="in"))
    told = answer(tools)
    assert "I found Xenia Nordhoff" in told and "email.invalid" not in told


@ALL
def test_where_policy_says_so_a_stop_is_the_clients_typed_error(world, client):
    world.rules(MODE["stop"], refusal="error")
    with pytest.raises(client.typed, match="stopped here"):
        client(world.root).whole()
    if client.broken:
        with pytest.raises(client.broken, match="stopped here"):
            client(world.root).stream()


@ALL
@STREAM
def test_an_unknown_key_is_the_clients_typed_error(world, client, way, monkeypatch):
    world.rules()
    monkeypatch.setitem(globals(), "KEY", "psk_unknown")
    with pytest.raises(Exception, match=r"not known to the gateway"):
        getattr(client(world.root), way)()
