"""Settings of coding assistants: what they may do without asking, what runs by itself, and where their models are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from penstock.discover.assistants.documents import read
from penstock.discover.assistants.files import AssistantRow, assistant, rows
from penstock.discover.assistants.hooks import hook, hooks
from penstock.discover.collector import Fact, File, Yielded, collector
from penstock.discover.infra.environment import is_address, without_credentials
from penstock.discover.infra.marked import Map, as_map, as_text, dig, line_of, texts
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Observation, Unseen

NAME = "assistants.settings"
MOST = 500
#: A shell without limits, as Claude Code writes permissions.
_ANY_COMMAND = re.compile(r"Bash(?:\(\s*(?:\*|:\*)?\s*\))?\Z|\*\Z")
#: Programs that do anything at all, allowed with whatever comes after them.
_BROAD = re.compile(
    r"Bash\(\s*(?:sudo|su|(?:ba|z|da)?sh|eval|exec|xargs|python[\d.]*|node|perl|ruby|php|deno|bun|curl|wget|nc|ssh|scp|rm|chmod|chown|"
    r"dd|docker|kubectl|aws|gcloud|az|terraform|powershell|pwsh|osascript|crontab)\s*(?::?\*|\s+\*)\s*\)\Z|"
    r"(?:Read|Edit|Write|MultiEdit)\(\s*(?:~|//|/)?/?\*\*?(?:/\*\*?)?\s*\)\Z|mcp__\*\Z|WebFetch(?:\(\s*(?:domain:)?\*\s*\))\Z"
)  # fmt: skip
_EVERYWHERE = re.compile(r"(?:/|~/?|\$HOME/?|/home/?|/Users/?|[A-Z]:[\\/]?)\Z")
#: A rule about commands that all of them fit: ``/.*/``, ``*``.
_ANYTHING = re.compile(r"(?:/\^?\.\*\$?/\w*|\*|\*\*(?:/\*)?)\Z")
#: Settings of Claude Code that name a command which it runs by itself.
_HELPERS = ("apiKeyHelper", "awsAuthRefresh", "awsCredentialExport", "otelHeadersHelper")
#: Variables that send an assistant's model traffic elsewhere.
_BASE_URL = re.compile(
    r"(?:ANTHROPIC|OPENAI|GEMINI|GOOGLE_GEMINI|AZURE_OPENAI|OLLAMA)\w*_(?:BASE_URL|API_BASE|HOST|ENDPOINT)\Z"
)


@collector(
    NAME,
    reads=[pattern for row in rows() for pattern in row.settings],
    sees="approval, autonomy, sandbox, hooks, model and model address of Claude Code, Codex, Gemini CLI and Copilot",
    unseen="settings of a user's home and of managed policies",
)
def settings(file: File) -> Iterator[Yielded]:
    """What the settings change about an assistant."""
    document = read(file, NAME)
    if isinstance(document, Unseen):
        yield document
        return
    root = as_map(document)
    by_id = {row.id: row for row in rows()}
    if file.path.endswith(".codex/config.toml"):
        yield from _codex(file, by_id["codex"], root)
    elif ".gemini/" in f"/{file.path}":
        yield from _gemini(file, by_id["gemini-cli"], root)
    elif ".vscode/" in f"/{file.path}":
        yield from _copilot(file, by_id["copilot"], root)
    else:
        yield from _claude(file, by_id["claude-code"], root)


def _claude(file: File, row: AssistantRow, root: Map) -> Iterator[Yielded]:
    permissions = as_map(root.get("permissions"))
    mode = as_text(permissions.get("defaultMode"))
    allowed = texts(permissions.get("allow"))
    free = [rule for rule in allowed if _ANY_COMMAND.match(rule.strip())]
    props: dict[str, Any] = {"autonomy": "act"} if root else {}
    why = []
    if mode == "bypassPermissions" or free:
        props["approval"] = "none"
        why.append(
            f"permissions.defaultMode is {mode}" if mode == "bypassPermissions" else f"{free[0]} needs no approval"
        )
    elif mode == "plan":
        props["autonomy"] = "suggest"
        why.append("permissions.defaultMode is plan")
    sandbox = as_map(root.get("sandbox")).get("enabled")
    if isinstance(sandbox, bool):
        props["sandbox"] = sandbox
    dangers = {}
    if root.get("enableAllProjectMcpServers") is True:
        dangers["auto_trust"] = "every MCP server of a project is accepted unasked"
    broad = [rule for rule in allowed if rule not in free and _BROAD.match(rule.strip())]
    broad += [place for place in texts(permissions.get("additionalDirectories")) if _EVERYWHERE.match(place.strip())]
    if broad:
        dangers["broad_permission"] = f"{broad[0][:100]} is allowed unasked"
    _add(props, why, dangers)
    yield from _assistant(file, row, props, line_of(root, "permissions"), why)
    host = assistant(row, file.scope)
    yield from hooks(file, host, as_map(root.get("hooks")))
    for event, command in (
        ("statusLine", as_text(as_map(root.get("statusLine")).get("command"))),
        *((key, as_text(root.get(key))) for key in _HELPERS),
    ):
        yield from hook(file, host, event, "0", command, line_of(root, event), (f"{event} is run by itself",))
    yield from _environment(file, host, as_map(root.get("env")))
    yield from _model(file, host, as_text(root.get("model")), "", line_of(root, "model"))


def _codex(file: File, row: AssistantRow, root: Map) -> Iterator[Yielded]:
    policy, sandbox = as_text(root.get("approval_policy")), as_text(root.get("sandbox_mode"))
    props: dict[str, Any] = {"autonomy": "act"}
    why = []
    if policy:
        props["approval"] = "none" if policy == "never" else "required"
        why.append(f"approval_policy is {policy}")
    if sandbox:
        props["sandbox"] = sandbox != "danger-full-access"
        why.append(f"sandbox_mode is {sandbox}")
    if sandbox == "danger-full-access":
        _add(props, why, {"full_access": "nothing confines what it runs"})
    yield from _assistant(file, row, props, line_of(root, "approval_policy"), why)
    host = assistant(row, file.scope)
    notify = " ".join(texts(root.get("notify")))
    yield from hook(file, host, "notify", "0", notify, line_of(root, "notify"), ("notify is run by itself",))
    provider = as_text(root.get("model_provider"))
    chosen = as_map(dig(root, "model_providers", provider)) if provider else Map()
    url = as_text(chosen.get("base_url"))
    yield from _model(file, host, as_text(root.get("model")), url, line_of(root, "model"))


def _gemini(file: File, row: AssistantRow, root: Map) -> Iterator[Yielded]:
    props: dict[str, Any] = {}
    why = []
    if as_text(dig(root, "general", "defaultApprovalMode") or root.get("approvalMode")) == "yolo":
        props["approval"] = "none"
        why.append("its approval mode is yolo")
    if root.get("autoAccept") is True:
        _add(props, why, {"broad_permission": "autoAccept is on"})
    sandbox = root.get("sandbox", dig(root, "tools", "sandbox"))
    if isinstance(sandbox, bool):
        props["sandbox"] = sandbox
    yield from _assistant(file, row, props, 1, why)


def _copilot(file: File, row: AssistantRow, root: Map) -> Iterator[Yielded]:
    """Visual Studio Code: some settings take questions away; without them the file is no assistant's."""
    props: dict[str, Any] = {}
    why: list[str] = []
    line = 1
    for key in ("chat.tools.autoApprove", "chat.tools.global.autoApprove", "chat.agent.autoApprove"):
        if root.get(key) is True:
            props |= {"approval": "none", "autonomy": "act"}
            why.append(f"{key} is on")
            line = line_of(root, key)
    for key in ("chat.tools.terminal.autoApprove", "chat.tools.edits.autoApprove"):
        rules = as_map(root.get(key))
        if any(_ANYTHING.match(rule) and rules[rule] is True for rule in rules):
            props |= {"approval": "none", "autonomy": "act"}
            why.append(f"{key} allows everything")
            line = line_of(root, key)
    for key, value, danger, says in (
        ("task.allowAutomaticTasks", ("on", True), "starts_alone", "tasks of a folder start when it is opened"),
        ("security.workspace.trust.enabled", (False,), "auto_trust", "every folder is trusted"),
        ("chat.mcp.autostart", ("always", "newAndOutdated"), "auto_trust", "MCP servers of a folder start unasked"),
    ):
        if key in root and root[key] in value:
            _add(props, why, {danger: f"{key}: {says}"})
            line = line_of(root, key)
    if props:
        yield from _assistant(file, row, props, line, why)


