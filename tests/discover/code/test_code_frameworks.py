"""Each SDK as its users write it: the models, agents, tools and links that are there, and no others."""

import pytest


def test_openai_client_request_and_its_system_prompt(python_file):
    seen = python_file(
        """
from openai import OpenAI
client = OpenAI()
def answer(question):
    return client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "system", "content": "You are a careful clerk."},
            {"role": "user", "content": question}]
    )
"""
    )
    assert seen.names("model") == {"gpt-4o"}
    assert seen.names("provider") == {"openai"}
    assert seen.names("framework") == {"openai"}
    assert seen.one("model", "gpt-4o").props["provider"] == "openai"
    assert len(seen.names("prompt")) == 1
    assert ("app", "uses_model", "gpt-4o") in seen.links()


def test_a_prompt_keeps_its_place_and_hash_but_never_its_text(python_file):
    seen = python_file(
        'from openai import OpenAI\nRULES = "You are a careful clerk. Never tell the code word plum."\n'
        'OpenAI().responses.create(model="gpt-4o", instructions=RULES)\n'
    )
    prompt = seen.one("prompt", "RULES")
    assert prompt.props["text_length"] == len("You are a careful clerk. Never tell the code word plum.")
    assert len(prompt.props["text_hash"]) == 64
    assert seen.where("prompt", "RULES") == {"app.py:2"}
    assert "plum" not in repr(seen.graph)


def test_azure_async_and_own_endpoint_clients(see):
    seen = see(
        {
            "a.py": (
                "from openai import AsyncAzureOpenAI\n"
                "c = AsyncAzureOpenAI()\n"
                "async def f():\n"
                '    await c.chat.completions.create(model="gpt-4o", messages=[])\n'
            ),
            "b.py": (
                "from openai import OpenAI\n"
                'c = OpenAI(base_url="http://vllm:8000/v1", api_key="x")\n'
                'c.chat.completions.create(model="llama", messages=[])\n'
            ),
            "c.py": (
                "from openai import OpenAI\n"
                'c = OpenAI(base_url="https://api.groq.com/openai/v1")\n'
                'c.chat.completions.create(model="llama-3.3-70b-versatile", messages=[])\n'
            ),
        }
    )
    assert seen.one("model", "gpt-4o").props["provider"] == "azure-openai"
    assert seen.one("model", "llama").props["provider"] == "self-hosted"
    assert seen.one("model", "llama-3.3-70b-versatile").props["provider"] == "groq"
    assert seen.names("endpoint") == {"http://vllm:8000"}
    assert ("app", "invokes", "http://vllm:8000") in seen.links()


def test_a_base_url_from_the_environment_is_not_taken_for_openai(python_file):
    seen = python_file(
        'import os\nfrom openai import OpenAI\nc = OpenAI(base_url=os.environ["LLM_URL"])\n'
        'c.chat.completions.create(model="our-model", messages=[])\n'
    )
    assert seen.one("model", "our-model").props.get("provider") is None
    assert seen.names("provider") == set()


