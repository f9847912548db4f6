"""The suite of cases, and its variations, as conversations of chat completions."""

import json
from pathlib import Path

import yaml

from penstock.protect.exchange import ToolCall
from penstock.protect.sessions.conversation import conversation
from penstock.protect.sessions.judge import judged


def cases():
    """Every case with its domain."""
    listed = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text(encoding="utf-8"))
    return [{"domain": domain, **case} for domain, rows in listed.items() for case in rows]


def request(case, results=None):
    """The body that a client sends after the tools have answered."""
    messages = [
        {"role": "system", "content": "You are a helpful assistant. Use the tools you are given."},
        {"role": "user", "content": case["say"]},
    ]
    names = {case["do"][0]}
    for number, (tool, arguments, result) in enumerate(case["got"]):
        names.add(tool)
        call = {"id": f"call_{number}", "type": "function"}
        call["function"] = {"name": tool, "arguments": json.dumps(arguments)}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        said = results[number] if results else result
        messages.append({"role": "tool", "tool_call_id": f"call_{number}", "content": said})
    tools = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in sorted(names)]
    return {"model": "m", "messages": messages, "tools": tools}


def ruling(case, results=None):
    talk = conversation("openai.chat", request(case, results))
    return judged(talk, [ToolCall(case["do"][0], json.dumps(case["do"][1], ensure_ascii=False), "call_x")])[0]