def _add(props: dict[str, Any], why: list[str], dangers: dict[str, str]) -> None:
    if dangers:
        props["dangers"] = sorted({*props.get("dangers", ()), *dangers})
        why += dangers.values()


def _assistant(file: File, row: AssistantRow, props: dict[str, Any], line: int, why: list[str]) -> Iterator[Yielded]:
    found = assistant(row, file.scope, **props)
    yield Observation(found, file.evidence(NAME, line, chain=why))
    yield Fact("assistant", file.path, {"id": found.id, "name": found.name})
    yield Fact("defined", file.path, {"id": found.id, "line": line})


def _environment(file: File, host: Asset, env: Map) -> Iterator[Yielded]:
    """Variables that lead model traffic to another address."""
    for name in list(env)[:MOST]:
        url = as_text(env[name])
        if _BASE_URL.match(name) and is_address(url):
            at = file.evidence(
                NAME, line_of(env, name), chain=(f"{name} sends its model calls to {without_credentials(url)[:200]}",)
            )
            place = identity.endpoint(url, file.scope)
            yield Observation(place, at)
            yield Observation(identity.relation(host, "invokes", place), at)


def _model(file: File, host: Asset, name: str, url: str, line: int) -> Iterator[Yielded]:
    """The model that an assistant is set to: of its vendor, or of the address that it is sent to."""
    if not name or len(name) > 200:
        return
    at = file.evidence(NAME, line, chain=(f"{host.name} is set to {name}",))
    if url and is_address(url):
        place, model = identity.endpoint(url, file.scope), identity.model_at(url, name, file.scope)
        yield Observation(place, at)
        yield Observation(identity.relation(host, "invokes", place), at)
    else:
        vendor = {"Claude Code": "anthropic", "Codex": "openai"}.get(host.name)
        if vendor is None:
            return
        model = identity.asset("model", name, props={"provider": vendor})
    yield Observation(model, at)
    yield Observation(identity.relation(host, "uses_model", model), at)