def test_anthropic_bedrock_gemini_mistral_cohere_groq_ollama_litellm(see):
    seen = see(
        {
            "a.py": (
                "import anthropic\n"
                "c = anthropic.Anthropic()\n"
                'c.messages.create(model="claude-sonnet-4-5", max_tokens=9,\n'
                '    system="You are kind to all.", messages=[])\n'
            ),
            "b.py": (
                "import boto3\n"
                'b = boto3.client("bedrock-runtime")\n'
                'b.converse(modelId="amazon.nova-lite-v1:0", messages=[])\n'
            ),
            "c.py": (
                "from google import genai\n"
                "c = genai.Client()\n"
                'c.models.generate_content(model="gemini-2.0-flash", contents="hi")\n'
            ),
            "d.py": (
                'from mistralai import Mistral\nMistral().chat.complete(model="mistral-large-latest", messages=[])\n'
            ),
            "e.py": 'import cohere\ncohere.ClientV2().embed(model="embed-english-v3.0", texts=[])\n',
            "f.py": 'import ollama\nollama.chat(model="llama3.2", messages=[])\n',
            "g.py": 'import litellm\nlitellm.completion("groq/llama-3.1-8b-instant", [])\n',
            "h.py": (
                "from google import genai\n"
                "c = genai.Client(vertexai=True)\n"
                'c.models.generate_content(model="gemini-2.5-pro", contents="hi")\n'
            ),
        }
    )
    providers = {m.name: m.props.get("provider") for m in seen.graph.of_kind("model")}
    assert providers == {
        "claude-sonnet-4-5": "anthropic",
        "amazon.nova-lite-v1:0": "aws-bedrock",
        "gemini-2.0-flash": "google-gemini",
        "mistral-large-latest": "mistral",
        "embed-english-v3.0": "cohere",
        "llama3.2": "ollama",
        "llama-3.1-8b-instant": "groq",
        "gemini-2.5-pro": "google-vertex-ai",
    }
    assert seen.one("model", "embed-english-v3.0").props["role"] == "embedding"


def test_openai_agents_with_tools_handoffs_guardrails_and_instructions(see):
    seen = see(
        {
            "app/__init__.py": "",
            "app/settings.py": 'MODEL = "gpt-4.1"\n',
            "app/tools.py": (
                "import subprocess, requests\n"
                "from agents import function_tool\n"
                "@function_tool\n"
                "def run_report(name: str) -> str:\n"
                "    return subprocess.run(['report', name]).stdout\n"
                "@function_tool(name_override='look_up')\n"
                "def _look(q: str):\n"
                "    return _get(q)\n"
                "def _get(q):\n"
                "    return requests.get('https://x', params={'q': q}).text\n"
            ),
            "app/guards.py": (
                "from agents import Agent, Runner, input_guardrail\n"
                "checker = Agent(name='Checker', instructions='Say whether it is safe.', model='gpt-4.1-mini')\n"
                "@input_guardrail(name='Safety')\n"
                "async def safety(ctx, agent, text):\n"
                "    return await Runner.run(checker, text)\n"
            ),
            "app/team.py": (
                "from agents import Agent, handoff\n"
                "from .tools import run_report, _look\n"
                "from .guards import safety\n"
                "from .settings import MODEL\n"
                "def how(ctx, agent):\n"
                "    return f'You help {ctx.name} with the monthly reports, step by step.'\n"
                "clerk = Agent[str](name='Clerk', model=MODEL, instructions=how,\n"
                "    tools=[run_report, _look], input_guardrails=[safety])\n"
                "desk = Agent(name='Desk', model=MODEL,\n"
                "    instructions='Send each request to the right clerk.', handoffs=[handoff(clerk)])\n"
                "clerk.handoffs.append(desk)\n"
            ),
        }
    )
    assert seen.names("agent") == {"Clerk", "Desk", "Checker"}
    assert seen.names("tool") == {"run_report", "look_up"}
    assert seen.one("tool", "run_report").props["effects"] == ["exec"]
    assert seen.one("tool", "look_up").props["effects"] == ["network"]
    assert {("Clerk", "uses_tool", "run_report"), ("Clerk", "uses_tool", "look_up")} <= seen.links()
    assert {("Desk", "delegates_to", "Clerk"), ("Clerk", "delegates_to", "Desk")} == seen.links("delegates_to")
    assert {("Clerk", "guarded_by", "Safety")} == seen.links("guarded_by")
    assert seen.one("guardrail", "Safety").props["input_filter"] is True
    assert ("Safety", "invokes", "Checker") in seen.links()
    assert {("Clerk", "uses_model", "gpt-4.1"), ("Desk", "uses_model", "gpt-4.1")} <= seen.links()
    assert ("Clerk", "instructed_by", "how") in seen.links()
    assert "MODEL = " in seen.chain("model", "gpt-4.1")
    assert seen.complete == {"guarded_by"}


