"""Libraries that are no dependency of ours, through the gateway: allowed, masked, stopped, asked; streamed or not.

python bench/gateway/other_clients.py --python PYTHON --node FOLDER

PYTHON has ``langchain-openai``, ``litellm`` and (for its tools) ``mcp`` installed, FOLDER holds
``node_modules`` with ``ai`` and ``@ai-sdk/openai``. Each prints what its user would see; a
row is good when that is the model's words, the words with
masks, or the reason. Exit code 1 when one is not.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

PYTHON = {
    "langchain-openai": """
import os, sys
from langchain_openai import ChatOpenAI
from langchain_core.tools import tool
@tool
def send(note: str) -> str:
    "Sends a note"
    return ""
model = ChatOpenAI(model="m", max_retries=0)
model = model.bind_tools([send]) if "tools" in sys.argv else model
if "stream" in sys.argv:
    whole = None
    for piece in model.stream(os.environ["ASK"]):
        whole = piece if whole is None else whole + piece
else:
    whole = model.invoke(os.environ["ASK"])
print(whole.content, whole.tool_calls or "")
""",
    "litellm": """
import os, sys, litellm
parameters = {"type": "object", "properties": {"note": {"type": "string"}}}
tools = [{"type": "function", "function": {"name": "send", "description": "Sends", "parameters": parameters}}]
more = {"tools": tools} if "tools" in sys.argv else {}
messages = [{"role": "user", "content": os.environ["ASK"]}]
said = litellm.completion(model="openai/m", messages=messages, stream="stream" in sys.argv, num_retries=0, **more)
if "stream" in sys.argv:
    said = litellm.stream_chunk_builder(list(said), messages=messages)
message = said.choices[0].message
print(message.content, [call.function.arguments for call in message.tool_calls or ()] or "")
""",
}
NODE = """
import { generateText, streamText, tool, jsonSchema } from "ai";
import { createOpenAI } from "@ai-sdk/openai";
const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: process.env.OPENAI_API_KEY });
const schema = jsonSchema({ type: "object", properties: { note: { type: "string" } } });
const tools = process.argv.includes("tools") ? { send: tool({ description: "Sends", inputSchema: schema }) } : {};
const asked = { model: openai.chat("m"), prompt: process.env.ASK, maxRetries: 0, tools };
const answer = process.argv.includes("stream") ? streamText(asked) : await generateText(asked);
console.log(await answer.text, JSON.stringify((await answer.toolCalls).map((call) => call.input)));
"""
ASK = "What do you know about customer FR-10000? Asked by ada@analytical.co.uk"


def rules():
    from tests.protect.gateway_world import rule

    return {
        "allowed": ((), lambda said: "@" in said and "[EMAIL]" not in said),
        "masked": ((rule("redact", "pii", "pci"),), lambda said: "[EMAIL]" in said),
        "stopped": ((rule("stop", "pii", direction="in"),), lambda said: "was not sent to the model" in said),
        "asked": ((rule("ask", "pii", direction="in"),), lambda said: "was asked to allow it" in said),
    }


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--python", help="an interpreter with langchain-openai and litellm")
    ask.add_argument("--node", type=Path, help="a folder with node_modules")
    given = ask.parse_args()
    from examples.upstream import build as upstream
    from penstock.protect.gateway import build
    from penstock.protect.sink import MemorySink
    from penstock.protect.snapshot_source import FixedSnapshot
    from tests.protect.gateway_world import KEY, served, snapshot

    with tempfile.TemporaryDirectory() as folder:
        commands = {}
        for name, script in PYTHON.items() if given.python else ():
            path = Path(folder) / f"ask-by-{name}.py"  # never the name of the library
            path.write_text(script)
            commands[name] = [given.python, str(path)]
        if given.node:
            path = given.node / "penstock-client.mjs"
            path.write_text(NODE)
            commands["ai (Node)"] = ["node", str(path)]
        source, good = FixedSnapshot(None), True
        with served(upstream(pause=0.0)) as provider, served(build(source, MemorySink())) as root:
            for case, (made, fits) in rules().items():
                source.put(snapshot(*made, upstream=provider))
                for name, command in commands.items():
                    row = []
                    for ways in ((), ("stream",), ("tools",), ("stream", "tools")):
                        environment = {
                            **os.environ, "OPENAI_BASE_URL": f"{root}/v1", "OPENAI_API_BASE": f"{root}/v1",
                            "OPENAI_API_KEY": KEY, "ASK": ASK, "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                        }  # fmt: skip
                        done = subprocess.run(
                            [*command, *ways], capture_output=True, text=True, env=environment, timeout=120, check=False
                        )
                        fine = done.returncode == 0 and fits(done.stdout)
                        good = good and fine
                        row.append(f"{'+'.join(ways) or 'whole'} {'good' if fine else 'NOT GOOD'}")
                        if not fine:
                            print(json.dumps((done.stdout or done.stderr)[-600:]))
                    print(f"{case:8} {name:18} {' · '.join(row)}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
