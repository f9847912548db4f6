"""One MCP server as a client configuration names it: how it would be reached or started. It never is."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from penstock.discover.infra.environment import is_address, is_secret, redacted
from penstock.discover.infra.marked import Map, as_map, as_text, line_of, texts
from penstock.graph import identity
from penstock.graph.vocabulary import Asset
from penstock.inspect.commands import dangers
from penstock.knowledge.pack import define_pack, load_pack


class ServerRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    effects: tuple[str, ...]
    packages: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


define_pack("mcp_servers", ServerRow, check=lambda row, name: name in (*row.packages, *row.hosts))

#: Programs that fetch and run a package, with the options that take a value before it.
_RUNNERS = {
    "npx": {"-p", "--package", "-c", "--call"},
    "bunx": {"-p", "--package"},
    "pnpx": {"--package"},
    "uvx": {"--from", "--python", "-p", "--with", "--index-url"},
    "pipx": {"--spec", "--python"},
    "docker": {
        "-e",
        "--env",
        "-v",
        "--volume",
        "--mount",
        "--name",
        "--network",
        "-p",
        "--env-file",
        "-w",
        "-u",
        "--user",
    },
}
_RUNNERS["podman"] = _RUNNERS["docker"]
_SUBCOMMANDS = {
    "docker": {"run"},
    "podman": {"run"},
    "pipx": {"run"},
    "npm": {"exec"},
    "pnpm": {"dlx"},
    "yarn": {"dlx"},
}
_EXACT = re.compile(r"v?\d+(?:\.\d+){0,3}(?:[-+.][\w.-]+)?\Z")
_COMMIT = re.compile(r"[0-9a-f]{7,40}\Z")
_SHELL = re.compile(r"(?:^|[/\\])(?:ba|z|da|k|fi)?sh(?:\.exe)?\Z|(?:^|[/\\])cmd(?:\.exe)?\Z", re.IGNORECASE)
_SHELL_OPTION = re.compile(r"-\w*c\Z|/c\Z", re.IGNORECASE)
#: Where a value comes from somewhere else and is not written here.
_REFERENCE = re.compile(r"\$\{[^}]+\}|\$[A-Z_][A-Z0-9_]*|\{env:[^}]+\}|\{\{[^}]+\}\}|<[^>]+>|%[A-Z_]+%|op://")
_LONGEST = 300
#: Variables that make a program load code which its command does not name, and the values that do.
_INJECTING = {
    "NODE_OPTIONS": re.compile(r"--(?:require|import|loader|experimental-loader)\b|-r\s"),
    "PERL5OPT": re.compile(r"-M"),
    "RUBYOPT": re.compile(r"-r"),
    "JAVA_TOOL_OPTIONS": re.compile(r"-(?:javaagent|agentpath)"),
} | dict.fromkeys(
    ("LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "PYTHONSTARTUP", "BASH_ENV", "PROMPT_COMMAND"), re.compile(".")
)


@dataclass(frozen=True, slots=True)
class Package:
    """What a command would fetch and run: name, version as written ("" for none), whether that is one exact version."""

    name: str
    version: str
    pinned: bool


def server(name: str, config: Map, scope: str) -> tuple[Asset, list[str]]:
    """A server and what is dangerous about it, in words.

    Its key is what it is (address or package), its name what the configuration calls it.
    """
    props: dict[str, Any] = {}
    found: dict[str, str] = {}
    url = address(config)
    words = command(config)
    key = name
    known: ServerRow | None = None
    if url:
        parts = urlsplit(url)
        props["transport"] = "https" if parts.scheme in ("https", "wss") else "http"
        props["url"] = origin = identity.origin_of(url)
        key = f"{name} at {origin}{parts.path.rstrip('/')}"
        known = _known().get(parts.hostname or "")
        if parts.scheme in ("http", "ws") and not _is_near(parts.hostname or ""):
            found["plaintext"] = f"{origin} is spoken to without encryption"
    elif words:
        props["transport"] = "stdio"
        props["command"] = redacted(" ".join(words))[:_LONGEST]
        package = package_of(words)
        if package is not None:
            props["version_pin"] = package.pinned
            if package.version:
                props["version"] = package.version
            key = f"{name} from {package.name}"
            known = _known().get(package.name.casefold())
        found |= {span.type: span.reason for span in dangers(" ".join(words)[:20_000])}
    given = as_map(config.get("env"))
    for variable in sorted(_INJECTING.keys() & given.keys()):
        if _INJECTING[variable].search(as_text(given[variable])):
            found["injected"] = f"{variable} has other code loaded into it"
    if found:
        props["dangers"] = sorted(found)
    if config.get("trust") is True or "*" in (*texts(config.get("autoApprove")), *texts(config.get("alwaysAllow"))):
        props["approval"] = "none"
    if known is not None:
        props["effects"] = list(known.effects)
    return identity.asset("mcp_server", name, scope=scope, key=key, props=props), list(found.values())


def address(config: Map) -> str:
    """The address of a remote server, or "" when it is started by a command."""
    for key in ("url", "serverUrl", "httpUrl", "server_url", "endpoint"):
        text = as_text(config.get(key)).strip()
        if re.match(r"(?:https?|wss?)://", text, re.IGNORECASE) and is_address(text[:2_000]):
            return text[:2_000]
    return ""


def command(config: Map) -> list[str]:
    """The words that would start the server."""
    first = config.get("command")
    if isinstance(first, Map):  # Zed: {"command": {"path": …, "args": […]}}
        return [word for word in (as_text(first.get("path")), *texts(first.get("args"))) if word][:200]
    words = [*texts(first), *texts(config.get("args"))]
    return words[:200]


def package_of(words: Sequence[str]) -> Package | None:
    """The package that a command fetches and runs, or None when it runs what is already there."""
    words = _unwrapped(words)
    for index, word in enumerate(words):
        runner = re.split(r"[/\\]", word)[-1].removesuffix(".cmd").removesuffix(".exe")
        rest = words[index + 1 :]
        if runner in _SUBCOMMANDS:
            if not rest or rest[0] not in _SUBCOMMANDS[runner]:
                continue
            rest = rest[1:]
        elif runner not in _RUNNERS:
            continue
        found = _first_bare(rest, _RUNNERS.get(runner, set()))
        if found:
            return image(found) if runner in ("docker", "podman") else split_version(found)
    return None


def _unwrapped(words: Sequence[str]) -> list[str]:
    """The words of the script in ``bash -c "…"`` and ``cmd /c …``, else the words as they are."""
    if len(words) > 2 and _SHELL.search(words[0]) and _SHELL_OPTION.match(words[1]):
        with contextlib.suppress(ValueError):
            return shlex.split(" ".join(words[2:]), comments=True)[:200]
    return list(words)


def _is_near(host: str) -> bool:
    """Whether a host is this machine or in its private network: an address of such a range, or a name without a dot."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost", ".svc", ".cluster.local"))
    return address.is_private or address.is_loopback


