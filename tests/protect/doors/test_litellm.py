"""The guardrail within LiteLLM. Runs where LiteLLM is installed; its pins exclude clients that are tested here."""

import asyncio
import os

import pytest

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
litellm = pytest.importorskip("litellm")

from litellm.exceptions import GuardrailRaisedException  # noqa: E402
from litellm.types.utils import ChatCompletionMessageToolCall, Function  # noqa: E402

from penstock.protect.doors.in_process import Guard  # noqa: E402
from penstock.protect.doors.litellm_guardrail import PenstockGuardrail  # noqa: E402
from penstock.protect.sink import MemorySink  # noqa: E402
from penstock.protect.snapshot_source import FixedSnapshot  # noqa: E402
from tests.protect.gateway_world import KEY, rule, snapshot  # noqa: E402

MAIL = "write to ada@analytical.co.uk"


def guardrail(*rules):
    one = PenstockGuardrail(
        Guard(key=KEY, source=FixedSnapshot(snapshot(*rules)), sink=MemorySink()),
        guardrail_name="penstock", event_hook=["pre_call", "post_call"], default_on=True,
    )  # fmt: skip
    one.events = one._guard._sink.events
    return one


def applied(one, inputs, kind="request"):
    return asyncio.run(one.apply_guardrail(inputs, {"model": "gpt-4o"}, kind))


def test_texts_and_arguments_are_masked():
    one = guardrail(rule("redact", "pii", direction="in"))
    call = ChatCompletionMessageToolCall(function=Function(name="send", arguments='{"to": "ada@analytical.co.uk"}'))
    told = applied(one, {"texts": [MAIL, "fine"], "tool_calls": [call]})
    assert told["texts"] == ["write to [EMAIL]", "fine"]
    assert told["tool_calls"][0].function.arguments == '{"to": "[EMAIL]"}'
    assert (one.events[0].surface, one.events[0].model) == ("litellm", "gpt-4o")


def test_what_is_stopped_is_litellms_own_error():
    with pytest.raises(GuardrailRaisedException, match="an e-mail address"):
        applied(guardrail(rule("stop", "pii", direction="out")), {"texts": [MAIL]}, "response")


async def test_litellm_itself_calls_it_before_and_after_a_completion():
    one = guardrail(rule("redact", "pii", direction="in"), rule("redact", "pii", direction="out"))
    from litellm.proxy._types import UserAPIKeyAuth
    from litellm.proxy.guardrails.guardrail_hooks.unified_guardrail.unified_guardrail import UnifiedLLMGuardrails

    data = {"model": "gpt-4o", "messages": [{"role": "user", "content": MAIL}], "guardrail_to_apply": one}
    user = UserAPIKeyAuth(api_key="k")
    sent = await UnifiedLLMGuardrails().async_pre_call_hook(user, litellm.DualCache(), data, "completion")
    assert sent["messages"][0]["content"] == "write to [EMAIL]"
    answer = litellm.completion(model="gpt-4o", messages=sent["messages"], mock_response=MAIL)
    data["guardrail_to_apply"] = one
    clean = await UnifiedLLMGuardrails().async_post_call_success_hook(data, user, answer)
    assert clean.choices[0].message.content == "write to [EMAIL]"
