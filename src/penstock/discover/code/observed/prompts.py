"""Prompts: texts, templates and messages that somebody maintains."""

from __future__ import annotations

import posixpath
from typing import Any

from penstock.discover.code.ir import LINE, NAME, RETURNS
from penstock.discover.code.observed.exposure import say_exposed
from penstock.discover.code.observed.look import Look, hash_of
from penstock.discover.code.observed.prompt_texts import text_file
from penstock.discover.code.places import status_of
from penstock.discover.code.resolve import Target, Text
from penstock.discover.code.signatures import Site
from penstock.graph import identity
from penstock.graph.vocabulary import Asset

#: A user message shorter than this (characters) is a question in passing, not a prompt that somebody maintains.
PROMPT_LENGTH = 120
#: Known characters that a text with unknown parts needs to count as a prompt.
SHAPE_LENGTH = 40
_SYSTEM_ROLES = frozenset({"system", "developer"})


def make_prompt(look: Look, site: Site) -> list[Asset]:
    line = look.line(site.path, site.call)
    if names := [t for t in look.texts(site, "name") if t.value]:
        found = [said_prompt(look, str(names[0].value), site.path, line, 0, "")]
        say_exposed(look, site)
        return found
    if look.argument(site, "role") and not _SYSTEM_ROLES & {str(t.value) for t in look.texts(site, "role")}:
        return []
    found = prompts_of(look, site, "text", "template")
    if not found:
        found = prompts_among(look, site)
    return found


def prompts_of(look: Look, site: Site, role: str, label: str) -> list[Asset]:
    found = []
    for path, expression, frames in look.argument(site, role):
        for target in look.resolver.follow(path, expression, frames):
            found += prompts_at(look, site, target, label, (path, expression))
        if not found:
            found += prompts_in_file(look, path, expression)
    return found


def prompts_in_file(look: Look, path: str, expression: int) -> list[Asset]:
    """The prompt that is read from a file of the source."""
    place = text_file(look, path, expression)
    if not place:
        return []
    name = posixpath.basename(place).rsplit(".", 1)[0]
    rows: list[list[Any]] = next((f.value for f in look.source.facts.get("prompt_file", ()) if f.path == place), [])
    line, length, sha = (rows[0][1], sum(row[2] for row in rows), rows[0][3]) if rows else (1, 0, "")
    return [said_prompt(look, name, place, line, length, sha)]


def prompts_at(look: Look, site: Site, target: Target, label: str, given: tuple[str, int]) -> list[Asset]:
    """The prompt asset of a text, template or prompt function."""
    holder = look.symbol_name(site.path, site.call)
    if target.kind == "function":
        scope = look.resolver.modules[target.path].scopes[target.ref]
        if not scope[NAME] and (said := _said_by(look, site, target, label, given)):
            return said
        name = scope[NAME] or f"{holder}.{label}"
        length, sha = look.returned(target)
        return [said_prompt(look, name, target.path, scope[LINE], length, sha)]
    if target.kind == "external" and (inner := look.site_of(target)) and inner.row.makes == "prompt":
        look.owned.add((inner.path, inner.call))
        return look.make(inner)
    if row_of(look, target) == "l":
        return listed_prompt(look, target, f"{holder}.{label}" if holder else label)
    found = []
    for text in look.resolver.text_of(target):
        if text.env or not text.length or (text.value is not None and "\n" not in text.value and len(text.value) < 4):
            continue
        if text.value is None and text.length < SHAPE_LENGTH:
            continue
        name = prompt_name(look, target, text) or (f"{holder}.{label}" if holder else label)
        sha = text.sha or (hash_of(text.value) if text.value else "")
        found.append(said_prompt(look, name, text.path, text.line, text.length, sha))
    return found[:8]


def row_of(look: Look, target: Target) -> str:
    """The sort of row that a value is."""
    if target.kind != "value" or target.ref < 0:
        return ""
    return str(look.resolver.modules[target.path].expressions[target.ref][0])


def listed_prompt(look: Look, target: Target, name: str) -> list[Asset]:
    """One prompt whose lines are the texts of a list."""
    texts = [t for inner in look.opened(target) if inner.kind == "value" for t in look.resolver.text_of(inner)]
    texts = [text for text in texts if text.length and not text.env]
    if not texts or texts[0].path != target.path:
        return []
    known = [text.value for text in texts if text.value is not None]
    sha = hash_of("\n".join(known)) if len(known) == len(texts) else ""
    line = look.line(target.path, target.ref)
    return [said_prompt(look, name, target.path, line, sum(text.length for text in texts) + len(texts) - 1, sha)]


