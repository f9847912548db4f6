"""Who can answer: what an unknown field of an asset comes down to, and of which asset somebody can say it.

A derived field comes down to an observed one, often of another asset: who reaches an agent is a matter of the
application before it. Some things nobody should be asked: what a file in a repository holds may be asked, but who may
read it is the repository's matter.
"""

from __future__ import annotations

from penstock.assess.facts import USES, Facts
from penstock.graph.owners import home_of
from penstock.graph.vocabulary import DATA_KINDS, Asset

#: Derived field → the property or verb to ask for.
_COMES_DOWN_TO = {
    "guarded_in": "input_filter",
    "guarded_out": "output_filter",
    "high_risk": "purpose",
    "criticality": "supports",
    "owned": "owned_by",
}
#: What is a matter of the place in which a thing lies.
_OF_THE_PLACE = frozenset({"public_read", "public_write", "records", "cmk", "trust"})
#: What nobody may have to say of a thing; as far as the thing itself tells, so that it can be left out early.
PLACE_FIELDS = _OF_THE_PLACE | {"region"}
#: Providers at which an organisation keeps models of its own.
_HUBS = frozenset({"huggingface"})
#: How the names of stores begin that can be opened to everybody by themselves.
_SHAREABLE = ("s3://", "gs://", "az://", "abfs://", "abfss://", "hf://", "http://", "https://")
_TAKES_TEXTS = frozenset({"content_source", "knowledge_base", "vector_store", "memory", "repository", "endpoint"})


def answerable(facts: Facts, id: str, field: str) -> tuple[str, str] | None:
    """(asset id, property or verb) to ask for; None when nobody is to be asked."""
    asset = facts.graph.assets[id]
    match field:
        case "reach" | "anonymous" | "exposure":
            return _door(facts, asset, field)
        case "auth":
            return None if _has_shown_a_key(facts, asset) else (id, field)
        case "approval":
            return _who_approves(facts, asset), field
        case "sanction":
            provider = facts.provider_of(asset)
            return (provider.id if provider and provider.id in facts.graph.assets else id), field
        case "region":
            return (id, field) if asset.kind == "provider" else None  # where one's own things are, a scan of them says
        case "owned" | "owned_by":
            return home_of(facts.graph, asset), "owned_by"
        case _ if field in _OF_THE_PLACE and not _decides_itself(facts, asset, field):
            return None
        case _:
            return id, _COMES_DOWN_TO.get(field, field)


def _door(facts: Facts, asset: Asset, field: str) -> tuple[str, str] | None:
    """The nearest of the asset and its users of whom nobody said who reaches them, or how on the internet."""
    if field == "exposure" and not _is_reached_through_others(facts, asset):
        return (asset.id, "exposure") if facts.answers(asset.id) else None
    doors = [facts.graph.assets[user] for user in facts.users(asset.id)]
    if field == "anonymous":
        for door in doors:
            if door.prop("exposure") == "internet" and door.prop("auth") is None:
                return door.id, "auth"
    for door in doors:
        if not door.prop("exposure") and not any(facts.graph.into(door.id, *USES)) and facts.answers(door.id):
            return door.id, "exposure"
    return None


def _is_reached_through_others(facts: Facts, asset: Asset) -> bool:
    """Whether an agent or tool is a part of what calls it, and not a service of its own."""
    return asset.kind in ("agent", "tool") and any(facts.graph.into(asset.id, *USES))


def _has_shown_a_key(facts: Facts, asset: Asset) -> bool:
    """Whether a key for a server over the network is configured beside it: then it asks for one."""
    return asset.kind == "mcp_server" and bool(asset.prop("url")) and any(facts.graph.out(asset.id, "holds"))


def _who_approves(facts: Facts, asset: Asset) -> str:
    """What assistants use, their user approves."""
    users = facts.assistants_of(asset)
    return next((user.id for user in users if user.prop("approval") is None), asset.id)


def _decides_itself(facts: Facts, asset: Asset, field: str) -> bool:
    """Whether somebody decides of this very thing who reads it, who writes it and where it is kept.

    Of a file of a repository its committers do; of a service, whoever decides who reaches it; of the other name of a
    model, nobody. A table behind a database is as open as the database.
    """
    if field == "trust":
        return _takes_texts_in(facts, asset)
    if asset.kind == "model":
        return field == "public_read" and asset.prop("provider") in _HUBS
    if asset.kind in DATA_KINDS:
        return asset.name.casefold().startswith(_SHAREABLE)
    return not (asset.prop("url") or asset.prop("exposure"))


def _takes_texts_in(facts: Facts, asset: Asset) -> bool:
    """Whether texts of others may come in by it: a source of content, an index, a server that is connected to one."""
    if asset.kind == "mcp_server":  # on the machine and without a key it serves what lies there
        return bool(asset.prop("url")) or any(facts.graph.out(asset.id, "holds"))
    return asset.kind in _TAKES_TEXTS
