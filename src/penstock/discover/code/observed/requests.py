"""Requests to a model: which model, with which prompts and tools."""

from __future__ import annotations

from penstock.discover.code.observed.addresses import base_url
from penstock.discover.code.observed.described import described_tools
from penstock.discover.code.observed.look import Look
from penstock.discover.code.observed.models import models_at, named_model
from penstock.discover.code.observed.prompts import prompts_among, prompts_of
from penstock.discover.code.observed.tools import tool_of
from penstock.discover.code.resolve import Frames, Text
from penstock.discover.code.signatures import Site, api_called, provider_of
from penstock.graph import identity
from penstock.graph.vocabulary import Asset

#: Requests that one request may be asked of: parts of a client that can be called themselves.
_MOST_ABOVE = 4


def make_request(look: Look, site: Site) -> list[Asset]:
    if site.row.by_host:
        return make_web_request(look, site)
    line = look.line(site.path, site.call)
    provider = provider_of(site.row, site.symbol)
    client = look.site_of(site.receiver) if site.receiver else None
    for _ in range(_MOST_ABOVE):  # client.chat.completions.create, where each member is a call
        if client is None or client.row.makes != "request" or client.receiver is None:
            break
        client = look.site_of(client.receiver)
    url = base_url(look, site)
    if client is not None and client.row.makes == "client":
        look.owned.add((client.path, client.call))
        provider = provider_of(client.row, client.symbol) or provider
        url = url if url is not None else base_url(look, client)
        if any(
            t.value == "True" or is_true(look, at)
            for at in look.argument(client, "vertex")
            for t in [Text(None, "", 0, ())]
        ):
            provider = "google-vertex-ai"
    found = models_at(look, site, look.argument(site, "model"), provider, site.row.role, url)
    for target in look.targets(site, "model"):
        if site.row.defaults and not look.argument(site, "model"):
            found += look.assets_of(target, "model")
        if target.kind == "external" and (inner := look.site_of(target)):
            look.owned.add((inner.path, inner.call))
    if client is not None and client.row.makes == "model":
        found += look.make(client)
    if url is None:
        look.provider(provider, site.path, line)
    say_contents(look, site, line)
    return found


def make_web_request(look: Look, site: Site) -> list[Asset]:
    """A call over plain HTTP: the model stands in the body, or in the path of the URL."""
    called = api_called(look.resolver, site.path, site.call, site.row)
    if called is None:
        return []
    (provider, model, role), url = called
    line = look.line(site.path, site.call)
    own = None if provider else url
    found = models_at(look, site, look.argument(site, "model"), provider, role, own)
    if (
        not found
        and model
        and (named := named_model(look, site, Text(model, site.path, line, ()), provider, role, own))
    ):
        found = [named]
    if own:
        endpoint = identity.endpoint(own, look.scope)
        look.say(endpoint, site.path, line)
        look.link(look.app(site.path, line), "invokes", endpoint, site.path, line)
    look.provider(provider, site.path, line)
    say_contents(look, site, line)
    return found


def say_contents(look: Look, site: Site, line: int) -> None:
    """The prompts and tools that a request sends along."""
    owner = look.owner(site) or look.application
    for prompt in [*prompts_of(look, site, "system", "system"), *prompts_among(look, site)]:
        look.app(site.path, line)
        look.link(owner, "instructed_by", prompt, site.path, line)
    for target, given_name in look.named_targets(site, "tools"):
        for tool in tool_of(look, target, given_name):
            look.link(look.app(site.path, line), "uses_tool", tool, site.path, line)
    for tool in described_tools(look, site):
        look.link(look.app(site.path, line), "uses_tool", tool, site.path, line)


def is_true(look: Look, at: tuple[str, int, Frames]) -> bool:
    return any(
        t.kind == "value" and look.resolver.modules[t.path].expressions[t.ref][0::2] == ["b", True]
        for t in look.resolver.follow(*at)
    )
