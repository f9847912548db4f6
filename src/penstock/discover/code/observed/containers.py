"""What a container of services hands to whoever asks for a type: registered in one place, injected in another."""

from __future__ import annotations

from penstock.discover.code import effects
from penstock.discover.code.observed.look import Look
from penstock.discover.code.observed.tools import tool_of
from penstock.discover.code.resolve import Target
from penstock.discover.code.signatures import Site
from penstock.graph.vocabulary import Asset

#: Calls that are walked back from a kernel to the builder it comes from.
_MOST_STEPS = 24


def kernels_of(look: Look, site: Site) -> tuple[list[Asset], list[Asset]]:
    """The models and tools of the kernel that a site is given: what is added to it, its builder or the container."""
    models: dict[str, Asset] = {}
    tools: dict[str, Asset] = {}
    for kernel in look.targets(site, "kernel"):
        for other in _added_to(look, kernel, site.path):
            given = [asset for target in look.targets(other, "of") for asset in look.assets_of(target, "model")]
            models |= {asset.id: asset for asset in (*look.make(other), *given) if asset.kind == "model"}
            for target, name in look.named_targets(other, "tools"):
                tools |= {tool.id: tool for tool in tool_of(look, target, name)}
    return list(models.values()), list(tools.values())


def _added_to(look: Look, kernel: Target, path: str) -> list[Site]:
    if kernel.ref < 0:
        return look.registered("Kernel", path)
    made = _steps(look, kernel)
    return [
        site
        for site in look.registered("Kernel", path)
        if (site.path, site.call) in made or (site.receiver and made & _steps(look, site.receiver))
    ]


def _steps(look: Look, target: Target) -> set[tuple[str, int]]:
    """The calls that made a value, each where it stands."""
    return {(step.path, step.ref) for step in effects.origins(look.resolver, target, _MOST_STEPS)}
