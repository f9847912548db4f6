"""Bicep: the variables that it gives to programs, through parameters, parameter files and modules; deployed models.

With ``azd``, what the main template puts out are variables of the programs as well. Values that ``azd`` fills in
(``${AZURE_MODEL=gpt-4o}``) count with their default.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.discover.collector import Fact, File, Source, Yielded, collector, joiner
from penstock.discover.infra.bicep_text import Declaration, Value, declarations
from penstock.discover.infra.environment import LONGEST, is_secret, without_credentials
from penstock.graph import identity
from penstock.graph.vocabulary import Observation

NAME = "infra.bicep"
#: Statements of one file, files and ways to call one that are read together, steps to one value, values of one name.
MOST, MOST_CALLS, DEEPEST, MOST_VALUES = 2_000, 200, 30, 8
#: Objects whose fields are variables, and lists whose items are (``{ name: …, value: … }``), by their last name.
_SETTINGS = re.compile(r"(?i)(?:app_?settings|settings|environmentVariables|env|envVars|appEnv|secrets?AndEnv)\Z")
_NAME = re.compile(r"[A-Z][A-Z0-9_]{2,80}\Z|[A-Za-z]\w*(?:(?:__|:)\w+)+\Z")
_FILLED = re.compile(r"\$\{([A-Za-z_]\w*)(?:=([^${}]*))?\}")
_DEPLOYMENT = re.compile(r"(?i)Microsoft\.CognitiveServices/accounts/deployments@")


@collector(
    NAME,
    reads=["*.bicep", "*.bicepparam", "*.parameters.json", "azure.yaml"],
    sees="parameters, variables, outputs, modules and application settings of Bicep; model deployments",
    unseen="loops and functions; modules of a registry; values given on the command line",
)
def bicep(file: File) -> Iterator[Yielded]:
    """The statements of a file as a fact."""
    if file.path.endswith(".json"):
        given = _parameters(file.text)
        if given:
            yield Fact("bicep_given", file.path, {"using": "", "values": given})
        return
    if file.path.endswith("azure.yaml"):
        yield Fact("azd", file.path, True)
        return
    found = [list(each) for _, each in zip(range(MOST), declarations(file.text), strict=False)]
    if file.path.endswith(".bicepparam"):
        using = next((each[2] for each in found if each[0] == "using"), "")
        values = [[each[1], each[3], each[4]] for each in found if each[0] == "param"]
        yield Fact("bicep_given", file.path, {"using": using, "values": values})
    elif found:
        yield Fact("bicep", file.path, found)


def _parameters(text: str) -> list[list[Any]]:
    """The values of a parameter file: [name, value, line]."""
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        return []
    given = held.get("parameters") if isinstance(held, dict) else None
    found: list[list[Any]] = []
    for name, row in list(given.items())[:MOST] if isinstance(given, dict) else ():
        value = row.get("value") if isinstance(row, dict) else None
        if isinstance(value, str):
            line = text.count("\n", 0, max(0, text.find(f'"{name}"'))) + 1
            found.append([name, _filled(value), line])
    return found


def _filled(text: str) -> Value:
    """``${NAME=default}`` as its default; unknown without one."""
    if any(match[2] is None for match in _FILLED.finditer(text)):
        return ["?"]
    return ["s", _FILLED.sub(lambda match: match[2], text)]


@dataclass(frozen=True, slots=True)
class _Module:
    """A file as one caller uses it: what its parameters are given, and by whom."""

    path: str
    given: Mapping[str, tuple[Value, _Module | None, str]]


class Templates:
    """The templates of a source, read together."""

    def __init__(self, facts: Mapping[str, Sequence[Fact]]) -> None:
        self.files = {f.path: [Declaration(*row) for row in f.value] for f in facts.get("bicep", ())}
        self.names = {path: {d.name: d for d in found} for path, found in self.files.items()}
        self.azd = {posixpath.dirname(f.path) for f in facts.get("azd", ())}
        self.files_given = facts.get("bicep_given", ())

    def modules(self) -> Iterator[_Module]:
        """Each file as it is called; those that nobody calls as their parameter files call them."""
        called: set[str] = set()
        for path, found in self.files.items():
            called |= {_beside(path, d.of) for d in found if d.kind == "module"} - {path}
        todo = [_Module(path, self._from_files(path)) for path in self.files if path not in called]
        for _ in range(MOST_CALLS):
            if not todo:
                return
            module = todo.pop()
            yield module
            for each in self.files[module.path]:
                inner = _beside(module.path, each.of)
                if each.kind == "module" and inner in self.files and inner != module.path:
                    todo.append(self.called(module, each))

    @staticmethod
    def called(module: _Module, declared: Declaration) -> _Module:
        """The file behind a module's declaration, as this caller uses it."""
        params = _field(declared.value, "params")
        rows = params[1:] if params[:1] == ["d"] else []
        given = {row[0]: (row[1], module, f"{module.path}:{row[2]}") for row in rows}
        return _Module(_beside(module.path, declared.of), given)

    def _from_files(self, path: str) -> dict[str, tuple[Value, _Module | None, str]]:
        stem, folder = posixpath.basename(path).removesuffix(".bicep"), posixpath.dirname(path)
        found: dict[str, tuple[Value, _Module | None, str]] = {}
        for fact in self.files_given:
            using = fact.value["using"]
            own = _beside(fact.path, using) == path if using else (
                posixpath.dirname(fact.path) == folder and posixpath.basename(fact.path).startswith(f"{stem}.")
            )  # fmt: skip
            for name, value, line in fact.value["values"] if own else ():
                if value != ["?"]:
                    found.setdefault(name, (value, None, f"{fact.path}:{line}"))
        return found

    def texts(self, module: _Module, value: Value, depth: int = 0) -> list[tuple[str, tuple[str, ...]]]:
        """The texts that a value may be, and the steps to each."""
        if depth > DEEPEST:
            return []
        if value[0] == "s":
            made: list[tuple[str, tuple[str, ...]]] = [("", ())]
            for part in value[1:]:
                options = [(part, ())] if isinstance(part, str) else self.texts(module, part, depth + 1)
                made = [(a + b, (*c, *d)) for a, c in made for b, d in options][:MOST_VALUES]
            return made
        if value[0] == "o":
            return [each for part in value[1:] for each in self.texts(module, part, depth + 1)][:MOST_VALUES]
        if value[0] == "r":
            return [
                (text, (step, *chain))
                for held, inside, step in self.named(module, value[1])
                for text, chain in self.texts(inside, held, depth + 1)
            ][:MOST_VALUES]
        return []

    def named(self, module: _Module, name: str, depth: int = 0) -> Iterator[tuple[Value, _Module, str]]:
        """What a name is: what its caller gives, its default, its value; a field of it."""
        head, *rest = name.split(".")
        declared = self.names.get(module.path, {}).get(head)
        if declared is None or depth > DEEPEST:
            return
        where = f"{declared.kind} {head} ({module.path}:{declared.line})"
        found: list[tuple[Value, _Module, str]] = []
        if declared.kind == "param" and head in module.given:
            value, caller, place = module.given[head]
            found.append((value, caller or module, f"{where} given in {place}"))
        elif declared.kind == "module" and rest[:1] == ["outputs"] and len(rest) > 1:
            inner = _beside(module.path, declared.of)
            params = _field(declared.value, "params")
            given = {row[0]: (row[1], module, where) for row in (params[1:] if params[:1] == ["d"] else [])}
            yield from self.named(_Module(inner, given), ".".join(rest[1:]), depth + 1)
            return
        else:
            found.append((declared.value, module, where))
        for held, inside, step in found:
            for part in rest:
                while held[0] == "r" and depth < DEEPEST:
                    depth += 1
                    held, inside, _ = next(self.named(inside, held[1], depth), (["?"], inside, ""))
                held = _field(held, part)
            yield held, inside, step


