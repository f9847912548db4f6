"""From resolved code to observations: models, agents, tools, prompts, servers, stores, data, training, and their links.

Runs once per source over the IR of all its files. Without an import of an AI package nothing is said at all.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Any

from penstock.discover.code import effects
from penstock.discover.code.ir import DECORATORS, LINE, NAME, RETURNS
from penstock.discover.code.places import status_of
from penstock.discover.code.resolve import Frames, Module, Resolver, Target, Text
from penstock.discover.code.signatures import (
    Site,
    arguments,
    last_name,
    members,
    name_for,
    provider_of,
    sites,
)
from penstock.discover.collector import Source, Yielded, joiner
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Complete, Evidence, Observation, Relation, Unseen
from penstock.knowledge.models import family_of
from penstock.knowledge.packages import OF_LANGUAGE, package_named
from penstock.knowledge.providers import provider_of_host, provider_of_prefix

COLLECTOR = "code"
#: A user message shorter than this (characters) is a question in passing, not a prompt that somebody maintains.
PROMPT_LENGTH = 120
#: Longer than any model id of a hub or provider (ARNs of inference profiles have about 120).
MODEL_LENGTH = 200

#: Files that hold code, of languages read here and of those that are not.
_CODE = frozenset(
    {"py", "ipynb", "ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "go", "java", "kt", "scala", "cs", "rb",
     "php", "rs", "swift", "cpp", "cc"}
)  # fmt: skip
#: Ends of environment names with which SDKs are pointed at another endpoint, after the name of the provider.
_REROUTES = ("_BASE_URL", "_API_BASE", "_BASE", "_ENDPOINT_URL", "_PROXY_URL")
#: Expressions that one look at the flow into a store visits.
MAX_FLOW = 600
#: Methods that put something into a store.
_FILLS = frozenset(
    {"upsert", "add", "insert", "upload_points", "upload_collection", "upload_records", "add_documents", "add_texts",
     "add_embeddings", "aadd_documents", "addDocuments", "addVectors", "insert_many", "bulk_insert", "upsert_records"}
)  # fmt: skip
#: Ends of files that hold data or texts, as against code.
_DATA_FILES = frozenset(
    {"csv", "tsv", "json", "jsonl", "ndjson", "parquet", "feather", "xlsx", "xls", "txt", "md", "pdf", "html", "xml",
     "db", "sqlite", "arrow", "avro", "docx"}
)  # fmt: skip
#: Known characters that a text with unknown parts needs to count as a prompt.
SHAPE_LENGTH = 40

_MODEL_ID = re.compile(r"^[\w./:@+\-#~]+$")
_WEIGHT_FILES = (".gguf", ".safetensors", ".pt", ".pth", ".bin", ".onnx", ".pkl", ".joblib", ".h5", ".keras", ".ckpt")
_HUB_ID = re.compile(r"^[\w.-]+/[\w.-]+$")
#: Classes and attributes of what is published beside weights.
_BESIDE_WEIGHTS = re.compile(
    r"^datasets\.|Tokenizer|Processor|FeatureExtractor|Config\b|Scheduler|\.(tokenizer|processing_class|config)\b"
)
_SYSTEM_ROLES = frozenset({"system", "developer"})


@joiner(
    "code",
    sees="AI use in Python, TypeScript, JavaScript, Go: models, agents, tools, prompts, MCP servers, stores, training",
    unseen="names built at run time, wiring through reflection or registries",
)
def code(source: Source) -> Iterator[Yielded]:
    """Everything the code of one source says about AI."""
    facts = source.facts.get("code", ())
    if not facts:
        return
    if not any(package_named(*name) for fact in facts for name in _imported(fact.value)):
        return
    yield from Observer(source, Resolver(facts, source.facts.get("env", ()), members())).run()


def _imported(value: dict[str, object]) -> Iterator[tuple[str, str]]:
    ecosystem = OF_LANGUAGE.get(str(value["language"]), "")
    for row in value["imports"]:  # type: ignore[attr-defined]
        module, name = row[2], row[3]
        if module and not module.startswith("."):
            dotted = ecosystem in ("python", "java") and name not in ("", "*")
            yield ecosystem, f"{module}.{name}" if dotted else module


class Observer:
    """Walks the sites of a source and collects what they mean; every asset is made once per site."""

    def __init__(self, source: Source, resolver: Resolver) -> None:
        self.source = source
        self.scope = source.scope
        self.resolver = resolver
        self.application = identity.application(source.scope)
        self.sites: dict[tuple[str, int], Site] = {}
        self.made: dict[tuple[str, int], list[Asset]] = {}
        self.tools: dict[tuple[str, int], Asset] = {}  # function → the tool it is
        self.guards: dict[tuple[str, int], Asset] = {}
        self.owned: set[tuple[str, int]] = set()  # sites that belong to an agent, a store, …
        self.busy: set[tuple[str, int]] = set()
        self.out: dict[tuple[object, str], Observation] = {}
        self.notes: dict[tuple[str, str], Unseen] = {}
        self.packaged: list[tuple[str, str, int]] = []
        self.reach: dict[tuple[str, int], effects.Found] = {}
        self.open_wiring = False

    def run(self) -> Iterator[Yielded]:
        for site in sites(self.resolver):
            self.sites.setdefault((site.path, site.call), site)
        self.frameworks()
        ordered = sorted(self.sites.values(), key=lambda s: (s.path, self.line(s.path, s.call)))
        for makes in ("server", "guard_function", "tool", "server_tool", "agent", "server_prompt", "handler"):
            for site in ordered:
                if site.row.makes == makes:
                    self.make(site)
        for site in ordered:
            self.make(site)
        for site in ordered:
            self.own(site)
        self.tool_uses()
        self.store_uses()
        self.data_beside_ai(ordered)
        self.providers_of_packages()
        self.prompt_files()
        yield from self.out.values()
        yield from self.notes.values()
        if self.out and self.sees_all_guards():
            yield Complete(self.scope, "guarded_by", COLLECTOR)

    def sees_all_guards(self) -> bool:
        """Whether every guard that this source's frameworks can be given was seen.

        Not so where a part of the code was not read, or where something is wired at run time. That an endpoint of
        the organisation's own may be a guarding gateway is for the rules to weigh, who know what it serves.
        """
        read = {path for path, module in self.resolver.modules.items() if not module.broken}
        everything = all(path in read for path in self.source.paths if path.rpartition(".")[2].lower() in _CODE)
        rerouted = any(
            name.endswith(_REROUTES) and provider_of_prefix(name.partition("_")[0].lower())
            for name in self.resolver.env
        )
        return everything and not (self.open_wiring or rerouted or self.resolver.exhausted)

    def prompt_files(self) -> None:
        """Prompts that lie in files of their own."""
        for fact in self.source.facts.get("prompt_file", ()):
            name = posixpath.basename(fact.path).rsplit(".", 1)[0]
            first = fact.value[0]
            self.said_prompt(name, fact.path, first[1], sum(row[2] for row in fact.value), first[3])

    # saying things

    def line(self, path: str, expression: int) -> int:
        return self.resolver.modules[path].line(expression)

    def say(
        self, subject: Asset | Relation, path: str, line: int, chain: Iterable[str] = (), confidence: str = "resolved"
    ) -> None:
        where = f"{path}:{line}" if line else path
        evidence = Evidence(COLLECTOR, where, confidence, tuple(dict.fromkeys(chain)), self.scope)
        key = (subject.key if isinstance(subject, Relation) else (subject.id, subject.name), where)
        self.out.setdefault(key, Observation(subject, evidence))

    def link(self, source: Asset, verb: str, target: Asset, path: str, line: int, chain: Iterable[str] = ()) -> None:
        if source.id != target.id:
            self.say(identity.relation(source, verb, target), path, line, chain)

    def app(self, path: str, line: int) -> Asset:
        self.say(self.application, path, line)
        return self.application

    def provider(self, name: str, path: str, line: int) -> None:
        if name and name not in ("self-hosted", "mlflow", "spacy", "openai-whisper"):
            found = identity.asset("provider", name, status=status_of(path))
            self.say(found, path, line)

    # frameworks

    def frameworks(self) -> None:
        """Imported AI packages, and the providers that an SDK is for."""
        for module in self.resolver.modules.values():
            seen: set[str] = set()
            ecosystem = OF_LANGUAGE.get(module.language, "")
            for _, _, name, member, line in module.imports:
                if not name or name.startswith(".") or self.resolver.locate(module.path, name):
                    continue
                dotted = ecosystem in ("python", "java") and member not in ("", "*")
                full = f"{name}.{member}" if dotted else name
                package = package_named(ecosystem, full)
                if package is None or package.id in seen:
                    continue
                seen.add(package.id)
                if package.means == "framework":
                    framework = identity.asset(
                        "framework", package.framework or package.id, status=status_of(module.path)
                    )
                    self.say(framework, module.path, line)
                    self.link(self.app(module.path, line), "built_with", framework, module.path, line)
                if package.provider:
                    self.packaged.append((package.provider, module.path, line))

    def providers_of_packages(self) -> None:
        """An SDK is for its provider, unless every client made with it is pointed elsewhere."""
        urls: dict[str, list[bool]] = {}
        for site in self.sites.values():
            if site.row.makes in ("client", "model") and "base_url" in site.row.args:
                url = self.base_url(site)
                own = url is not None and (not url or provider_of_host(url) != provider_of(site.row, site.symbol))
                urls.setdefault(provider_of(site.row, site.symbol), []).append(own)
        for provider, path, line in self.packaged:
            if not all(urls.get(provider, [False])):
                self.provider(provider, path, line)

    # sites

    def make(self, site: Site) -> list[Asset]:
        """The assets that a site makes, made once."""
        key = (site.path, site.call)
        if key in self.made:
            return self.made[key]
        if key in self.busy:
            return []
        self.busy.add(key)
        maker = getattr(self, f"make_{site.row.makes}", None)
        found: list[Asset] = maker(site) if maker else []
        self.busy.discard(key)
        self.made[key] = found
        return found

    def own(self, site: Site) -> None:
        """What belongs to nobody else belongs to the application, or to the tool it is written in."""
        if (site.path, site.call) in self.owned:
            return
        line = self.line(site.path, site.call)
        makes = site.row.makes
        if makes in ("model", "request"):
            owner = self.owner(site) or self.app(site.path, line)
            for model in self.made.get((site.path, site.call), ()):
                self.link(owner, "uses_model", model, site.path, line)
        elif makes == "data" and site.row.hub:
            for data in self.datasets(site):
                self.link(self.app(site.path, line), "reads", data, site.path, line)
        elif makes == "store":
            for store in self.made.get((site.path, site.call), ()):
                owner = self.owner(site) or self.app(site.path, line)
                self.link(owner, "retrieves_from", store, site.path, line)

    def owner(self, site: Site) -> Asset | None:
        """The tool in whose function a site stands."""
        module = self.resolver.modules[site.path]
        scope = module.expressions[site.call][5] if module.expressions[site.call][0] == "c" else 0
        for function in self.resolver.enclosing(site.path, scope):
            if tool := self.tools.get((site.path, function)):
                return tool
        return None

    def argument(self, site: Site, role: str) -> list[tuple[str, int, Frames]]:
        return arguments(self.resolver, site.path, site.call, site.row, role, site.symbol)

    def texts(self, site: Site, role: str) -> list[Text]:
        return [t for at in self.argument(site, role) for t in self.resolver.texts(*at)]

    def targets(self, site: Site, role: str) -> list[Target]:
        """What an argument holds, lists opened; a default of the package where it is not given."""
        given = self.argument(site, role)
        found: list[Target] = []
        for at in given:
            for target in self.resolver.follow(*at):
                found += self.opened(target)
        if not given:
            for name in site.row.defaults.get(role, ()):
                found += self.resolver.assigned_to(name)
        return found

    def opened(self, target: Target) -> list[Target]:
        """What a list, a dictionary or joined lists hold, nested ones opened; anything else is itself."""
        found: list[Target] = []
        todo, seen = [target], set()
        while todo and len(found) < 200:
            at = todo.pop(0)
            row: list[Any] = self.resolver.modules[at.path].expressions[at.ref] if at.kind == "value" else ["?"]
            if row[0] not in "ldf" or (at.path, at.ref) in seen:
                if row[0] not in "ld":
                    found.append(at)
                continue
            seen.add((at.path, at.ref))
            if row[0] != "f":
                todo = [*self.resolver.items(at), *todo]
                continue
            parts = [t for part in row[2] for t in self.resolver.follow(at.path, part, at.frames)]
            if any(t.kind == "value" and self.resolver.modules[t.path].expressions[t.ref][0] == "l" for t in parts):
                todo = [*parts, *todo]  # one list + another
            else:
                found.append(at)
        return found

    def site_of(self, target: Target) -> Site | None:
        """The site that made an external value: itself, or the nearest one on the way to it."""
        if target.kind == "instance":
            return self.sites.get((target.symbol, target.ref))
        for step in effects.origins(self.resolver, target):
            if found := self.sites.get((step.path, step.ref)):
                return found
        return None

    def assets_of(self, target: Target, *kinds: str) -> list[Asset]:
        """The assets of some kinds that a target stands for."""
        site = self.site_of(target)
        if site is None:
            return []
        if site.row.makes == "passes":
            key = (site.path, site.call)
            if key in self.busy:
                return []
            self.busy.add(key)
            found = [a for inner in self.targets(site, "of") for a in self.assets_of(inner, *kinds)]
            self.busy.discard(key)
            return found
        return [asset for asset in self.make(site) if asset.kind in kinds]

    def symbol_name(self, path: str, expression: int) -> str:
        """The name under which a value is kept: its variable, field, or the function that returns it."""
        module = self.resolver.modules[path]
        at = expression
        for _ in range(4):
            if name := module.name_of.get(at):
                return name if name != "default" else posixpath.basename(path).rsplit(".", 1)[0]
            for rows in module.sets.values():
                for row in rows:
                    if row[3] == at:
                        return str(row[2])
            wrapper = next((i for i, row in enumerate(module.expressions) if row[0] == "*" and row[2] == at), -1)
            if wrapper < 0:
                break
            at = wrapper
        row = module.expressions[expression]
        scope = row[5] if row[0] == "c" else 0
        for function in self.resolver.enclosing(path, scope):
            if module.scopes[function][NAME]:
                return str(module.scopes[function][NAME])
        return ""

    # models

    def make_model(self, site: Site) -> list[Asset]:
        line = self.line(site.path, site.call)
        provider = provider_of(site.row, site.symbol)
        if site.row.weights and site.symbol.rpartition(".")[2] == "from_pretrained" and "Tokenizer" in site.symbol:
            role = "tokenizer"
        else:
            role = site.row.role
        if any(t.value in ("dataset", "space") for t in self.texts(site, "repo_type")):
            return []
        url = self.base_url(site)
        for target in self.targets(site, "client"):
            client = self.site_of(target)
            url = url or (self.base_url(client) if client else None)
        found = self.models_at(site, self.argument(site, "model"), provider, role, url)
        if adapter := self.argument(site, "adapter") if "PeftModel" in site.symbol else []:
            found = self.models_at(site, adapter, provider, "adapter", url)
        self.provider(provider if url is None else "", site.path, line)
        for prompt in self.prompts(site, "system", "system"):
            self.link(self.app(site.path, line), "instructed_by", prompt, site.path, line)
        return found

    def make_request(self, site: Site) -> list[Asset]:
        line = self.line(site.path, site.call)
        provider = provider_of(site.row, site.symbol)
        client = self.site_of(site.receiver) if site.receiver else None
        url = self.base_url(site)
        if client is not None and client.row.makes == "client":
            self.owned.add((client.path, client.call))
            provider = provider_of(client.row, client.symbol) or provider
            url = url if url is not None else self.base_url(client)
            if any(
                t.value == "True" or self.is_true(at)
                for at in self.argument(client, "vertex")
                for t in [Text(None, "", 0, ())]
            ):
                provider = "google-vertex-ai"
        found = self.models_at(site, self.argument(site, "model"), provider, site.row.role, url)
        for target in self.targets(site, "model"):
            if target.kind == "external" and (inner := self.site_of(target)):
                self.owned.add((inner.path, inner.call))
        if client is not None and client.row.makes == "model":
            found += self.make(client)
        if url is None:
            self.provider(provider, site.path, line)
        owner = self.owner(site) or self.application
        for prompt in [*self.prompts(site, "system", "system"), *self.messages(site)]:
            self.app(site.path, line)
            self.link(owner, "instructed_by", prompt, site.path, line)
        for target, given_name in self.named_targets(site, "tools"):
            for tool in self.tool_of(target, given_name):
                self.link(self.app(site.path, line), "uses_tool", tool, site.path, line)
        return found

    def is_true(self, at: tuple[str, int, Frames]) -> bool:
        return any(
            t.kind == "value" and self.resolver.modules[t.path].expressions[t.ref][0::2] == ["b", True]
            for t in self.resolver.follow(*at)
        )

    def make_client(self, site: Site) -> list[Asset]:
        url = self.base_url(site)
        if not url:
            provider = provider_of(site.row, site.symbol) if url is None else ""
            self.provider(provider, site.path, self.line(site.path, site.call))
        return []

    def base_url(self, site: Site) -> str | None:
        """The base URL a client was given; empty when it was given one that is not known, None when none was given."""
        given = self.argument(site, "base_url")
        if not given:
            return None
        texts = [t for at in given for t in self.resolver.texts(*at)]
        known = [t.value for t in texts if t.value and ("://" in t.value or "." in t.value or ":" in t.value)]
        if known:
            return known[0]
        targets = [t for at in given for t in self.resolver.follow(*at)]
        if any(t.kind != "value" for t in targets):
            called = self.symbol_name(site.path, site.call) or last_name(site.symbol)
            self.unresolved(site, f"where the calls of {called} go", texts, "endpoint")
        return "" if texts or targets else None

    def unresolved(self, site: Site, what: str, texts: Iterable[Text], part: str) -> None:
        """A note that something of a site is decided where this source does not show it."""
        names = dict.fromkeys(t.env for t in texts if t.env and t.value is None)
        if names:
            plural = "s" if len(names) > 1 else ""
            variables = f"the environment variable{plural} {', '.join(names)}"
            why = f"it comes from {variables}, which nothing in reach sets"
        else:
            why = "it is known only at run time"
        where = f"{site.path}:{self.line(site.path, site.call)}"
        hint = f"Scan the deployment's configuration, or name the {part} in ai-system.yaml"
        self.notes[(where, what)] = Unseen(where, what, why, hint, COLLECTOR, self.scope, skipped=True)

    def models_at(
        self, site: Site, places: list[tuple[str, int, Frames]], provider: str, role: str, url: str | None
    ) -> list[Asset]:
        found: list[Asset] = []
        unset: list[Text] = []
        for path, expression, frames in places:
            for target in self.resolver.follow(path, expression, frames):
                if target.kind == "external" and target.ref >= 0 and (assets := self.assets_of(target, "model")):
                    if inner := self.site_of(target):
                        self.owned.add((inner.path, inner.call))
                    found += assets
                    continue
                for text in self.resolver.text_of(target):
                    if text.value and (model := self.model(site, text, provider, role, url)):
                        found.append(model)
                    elif text.env and text.value is None:
                        unset.append(text)
        if unset and not found:
            called = self.symbol_name(site.path, site.call) or last_name(site.symbol)
            self.unresolved(site, f"the model of {called}", unset, "model")
        return list({asset.id: asset for asset in found}.values())

    def model(self, site: Site, text: Text, provider: str, role: str, url: str | None) -> Asset | None:
        """The model asset of an id that stands in a model's position."""
        name = (text.value or "").strip()
        if not name or len(name) > MODEL_LENGTH or not _MODEL_ID.match(name) or name.isdigit():
            return None
        line = self.line(site.path, site.call)
        status = status_of(text.path or site.path)
        where = (text.path or site.path, text.line or line)
        confidence = "resolved" if text.chain else "declared"
        if site.row.router:
            provider, name = self.routed(site, name, provider)
        if url and not (hosted := provider_of_host(url)):
            endpoint = identity.endpoint(url, self.scope)
            model = identity.model_at(url, name, self.scope)
            self.say(endpoint, site.path, line)
            self.link(self.app(site.path, line), "invokes", endpoint, site.path, line)
            self.say(model, *where, text.chain, confidence)
            return model
        if url:
            provider = hosted
            self.provider(provider, site.path, line)
        elif url == "":
            family = family_of(name)
            provider = family.provider if family else ""
        if provider == "huggingface" or site.row.weights:
            model = self.weights(site, name, provider, role, status, where[0])
        else:
            family = family_of(name)
            provider = provider or (family.provider if family else "")
            props: dict[str, str] = {"provider": provider} if provider else {}
            if role or (family and family.role):
                props["role"] = role or (family.role if family else "")
            if family and family.vendor:
                props["vendor"] = family.vendor
            model = identity.asset("model", name, props=props, status=status)
        self.say(model, *where, text.chain, confidence)
        if model.props.get("provider"):
            self.provider(str(model.props["provider"]), *where)
        return model

    def routed(self, site: Site, name: str, provider: str) -> tuple[str, str]:
        """Provider and id of a model named through a router: ``anthropic/claude-…``, ``openai:gpt-4o``."""
        given = [t.value for t in self.texts(site, "prefix") if t.value]
        if given and (known := provider_of_prefix(given[0])):
            return known, name
        for separator in ("/", ":"):
            prefix, found, rest = name.partition(separator)
            if found and rest and (known := provider_of_prefix(prefix)):
                return known, rest
        family = family_of(name)
        return (family.provider if family and family.provider else provider), name

    def weights(self, site: Site, name: str, provider: str, role: str, status: str, path: str) -> Asset:
        """A model loaded from a hub or from a folder of the source."""
        props = {"role": role} if role and role != "tokenizer" else {}
        if name.startswith((".", "/", "~")) or name.endswith(_WEIGHT_FILES) or self.is_folder(name):
            return identity.local_model(name, self.scope, props=props, status=status)
        return identity.asset("model", name, props={"provider": provider or "huggingface", **props}, status=status)

    def is_folder(self, name: str) -> bool:
        return any(path.startswith(f"{name}/") for path in self.source.paths)

    # prompts

    def prompts(self, site: Site, role: str, label: str) -> list[Asset]:
        found = []
        for path, expression, frames in self.argument(site, role):
            for target in self.resolver.follow(path, expression, frames):
                found += self.prompt(site, target, label, (path, expression))
        return found

    def prompt(self, site: Site, target: Target, label: str, given: tuple[str, int]) -> list[Asset]:
        """The prompt asset of a text, template or prompt function."""
        holder = self.symbol_name(site.path, site.call)
        if target.kind == "function":
            scope = self.resolver.modules[target.path].scopes[target.ref]
            name = scope[NAME] or f"{holder}.{label}"
            length, sha = self.returned(target)
            return [self.said_prompt(name, target.path, scope[LINE], length, sha)]
        if target.kind == "external" and (inner := self.site_of(target)) and inner.row.makes == "prompt":
            self.owned.add((inner.path, inner.call))
            return self.make(inner)
        found = []
        for text in self.resolver.text_of(target):
            if (
                text.env
                or not text.length
                or (text.value is not None and "\n" not in text.value and len(text.value) < 4)
            ):
                continue
            if text.value is None and text.length < SHAPE_LENGTH:
                continue
            name = self.prompt_name(target, text) or (f"{holder}.{label}" if holder else label)
            sha = text.sha or (_sha(text.value) if text.value else "")
            found.append(self.said_prompt(name, text.path, text.line, text.length, sha))
        return found[:8]

    def prompt_name(self, target: Target, text: Text) -> str:
        module = self.resolver.modules.get(target.path)
        if module is None or target.kind != "value":
            return ""
        at = target.ref
        for _ in range(3):
            if name := module.name_of.get(at):
                return str(name)
            at = next((i for i, r in enumerate(module.expressions) if r[0] == "*" and r[2] == at), -1)
            if at < 0:
                break
        step = text.chain[-1] if text.chain else ""
        name, _, rest = step.partition(" = … (")
        return name if rest and name.isidentifier() else ""

    def said_prompt(self, name: str, path: str, line: int, length: int, sha: str) -> Asset:
        props: dict[str, object] = {"text_length": length} if length else {}
        if sha:
            props["text_hash"] = sha
        prompt = identity.asset(
            "prompt", name, scope=self.scope, key=f"{path}::{name}", props=props, status=status_of(path)
        )
        self.say(prompt, path, line)
        return prompt

    def returned(self, target: Target) -> tuple[int, str]:
        module = self.resolver.modules[target.path]
        for returned in module.scopes[target.ref][RETURNS]:
            for text in self.resolver.texts(target.path, returned):
                if text.length:
                    return text.length, text.sha or (_sha(text.value) if text.value else "")
        return 0, ""

    def messages(self, site: Site) -> list[Asset]:
        """Prompts among the messages of a request: system texts, and long texts of other roles."""
        found: list[Asset] = []
        for path, expression, frames in self.argument(site, "messages"):
            for target in self.resolver.follow(path, expression, frames):
                if target.kind != "value":
                    found += self.message(site, target)
                    continue
                row = self.resolver.modules[target.path].expressions[target.ref]
                if row[0] == "l":
                    for item in self.resolver.items(target):
                        found += self.message(site, item)
                elif row[0] in "sSf":
                    found += self.long_prompt(site, target, "prompt")
        return found

    def message(self, site: Site, item: Target) -> list[Asset]:
        if item.kind == "external":
            inner = self.site_of(item)
            if (inner and inner.row.makes == "prompt") or item.ref < 0:
                return self.make(inner) if inner else []
        elif item.kind != "value":
            return []
        module = self.resolver.modules[item.path]
        row = module.expressions[item.ref]
        if row[0] == "c":  # a message made of named fields
            row = ["d", row[1], [[name.lower(), value] for name, value in row[4].items()]]
        if row[0] == "d":
            fields = {name: value for name, value in row[2] if isinstance(name, str)}
            role, content = fields.get("role", -1), fields.get("content", fields.get("parts", -1))
        elif row[0] == "l" and len(row[2]) == 2:
            role, content = row[2]
        else:
            return []
        roles = {t.value for t in self.resolver.texts(item.path, role, item.frames)} if role >= 0 else set()
        if content < 0:
            return []
        found: list[Asset] = []
        for target in self.resolver.follow(item.path, content, item.frames):
            if roles & _SYSTEM_ROLES:
                found += self.prompt(site, target, "system", (item.path, content))
            elif roles:
                found += self.long_prompt(site, target, "prompt")
        return found

    def long_prompt(self, site: Site, target: Target, label: str) -> list[Asset]:
        texts = self.resolver.text_of(target)
        if any(t.length >= PROMPT_LENGTH for t in texts):
            return self.prompt(site, target, label, (site.path, site.call))
        return []

    def make_prompt(self, site: Site) -> list[Asset]:
        line = self.line(site.path, site.call)
        if names := [t for t in self.texts(site, "name") if t.value]:
            found = [self.said_prompt(str(names[0].value), site.path, line, 0, "")]
            self.exposed(site)
            return found
        if self.argument(site, "role") and not _SYSTEM_ROLES & {str(t.value) for t in self.texts(site, "role")}:
            return []
        found = self.prompts(site, "text", "template")
        if not found:
            found = self.messages(site)
        return found

    # tools

    def make_tool(self, site: Site) -> list[Asset]:
        line = self.line(site.path, site.call)
        if site.decorated >= 0:
            scope = self.resolver.modules[site.path].scopes[site.decorated]
            named = [t.value for t in self.texts(site, "name") if t.value]
            name = named[0] if named else scope[NAME]
            return [self.tool(str(name), site.path, scope[LINE], (site.path, site.decorated))]
        if site.row.hosted:
            parts = re.split(r"[.()]+", site.symbol)
            ready = next((part for part in reversed(parts) if part[:1].isupper()), last_name(site.symbol))
            tool = self.tool(ready, site.path, line, None)
            for target in self.targets(site, "database"):
                for address in effects.addresses(self.resolver, target):
                    for effect in ("read", "write"):
                        self.query(tool, effects.Query(effect, "", f"{site.path}:{line}", address))
            return [tool]
        functions = [t for t in self.targets(site, "function") if t.kind == "function"]
        names = [t for t in self.texts(site, "name") if t.value]
        if names:
            where = names[0]
            at = (where.path, where.line) if where.chain and where.line else (site.path, line)
            if where.path == site.path and abs(where.line - line) <= 6:
                at = (site.path, line)
        else:
            at = (site.path, line)
        function = (functions[0].path, functions[0].ref) if functions else None
        if names:
            found = [self.tool(str(t.value), *at, function) for t in names[:1]]
        elif self.argument(site, "name") and not functions:
            self.unnamed(site)
            found = []
        elif functions and not (self.argument(site, "name")):
            inner = self.resolver.modules[functions[0].path].scopes[functions[0].ref]
            name = inner[NAME] or self.symbol_name(site.path, site.call)
            found = [self.tool(str(name), site.path, line, function)] if name else []
        elif not self.argument(site, "name") and (name := self.symbol_name(site.path, site.call)):
            found = [self.tool(name, site.path, line, function)]
        else:
            found = []
        for agent in self.agents_in(site, "function"):
            for tool in found:
                self.link(tool, "invokes", agent, site.path, line)
        self.exposed(site)
        return found

    def unnamed(self, site: Site) -> None:
        """A tool whose name is only known at run time: its agent's wiring is not fully seen."""
        self.open_wiring = True

    def agents_in(self, site: Site, role: str) -> list[Asset]:
        return [a for t in self.targets(site, role) if t.kind != "function" for a in self.assets_of(t, "agent")]

    def tool(self, name: str, path: str, line: int, function: tuple[str, int] | None) -> Asset:
        """A tool, with the effects of its code and what it reads and writes."""
        props: dict[str, object] = {}
        found = None
        if function is not None:
            found = self.reach[function] = effects.effects_of(self.resolver, *function)
            if found.effects:
                props["effects"] = sorted(found.effects)
        tool = identity.asset(
            "tool", name, scope=self.scope, key=f"{path}::{name}", props=props, status=status_of(path)
        )
        if function is not None:
            self.tools[function] = tool
        self.say(tool, path, line, [f"{e}: {where}" for e, where in sorted((found.effects if found else {}).items())])
        for query in found.queries if found else ():
            self.query(tool, query)
        return tool

    def query(self, tool: Asset, query: effects.Query) -> None:
        store = _database(query.database, query.table, self.scope)
        if store is None:
            return
        path, _, line = query.where.rpartition(":")
        self.say(store, path, int(line))
        self.link(tool, "reads" if query.effect == "read" else "writes", store, path, int(line))

    def tool_of(self, target: Target, given_name: str = "") -> list[Asset]:
        """The tools that something in a list of tools is."""
        if target.kind == "function":
            key = (target.path, target.ref)
            if key not in self.tools:
                if made := self.decorated(target):
                    return made
                scope = self.resolver.modules[target.path].scopes[target.ref]
                name = given_name or scope[NAME]
                return [self.tool(str(name), target.path, scope[LINE], key)] if name else []
            return [self.tools[key]]
        if target.kind in ("external", "instance"):
            return self.assets_of(target, "tool")
        if target.kind == "value" and given_name:
            return []
        return []

    def decorated(self, target: Target) -> list[Asset]:
        """The assets that a decorator of a function makes."""
        module = self.resolver.modules[target.path]
        for decorator in module.scopes[target.ref][DECORATORS]:
            if site := self.sites.get((target.path, decorator)):
                return [a for a in self.make(site) if a.kind in ("tool", "guardrail")]
        return []

    def named_targets(self, site: Site, role: str) -> Iterator[tuple[Target, str]]:
        """The things in a list or in an object ``{name: thing}``."""
        for at in self.argument(site, role):
            for target in self.resolver.follow(*at):
                if target.kind == "value":
                    row = self.resolver.modules[target.path].expressions[target.ref]
                    if row[0] == "d" and site.path.rpartition(".")[2] != "py":
                        for name, value in row[2]:
                            for inner in self.resolver.follow(target.path, value, target.frames):
                                yield inner, name if isinstance(name, str) and name != "**" else ""
                        continue
                for inner in self.opened(target):
                    yield inner, ""

    # agents

    def make_agent(self, site: Site) -> list[Asset]:
        line = self.line(site.path, site.call)
        symbol = self.symbol_name(site.path, site.call)
        names = [t for t in self.texts(site, "name") if t.value and len(t.value) < 120]
        module = self.resolver.modules[site.path]
        name = str(names[0].value) if names else symbol or last_name(site.symbol)
        key = f"{site.path}::{symbol or name}"
        known = [a for (p, _), made in self.made.items() if p == site.path for a in made if a.kind == "agent"]
        if any(identity.issue("agent", self.scope, key) == a.id for a in known):
            key = f"{key}::{name}"
        agent = identity.asset("agent", name, scope=self.scope, key=key, status=status_of(site.path))
        self.made[(site.path, site.call)] = [agent]
        self.say(agent, site.path, line)
        self.link(self.app(site.path, line), "invokes", agent, site.path, line)
        provider = provider_of(site.row, site.symbol)
        models = self.models_at(site, self.argument(site, "model"), provider, "", None)
        if not self.argument(site, "model"):
            for target in self.targets(site, "model"):
                models += self.assets_of(target, "model")
        for target in self.targets(site, "model"):
            if inner := self.site_of(target):
                self.owned.add((inner.path, inner.call))
        for model in models:
            self.link(agent, "uses_model", model, site.path, line)
        for prompt in self.agent_prompts(site):
            self.link(agent, "instructed_by", prompt, site.path, line)
        for target, given in self.wired(site, "tools", module):
            self.wire_tool(site, agent, target, given, line)
        for target, _ in self.wired(site, "delegates", module):
            for other in self.delegate(target):
                self.link(agent, "delegates_to", other, site.path, line)
        for role, prop in (("input_guards", "input_filter"), ("output_guards", "output_filter")):
            for target, _ in self.wired(site, role, module):
                self.guard(site, agent, target, prop, line)
        for target in self.targets(site, "servers"):
            for server in self.assets_of(target, "mcp_server"):
                self.link(agent, "connects_to", server, site.path, line)
        return [agent]

    def agent_prompts(self, site: Site) -> list[Asset]:
        return self.prompts(site, "instructions", "instructions")

    def wire_tool(self, site: Site, agent: Asset, target: Target, given: str, line: int) -> None:
        tools = self.tool_of(target, given)
        for tool in tools:
            self.link(agent, "uses_tool", tool, site.path, line)
        if tools:
            return
        inner = self.site_of(target) if target.kind == "external" else None
        if inner is not None and inner.row.makes == "agent":  # agent.as_tool(…)
            for other in self.make(inner):
                self.link(agent, "delegates_to", other, site.path, line)
        elif inner is not None and inner.row.makes == "mcp_client":
            for server in self.make(inner):
                self.link(agent, "connects_to", server, site.path, line)
        elif target.kind not in ("value",):
            self.open_wiring = True

    def wired(self, site: Site, role: str, module: Module) -> list[tuple[Target, str]]:
        """What an agent was given in a role: by argument, by a later assignment, or by append and extend."""
        found = list(self.named_targets(site, role))
        places = {str(place).rpartition(".")[2] for place in site.row.args.get(role, ()) if not isinstance(place, int)}
        symbol = module.name_of.get(site.call, "")
        if not places or not symbol:
            return found
        for other in self.resolver.modules.values():
            for attr in places:
                for row in other.sets.get(attr, ()):
                    if self.is_site(other.path, row[1], site, symbol):
                        for target in self.resolver.follow(other.path, row[3]):
                            found += [(inner, "") for inner in self.opened(target)]
                for call in other.growth(attr):
                    holder = other.expressions[other.expressions[call][2]][2]
                    base = other.expressions[holder]
                    if base[0] == "a" and base[3] == attr and self.is_site(other.path, base[2], site, symbol):
                        for argument in other.expressions[call][3]:
                            for target in self.resolver.follow(other.path, argument):
                                found += [(inner, "") for inner in self.opened(target)]
        return found

    def is_site(self, path: str, expression: int, site: Site, symbol: str) -> bool:
        return any(
            t.kind in ("external", "instance") and t.ref == site.call and (t.path == site.path or t.symbol == site.path)
            for t in self.resolver.follow(path, expression)
        )

    def delegate(self, target: Target) -> list[Asset]:
        found = self.assets_of(target, "agent")
        if not found and target.kind == "external":
            self.open_wiring = True
        return found

    # guards

    def guard(self, site: Site, agent: Asset, target: Target, prop: str, line: int) -> None:
        guards = self.decorated(target) if target.kind == "function" else self.assets_of(target, "guardrail")
        if target.kind == "function" and not guards:
            scope = self.resolver.modules[target.path].scopes[target.ref]
            guards = [self.guardrail(scope[NAME], target.path, scope[LINE], (target.path, target.ref))]
        if not guards:
            self.open_wiring = True
        for guard in guards:
            marked = identity.asset("guardrail", guard.name, scope=self.scope, props={**guard.props, prop: True})
            self.say(_with_id(marked, guard), site.path, line)
            self.link(agent, "guarded_by", guard, site.path, line)

    def make_guard_function(self, site: Site) -> list[Asset]:
        if site.decorated < 0:
            return []
        scope = self.resolver.modules[site.path].scopes[site.decorated]
        names = [t.value for t in self.texts(site, "name") if t.value]
        return [self.guardrail(names[0] if names else scope[NAME], site.path, scope[LINE], (site.path, site.decorated))]

    def make_guard(self, site: Site) -> list[Asset]:
        line = self.line(site.path, site.call)
        functions = [t for t in self.targets(site, "function") if t.kind == "function"]
        names = [t.value for t in self.texts(site, "name") if t.value]
        if functions:
            inner = self.resolver.modules[functions[0].path].scopes[functions[0].ref]
            name = names[0] if names else inner[NAME]
            return [self.guardrail(str(name), site.path, line, (functions[0].path, functions[0].ref))]
        guard = self.guardrail(names[0] if names else site.row.name or last_name(site.symbol), site.path, line, None)
        if site.row.name:
            self.link(self.app(site.path, line), "guarded_by", guard, site.path, line)
        return [guard]

    def guardrail(self, name: str, path: str, line: int, function: tuple[str, int] | None) -> Asset:
        if function in self.guards and function is not None:
            return self.guards[function]
        guard = identity.asset("guardrail", name, scope=self.scope, key=f"{path}::{name}", status=status_of(path))
        self.say(guard, path, line)
        if function is not None:
            self.guards[function] = guard
            module = self.resolver.modules[function[0]]
            for call in effects.calls_in(module, function[1]):
                for argument in module.expressions[call][3][:2]:
                    for target in self.resolver.follow(function[0], argument):
                        for agent in self.assets_of(target, "agent"):
                            self.link(guard, "invokes", agent, function[0], module.line(call))
        return guard

    # MCP

    def make_server(self, site: Site) -> list[Asset]:
        line = self.line(site.path, site.call)
        names = [t.value for t in self.texts(site, "name") if t.value]
        name = names[0] if names else self.symbol_name(site.path, site.call) or last_name(site.symbol)
        server = identity.asset(
            "mcp_server", name, scope=self.scope, key=f"{site.path}::{name}", status=status_of(site.path)
        )
        self.say(server, site.path, line)
        for prompt in self.prompts(site, "instructions", "instructions"):
            self.link(server, "instructed_by", prompt, site.path, line)
        return [server]

    def servers_of(self, site: Site) -> list[Asset]:
        """The servers or agents on which a method is called."""
        if site.receiver is None:
            return []
        return self.assets_of(site.receiver, "mcp_server", "agent")

    def receivers(self, site: Site) -> list[Asset]:
        module = self.resolver.modules[site.path]
        row = module.expressions[site.call]
        callee = row[2] if row[0] == "c" else site.call
        found: dict[str, Asset] = {}
        for target in self.resolver.follow(site.path, callee):
            if target.kind == "external" and target.ref >= 0:
                for asset in self.assets_of(target, "mcp_server", "agent"):
                    found[asset.id] = asset
        for target in self.targets(site, "server"):  # AddTool(server, …)
            found |= {asset.id: asset for asset in self.assets_of(target, "mcp_server")}
        return list(found.values())

    def make_server_tool(self, site: Site) -> list[Asset]:
        line = self.line(site.path, site.call)
        texts = [t for t in self.texts(site, "name") if t.value]
        if site.decorated >= 0:
            scope = self.resolver.modules[site.path].scopes[site.decorated]
            name = str(texts[0].value) if texts else scope[NAME]
            tool = self.tool(name, site.path, scope[LINE], (site.path, site.decorated))
        else:
            functions = [t for t in self.targets(site, "function") if t.kind == "function"]
            function = (functions[0].path, functions[0].ref) if functions else None
            if texts:
                name = str(texts[0].value)
            elif functions:
                name = str(self.resolver.modules[functions[0].path].scopes[functions[0].ref][NAME])
            else:
                name = ""
            if not name:
                self.open_wiring = True
                return []
            tool = self.tool(name, site.path, line, function)
        for owner in self.receivers(site):
            self.link(owner, "uses_tool" if owner.kind == "agent" else "exposes_tool", tool, site.path, line)
        return [tool]

    def make_server_prompt(self, site: Site) -> list[Asset]:
        line = self.line(site.path, site.call)
        texts = [t for t in self.texts(site, "name") if t.value]
        length, sha = 0, ""
        if site.decorated >= 0:
            scope = self.resolver.modules[site.path].scopes[site.decorated]
            name, line = (str(texts[0].value) if texts else scope[NAME]), scope[LINE]
            length, sha = self.returned(Target("function", site.path, site.decorated))
        elif texts:
            name = str(texts[0].value)
        else:
            return []
        prompt = self.said_prompt(name, site.path, line, length, sha)
        for owner in self.receivers(site):
            self.link(owner, "instructed_by", prompt, site.path, line)
        return [prompt]

    def make_handler(self, site: Site) -> list[Asset]:
        """Low-level servers answer a request for the list of tools: the tools are what the handler returns."""
        schemas = [t.symbol for t in self.targets(site, "schema")]
        if not any(symbol.endswith("ListToolsRequestSchema") for symbol in schemas):
            return []
        found: list[Asset] = []
        for target in self.targets(site, "function"):
            if target.kind != "function":
                continue
            for returned in self.resolver.modules[target.path].scopes[target.ref][RETURNS]:
                for value in self.resolver.follow(target.path, returned):
                    found += self.listed_tools(value)
        for owner in self.receivers(site):
            for tool in found:
                self.link(owner, "exposes_tool", tool, site.path, self.line(site.path, site.call))
        return found

    def listed_tools(self, value: Target) -> list[Asset]:
        found = []
        for target in self.resolver.member(value, "tools"):
            if target.kind != "value":
                continue
            for item in self.resolver.items(target):
                for name in self.resolver.member(item, "name"):
                    for text in self.resolver.text_of(name):
                        if text.value:
                            found.append(self.tool(text.value, text.path, text.line, None))
        return found

    def exposed(self, site: Site) -> None:
        """A tool or prompt object that a low-level server's ``list_tools`` returns is exposed by that server."""
        module = self.resolver.modules[site.path]
        row = module.expressions[site.call]
        for function in self.resolver.enclosing(site.path, row[5] if row[0] == "c" else 0):
            for decorator in module.scopes[function][DECORATORS]:
                inner = module.expressions[decorator]
                for target in self.resolver.follow(site.path, inner[2] if inner[0] == "c" else decorator):
                    if target.kind == "external" and target.symbol.endswith((".list_tools", ".list_prompts")):
                        self.pending_exposure(site, target)

    def pending_exposure(self, site: Site, target: Target) -> None:
        line = self.line(site.path, site.call)
        for server in self.assets_of(target, "mcp_server"):
            for text in self.texts(site, "name")[:1]:
                if text.value and site.row.makes == "tool":
                    tool = identity.asset("tool", text.value, scope=self.scope, key=self.tool_key(site, text))
                    self.link(server, "exposes_tool", tool, site.path, line)

    def tool_key(self, site: Site, text: Text) -> str:
        line = self.line(site.path, site.call)
        far = text.chain and text.line and not (text.path == site.path and abs(text.line - line) <= 6)
        return f"{text.path if far else site.path}::{text.value}"

    def make_mcp_client(self, site: Site) -> list[Asset]:
        line = self.line(site.path, site.call)
        url = [t.value for t in self.texts(site, "url") if t.value]
        command = [t.value for t in self.texts(site, "command") if t.value]
        args = [t.value for at in self.argument(site, "args") for t in self.list_texts(at) if t.value]
        names = [t.value for t in self.texts(site, "name") if t.value]
        props: dict[str, object] = {}
        if url:
            props = {"url": url[0].split("?")[0], "transport": "https" if url[0].startswith("https") else "http"}
        elif command:
            props = {"command": " ".join([command[0], *args][:6]), "transport": "stdio"}
        else:
            return []
        packages = [a for a in args if not a.startswith("-") and a not in ("run", "exec", "dlx")]
        name = names[0] if names else (packages[0] if packages else url[0] if url else command[0])
        server = identity.asset(
            "mcp_server", name, scope=self.scope, key=f"client:{name}", props=props, status=status_of(site.path)
        )
        self.say(server, site.path, line)
        self.link(self.app(site.path, line), "connects_to", server, site.path, line)
        return [server]

    def list_texts(self, at: tuple[str, int, Frames]) -> list[Text]:
        return [
            text
            for target in self.resolver.follow(*at)
            for inner in self.opened(target)
            for text in self.resolver.text_of(inner)
        ]

    # stores and data

    def make_store(self, site: Site) -> list[Asset]:
        line = self.line(site.path, site.call)
        if site.row.weak:
            stores = [s for t in self.targets(site, "store") for s in self.assets_of(t, "vector_store")]
        else:
            name = name_for(site.row, site.symbol) or last_name(site.symbol)
            store = identity.asset("vector_store", name, scope=self.scope, status=status_of(site.path))
            self.say(store, site.path, line)
            stores = [store]
        models: list[Asset] = []
        for target in self.targets(site, "embedding"):
            models += self.assets_of(target, "model")
        for store in stores:
            for model in models:
                self.link(store, "embedded_by", model, site.path, line)
            for target in self.targets(site, "documents"):
                for data in self.data_of(target):
                    self.link(store, "indexes", data, site.path, line)
        return stores

    def tool_uses(self) -> None:
        """Stores and models that the functions behind a tool call."""
        for function, tool in list(self.tools.items()):
            found = self.reach.get(function)
            for path, scope in sorted(found.scopes) if found else ():
                for call, target in self.methods(path, effects.calls_in(self.resolver.modules[path], scope)):
                    site = self.site_of(target)
                    verb = {"store": "retrieves_from", "model": "uses_model"}.get(site.row.makes) if site else None
                    for asset in self.make(site) if site and verb else ():
                        if asset.kind in ("vector_store", "model"):
                            self.link(tool, str(verb), asset, path, self.line(path, call))

    def store_uses(self) -> None:
        """What is written into vector stores, and the models that make their vectors, by the flow of arguments."""
        if not any(site.row.makes == "store" for site in self.sites.values()):
            return
        for path, module in self.resolver.modules.items():
            for call, target in self.methods(path, module.calls):
                site = self.site_of(target)
                if site is None or site.row.makes != "store" or (path, call) in self.sites:
                    continue
                line = self.line(path, call)
                row = module.expressions[call]
                models, data = self.flow(path, [*row[3], *row[4].values()])
                for store in self.make(site):
                    for model in models:
                        self.link(store, "embedded_by", model, path, line)
                    for dataset in data if target.symbol.rpartition(".")[2] in _FILLS else ():
                        self.say(dataset, path, line)
                        self.link(store, "indexes", dataset, path, line)

    def methods(self, path: str, calls: Iterable[int]) -> Iterator[tuple[int, Target]]:
        """Calls of methods on things that a call of a package made."""
        module = self.resolver.modules[path]
        for call in calls:
            callee = module.expressions[call][2]
            if module.expressions[callee][0] == "a":
                for target in self.resolver.follow(path, callee):
                    if target.kind == "external" and target.ref >= 0:
                        yield call, target

    def flow(self, path: str, expressions: list[int]) -> tuple[list[Asset], list[Asset]]:
        """Embedding models and data from which expressions are computed, through names, calls and comprehensions."""
        models: dict[str, Asset] = {}
        data: dict[str, Asset] = {}
        seen: set[tuple[str, int]] = set()
        todo = [(path, e) for e in expressions if e >= 0]
        while todo and len(seen) < MAX_FLOW:
            at, number = todo.pop()
            if (at, number) in seen or number < 0:
                continue
            seen.add((at, number))
            module = self.resolver.modules[at]
            row = module.expressions[number]
            site = self.sites.get((at, number))
            if site is not None and site.row.makes == "data":
                data |= {asset.id: asset for asset in self.datasets(site)}
            elif site is not None and site.row.makes in ("model", "request") and site.row.role == "embedding":
                models |= {asset.id: asset for asset in self.make(site) if asset.kind == "model"}
            elif site is None and row[0] == "s" and (asset := self.stored_file(at, row[2])):
                data[asset.id] = asset
            todo += [(at, child) for child in _children(row)]
            if row[0] == "r":
                _, bindings = module.lookup(row[2], row[3])
                todo += [(at, module.assigned[n][2]) for kind, n in bindings if kind == "assign"]
                if any(kind in ("import", "param") for kind, _ in bindings):
                    for target in self.resolver.follow(at, number):
                        if target.kind in ("value", "external") and target.ref >= 0:
                            todo.append((target.path, target.ref))
        return list(models.values()), list(data.values())

    def stored_file(self, path: str, text: str) -> Asset | None:
        """The dataset that a text names, when it is the path of a file or folder of the source."""
        if not (2 < len(text) < 200) or not re.match(r"^[\w./ -]+$", text):
            return None
        for place in (posixpath.normpath(posixpath.join(posixpath.dirname(path), text)), posixpath.normpath(text)):
            if place in self.source.paths and place.rpartition(".")[2].lower() in _DATA_FILES:
                return identity.file_dataset(place, self.scope)
            if "." not in place and any(each.startswith(f"{place}/") for each in self.source.paths):
                return identity.file_dataset(place, self.scope)
        return None

    def data_beside_ai(self, ordered: list[Site]) -> None:
        """Tables read in a file that also calls a model: the application reads them."""
        calling = {site.path for site in ordered if site.row.makes in ("request", "agent", "store")}
        training = {site.path for site in ordered if site.row.makes in ("training", "fit")}
        for site in ordered:
            if site.row.makes == "data" and not site.row.hub and site.path in calling - training:
                line = self.line(site.path, site.call)
                for data in self.datasets(site):
                    self.link(self.app(site.path, line), "reads", data, site.path, line)

    def make_data(self, site: Site) -> list[Asset]:
        return []

    def data_of(self, target: Target) -> list[Asset]:
        """The data an external value was loaded from, through whatever was done to it on the way."""
        found: dict[str, Asset] = {}
        seen: set[tuple[str, int]] = set()
        todo = [target]
        while todo and len(seen) < 60:
            for step in effects.origins(self.resolver, todo.pop()):
                if (step.path, step.ref) in seen:
                    continue
                seen.add((step.path, step.ref))
                site = self.sites.get((step.path, step.ref))
                if site is not None and site.row.makes == "data":
                    found |= {asset.id: asset for asset in self.datasets(site)}
                elif site is not None:
                    todo += [t for role in ("of", "more") for t in self.targets(site, role)]
                else:
                    row = self.resolver.modules[step.path].expressions[step.ref]
                    todo += [t for a in row[3][:3] for t in self.resolver.follow(step.path, a, step.frames)]
        return list(found.values())

    def datasets(self, site: Site) -> list[Asset]:
        """The datasets that a loading call names."""
        line = self.line(site.path, site.call)
        found: list[Asset] = []
        files = [t for at in self.argument(site, "files") for t in self.list_texts(at) if t.value]
        texts = files or [t for t in self.texts(site, "path") if t.value]
        if site.row.named and not texts:
            name = last_name(site.symbol)
            found.append(identity.asset("dataset", name, key=site.symbol, scope=self.scope))
        for text in texts:
            found.append(self.dataset(str(text.value), site, hub=site.row.hub and not files))
        for place, data in enumerate(found):
            self.say(data, site.path, line, texts[place].chain if place < len(texts) else ())
        return found

    def dataset(self, name: str, site: Site, *, hub: bool) -> Asset:
        status = status_of(site.path)
        if re.match(r"^[a-z][a-z0-9+.-]*://", name):
            bare = _without_credentials(name)
            return identity.asset("dataset", bare, status=status)
        place = posixpath.normpath(posixpath.join(posixpath.dirname(site.path), name))
        for path in (place, posixpath.normpath(name)):
            if path in self.source.paths or any(p.startswith(f"{path}/") for p in self.source.paths):
                return identity.file_dataset(path, self.scope)
        if hub and not name.startswith((".", "/")) and not re.search(r"\.(json|jsonl|csv|parquet|txt|arrow)$", name):
            return identity.asset("dataset", name, key=f"hf://datasets/{name}", status=status)
        return identity.file_dataset(posixpath.normpath(name), self.scope)

    # training

    def make_training(self, site: Site) -> list[Asset]:
        line = self.line(site.path, site.call)
        data = [d for t in self.targets(site, "data") for d in self.data_of(t)]
        bases = [m for t in self.targets(site, "base") for m in self.model_behind(t, owned=True)]
        if provider_of(site.row, site.symbol):
            bases = self.models_at(site, self.argument(site, "base"), site.row.provider, "", None)
            self.owned.add((site.path, site.call))
        outputs = [t for t in self.texts(site, "hub") if t.value] or [t for t in self.texts(site, "output") if t.value]
        return self.training(site, data, bases, [str(t.value) for t in outputs[:1]], line)

    def make_fit(self, site: Site) -> list[Asset]:
        line = self.line(site.path, site.call)
        data = [d for role in ("data", "more") for t in self.targets(site, role) for d in self.data_of(t)]
        module = self.resolver.modules[site.path]
        callee = module.expressions[module.expressions[site.call][2]]
        estimators = (
            [t for t in self.resolver.follow(site.path, callee[2]) if t.kind == "external" and t.ref >= 0]
            if callee[0] == "a"
            else []
        )
        if not data or (estimators and not _is_estimator(estimators[0].symbol)):
            return []
        outputs = self.saved(estimators)
        if not outputs and estimators:
            name = self.symbol_name(estimators[0].path, estimators[0].ref) or last_name(estimators[0].symbol)
            return self.training(site, data, [], [], line, local=f"{site.path}::{name}", name=name)
        bases = [m for t in estimators for m in self.model_behind(t)]
        return self.training(site, data, bases, outputs[:1], line)

    def saved(self, estimators: list[Target]) -> list[str]:
        """Paths to which any of these models is saved."""
        refs = {(t.path, t.ref) for t in estimators}
        found = []
        for site in self.sites.values():
            if site.row.makes == "save":
                behind = self.targets(site, "model")
                if any((s.path, s.ref) in refs for t in behind for s in effects.origins(self.resolver, t)):
                    paths = [t.value for t in self.texts(site, "path") if t.value]
                    for target in self.targets(site, "path"):  # pickle.dump(model, open("model.pkl", "wb"))
                        if target.symbol == "open()" and target.ref >= 0:
                            row = self.resolver.modules[target.path].expressions[target.ref]
                            paths += [
                                t.value for a in row[3][:1] for t in self.resolver.texts(target.path, a) if t.value
                            ]
                    found += [p for p in paths if p]
        return found

    def model_behind(self, target: Target, *, owned: bool = False) -> list[Asset]:
        """The model that a (wrapped, prepared, adapted) model value was loaded from."""
        found: dict[str, Asset] = {}
        seen: set[tuple[str, int]] = set()
        todo = [target]
        while todo and len(seen) < 60:
            for step in effects.origins(self.resolver, todo.pop()):
                site = self.sites.get((step.path, step.ref))
                if site is None or (step.path, step.ref) in seen:
                    continue
                seen.add((step.path, step.ref))
                if site.row.makes == "passes":
                    todo += self.targets(site, "of")
                elif site.row.makes == "model":
                    found |= {asset.id: asset for asset in self.make(site) if asset.kind == "model"}
                    if owned:
                        self.owned.add((site.path, site.call))
                break
        for text in self.resolver.text_of(target):
            if text.value and _MODEL_ID.match(text.value) and "/" in text.value:  # SFTTrainer("org/name")
                model = identity.asset("model", text.value, props={"provider": "huggingface"})
                self.say(model, text.path, text.line, text.chain)
                found[model.id] = model
        return list(found.values())

    def training(
        self, site: Site, data: list[Asset], bases: list[Asset], outputs: list[str], line: int,
        local: str = "", name: str = "",
    ) -> list[Asset]:  # fmt: skip
        status = status_of(site.path)
        pipeline = identity.asset(
            "pipeline", site.path, scope=self.scope, key=site.path, props={"role": "training"}, status=status
        )
        self.say(pipeline, site.path, line)
        models: list[Asset] = []
        for output in outputs:
            if "/" in output and not output.startswith((".", "/", "~")) and self.pushes(site):
                models.append(identity.asset("model", output, props={"provider": "huggingface", "role": "fine-tuned"}))
            else:
                models.append(identity.local_model(output, self.scope, props={"role": "trained"}))
        if local:
            models.append(identity.asset("model", name, key=f"{self.scope}/{local}", props={"role": "trained"}))
        for pushed in self.pushed(site, bases, models):
            model = identity.asset("model", pushed, props={"provider": "huggingface", "role": "fine-tuned"})
            for other in models:
                self.link(model, "derived_from", other, site.path, line)
            models.append(model)
        for dataset in data:
            self.link(pipeline, "loads", dataset, site.path, line)
        for model in models:
            self.say(model, site.path, line)
            self.link(pipeline, "produces", model, site.path, line)
            for dataset in data:
                self.link(model, "trained_on", dataset, site.path, line)
            for base in bases:
                self.link(model, "fine_tuned_from", base, site.path, line)
        for base in bases:
            self.link(pipeline, "consumes", base, site.path, line)
        return [pipeline, *models]

    def pushes(self, site: Site) -> bool:
        return bool(self.texts(site, "hub"))

    def pushed(self, site: Site, bases: list[Asset], models: list[Asset]) -> list[str]:
        """Names under which the weights of a training are published."""
        found = []
        for other in self.sites.values():
            if other.row.makes == "push" and other.path == site.path and self.publishes(other, site, bases, models):
                found += [str(t.value) for t in self.texts(other, "path") if t.value and _HUB_ID.match(t.value)]
        return found[:2]

    def publishes(self, push: Site, site: Site, bases: list[Asset], models: list[Asset]) -> bool:
        """Whether what is pushed are the weights that this training made, not its tokenizer, its data or another model.

        The weights are the trainer's own, or loaded from where the training took or put them: training changes a
        model in place.
        """
        if push.receiver is None or _BESIDE_WEIGHTS.search(push.symbol) or self.second_of_pair(push):
            return False
        for step in effects.origins(self.resolver, push.receiver):
            made = self.sites.get((step.path, step.ref))
            if made is not None and made.row.makes == "training":
                return (made.path, made.call) == (site.path, site.call)
        loaded = {model.name for model in self.model_behind(push.receiver)}
        return not loaded or bool(loaded & {model.name for model in (*bases, *models)})

    def second_of_pair(self, push: Site) -> bool:
        """Whether a method is called on what follows the model in ``model, tokenizer = load(…)``."""
        module = self.resolver.modules[push.path]
        holder = module.expressions[module.expressions[module.expressions[push.call][2]][2]]
        if holder[0] != "r":
            return False
        _, bindings = module.lookup(holder[2], holder[3])
        taken = [module.expressions[module.assigned[number][2]] for kind, number in bindings if kind == "assign"]
        places = [module.expressions[row[3]][2] for row in taken if row[0] == "i" and row[3] >= 0]
        return bool(places) and all(place not in (0, "0") for place in places)


