"""Calls around the conversation, with the providers' client libraries: counting, embedding, uploading, signing."""

import json

import anthropic
import boto3
import botocore.config
import openai
import pytest
from botocore.exceptions import ClientError

from examples.protocols import ANTHROPIC, CONVERSE, INVOKE
from tests.protect.gateway_world import KEY, rule

CARD = "4111 1111 1111 1111"


@pytest.fixture
def root(gateway):
    return gateway.url.removesuffix("/v1")


@pytest.fixture
def client(gateway):
    return openai.OpenAI(base_url=gateway.url, api_key=KEY, max_retries=0)


def bedrock(root, key=KEY):
    settings = botocore.config.Config(retries={"max_attempts": 0})
    return boto3.client("bedrock-runtime", endpoint_url=root, region_name="eu-central-1", aws_access_key_id=key,
                        aws_secret_access_key="any", config=settings)  # fmt: skip


def test_tokens_are_counted_and_a_stop_is_a_typed_error_there(root, gateway, provider):
    asking = anthropic.Anthropic(base_url=root, api_key=KEY, max_retries=0)
    provider.says(b'{"input_tokens": 7}')
    gateway.rules(rule("stop", "pci", direction="in"))
    assert asking.messages.count_tokens(model="m", messages=[{"role": "user", "content": "Hello"}]).input_tokens == 7
    with pytest.raises(anthropic.PermissionDeniedError, match="payment card"):
        asking.messages.count_tokens(model="m", messages=[{"role": "user", "content": CARD}])


def test_what_is_embedded_is_masked_or_refused(client, gateway, provider):
    row = {"object": "embedding", "index": 0, "embedding": "AACAPwAAgD8AAIA/AACAPwAAgD8="}
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    provider.says(json.dumps({"object": "list", "model": "e", "data": [row], "usage": usage}).encode())
    gateway.rules(rule("redact", "pci", direction="in"))
    assert len(client.embeddings.create(model="e", input=[f"pay {CARD}", "fine"]).data[0].embedding) == 5
    assert json.loads(provider.asked[0][1])["input"] == ["pay [CREDIT_CARD]", "fine"]
    gateway.rules(rule("stop", "pci", direction="in"))
    with pytest.raises(openai.PermissionDeniedError, match="not sent"):
        client.embeddings.create(model="e", input=f"pay {CARD}")
    assert gateway.event.surface == "openai.embeddings"


def test_training_data_is_masked_before_it_leaves(client, gateway, provider):
    file = {"id": "f", "object": "file", "bytes": 1, "created_at": 1, "filename": "t", "purpose": "x", "status": "ok"}
    provider.says(json.dumps(file).encode())
    gateway.rules(rule("redact", "pci", direction="in"))
    lines = [json.dumps({"messages": [{"role": "user", "content": f"pay {text}"}]}) for text in (CARD, "cash")]
    client.files.create(file=("t.jsonl", "\n".join(lines).encode()), purpose="fine-tune")
    sent = provider.asked[0][1]
    assert CARD.encode() not in sent and b"[CREDIT_CARD]" in sent and b"pay cash" in sent
    assert gateway.event.surface == "openai.files" and gateway.event.seen == {"in.pci": 1}


def test_a_transcript_is_masked_and_the_sound_is_noted(client, gateway, provider):
    provider.says(json.dumps({"text": f"my card is {CARD}"}).encode())
    gateway.rules(rule("redact", "pci"))
    answer = client.audio.transcriptions.create(model="whisper-1", file=("a.mp3", b"ID3\x04\x00\xff\xfb" * 30))
    assert answer.text == "my card is [CREDIT_CARD]"
    assert gateway.event.props["unread_files_in"][0]["bytes"] == 210 and gateway.event.model == "whisper-1"


def test_speech_passes_as_the_sound_it_is(client, gateway, provider):
    gateway.rules(rule("redact"))
    provider.says(b"ID3\x04\x00\xff\xfb" * 30, type="audio/mpeg")
    assert client.audio.speech.create(model="tts", voice="alloy", input="Hello").read() == b"ID3\x04\x00\xff\xfb" * 30
    assert gateway.event.props["unread_files_out"] == [{"type": "audio/mpeg", "bytes": 210}]


@pytest.mark.parametrize("stream", [False, True])
def test_models_with_bodies_of_their_own_are_read_as_what_they_are(root, gateway, provider, stream):
    gateway.rules(rule("redact", "pci"))
    asking, body = bedrock(root), json.dumps(INVOKE.ask("Hello", False))
    if stream:
        provider.says(*INVOKE.events(["pay 4111 1111 ", "1111 1111 now"]), type=INVOKE.stream_type)
        events = asking.invoke_model_with_response_stream(modelId="anthropic.m", body=body)["body"]
        deltas = [json.loads(event["chunk"]["bytes"]).get("delta", {}) for event in events]
        assert "".join(delta.get("text", "") for delta in deltas) == "pay [CREDIT_CARD] now"
    else:
        provider.says(json.dumps(INVOKE.answer(f"pay {CARD} now")).encode())
        answer = json.loads(asking.invoke_model(modelId="anthropic.m", body=body)["body"].read())
        assert answer["content"][0]["text"] == "pay [CREDIT_CARD] now"
    assert gateway.event.surface == "bedrock.invoke.anthropic" and gateway.event.model == "anthropic.m"


def test_the_gateway_signs_with_its_own_key(root, gateway, provider, monkeypatch):
    monkeypatch.setenv("TEST_ACCESS_KEY_ID", "AKIDGATEWAY")
    monkeypatch.setenv("TEST_SECRET_ACCESS_KEY", "s")
    gateway.rules(rule("redact", "pci", direction="in"), key_env="TEST_ACCESS_KEY_ID")
    provider.says(json.dumps(CONVERSE.answer("fine")).encode())
    bedrock(root).converse(modelId="m", messages=[{"role": "user", "content": [{"text": f"pay {CARD}"}]}])
    scope, body = provider.asked[0]
    headers = dict(scope["headers"])
    assert b"Credential=AKIDGATEWAY/" in headers[b"authorization"] and b"[CREDIT_CARD]" in body
    assert len(headers) == len(scope["headers"])  # none twice: not the caller's date beside ours
    assert KEY.encode() not in b"".join(headers.values())


def test_a_callers_own_signature_passes_with_its_host_and_its_bytes_stay(root, gateway, provider):
    gateway.rules(rule("redact", "pci", direction="in"), key_env="")
    provider.says(json.dumps(CONVERSE.answer("fine")).encode())
    asking = bedrock(root)
    asking.converse(modelId="m", messages=[{"role": "user", "content": [{"text": "Hello"}]}])
    headers = dict(provider.asked[0][0]["headers"])
    assert b"Credential=" in headers[b"authorization"] and headers[b"host"].decode() == root.removeprefix("http://")
    with pytest.raises(ClientError, match="signed its bytes"):
        asking.converse(modelId="m", messages=[{"role": "user", "content": [{"text": f"pay {CARD}"}]}])
    assert len(provider.asked) == 1


def test_usage_and_the_reason_to_end_are_noted_for_every_call(root, gateway, provider):
    provider.says(*ANTHROPIC.called(['{"note"', ': "x"}']), type="text/event-stream")
    asking = anthropic.Anthropic(base_url=root, api_key=KEY, max_retries=0)
    asked = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
    with asking.messages.stream(**asked) as stream:
        stream.get_final_message()
    props = gateway.event.props
    assert props["usage"] == {"in": 3, "out": 5} and props["finish"] == "tool_use" and props["tool_calls"] == ["send"]
