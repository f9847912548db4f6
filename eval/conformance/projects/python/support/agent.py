from agents import Agent, function_tool

from support.prompts import SUPPORT_PROMPT


@function_tool
def lookup_order(order_id: str) -> str:
    """Look up an order."""
    return order_id


@function_tool
def refund_order(order_id: str) -> str:
    """Refund an order."""
    return order_id


support = Agent(name="support", instructions=SUPPORT_PROMPT, model="gpt-4o", tools=[lookup_order, refund_order])
