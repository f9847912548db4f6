"""Calls of a model's API over plain HTTP, without an SDK: seen by the address they go to, and by nothing else."""

import pytest

from penstock.discover.code.relevance import choose, glance
from penstock.knowledge.model_apis import api_call, mentions_api

OPENAI = """
import os, requests
URL = "https://api.openai.com/v1/chat/completions"
MODEL = os.getenv("MODEL", "gpt-4o-mini")
RULES = "You are a careful clerk who answers politely to everyone."
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {}}}]
def get_weather(city): return requests.get("https://weather.example/" + city)
def ask(question):
    payload = {"model": MODEL, "messages": [{"role": "system", "content": RULES}], "tools": TOOLS}
    return requests.post(URL, json=payload)
"""


def test_a_post_to_a_models_host_uses_the_model_in_its_body(python_file):
    seen = python_file(OPENAI)
    assert seen.names("model") == {"gpt-4o-mini"}
    assert seen.names("provider") == {"openai"}
    assert seen.names("prompt") == {"RULES"}
    assert seen.names("tool") == {"get_weather"}
    assert ("app", "uses_model", "gpt-4o-mini") in seen.links()
    assert ("app", "uses_tool", "get_weather") in seen.links()


@pytest.mark.parametrize("address", ["https://api.stripe.com/v1/x", "https://openai.example.com/v1/x", "/api/chat"])
def test_the_same_post_to_any_other_host_says_nothing(python_file, address):
    assert not python_file(OPENAI.replace("https://api.openai.com/v1/chat/completions", address)).graph.assets


def test_the_path_of_a_url_names_the_model_where_the_body_does_not(python_file):
    seen = python_file(
        "import requests\n"
        "def ask(q, key):\n"
        '    url = f"https://generativelanguage.googleapis.com/v1beta/models/gemini-1.5-flash:generateContent?key={key}"\n'
        '    return requests.post(url, json={"contents": [{"parts": [{"text": q}]}]})\n'
    )
    assert seen.names("model") == {"gemini-1.5-flash"}
    assert seen.names("provider") == {"google-gemini"}


def test_a_client_with_a_base_address_and_json_that_is_written_out(python_file):
    seen = python_file(
        "import httpx, json, urllib.request\n"
        'client = httpx.AsyncClient(base_url="https://api.mistral.ai/v1")\n'
        "async def ask(q):\n"
        '    return await client.post("/chat/completions", json={"model": "mistral-small-latest", "messages": []})\n'
        'body = json.dumps({"model": "claude-3-5-haiku-20241022", "messages": []}).encode()\n'
        'urllib.request.Request("https://api.anthropic.com/v1/messages", data=body)\n'
    )
    assert seen.names("model") == {"mistral-small-latest", "claude-3-5-haiku-20241022"}


def test_an_own_server_that_speaks_a_models_protocol_is_an_endpoint(python_file):
    seen = python_file(
        "import requests\n"
        'requests.post("http://localhost:11434/api/generate", json={"model": "llama3.2", "prompt": "x"})\n'
        'requests.post("http://vllm:8000/v1/chat/completions", json={"model": "support", "messages": []})\n'
    )
    assert seen.names("endpoint") == {"http://localhost:11434", "http://vllm:8000"}
    assert seen.names("model") == {"llama3.2", "support"}
    assert seen.names("provider") == set()


def test_scripts_call_with_fetch_axios_and_got(script):
    seen = script(
        """
import axios from 'axios';
import got from 'got';
const BASE = process.env.BASE ?? 'https://openrouter.ai/api/v1';
export const ask = (q: string) => fetch(`${BASE}/chat/completions`, {
  method: 'POST', body: JSON.stringify({ model: 'anthropic/claude-3.5-sonnet', messages: [] }),
});
const groq = axios.create({ baseURL: 'https://api.groq.com/openai/v1' });
export const fast = (q: string) => groq.post('/chat/completions', { model: 'llama-3.3-70b-versatile', messages: [] });
await got.post('https://api.openai.com/v1/embeddings', { json: { model: 'text-embedding-3-small', input: 'x' } });
await fetch('/api/chat', { method: 'POST', body: JSON.stringify({ model: 'not-this-one' }) });
"""
    )
    assert seen.names("model") == {"anthropic/claude-3.5-sonnet", "llama-3.3-70b-versatile", "text-embedding-3-small"}
    assert seen.one("model", "text-embedding-3-small").props["role"] == "embedding"
    assert seen.names("provider") == {"openrouter", "groq", "openai"}


def test_an_address_alone_says_nothing(see):
    seen = see({
        "policy.py": 'ALLOWED = ["https://api.openai.com", "https://api.anthropic.com"]\n',
        "rules.prompt": "You are a clerk.",
        "train.py": "import pandas as pd\nd = pd.read_csv('x.csv')\n",
    })  # fmt: skip
    assert not seen.graph.assets


def test_a_file_with_such_an_address_is_read_and_others_stay_unread():
    files = {
        "llm.py": b'import requests\nrequests.post("https://api.openai.com/v1/chat/completions")\n',
        "shop.py": b'import requests\nrequests.post("https://api.stripe.com/v1/charges")\n',
    }
    assert choose({path: glance(path, data) for path, data in files.items()}) == {"llm.py"}
    assert choose({"shop.py": glance("shop.py", files["shop.py"])}) == frozenset()


@pytest.mark.parametrize(
    ("url", "model"),
    [
        ("https://{}.openai.azure.com/openai/deployments/gpt-4o/chat/completions?api-version={}", "gpt-4o"),
        ("https://bedrock-runtime.{}.amazonaws.com/model/amazon.nova-lite-v1%3A0/converse", "amazon.nova-lite-v1:0"),
        ("https://generativelanguage.googleapis.com/v1beta/models/{}:generateContent", ""),
    ],
)
def test_unknown_parts_of_an_address_stay_unknown(url, model):
    assert api_call(url) is not None
    assert api_call(url).model == model


@pytest.mark.parametrize("url", ["", "http://[", "ftp://api.openai.com/v1", "//", "https://huggingface.co/docs", "{}"])
def test_what_is_no_call_of_a_model_is_none(url):
    assert api_call(url) is None
    assert not mentions_api(b"// see the docs of openai")
