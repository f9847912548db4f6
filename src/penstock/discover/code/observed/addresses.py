"""Where the calls of a client go."""

from __future__ import annotations

from penstock.discover.code.observed.look import Look
from penstock.discover.code.signatures import Site, last_name, provider_of
from penstock.graph.vocabulary import Asset


def make_client(look: Look, site: Site) -> list[Asset]:
    url = base_url(look, site)
    if not url:
        provider = provider_of(site.row, site.symbol) if url is None else ""
        look.provider(provider, site.path, look.line(site.path, site.call))
    return []


def base_url(look: Look, site: Site) -> str | None:
    """The base URL a client was given; empty when it was given one that is not known, None when none was given."""
    given = look.argument(site, "base_url")
    if not given:
        return None
    texts = [t for at in given for t in look.resolver.texts(*at)]
    known = [t.value for t in texts if t.value and ("://" in t.value or "." in t.value or ":" in t.value)]
    if known:
        return known[0]
    targets = [t for at in given for t in look.resolver.follow(*at)]
    if any(t.kind != "value" for t in targets):
        called = look.symbol_name(site.path, site.call) or last_name(site.symbol)
        look.unresolved(site, f"where the calls of {called} go", texts, "endpoint")
    return "" if texts or targets else None
