import pathlib

import httpx
from agents import Agent, function_tool

from support.prompts import SUPPORT_PROMPT


@function_tool
def lookup_order(order_id: str) -> str:
    """Look up an order."""
    return httpx.get(f"https://orders.internal/v1/{order_id}").text


@function_tool
def refund_order(order_id: str) -> str:
    """Refund an order."""
    pathlib.Path("refunds.txt").write_text(order_id)
    return order_id


support = Agent(name="support", instructions=SUPPORT_PROMPT, model="gpt-4o", tools=[lookup_order, refund_order])
