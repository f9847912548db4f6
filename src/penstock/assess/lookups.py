"""Facts that are looked up asset by asset: who owns it, whether its provider is agreed to, whether a key is dead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np

from penstock.assess.arrays import verb_flags
from penstock.assess.columns import Column, Flags, Values
from penstock.assess.high_risk import high_risk_use
from penstock.graph import identity
from penstock.graph.graph import Graph
from penstock.graph.owners import application_of, owners_of
from penstock.graph.vocabulary import Asset
from penstock.knowledge.models import family_of
from penstock.knowledge.providers import AT_HOME

if TYPE_CHECKING:
    from penstock.assess.facts import Facts

_REVOKED = re.compile(r"\b(revoked|disabled|deactivated|deleted|expired)\b", re.IGNORECASE)


def revoked(facts: Facts) -> Column:
    """Whether its scope, or a decision about it, says that a key or role is dead."""
    scope = facts.column("scope")
    dead = np.array([bool(_REVOKED.search(str(text))) for text in scope.known.values] + [False])[scope.codes]
    arrays = facts.arrays
    for edge in arrays.of_verbs(verb_flags(["approved_by"])).tolist():
        what = facts.graph.assets[arrays.ids[arrays.target[edge]]].prop("what")
        dead[arrays.source[edge]] |= bool(_REVOKED.search(str(what or "")))
    return Column.flags(dead, ~dead)


def high_risk(facts: Facts) -> Column:
    """The class of high-risk use that its purpose names; unknown without a purpose."""
    purpose = facts.column("purpose")
    known = Values()
    said = [known.code(high_risk_use(text) if text else None) for text in purpose.known.values]
    return Column(np.array([*said, -1], np.int16)[purpose.codes], known)


def holders(facts: Facts) -> Column:
    """How many workloads hold a key or run as an identity."""
    arrays = facts.arrays
    edges = arrays.of_verbs(verb_flags(["holds", "runs_as"]))
    pairs = np.unique(arrays.target[edges].astype(np.int64) * len(arrays) + arrays.source[edges])
    counts = np.bincount((pairs // max(1, len(arrays))).astype(np.int64), minlength=len(arrays))
    different, which = np.unique(counts, return_inverse=True)
    return Column(which.astype(np.int32), Values.fixed(*different.astype(float).tolist()))


def served(facts: Facts) -> Column:
    """Of a model: whether an endpoint serves it, or what it is another name or copy of."""
    arrays = facts.arrays
    found = np.zeros(len(arrays), np.bool_)
    found[arrays.target[arrays.of_verbs(verb_flags(["serves"]))]] = True
    copies = arrays.of_verbs(verb_flags(["derived_from"]))
    by_name = found.copy()
    by_name[arrays.source[copies[found[arrays.target[copies]]]]] = True
    models = facts.kind_is("model")
    return Column.flags(models & by_name, models & ~by_name)


def owned(facts: Facts) -> Column:
    """Whether a team or person answers for it, or for what makes it, its application or its repository."""
    arrays, graph = facts.arrays, facts.graph
    own = np.zeros(len(arrays), np.bool_)
    own[arrays.source[arrays.of_verbs(verb_flags(["owned_by"]))]] = True
    found = own.copy()
    made = arrays.of_verbs(verb_flags(["produces", "exposes_tool"]))
    found[arrays.target[made[own[arrays.source[made]]]]] = True
    defined = arrays.of_verbs(verb_flags(["defined_in"]))
    found[arrays.source[defined[own[arrays.target[defined]]]]] = True
    scopes = facts.column("home")
    found |= np.array([_source_owned(facts, scope, own) for scope in scopes.known.values] + [False])[scopes.codes]
    for place in np.flatnonzero(scopes.where("") & ~found).tolist():
        found[place] = bool(owners_of(graph, arrays.ids[place]))
    return Column.flags(found, ~found & facts.knows_all("owned_by"))


def _source_owned(facts: Facts, scope: str, own: Flags) -> bool:
    """Whether somebody answers for the application or the repository that a source is."""
    if not scope.startswith("repo:"):
        return False
    place = facts.arrays.place
    application = application_of(facts.graph, scope)
    repositories = [relation.target for relation in facts.graph.out(application, "defined_in")]
    repositories.append(identity.asset("repository", scope.partition(":")[2]).id)
    return any(id in place and bool(own[place[id]]) for id in (application, *repositories))


def vendor(asset: Asset) -> str | None:
    """Of a model whose id belongs to a known family, who makes it; on a hub only under the maker's own name."""
    publisher, _, name = asset.name.rpartition("/")
    family = family_of(name)
    if family is None or not family.vendor:
        return None
    own = _words(f"{family.id} {family.vendor}")
    if publisher and not any(one.startswith(word) for one in _words(publisher) for word in own if len(word) > 2):
        return None
    return family.vendor


def sanction(facts: Facts, asset: Asset) -> str | None:
    """What was said of the provider, else whether the organisation's list names it; of a model, its provider's.

    An address is the organisation's own on one of its domains, and nobody's that it agreed to on another one.
    """
    if asset.kind in ("endpoint", "hook"):
        return _by_domain(facts.organisation.trusted_domains, str(asset.prop("url") or asset.name))
    provider = provider_of(facts.graph, asset)
    if provider is None:
        return "sanctioned" if asset.prop("provider") in AT_HOME else None
    if provider.prop("sanction"):
        return str(provider.prop("sanction"))
    listed = facts.organisation.sanctioned_providers
    if listed is None:
        return None
    names = [_words(name) for name in (provider.name, provider.prop("provider"), provider.prop("vendor")) if name]
    agreed = any(_within(_words(one), name) for one in listed for name in names)
    return "sanctioned" if agreed else "unsanctioned"


def _by_domain(trusted: Sequence[str] | None, address: str) -> str | None:
    """By the host of an address; None where nothing was said of domains, and for a name of a private network."""
    host = (urlsplit(address if "://" in address else f"//{address}").hostname or "").rstrip(".").lower()
    if trusted is None or "." not in host or host.endswith((".local", ".internal", ".localhost", ".svc")):
        return None
    if host.replace(".", "").isdigit():
        return None
    own = any(host == domain.lower() or host.endswith(f".{domain.lower().lstrip('.')}") for domain in trusted)
    return "sanctioned" if own else "unsanctioned"


def provider_of(graph: Graph, asset: Asset) -> Asset | None:
    """The provider that a hosted model's texts go to (the asset itself, if it is one); None for what runs here."""
    if asset.kind == "provider":
        return asset
    name = asset.prop("provider")
    if asset.kind != "model" or not name or name in AT_HOME:
        return None
    plain = _plain_provider(name)
    return graph.assets.get(plain.id, plain)


@cache
def _plain_provider(name: str) -> Asset:
    return identity.asset("provider", name)


def approval(facts: Facts, asset: Asset) -> str | None:
    """What was said of the assistants by which alone a tool is used: one that asks asks for all."""
    said = {assistant.prop("approval") for assistant in assistants_of(facts.graph, asset)}
    return "none" if "none" in said else "required" if said == {"required"} else None


def assistants_of(graph: Graph, asset: Asset) -> list[Asset]:
    """The assistants by which alone a tool or tool server is used; empty when others use it too."""
    users = [graph.assets[r.source] for r in graph.into(asset.id, "uses_tool", "connects_to")]
    if any(user.kind != "assistant" for user in users):
        return []
    return sorted(users, key=lambda user: user.id)


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", str(name).casefold())


def _within(part: list[str], whole: list[str]) -> bool:
    return bool(part) and any(whole[n : n + len(part)] == part for n in range(len(whole)))
