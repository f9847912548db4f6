"""Pipelines of components (Haystack): the model that embeds in one embeds for the stores that the same one works on."""

from __future__ import annotations

from penstock.discover.code import effects
from penstock.discover.code.observed.look import Look
from penstock.discover.code.resolve import Target
from penstock.graph.vocabulary import Asset

#: What pipelines of components are made of.
_PIPELINES = frozenset({"Pipeline", "AsyncPipeline"})
#: The method that adds a component: its name, then the component.
_ADDS = "add_component"


def say_pipelines(look: Look) -> None:
    """Links each store that a component of a pipeline is given to the models of the embedders beside it."""
    if not any(site.row.makes == "store" and "haystack" in site.row.package for site in look.sites.values()):
        return
    models: dict[tuple[str, int], dict[str, Asset]] = {}
    stores: dict[tuple[str, int], dict[str, tuple[Asset, str, int]]] = {}
    for path, module in look.resolver.modules.items():
        for call in module.calls:
            row = module.expressions[call]
            callee = module.expressions[row[2]]
            component_at = row[4].get("instance", row[3][1] if len(row[3]) > 1 else -1)
            if callee[0] != "a" or callee[3] != _ADDS or component_at < 0:
                continue
            for pipeline in _pipelines(look, path, callee[2]):
                for component in look.resolver.follow(path, component_at):
                    embeds = [m for m in look.assets_of(component, "model") if m.props.get("role") == "embedding"]
                    models.setdefault(pipeline, {}).update({model.id: model for model in embeds})
                    for store in _stores(look, component):
                        stores.setdefault(pipeline, {})[store.id] = (store, path, look.line(path, call))
    for pipeline, found in stores.items():
        for store, path, line in found.values():
            for model in models.get(pipeline, {}).values():
                look.link(store, "embedded_by", model, path, line)


def _pipelines(look: Look, path: str, expression: int) -> set[tuple[str, int]]:
    """The calls that made what a component is added to."""
    return {
        (step.path, step.ref)
        for target in look.resolver.follow(path, expression)
        for step in effects.origins(look.resolver, target)
        if step.symbol.startswith("haystack.") and step.symbol.removesuffix("()").rpartition(".")[2] in _PIPELINES
    }


def _stores(look: Look, component: Target) -> list[Asset]:
    """The stores that a component is given: ``DocumentWriter(document_store=store)``."""
    if component.kind != "external" or component.ref < 0:
        return []
    row = look.resolver.modules[component.path].expressions[component.ref]
    given = [*row[3], *row[4].values()] if row[0] == "c" else []
    targets = [target for each in given for target in look.resolver.follow(component.path, each, component.frames)]
    return [store for target in targets for store in look.assets_of(target, "vector_store")]