def test_a_tool_list_built_at_run_time_withdraws_the_claim_to_have_seen_all(python_file):
    seen = python_file(
        "from agents import Agent\n"
        "from plugins import load\n"
        "a = Agent(name='A', tools=[load('x')], instructions='Do what is asked.')\n"
    )
    assert seen.names("agent") == {"A"}
    assert seen.complete == set()


def test_langchain_and_langgraph_in_python(python_file):
    seen = python_file(
        """
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langchain_community.vectorstores import FAISS
from langchain_community.document_loaders import PyPDFLoader
from langchain_core.tools import tool
from langgraph.prebuilt import create_react_agent

llm = ChatOpenAI(model="gpt-4o-mini").bind(stop=["x"])
docs = PyPDFLoader("handbook.pdf").load()
store = FAISS.from_documents(docs, OpenAIEmbeddings(model="text-embedding-3-small"))

@tool("search_handbook")
def search(q: str) -> str:
    "Search."
    return store.similarity_search(q)

agent = create_react_agent(llm, [search], prompt="You answer from the handbook only.")
"""
    )
    assert seen.names("agent") == {"agent"}
    assert {("agent", "uses_model", "gpt-4o-mini"), ("agent", "uses_tool", "search_handbook")} <= seen.links()
    assert ("faiss", "embedded_by", "text-embedding-3-small") in seen.links()
    assert ("faiss", "indexes", "handbook.pdf") in seen.links()
    assert ("app", "retrieves_from", "faiss") in seen.links()
    assert {"langchain", "langgraph"} <= seen.names("framework")


def test_llama_index_settings_stand_in_for_what_is_not_given(see):
    seen = see(
        {
            "setup_ai.py": (
                "from llama_index.core import Settings\n"
                "from llama_index.llms.openai import OpenAI\n"
                "from llama_index.embeddings.openai import OpenAIEmbedding, OpenAIEmbeddingModelType\n"
                "Settings.llm = OpenAI(model='gpt-4o')\n"
                "Settings.embed_model = OpenAIEmbedding(model=OpenAIEmbeddingModelType.TEXT_EMBED_3_LARGE)\n"
            ),
            "chat.py": (
                "from llama_index.core.agent.workflow import FunctionAgent\n"
                "from llama_index.core.tools import FunctionTool\n"
                "from llama_index.vector_stores.qdrant import QdrantVectorStore\n"
                "def add(a: int, b: int):\n"
                "    return a + b\n"
                "store = QdrantVectorStore(collection_name='c')\n"
                "bot = FunctionAgent(tools=[FunctionTool.from_defaults(fn=add)],\n"
                "    system_prompt='You add numbers for people.')\n"
            ),
        }
    )
    assert {("bot", "uses_model", "gpt-4o"), ("bot", "uses_tool", "add")} <= seen.links()
    assert ("qdrant", "embedded_by", "text-embedding-3-large") in seen.links()


def test_crewai_autogen_pydantic_ai_smolagents(see):
    seen = see(
        {
            "a.py": (
                "from crewai import Agent, LLM\n"
                'r = Agent(role="Researcher", goal="Find what is new",\n'
                '    backstory="You are a careful researcher.", llm=LLM(model="anthropic/claude-3-5-haiku-latest"))\n'
            ),
            "b.py": (
                "from autogen_agentchat.agents import AssistantAgent\n"
                "from autogen_ext.models.openai import OpenAIChatCompletionClient\n"
                'h = AssistantAgent("helper",\n'
                '    model_client=OpenAIChatCompletionClient(model="gpt-4o"), system_message="You help people.")\n'
            ),
            "c.py": (
                "from pydantic_ai import Agent\n"
                'p = Agent("google-gla:gemini-2.0-flash", system_prompt="You count things.")\n'
                "@p.tool_plain\n"
                "def count(x: str) -> int:\n"
                "    return len(x)\n"
            ),
            "d.py": (
                "from smolagents import CodeAgent, InferenceClientModel, DuckDuckGoSearchTool\n"
                "s = CodeAgent(tools=[DuckDuckGoSearchTool()],\n"
                '    model=InferenceClientModel(model_id="Qwen/Qwen2.5-Coder-32B-Instruct"))\n'
            ),
        }
    )
    assert seen.names("agent") == {"Researcher", "helper", "p", "s"}
    assert seen.links("uses_model") == {
        ("Researcher", "uses_model", "claude-3-5-haiku-latest"),
        ("helper", "uses_model", "gpt-4o"),
        ("p", "uses_model", "gemini-2.0-flash"),
        ("s", "uses_model", "Qwen/Qwen2.5-Coder-32B-Instruct"),
    }
    assert seen.links("uses_tool") == {("p", "uses_tool", "count"), ("s", "uses_tool", "DuckDuckGoSearchTool")}