def _children(row: list[Any]) -> list[int]:
    """The rows that an expression is made of."""
    if row[0] in "flo":
        return list(row[2])
    if row[0] == "d":
        return [value for _, value in row[2]]
    if row[0] == "c":
        return [row[2], *row[3], *row[4].values()]
    if row[0] in "a*e":
        return [row[2]]
    return [row[2], row[3]] if row[0] == "i" else []


def _is_estimator(symbol: str) -> bool:
    """Whether a fitted thing is a model, not a step that only prepares data."""
    return not re.search(
        r"Scaler|Encoder|Imputer|Vectorizer|Transformer|Normalizer|Binarizer|PCA|Tokenizer|Discretizer", symbol
    )


def _with_id(marked: Asset, original: Asset) -> Asset:
    return Asset(original.id, original.kind, original.name, original.scope, marked.props, status=original.status)


def _sha(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _without_credentials(url: str) -> str:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}".split("?")[0]


def _database(address: str, table: str, scope: str) -> Asset | None:
    """The table of a database as a data store."""
    address = address.strip()
    if "://" in address:
        base = _without_credentials(address).rstrip("/")
        base = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", base)
        key = f"{base}/{table}" if table else base
        return identity.asset("data_store", key)
    if address.endswith((".db", ".sqlite", ".sqlite3")):
        return identity.asset("data_store", f"{address}/{table}" if table else address, scope=scope)
    if table:
        return identity.asset("data_store", table, scope=scope)
    return None