def split_version(text: str) -> Package:
    """``name@1.2.3``, ``@scope/name@latest``, ``name==1.2.3`` or ``git+https://…@commit``."""
    if text.startswith(("git+", "github:", "http://", "https://")):
        name, _, reference = text.partition("#") if "#" in text else text.rpartition("@")
        return Package(name or text, reference, bool(_COMMIT.match(reference)))
    if "==" in text:
        name, _, version = text.partition("==")
        return Package(name, version, bool(_EXACT.match(version)))
    head, at, version = text[1:].partition("@")
    return Package(text[0] + head, version if at else "", bool(_EXACT.match(version)))


def image(text: str) -> Package:
    """An image reference: a digest is exact, a tag is when it is a version."""
    name, at, digest = text.partition("@")
    if at:
        return Package(name.partition(":")[0] if "/" not in name else name, digest, True)
    folder, slash, last = text.rpartition("/")
    last, _, tag = last.partition(":")
    return Package(f"{folder}{slash}{last}", tag, bool(_EXACT.match(tag)))


def secrets(config: Map) -> Iterator[tuple[str, bool, int]]:
    """(name, written in the file, line) of each credential that a server is given.

    What comes from a variable goes by the variable's name; a value that is written here is not kept.
    """
    for part in ("env", "environment", "headers", "http_headers", "requestInit"):
        values = as_map(config.get(part))
        if part == "requestInit":
            values = as_map(values.get("headers"))
        for name, value in list(values.items())[:200]:
            text = as_text(value)
            header = name.casefold() in ("authorization", "x-api-key", "api-key", "cookie")
            if text and (header or is_secret(name, text)):
                reference = _REFERENCE.search(text)
                variable = re.search(r"[A-Za-z_]\w{2,}\Z", re.sub(r"[^\w]+\Z", "", reference[0])) if reference else None
                yield variable[0] if variable else name, reference is None, line_of(values, name)
    for key in ("bearer_token_env_var", "env_key"):
        if text := as_text(config.get(key)):
            yield text, False, line_of(config, key)


def _first_bare(words: Sequence[str], valued: set[str]) -> str:
    """The first word that is no option; ``--package x`` and ``--from x`` name the package themselves."""
    index = 0
    while index < len(words):
        word = words[index]
        if word in ("--package", "--from", "--spec") and index + 1 < len(words):
            return words[index + 1]
        if word.startswith(("--package=", "--from=", "--spec=")):
            return word.partition("=")[2]
        if word in valued:
            index += 2
        elif word.startswith("-"):
            index += 1
        else:
            return word
    return ""


@cache
def _known() -> dict[str, ServerRow]:
    return {name.casefold(): row for row in load_pack("mcp_servers").rows for name in (*row.packages, *row.hosts)}