def _field(value: Value, name: str) -> Value:
    return next((row[1] for row in value[1:] if row[0] == name), ["?"]) if value[:1] == ["d"] else ["?"]


def _beside(path: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), name))


def variables(facts: Mapping[str, Sequence[Fact]]) -> Iterator[Fact]:
    """The variables that templates give to programs, each once per value."""
    templates = Templates(facts)
    seen: set[tuple[str, str]] = set()
    for module in templates.modules():
        for name, value, line in _settings(templates, module):
            for text, _ in templates.texts(module, value):
                if (name, text) not in seen and text and len(text) <= LONGEST and not is_secret(name, text):
                    seen.add((name, text))
                    yield Fact("env", module.path, {"name": name, "value": without_credentials(text), "line": line})


def _settings(templates: Templates, module: _Module) -> Iterator[tuple[str, Value, int]]:
    """(name, value, line) of what a file sets as variables: settings anywhere in it; with azd, what it puts out."""
    main = posixpath.basename(module.path) == "main.bicep" and bool(templates.azd)
    for each in templates.files[module.path]:
        if each.kind == "output" and main and _NAME.match(each.name):
            yield each.name, each.value, each.line
        waiting: list[tuple[str, Value]] = [(each.name, each.value)]
        for _ in range(MOST):
            if not waiting:
                break
            above, value = waiting.pop()
            if value[0] == "d":
                for key, inner, line in value[1:]:
                    if _SETTINGS.search(above) and _NAME.match(key):
                        yield key, inner, line
                    waiting.append((key, inner))
            elif value[0] in "lo":
                for item in value[1:]:
                    waiting.append((above, item))
                    named = _field(item, "name") if item[0] == "d" else ["?"]
                    if named[0] == "s" and len(named) == 2 and isinstance(named[1], str) and _NAME.match(named[1]):
                        line = next(row[2] for row in item[1:] if row[0] == "name")
                        yield named[1], _field(item, "value"), line


@joiner(NAME, sees="models that Bicep deploys", unseen="deployments that a module of a registry makes")
def deployments(source: Source) -> Iterator[Yielded]:
    """Each model of a deployment of Azure OpenAI."""
    templates = Templates(source.facts)
    seen: set[tuple[str, str]] = set()
    for module in templates.modules():
        for where, value in _deployed(templates.files[module.path]):
            for text, chain in templates.texts(module, value):
                place = f"{module.path}:{where}"
                if (place, text) in seen or not re.match(r"[A-Za-z0-9][\w.:-]{1,99}\Z", text):
                    continue
                seen.add((place, text))
                model = identity.asset("model", text, props={"provider": "azure-openai"}, status="declared")
                yield Observation(model, source.evidence(NAME, place, chain=chain))


def _deployed(found: Iterable[Declaration]) -> Iterator[tuple[int, Value]]:
    for each in found:
        if each.kind == "resource" and _DEPLOYMENT.match(each.of):
            yield each.line, _field(_field(_field(each.value, "properties"), "model"), "name")
        elif each.kind == "module" and (listed := _field(_field(each.value, "params"), "deployments"))[0] == "l":
            for item in listed[1:]:
                yield each.line, _field(_field(item, "model"), "name")
