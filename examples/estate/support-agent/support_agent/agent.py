"""The agent behind the chat bubble on the help page."""

from agents import Agent, OpenAIChatCompletionsModel
from openai import AsyncOpenAI

from support_agent.settings import settings
from support_agent.tools import credit_account, lookup_customer, search_tickets

INSTRUCTIONS = """You are Rye, the friendly help of Fennel & Rye. Answer in the customer's language, in at most five
sentences. Look the customer up before you talk about an order. Use old tickets to find out how a problem was solved."""

client = AsyncOpenAI(base_url=settings.llm_base_url, api_key="unused")

support_agent = Agent(
    name="Support agent",
    instructions=INSTRUCTIONS,
    model=OpenAIChatCompletionsModel(model=settings.llm_model, openai_client=client),
    tools=[lookup_customer, search_tickets, credit_account],
)