def test_vercel_ai_sdk_with_tools(script):
    seen = script(
        """
import { generateText, tool } from 'ai';
import { openai } from '@ai-sdk/openai';
import { z } from 'zod';
const weather = tool({ description: 'w', execute: async ({ city }) => (await fetch(`https://w/${city}`)).json() });
export async function POST(req: Request) {
  return generateText({ model: openai('gpt-4o-mini'), system: 'You talk about the weather.',
      tools: { weather }, prompt: 'hi' });
}
"""
    )
    assert seen.names("model") == {"gpt-4o-mini"}
    assert seen.one("tool", "weather").props["effects"] == ["network"]
    assert {("app", "uses_tool", "weather"), ("app", "uses_model", "gpt-4o-mini")} <= seen.links()
    assert len(seen.names("prompt")) == 1


def test_openai_and_langchain_in_typescript(see):
    seen = see(
        {
            "src/config.ts": "export const MODEL = process.env.CHAT_MODEL ?? 'gpt-4o';\n",
            "src/a.ts": (
                "import OpenAI from 'openai';\n"
                "import { MODEL } from './config.js';\n"
                "const client = new OpenAI();\n"
                "export const run = () => client.chat.completions.create({ model: MODEL, messages: [] });\n"
            ),
            "src/b.js": (
                "const { ChatAnthropic } = require('@langchain/anthropic');\n"
                "const m = new ChatAnthropic({ model: 'claude-3-5-sonnet-latest' });\n"
            ),
        }
    )
    assert seen.names("model") == {"gpt-4o", "claude-3-5-sonnet-latest"}
    assert "MODEL = " in seen.chain("model", "gpt-4o")


def test_openai_agents_in_typescript(script):
    seen = script(
        """
import { Agent, tool } from '@openai/agents';
const refund = tool({ name: 'refund', execute: async () => stripe.refunds.create({}) });
const billing = new Agent({ name: 'Billing', instructions: 'You handle invoices and refunds.',
    model: 'gpt-4.1', tools: [refund] });
const triage = Agent.create({ name: 'Triage',
    instructions: 'You pass people on to the right agent.', handoffs: [billing] });
"""
    )
    assert seen.names("agent") == {"Billing", "Triage"}
    assert ("Billing", "uses_tool", "refund") in seen.links()
    assert ("Triage", "delegates_to", "Billing") in seen.links()


def test_mcp_servers_in_python(see):
    seen = see(
        {
            "fast.py": (
                "from mcp.server.fastmcp import FastMCP\n"
                "mcp = FastMCP('notes')\n"
                "@mcp.tool()\n"
                "def add_note(text: str):\n"
                "    open('notes.txt', 'a').write(text)\n"
                "@mcp.prompt()\n"
                "def review(code: str) -> str:\n"
                "    return f'Please review this code with great care: {code}'\n"
            ),
            "low.py": (
                "from enum import Enum\n"
                "from mcp.server import Server\n"
                "from mcp.types import Tool\n"
                "class T(str, Enum):\n"
                "    STATUS = 'repo_status'\n"
                "server = Server('repo')\n"
                "@server.list_tools()\n"
                "async def tools():\n"
                "    return [Tool(name=T.STATUS, inputSchema={})]\n"
            ),
        }
    )
    assert seen.names("mcp_server") == {"notes", "repo"}
    assert seen.links("exposes_tool") == {
        ("notes", "exposes_tool", "add_note"),
        ("repo", "exposes_tool", "repo_status"),
    }
    assert seen.one("tool", "add_note").props["effects"] == ["write"]
    assert seen.names("prompt") == {"review"}


