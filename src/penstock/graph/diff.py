"""What changed between two graphs, in the order a person would ask: gone, new, changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.graph.graph import Graph
from penstock.graph.vocabulary import Asset, Relation


@dataclass(frozen=True, slots=True)
class Changes:
    """``changed`` maps an asset id to the fields that differ: name → (before, after).

    Field names are ``kind``, ``name``, ``scope``, ``status``, ``lifecycle``, ``labels`` (sorted lists) and
    ``props.<name>`` (None where there was no value). A relation whose properties differ is removed and added.
    """

    added: tuple[Asset, ...] = ()
    removed: tuple[Asset, ...] = ()
    changed: Mapping[str, Mapping[str, tuple[Any, Any]]] = field(default_factory=dict)
    relations_added: tuple[Relation, ...] = ()
    relations_removed: tuple[Relation, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.relations_added or self.relations_removed)


def diff(before: Graph, after: Graph) -> Changes:
    """What a reader of ``before`` has to learn to know ``after``; empty for equal graphs. Retired counts as gone.

    When something was seen is no change: ``first_seen``, ``last_seen`` and evidence are left out.
    """
    return changes(before.assets.values(), before.relations, after.assets.values(), after.relations)


def changes(
    assets_before: Iterable[Asset],
    relations_before: Iterable[Relation],
    assets_after: Iterable[Asset],
    relations_after: Iterable[Relation],
) -> Changes:
    """The same for bare assets and relations."""
    old = {asset.id: asset for asset in assets_before if asset.lifecycle != "retired"}
    new = {asset.id: asset for asset in assets_after if asset.lifecycle != "retired"}
    changed = {id: fields for id in sorted(old.keys() & new.keys()) if (fields := _fields(old[id], new[id]))}
    links_old = {relation.key: relation for relation in relations_before}
    links_new = {relation.key: relation for relation in relations_after}
    return Changes(
        added=tuple(sorted((new[id] for id in new.keys() - old.keys()), key=_reading_order)),
        removed=tuple(sorted((old[id] for id in old.keys() - new.keys()), key=_reading_order)),
        changed=changed,
        relations_added=_only_in(links_new, links_old),
        relations_removed=_only_in(links_old, links_new),
    )


def _fields(old: Asset, new: Asset) -> dict[str, tuple[Any, Any]]:
    fields: dict[str, tuple[Any, Any]] = {}
    for name in ("kind", "name", "scope", "status", "lifecycle"):
        if (before := getattr(old, name)) != (after := getattr(new, name)):
            fields[name] = (before, after)
    if old.labels != new.labels:
        fields["labels"] = (sorted(old.labels), sorted(new.labels))
    if old.props != new.props:
        for prop in sorted(old.props.keys() | new.props.keys()):
            if (before := old.prop(prop)) != (after := new.prop(prop)):
                fields[f"props.{prop}"] = (before, after)
    return fields


def _only_in(these: Mapping[Any, Relation], those: Mapping[Any, Relation]) -> tuple[Relation, ...]:
    return tuple(these[key] for key in sorted(these) if key not in those or those[key].props != these[key].props)


def _reading_order(asset: Asset) -> tuple[str, str, str]:
    return asset.kind, asset.name.casefold(), asset.id
