"""From resolved code to observations: models, agents, tools, prompts, servers, stores, data, training, and their links.

Runs once per source over the IR of all its files. Without an import of an AI package or a call of a model's API nothing
is said at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from penstock.discover.code.observed import (
    addresses,
    agents,
    graphs,
    guards,
    models,
    prompts,
    requests,
    servers,
    stores,
    tools,
    training,
)
from penstock.discover.code.observed.crews import say_crews
from penstock.discover.code.observed.data import datasets_of, say_data_beside_ai
from penstock.discover.code.observed.frameworks import say_frameworks, say_providers
from penstock.discover.code.observed.look import COLLECTOR, Look, Maker
from penstock.discover.code.observed.offered import say_offered
from penstock.discover.code.observed.pipelines import say_pipelines
from penstock.discover.code.observed.prompts import say_prompt_files
from penstock.discover.code.observed.stores import say_store_uses, say_tool_uses
from penstock.discover.code.relevance import ASIDE
from penstock.discover.code.resolve import Resolver
from penstock.discover.code.signatures import Site, members, sites
from penstock.discover.code.spring_ai import configured
from penstock.discover.collector import Source, Yielded, joiner
from penstock.discover.infra import bicep
from penstock.discover.infra.environment import aliased
from penstock.discover.infra.terraform import variables
from penstock.graph.vocabulary import Complete
from penstock.knowledge.model_apis import mentions_api
from penstock.knowledge.packages import OF_LANGUAGE, OF_PROJECT, package_named
from penstock.knowledge.providers import provider_of_prefix

#: Files that hold code, of languages read here and of those that are not.
_CODE = frozenset(
    {"py", "ipynb", "ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "go", "java", "kt", "scala", "cs", "rb",
     "php", "rs", "swift", "cpp", "cc"}
)  # fmt: skip
#: Ends of environment names with which SDKs are pointed at another endpoint, after the name of the provider.
_REROUTES = ("_BASE_URL", "_API_BASE", "_BASE", "_ENDPOINT_URL", "_PROXY_URL")
#: What makes the assets of a site, by what its signature says it makes.
MAKERS: dict[str, Maker] = {
    "agent": agents.make_agent,
    "client": addresses.make_client,
    "evaluation": training.make_evaluation,
    "fit": training.make_fit,
    "graph": graphs.make_graph,
    "guard": guards.make_guard,
    "guard_function": guards.make_guard_function,
    "handler": servers.make_handler,
    "mcp_client": servers.make_mcp_client,
    "model": models.make_model,
    "prompt": prompts.make_prompt,
    "registration": servers.make_registration,
    "request": requests.make_request,
    "server": servers.make_server,
    "server_prompt": servers.make_server_prompt,
    "server_tool": servers.make_server_tool,
    "store": stores.make_store,
    "tool": tools.make_tool,
    "training": training.make_training,
}


@joiner(
    "code",
    sees="AI use in code of nine languages: models, agents, tools, prompts, MCP, stores, training",
    unseen="names built at run time, wiring through reflection or registries",
)
def code(source: Source) -> Iterator[Yielded]:
    """Everything the code of one source says about AI."""
    facts = source.facts.get("code", ())
    if not facts:
        return
    imports_ai = any(package_named(*name) for fact in facts for name in _imported(fact.value))
    if not imports_ai and not any(_has_address(fact.value) for fact in facts):
        return
    set_outside = (*source.facts.get("env", ()), *variables(source.facts.get("terraform", ())))
    set_outside = (*set_outside, *bicep.variables(source.facts))
    set_outside = (*set_outside, *aliased(set_outside, source.facts.get("env_alias", ())))
    look = Look(source, Resolver(facts, set_outside, members()), MAKERS)
    look.configured = tuple(each.model for each in configured(source))
    if imports_ai or any(site.row.by_host for site in sites(look.resolver)):
        yield from run(look)


def _has_address(value: dict[str, object]) -> bool:
    """Whether a file's texts have the address of an API of models."""
    rows: Any = value["expressions"]
    texts = (row[2] if row[0] == "s" else row[4] for row in rows if row[0] in "sS")
    return any(mentions_api(text.encode("utf-8", "replace")) for text in texts)


def _imported(value: dict[str, object]) -> Iterator[tuple[str, str]]:
    language = str(value["language"])
    ecosystem = OF_LANGUAGE.get(language, "") or OF_PROJECT.get(language, "")
    for row in value["imports"]:  # type: ignore[attr-defined]
        module, name = row[2], row[3]
        if module and not module.startswith("."):
            dotted = ecosystem in ("python", "java") and name not in ("", "*")
            yield ecosystem, f"{module}.{name}" if dotted else module


def run(look: Look) -> Iterator[Yielded]:
    for site in sites(look.resolver):
        look.sites.setdefault((site.path, site.call), site)
    say_frameworks(look)
    ordered = sorted(look.sites.values(), key=lambda s: (s.path, look.line(s.path, s.call)))
    for makes in ("server", "guard_function", "tool", "server_tool", "agent", "graph", "server_prompt", "handler"):
        for site in ordered:
            if site.row.makes == makes:
                look.make(site)
    for site in ordered:
        look.make(site)
    for site in ordered:
        say_owned(look, site)
    say_tool_uses(look)
    say_store_uses(look)
    say_crews(look)
    say_pipelines(look)
    say_data_beside_ai(look, ordered)
    say_providers(look)
    say_prompt_files(look)
    say_offered(look)
    yield from look.out.values()
    yield from look.notes.values()
    if look.out and sees_all_guards(look):
        yield Complete(look.scope, "guarded_by", COLLECTOR)


def sees_all_guards(look: Look) -> bool:
    """Whether every guard that this source's frameworks can be given was seen.

    Not so where a part of the code was not read, or where something is wired at run time. That an endpoint of
    the organisation's own may be a guarding gateway is for the rules to weigh, who know what it serves.
    """
    read = {path for path, module in look.resolver.modules.items() if not module.broken}
    read.update(path for fact in look.source.facts.get(ASIDE, ()) for path in fact.value)  # far from all AI
    everything = all(path in read for path in look.source.paths if path.rpartition(".")[2].lower() in _CODE)
    rerouted = any(
        name.endswith(_REROUTES) and provider_of_prefix(name.partition("_")[0].lower()) for name in look.resolver.env
    )
    return everything and not (look.open_wiring or rerouted or look.resolver.exhausted)


def say_owned(look: Look, site: Site) -> None:
    """What belongs to nobody else belongs to the application, or to the tool it is written in."""
    if (site.path, site.call) in look.owned:
        return
    line = look.line(site.path, site.call)
    makes = site.row.makes
    if makes in ("model", "request"):
        owner = look.owner(site) or look.app(site.path, line)
        for model in look.made.get((site.path, site.call), ()):
            look.link(owner, "uses_model", model, site.path, line)
    elif makes == "data" and site.row.hub:
        for data in datasets_of(look, site):
            look.link(look.app(site.path, line), "reads", data, site.path, line)
    elif makes == "store":
        for store in look.made.get((site.path, site.call), ()):
            owner = look.owner(site) or look.app(site.path, line)
            look.link(owner, "retrieves_from", store, site.path, line)
