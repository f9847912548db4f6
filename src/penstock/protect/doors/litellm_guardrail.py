"""A guardrail for LiteLLM, as library or proxy: same policy, same events, on every model that LiteLLM speaks to.

    guardrails:
      - guardrail_name: penstock
        litellm_params:
          guardrail: penstock.protect.doors.litellm_guardrail.PenstockGuardrail
          mode: [pre_call, post_call]
          default_on: true

LiteLLM must be installed beside Penstock; it is asked for here and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, MutableMapping, Sequence
from importlib import import_module
from typing import Any, Literal

from penstock.errors import NotReachable
from penstock.protect.doors.examine import Text
from penstock.protect.doors.in_process import Guard, GuardedCall, Stopped

try:
    _LITELLM: Any = import_module("litellm.integrations.custom_guardrail")
    _STOP: Any = import_module("litellm.exceptions").GuardrailRaisedException
except ImportError as error:
    raise NotReachable("LiteLLM is not installed", "litellm", "pip install litellm") from error

#: Characters from which on texts are judged beside the event loop.
LARGE = 16 * 1024


class PenstockGuardrail(_LITELLM.CustomGuardrail):  # type: ignore[misc]
    """LiteLLM hands it the texts and tool calls of each request and answer, streamed or not."""

    def __init__(self, guard: Guard | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._guard = guard or Guard()

    async def apply_guardrail(
        self,
        inputs: MutableMapping[str, Any],
        request_data: Mapping[str, Any],
        input_type: Literal["request", "response"],
        logging_obj: Any = None,
    ) -> MutableMapping[str, Any]:
        """The inputs with masked texts and arguments; raises LiteLLM's own error where policy stops them."""
        texts = [str(text) for text in inputs.get("texts") or ()]
        calls = [call for call in inputs.get("tool_calls") or () if _arguments(call)]
        channel = "user" if input_type == "request" else "assistant"
        said = [Text(text=text, channel=channel) for text in texts]
        said += [Text(text=_arguments(call), channel="tool_call") for call in calls]
        if not said:
            return inputs
        model = str(inputs.get("model") or request_data.get("model") or "")
        direction = "in" if input_type == "request" else "out"
        try:
            with self._guard.call(model, "litellm") as call:
                clean = await _judged(call, said, direction)
        except Stopped as stopped:
            raise _STOP(guardrail_name=self.guardrail_name, message=stopped.message) from stopped
        changed = {"texts": clean[: len(texts)]} if texts else {}
        for tool_call, arguments in zip(calls, clean[len(texts) :], strict=True):
            _set_arguments(tool_call, arguments)
        inputs.update(changed)
        return inputs


async def _judged(call: GuardedCall, said: Sequence[Text], direction: str) -> list[str]:
    if sum(len(text.text) for text in said) > LARGE:
        return await asyncio.to_thread(call.judged, said, direction)
    return call.judged(said, direction)


def _function(call: Any) -> Any:
    return call.get("function") if isinstance(call, dict) else getattr(call, "function", None)


def _arguments(call: Any) -> str:
    """The arguments of a tool call, as a mapping or as LiteLLM's own object."""
    function = _function(call)
    found = function.get("arguments") if isinstance(function, dict) else getattr(function, "arguments", None)
    return found if isinstance(found, str) else ""


def _set_arguments(call: Any, arguments: str) -> None:
    function = _function(call)
    if isinstance(function, dict):
        function["arguments"] = arguments
    elif function.arguments != arguments:
        function.arguments = arguments