def test_mcp_server_in_typescript_through_registering_functions(see):
    seen = see(
        {
            "src/index.ts": (
                "import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';\n"
                "import { registerAll } from './tools/index.js';\n"
                "export const createServer = () => {\n"
                "  const server = new McpServer({ name: 'shop', version: '1' });\n"
                "  registerAll(server);\n"
                "  return { server };\n"
                "};\n"
            ),
            "src/tools/index.ts": (
                "import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';\n"
                "import { registerOrder } from './order.js';\n"
                "export const registerAll = (server: McpServer) => {\n"
                "  registerOrder(server);\n"
                "};\n"
            ),
            "src/tools/order.ts": (
                "import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';\n"
                "const name = 'place_order';\n"
                "export const registerOrder = (server: McpServer) => {\n"
                "  server.registerTool(name, {}, async () => ({ content: [] }));\n"
                "};\n"
            ),
            "src/low.ts": (
                "import { Server } from '@modelcontextprotocol/sdk/server/index.js';\n"
                "import { ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';\n"
                "const low = new Server({ name: 'low' }, {});\n"
                "low.setRequestHandler(ListToolsRequestSchema,\n"
                "    async () => ({ tools: [{ name: 'peek', inputSchema: {} }] }));\n"
            ),
        }
    )
    assert seen.links("exposes_tool") == {("shop", "exposes_tool", "place_order"), ("low", "exposes_tool", "peek")}


def test_mcp_clients(python_file):
    seen = python_file(
        "from agents import Agent\n"
        "from agents.mcp import MCPServerStdio\n"
        "files = MCPServerStdio(params={'command': 'npx', 'args': ['-y',\n"
        "    '@modelcontextprotocol/server-filesystem', '/data']})\n"
        "a = Agent(name='Filer', instructions='You keep the files in order.', mcp_servers=[files])\n"
    )
    server = seen.one("mcp_server", "@modelcontextprotocol/server-filesystem")
    assert server.props["transport"] == "stdio"
    assert ("Filer", "connects_to", server.name) in seen.links()


def test_fine_tuning_ties_the_model_to_its_data_and_base(python_file):
    seen = python_file(
        """
from datasets import load_dataset
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, Trainer, TrainingArguments

def train(base: str = "meta-llama/Llama-3.1-8B", data: str = "yahma/alpaca-cleaned", out: str = "./adapter"):
    model = AutoModelForCausalLM.from_pretrained(base)
    model = get_peft_model(model, LoraConfig())
    rows = load_dataset(data)
    train_rows = rows["train"].shuffle().map(lambda r: r)
    trainer = Trainer(model=model, train_dataset=train_rows, args=TrainingArguments(output_dir=out))
    trainer.train()
    model.push_to_hub("team/claims-llama")
"""
    )
    assert seen.names("pipeline") == {"app.py"}
    assert ("adapter", "trained_on", "yahma/alpaca-cleaned") in seen.links()
    assert ("adapter", "fine_tuned_from", "meta-llama/Llama-3.1-8B") in seen.links()
    assert ("app.py", "loads", "yahma/alpaca-cleaned") in seen.links()
    assert ("team/claims-llama", "trained_on", "yahma/alpaca-cleaned") in seen.links()
    assert ("team/claims-llama", "derived_from", "adapter") in seen.links()
    assert seen.one("model", "team/claims-llama").props["provider"] == "huggingface"


