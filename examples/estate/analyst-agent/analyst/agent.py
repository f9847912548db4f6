"""Answers colleagues' questions with SQL on the warehouse."""

import os

from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_community.agent_toolkits import SQLDatabaseToolkit
from langchain_community.utilities import SQLDatabase
from langchain_core.tools import tool

WAREHOUSE = os.getenv("WAREHOUSE_URL", "postgresql://warehouse.data.svc.cluster.local:5432/analytics")

db = SQLDatabase.from_uri(WAREHOUSE)
llm = ChatAnthropic(model="claude-sonnet-4-5", temperature=0)


@tool
def run_sql(statement: str) -> str:
    """Run any SQL statement on the warehouse and return the rows."""
    return db.run(statement)


toolkit = SQLDatabaseToolkit(db=db, llm=llm)

analyst = create_agent(
    llm,
    tools=[*toolkit.get_tools(), run_sql],
    system_prompt="You are an analyst of Fennel & Rye. Answer with a number, the SQL you used, and one sentence.",
)