def _said_by(look: Look, site: Site, lambda_: Target, label: str, given: tuple[str, int]) -> list[Asset]:
    """The prompts that a function without a name gives back: ``_ => SUPPORT_PROMPT``."""
    found: list[Asset] = []
    for returned in look.resolver.modules[lambda_.path].scopes[lambda_.ref][RETURNS]:
        for target in look.resolver.follow(lambda_.path, returned, lambda_.frames):
            if target.kind != "function":
                found += prompts_at(look, site, target, label, given)
    return found


def prompt_name(look: Look, target: Target, text: Text) -> str:
    module = look.resolver.modules.get(target.path)
    if module is None or target.kind != "value":
        return ""
    at = target.ref
    for _ in range(3):
        if name := module.name_of.get(at):
            return str(name)
        at = look.backwards.wrappers(target.path).get(at, -1)
        if at < 0:
            break
    step = text.chain[-1] if text.chain else ""
    name, _, rest = step.partition(" = … (")
    return name if rest and name.isidentifier() else ""


def said_prompt(look: Look, name: str, path: str, line: int, length: int, sha: str) -> Asset:
    props: dict[str, object] = {"text_length": length} if length else {}
    if sha:
        props["text_hash"] = sha
    prompt = identity.asset(
        "prompt", name, scope=look.scope, key=f"{path}::{name}", props=props, status=status_of(path)
    )
    look.say(prompt, path, line)
    return prompt


def prompts_among(look: Look, site: Site) -> list[Asset]:
    """Prompts among the messages of a request: system texts, and long texts of other roles."""
    found: list[Asset] = []
    for path, expression, frames in look.argument(site, "messages"):
        for target in look.resolver.follow(path, expression, frames):
            if target.kind != "value":
                found += prompts_in(look, site, target)
                continue
            row = look.resolver.modules[target.path].expressions[target.ref]
            if row[0] == "l":
                for item in look.resolver.items(target):
                    found += prompts_in(look, site, item)
            elif row[0] in "sSf":
                found += long_prompts(look, site, target, "prompt")
    return found


def prompts_in(look: Look, site: Site, item: Target) -> list[Asset]:
    if item.kind == "external":
        inner = look.site_of(item)
        if (inner and inner.row.makes == "prompt") or item.ref < 0:
            return look.make(inner) if inner else []
    elif item.kind != "value":
        return []
    module = look.resolver.modules[item.path]
    row = module.expressions[item.ref]
    if row[0] == "c":  # a message made of named fields
        row = ["d", row[1], [[name.lower(), value] for name, value in row[4].items()]]
    if row[0] == "d":
        fields = {name: value for name, value in row[2] if isinstance(name, str)}
        role, content = fields.get("role", -1), fields.get("content", fields.get("parts", -1))
        if role < 0 and module.language == "csharp":  # new(ChatRole.System, "…"), which says no type
            role, content = fields.get("0", -1), fields.get("1", -1)
    elif row[0] == "l" and len(row[2]) == 2:
        role, content = row[2]
    else:
        return []
    roles = {t.value for t in look.resolver.texts(item.path, role, item.frames)} if role >= 0 else set()
    if content < 0:
        return []
    found: list[Asset] = []
    for target in look.resolver.follow(item.path, content, item.frames):
        if roles & _SYSTEM_ROLES:
            found += prompts_at(look, site, target, "system", (item.path, content))
        elif roles:
            found += long_prompts(look, site, target, "prompt")
    if not found and roles & _SYSTEM_ROLES:
        found += prompts_in_file(look, item.path, content)
    return found


def long_prompts(look: Look, site: Site, target: Target, label: str) -> list[Asset]:
    texts = look.resolver.text_of(target)
    if any(t.length >= PROMPT_LENGTH for t in texts):
        return prompts_at(look, site, target, label, (site.path, site.call))
    return []


def say_prompt_files(look: Look) -> None:
    """Prompts that lie in files of their own."""
    for fact in look.source.facts.get("prompt_file", ()):
        name = posixpath.basename(fact.path).rsplit(".", 1)[0]
        first = fact.value[0]
        said_prompt(look, name, fact.path, first[1], sum(row[2] for row in fact.value), first[3])
