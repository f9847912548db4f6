"""Frameworks that are imported, and the providers that an SDK is for."""

from __future__ import annotations

from penstock.discover.code.observed.addresses import base_url
from penstock.discover.code.observed.look import Look
from penstock.discover.code.places import status_of
from penstock.discover.code.signatures import provider_of
from penstock.graph import identity
from penstock.knowledge.packages import OF_LANGUAGE, package_named
from penstock.knowledge.providers import provider_of_host


def say_frameworks(look: Look) -> None:
    """Imported AI packages, and the providers that an SDK is for."""
    for module in look.resolver.modules.values():
        seen: set[str] = set()
        ecosystem = OF_LANGUAGE.get(module.language, "")
        for _, _, name, member, line in module.imports:
            if not name or name.startswith(".") or look.resolver.locate(module.path, name):
                continue
            dotted = ecosystem in ("python", "java") and member not in ("", "*")
            full = f"{name}.{member}" if dotted else name
            package = package_named(ecosystem, full)
            if package is None or package.id in seen:
                continue
            seen.add(package.id)
            if package.means == "framework":
                framework = identity.asset("framework", package.framework or package.id, status=status_of(module.path))
                look.say(framework, module.path, line)
                look.link(look.app(module.path, line), "built_with", framework, module.path, line)
            if package.provider:
                look.packaged.append((package.provider, module.path, line))


def say_providers(look: Look) -> None:
    """An SDK is for its provider, unless every client made with it is pointed elsewhere."""
    urls: dict[str, list[bool]] = {}
    for site in look.sites.values():
        if site.row.makes in ("client", "model") and "base_url" in site.row.args:
            url = base_url(look, site)
            own = url is not None and (not url or provider_of_host(url) != provider_of(site.row, site.symbol))
            urls.setdefault(provider_of(site.row, site.symbol), []).append(own)
    for provider, path, line in look.packaged:
        if not all(urls.get(provider, [False])):
            look.provider(provider, path, line)
