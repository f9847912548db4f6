"""The data map, what holds some data, and why, as JSON: in a stable order, under versioned names whose schema ships."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib import resources
from typing import Any

from penstock.graph.vocabulary import Asset, Evidence
from penstock.report.datamap.answers import Holder, Reason, notes
from penstock.report.datamap.chart import STAGES, Chart
from penstock.report.json_report import moment
from penstock.report.view import Report

#: Raised when a reader of the last version could be misled; a field that is only added does not raise it.
MAP, WHERE, WHY = "penstock.data-map/1", "penstock.data-where/1", "penstock.data-why/1"
#: Relations named for one link; all are counted.
RELATIONS = 50


def schema() -> dict[str, Any]:
    """The JSON Schema that all three keep."""
    text = resources.files("penstock.report").joinpath("schemas/penstock-data-1.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def chart_document(report: Report, chart: Chart) -> dict[str, Any]:
    """The map: columns, boxes, links with the relations they stand on."""
    return {
        **_head(report, MAP),
        "assets": chart.shown,
        "apart": chart.apart,
        "labels": {label: {"contains": held, "sees": seen} for label, (held, seen) in chart.labels.items()},
        "columns": [{"id": stage, "title": title} for stage, title in STAGES.items()],
        "boxes": [
            {
                "id": box.id,
                "column": box.stage,
                "kind": box.kind,
                "name": box.name,
                "detail": box.detail,
                "assets": list(box.assets),
                "contains": dict(box.contains),
                "sees": dict(box.sees),
            }
            for box in chart.boxes
        ],
        "links": [
            {
                "from": link.source,
                "to": link.target,
                "how": "contains" if link.holds else "sees",
                "labels": list(link.labels),
                "relations": len(link.relations),
                "because": [
                    {
                        "source": r.source,
                        "verb": r.verb,
                        "target": r.target,
                        "evidence": _evidence(report.graph.evidence.get(r.key, ())[:1]),
                    }
                    for r in link.relations[:RELATIONS]
                ],
            }
            for link in chart.links
        ],
    }


def holders_document(report: Report, label: str, found: Iterable[Holder]) -> dict[str, Any]:
    """What contains or may see a label."""
    return {
        **_head(report, WHERE),
        "label": label,
        "assets": [
            {
                **_asset(holder.asset),
                "how": holder.how,
                "leakage": holder.leakage,
                "hops": holder.hops,
                "origin": holder.origin,
            }
            for holder in found
        ],
    }


def reasons_document(report: Report, asset: Asset, found: Iterable[Reason]) -> dict[str, Any]:
    """Why an asset carries its labels: the shortest proof of each, with evidence for every hop."""
    return {
        **_head(report, WHY),
        "asset": _asset(asset),
        "labels": [
            {
                "label": reason.label,
                "how": reason.how,
                "leakage": reason.leakage,
                "proof": [
                    {
                        "asset": hop.step.asset,
                        "name": report.name(hop.step.asset),
                        "verb": hop.step.verb,
                        "forward": hop.step.forward,
                        "evidence": _evidence(hop.evidence),
                    }
                    for hop in reason.hops
                ],
            }
            for reason in found
        ],
        "notes": [{"kind": note.kind, "text": note.text, "about": note.about} for note in notes(report, asset.id)],
    }


def _head(report: Report, schema: str) -> dict[str, Any]:
    return {
        "schema": schema,
        "generator": {"name": "penstock", "version": report.version},
        "generated_at": moment(report.generated_at),
    }


def _asset(asset: Asset) -> dict[str, Any]:
    return {"id": asset.id, "kind": asset.kind, "name": asset.name, "scope": asset.scope}


def _evidence(pieces: Iterable[Evidence]) -> list[dict[str, Any]]:
    return [
        {
            "collector": e.collector,
            "where": e.where,
            "scope": e.scope,
            "confidence": e.confidence,
            "chain": list(e.chain),
        }
        for e in pieces
    ]
