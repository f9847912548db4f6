"""Tells customers where their box is. Every answer is checked before it leaves."""

import os

from agents import Agent, GuardrailFunctionOutput, OpenAIChatCompletionsModel, RunContextWrapper, function_tool, output_guardrail
from openai import AsyncOpenAI
from presidio_analyzer import AnalyzerEngine

from order_assistant.orders import find_order

LLM_URL = os.environ.get("LLM_BASE_URL", "http://support-llm.ml.svc.cluster.local:8000/v1")

analyzer = AnalyzerEngine()
client = AsyncOpenAI(base_url=LLM_URL, api_key="unused")


@function_tool
def order_status(order_number: str) -> str:
    """Where a box is, by its order number."""
    return find_order(order_number)["status"]


@output_guardrail
async def no_personal_data(context: RunContextWrapper, agent: Agent, output: str) -> GuardrailFunctionOutput:
    """Stops answers that hold names, addresses or account numbers."""
    found = analyzer.analyze(text=output, language="en")
    return GuardrailFunctionOutput(output_info=[hit.entity_type for hit in found], tripwire_triggered=bool(found))


order_assistant = Agent(
    name="Order assistant",
    instructions="Tell customers where their box is. Ask for the order number; never ask for anything else.",
    model=OpenAIChatCompletionsModel(model="support-llm", openai_client=client),
    tools=[order_status],
    output_guardrails=[no_personal_data],
)