def test_a_classic_model_is_tied_to_the_table_it_was_fitted_on(see):
    seen = see(
        {
            "ml/train.py": (
                "import joblib\n"
                "import pandas as pd\n"
                "from sklearn.ensemble import RandomForestClassifier\n"
                "from sklearn.model_selection import train_test_split\n"
                "from sklearn.preprocessing import StandardScaler\n"
                "df = pd.read_csv('data/patients.csv')\n"
                "X = df.drop(columns=['died'])\n"
                "y = df['died']\n"
                "X_train, X_test, y_train, y_test = train_test_split(X, y)\n"
                "scaled = StandardScaler().fit_transform(X_train)\n"
                "clf = RandomForestClassifier()\n"
                "clf.fit(X_train, y_train)\n"
                "joblib.dump(clf, 'risk.joblib')\n"
            ),
            "ml/data/patients.csv": "name,died\n",
        }
    )
    assert ("risk.joblib", "trained_on", "ml/data/patients.csv") in seen.links()
    assert ("ml/train.py", "produces", "risk.joblib") in seen.links()
    assert len(seen.names("model")) == 1


def test_tools_that_query_a_database_read_and_write_its_tables(python_file):
    seen = python_file(
        """
import psycopg
from agents import Agent, function_tool
DSN = "postgresql://app:hunter2hunter2@db.internal:5432/crm"
def connect():
    return psycopg.connect(DSN)
@function_tool
def customer(id: int):
    cur = connect().cursor()
    cur.execute("SELECT name, email FROM customers WHERE id = %s", (id,))
    return cur.fetchone()
@function_tool
def forget(id: int):
    with psycopg.connect(DSN) as conn:
        conn.execute("DELETE FROM customers WHERE id = %s", (id,))
agent = Agent(name="CRM", tools=[customer, forget], instructions="You help with customer data.")
"""
    )
    table = "postgresql://db.internal/crm/customers"
    assert ("customer", "reads", table) in seen.links()
    assert ("forget", "writes", table) in seen.links()
    assert seen.one("tool", "forget").props["effects"] == ["delete"]
    assert "hunter2" not in repr(seen.graph)
    assert "hunter2" not in repr(seen.observations)


def test_a_tool_retrieves_from_the_store_that_its_function_searches(python_file):
    seen = python_file(
        """
from agents import function_tool
from qdrant_client import QdrantClient
from sentence_transformers import SentenceTransformer
encoder = SentenceTransformer("BAAI/bge-m3")
store = QdrantClient(url="http://q:6333")
@function_tool
def search(question: str):
    vector = encoder.encode(question).tolist()
    return store.query_points("tickets", query=vector)
"""
    )
    assert {("search", "retrieves_from", "qdrant"), ("search", "uses_model", "BAAI/bge-m3")} <= seen.links()
    assert ("qdrant", "embedded_by", "BAAI/bge-m3") in seen.links()


def test_what_is_written_into_a_store_is_what_it_indexes(see):
    seen = see(
        {
            "index.py": (
                "import json\nfrom pathlib import Path\nimport chromadb\nimport pandas as pd\n"
                "pages = chromadb.PersistentClient('db').get_or_create_collection('pages')\n"
                "for page in Path('handbook').glob('*.md'):\n"
                "    pages.upsert(ids=['x'], documents=[page.read_text()])\n"
                "leave = pd.read_csv('data/leave.csv')\n"
                "pages.add(ids=[], documents=leave.astype(str).agg(', '.join, axis=1).tolist())\n"
            ),
            "handbook/a.md": "x",
            "data/leave.csv": "x",
        }
    )
    assert seen.links("indexes") == {("chroma", "indexes", "handbook"), ("chroma", "indexes", "data/leave.csv")}


def test_an_agent_that_may_run_any_sql_reads_and_writes_its_database(python_file):
    seen = python_file(
        """
from langchain.agents import create_agent
from langchain_community.agent_toolkits import SQLDatabaseToolkit
from langchain_community.utilities import SQLDatabase
from langchain_core.tools import tool
db = SQLDatabase.from_uri("postgresql+psycopg://u:p4ssw0rdp4ssw0rd@dwh:5432/sales")
@tool
def run_sql(statement: str) -> str:
    "Run it."
    return db.run(statement)
analyst = create_agent("openai:gpt-4o", tools=[*SQLDatabaseToolkit(db=db).get_tools(), run_sql])
"""
    )
    assert {("analyst", "uses_tool", "run_sql"), ("analyst", "uses_tool", "SQLDatabaseToolkit")} <= seen.links()
    assert ("run_sql", "reads", "postgresql://dwh/sales") in seen.links()
    assert ("run_sql", "writes", "postgresql://dwh/sales") in seen.links()


