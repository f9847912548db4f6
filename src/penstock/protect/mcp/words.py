"""What an agent and its user read in place of a tool's answer: what was stopped, why, whom to ask."""

from __future__ import annotations

from penstock.protect import words
from penstock.protect.mcp.tools import Standing
from penstock.protect.policy import Decision
from penstock.protect.snapshot import Caller

_SAID = {
    "changed": "its definition has changed since it was approved",
    "poisoned": "its description works against whoever reads it",
    "hidden": "its definition holds characters that nobody sees",
    "shadowing": "it stands in another tool's way",
}


def quarantined(caller: Caller, named: str, standing: Standing, reference: str) -> str:
    """Why a tool is not to be called now."""
    diff = f" Changed: {' | '.join(standing.diff[:6])}." if standing.diff else ""
    why = f" ({standing.why})" if standing.state != "changed" and standing.why else ""
    said = f"The tool {named} was not called: {_SAID[standing.state]}{why}.{diff}"
    return f"{said} Go on without it. {_ask(caller, reference)}"


def not_allowed(caller: Caller, named: str, reference: str) -> str:
    return f"The tool {named} was not called: {caller.name} may not use it. Go on without it. {_ask(caller, reference)}"


def refusal(caller: Caller, decision: Decision, direction: str, reference: str, name: str) -> str:
    """Why arguments were not sent, or a result was not handed on."""
    said = words.refusal(caller, decision, direction, reference)
    what = f"the tool {name}" if name else "the MCP server"
    said = said.replace("This message was not sent to the model", f"This was not sent to {what}")
    return said.replace("The model's answer was stopped here", f"What {what} answered is not shown")


def client_refused() -> str:
    """What a server is told: that it gets no answer, not what was seen in it."""
    return "The client's policy does not allow this"


def batch_mate() -> str:
    return "Not sent, because a message of the same batch was stopped: send this one by itself"


def unknown_server(name: str) -> str:
    return (
        f"There is no MCP server {name!r}. Where: upstreams in penstock.yaml. What to do: add it with surfaces: [mcp], "
        "or use a name that is there."
    )


def _ask(caller: Caller, reference: str) -> str:
    owner = caller.approver or caller.owner
    whom = f"ask {owner}" if owner else "ask your security team"
    return f"To have it allowed, {whom} and quote {reference}."