def test_a_table_read_beside_a_model_call_is_read_by_the_application(python_file):
    seen = python_file(
        "import pandas as pd\nfrom openai import OpenAI\nrows = pd.read_csv('people.csv')\n"
        "c = OpenAI(base_url='https://api.deepseek.com')\n"
        "c.chat.completions.create(model='deepseek-chat', messages=[])\n"
    )
    assert ("app", "reads", "people.csv") in seen.links()
    assert seen.names("provider") == {"deepseek"}


def test_guard_libraries(python_file):
    seen = python_file(
        "from openai import OpenAI\n"
        "from nemoguardrails import LLMRails, RailsConfig\n"
        "rails = LLMRails(RailsConfig.from_path('c'))\n"
    )
    assert ("app", "guarded_by", "nemo-guardrails") in seen.links()


PUBLISHING = """
from datasets import load_dataset
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

data = load_dataset("csv", data_files="claims.csv")
tokenizer = AutoTokenizer.from_pretrained("mistralai/Mistral-7B-v0.3")
model = AutoModelForCausalLM.from_pretrained("mistralai/Mistral-7B-v0.3")
other = AutoModelForCausalLM.from_pretrained("google/gemma-2-2b")
trainer = SFTTrainer(model=model, train_dataset=data, args=SFTConfig(output_dir="out"))
trainer.train()
{push}
"""


@pytest.mark.parametrize(
    "push",
    [
        'model.push_to_hub("team/claims")',
        'trainer.model.push_to_hub("team/claims")',
        'trainer.model.merge_and_unload().push_to_hub(repo_id="team/claims")',
        'PeftModel.from_pretrained(model, "out").merge_and_unload().push_to_hub("team/claims")',
        'AutoModelForCausalLM.from_pretrained("out").push_to_hub("team/claims")',
    ],
)
def test_what_is_published_of_trained_weights_is_trained(see, push):
    seen = see({"train.py": PUBLISHING.format(push=push), "claims.csv": "a,b\n"})
    assert ("team/claims", "trained_on", "claims.csv") in seen.links("trained_on")


@pytest.mark.parametrize(
    "push",
    [
        'tokenizer.push_to_hub("team/claims")',
        'trainer.tokenizer.push_to_hub("team/claims")',
        'trainer.processing_class.push_to_hub("team/claims")',
        'data.push_to_hub("team/claims")',
        'other.push_to_hub("team/claims")',
        'model.config.push_to_hub("team/claims")',
        'trainer.push_to_hub("first/last try")',
    ],
)
def test_what_is_published_beside_the_weights_is_not_a_trained_model(see, push):
    seen = see({"train.py": PUBLISHING.format(push=push), "claims.csv": "a,b\n"})
    assert {source for source, _, _ in seen.links("trained_on")} == {"out"}


def test_the_tokenizer_that_is_loaded_beside_a_model_is_no_model(see):
    text = """
from datasets import load_dataset
from trl import SFTTrainer
from unsloth import FastLanguageModel
model, tokenizer = FastLanguageModel.from_pretrained("unsloth/llama-3-8b")
trainer = SFTTrainer(model=model, train_dataset=load_dataset("csv", data_files="claims.csv"))
{}.push_to_hub("team/claims")
"""
    published = see({"train.py": text.format("model"), "claims.csv": "a,b\n"})
    assert ("team/claims", "trained_on", "claims.csv") in published.links("trained_on")
    beside = see({"train.py": text.format("tokenizer"), "claims.csv": "a,b\n"})
    assert not beside.links("trained_on")
