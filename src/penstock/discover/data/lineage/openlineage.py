"""OpenLineage events: which job read and wrote which data, with owners, tags, columns and what was masked.

Specification: openlineage.io, core 2-0-2 (RunEvent, JobEvent, DatasetEvent) and its facets: ownership, tags, schema,
datasetType, symlinks, columnLineage, lineage, outputStatistics, inputStatistics, dataQualityMetrics, governance,
sourceCodeLocation and parent. ``parse`` takes one event and knows nothing of where it came from: files call it here, a
receiver of events calls it as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from penstock.discover.collector import Fact, File, Yielded, collector
from penstock.discover.data.lineage import places
from penstock.discover.data.lineage.reading import (
    count,
    dig,
    entries,
    json_of,
    mapping,
    mappings,
    text,
    texts,
)
from penstock.discover.data.lineage.same_files import FACT as PATH
from penstock.discover.data.lineage.saying import MOST_PAIRS, Saying
from penstock.discover.data.lineage.words import labels_of_pair, shown
from penstock.discover.git import repository_name
from penstock.discover.walk import SAMPLE
from penstock.errors import NotUnderstood
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Observation, Unseen

NAME = "lineage.openlineage"
#: Columns of a dataset and steps of one column that are looked at.
_MOST_COLUMNS, _MOST_STEPS = 2_000, 100


@collector(
    NAME,
    reads=["*.jsonl", "*.ndjson", "*lineage*.json", "*lineage*.log"],
    sees="jobs of OpenLineage events, what they read and write, owners, tags, columns, masking",
    unseen="events that a job sends to a server and writes to no file",
)
def events(file: File) -> Iterator[Yielded]:
    """What the events of a file say, one event a line or one in the file."""
    if b"openlineage" not in file.data[:65_536].lower() and b'"schemaURL"' not in file.data[:65_536]:
        return
    told = _Told(Saying(NAME, file.scope, file.path))
    broken = 0
    for number, event in _events(file.data):
        if event is None:
            broken += 1
        elif is_event(event):
            told.event(event, number or "")
    yield from told.saying
    yield from (Fact(PATH, file.path, path) for path in sorted(told.absolute))
    if broken:
        why = f"{broken} line{'s'[: broken > 1]} hold no JSON"
        yield Unseen(file.path, "events of OpenLineage", why, collector=NAME, scope=file.scope)


def parse(event: Any, *, scope: str = "", where: str = "OpenLineage event") -> Iterator[Observation | Unseen]:
    """What one event says; nothing when it is no event of OpenLineage. Never raises, whatever the shape.

    Args:
        scope: the scope its evidence belongs to; data given as paths of a machine are told apart by it.
        where: what a reader can open, or the address the event came from.
    """
    told = _Told(Saying(NAME, scope, where))
    if is_event(event):
        told.event(event, "")
    yield from told.saying


def is_event(value: Any) -> bool:
    """Whether a value is an event: it names the schema, and a job or a dataset."""
    event = mapping(value)
    schema = f"{text(event.get('schemaURL'))} {text(event.get('producer'))}".casefold()
    named = any(text(dig(event, what, "name")) for what in ("job", "dataset"))
    return named and ("openlineage" in schema or ("eventTime" in event and "producer" in event))


def _events(data: bytes) -> Iterator[tuple[int, Any]]:
    """Every event with its line (0 for a file that is one event); None in the place of one that does not parse."""
    head = data.lstrip()[:1]
    if head in (b"{", b"["):
        try:
            whole = json_of(data)
        except NotUnderstood:
            pass
        else:
            yield from ((0, item) for item in (whole if isinstance(whole, list) else [whole]))
            return
    lines = data.split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield number, json_of(line)
        except NotUnderstood:
            if not (number == len(lines) and len(data) >= SAMPLE):  # a sampled file ends within a line
                yield number, None


class _Told:
    def __init__(self, saying: Saying) -> None:
        self.saying = saying
        #: paths of the machine that ran the jobs
        self.absolute: set[str] = set()

    def event(self, event: Mapping[str, Any], place: str | int) -> None:
        saying = self.saying
        if (alone := mapping(event.get("dataset"))) and not event.get("job"):
            self.dataset(alone, place)
            return
        job = self.job(mapping(event.get("job")), place)
        at = saying.at(place, f"{text(event.get('eventType')) or 'an event'} of the job {job.name}")
        saying.asset(job, at)
        self.parent(event, job, place)
        read = [thing for about in mappings(event.get("inputs")) if (thing := self.dataset(about, place))]
        outputs = mappings(event.get("outputs"))
        made = [(thing, about) for about in outputs if (thing := self.dataset(about, place))]
        for thing in read:
            saying.link(job, "uses_model" if thing.kind == "model" else "loads", thing, at)
        for thing, about in made:
            saying.link(job, "produces" if thing.kind == "model" else "writes", thing, at)
            for source in read if thing.kind == "model" and len(read) * len(made) <= MOST_PAIRS else ():
                saying.link(thing, "trained_on" if source.kind != "model" else "derived_from", source, at)
            self.columns(thing, about, place)
            if saying.full:
                return
        facets = mapping(dig(event, "job", "facets"))
        for entry in mappings(dig(facets, "lineage", "entries")) + mappings(dig(facets, "lineage", "lineage")):
            target = self.named(entry)
            if target is not None and text(entry.get("type")).upper() == "DATASET":
                self.flows(target, entry, place)

    def job(self, about: Mapping[str, Any], place: str | int) -> Asset:
        namespace, name = text(about.get("namespace")) or "default", text(about.get("name")) or "job"
        # namespace and name are unique wherever events are collected
        key = f"openlineage://{namespace}/{name}"
        job = Asset(identity.issue("pipeline", "", key), "pipeline", name)
        facets = mapping(about.get("facets"))
        at = self.saying.at(place, f"job {name} of {namespace}")
        self.owners(job, facets, place)
        code = mapping(facets.get("sourceCodeLocation"))
        repository = repository_name(text(code.get("repoUrl")) or text(code.get("url")))
        if repository:
            if path := text(code.get("path")).strip("/"):
                script = identity.asset("pipeline", path, scope=f"repo:{repository}", key=path)
                self.saying.link(job, "defined_in", script, at)
            else:
                self.saying.link(job, "defined_in", identity.asset("repository", repository), at)
        return job

    def parent(self, event: Mapping[str, Any], job: Asset, place: str | int) -> None:
        """The run that started this one, such as the DAG of a task."""
        about = mapping(dig(event, "run", "facets", "parent", "job"))
        if text(about.get("name")):
            parent = self.job(about, place)
            self.saying.link(parent, "invokes", job, self.saying.at(place, f"{parent.name} started {job.name}"))

    def dataset(self, about: Mapping[str, Any], place: str | int) -> Asset | None:
        """A dataset or model with what its facets say."""
        thing = self.named(about)
        if thing is None:
            return None
        saying, facets = self.saying, mapping(about.get("facets"))
        props: dict[str, Any] = {}
        for facet, field in (("outputStatistics", "rowCount"), ("dataQualityMetrics", "rowCount"),
                             ("inputStatistics", "rowCount")):  # fmt: skip
            for side in ("outputFacets", "inputFacets"):
                if (records := count(dig(about, side, facet, field))) is not None and thing.kind == "dataset":
                    props.setdefault("records", records)
        labels, columns, why = _tagged(facets)
        if columns and thing.kind == "dataset":
            props["columns"] = sorted(columns)
        at = saying.at(place, f"{thing.name} in the event", *why)
        saying.asset(Asset(thing.id, thing.kind, thing.name, thing.scope, {**thing.props, **props}, labels), at)
        self.owners(thing, facets, place)
        if thing.kind == "dataset":
            named = [text(field.get("name")) for field in mappings(dig(facets, "schema", "fields"))[:_MOST_COLUMNS]]
            saying.columns(thing, [name for name in named if name], place)
        for other in mappings(dig(facets, "symlinks", "identifiers"))[:20]:
            alias = self.named({**other, "facets": facets})
            if alias is not None:
                saying.same(thing, alias, saying.at(place, f"{alias.name} is another name of {thing.name}"))
        return thing

    def named(self, about: Mapping[str, Any]) -> Asset | None:
        """The asset that a namespace and a name stand for."""
        namespace, name = text(about.get("namespace")), text(about.get("name"))
        if not name:
            return None
        kind = text(dig(about, "facets", "datasetType", "datasetType")).upper()
        thing = (_model if kind == "MODEL" else place_of)(namespace, name, self.saying.scope)
        if thing is not None and thing.kind == "dataset" and thing.name.startswith("/") and len(self.absolute) < 1_000:
            self.absolute.add(thing.name)
        return thing

    def owners(self, thing: Asset, facets: Mapping[str, Any], place: str | int) -> None:
        for owner in mappings(dig(facets, "ownership", "owners"))[:20]:
            name = text(owner.get("name"))
            if name and not name.startswith("application:"):
                role = text(owner.get("type"))
                at = self.saying.at(place, f"its ownership facet names {name}" + (f" as {role}" if role else ""))
                self.saying.owned(thing, name, at)
        if owner_name := text(dig(facets, "dataMeshGovernance", "owner")):
            self.saying.owned(thing, owner_name, self.saying.at(place, f"its governance facet names {owner_name}"))

    def columns(self, output: Asset, about: Mapping[str, Any], place: str | int) -> None:
        """Which inputs an output's columns were computed from (facets columnLineage and lineage)."""
        facets = mapping(about.get("facets"))
        lineage = mapping(facets.get("columnLineage"))
        fields = {name: {"inputs": mapping(entry).get("inputFields")} for name, entry in entries(lineage.get("fields"))}
        self.flows(output, {"fields": fields, "inputs": lineage.get("dataset")}, place)
        self.flows(output, mapping(facets.get("lineage")), place)

    def flows(self, output: Asset, lineage: Mapping[str, Any], place: str | int) -> None:
        """Say what an output was derived from. Masking is a claim to be confirmed: it lowers nothing by itself."""
        sources: dict[str, tuple[Asset, set[str], set[str]]] = {}

        def add(given: Any, column: str) -> None:
            for step in mappings(given)[:_MOST_STEPS]:
                source = self.named(step) if text(step.get("type")).upper() != "JOB" else None
                if source is None or source.id == output.id:
                    continue
                _, taken, masked = sources.setdefault(source.id, (source, set(), set()))
                field = text(step.get("field"))
                if field:
                    taken.add(f"{field} → {column}" if column else field)
                for how in mappings(step.get("transformations")):
                    if how.get("masking") is True:
                        said = text(how.get("description")) or text(how.get("subtype"))
                        masked.add(f"{column or field or 'all'}{f' ({said[:80]})' if said else ''}")

        add(lineage.get("inputs"), "")
        for column, entry in entries(lineage.get("fields"))[:_MOST_COLUMNS]:
            add(mapping(entry).get("inputs"), text(column))
        masked_all: set[str] = set()
        verb = "trained_on" if output.kind == "model" else "derived_from"
        for source, taken, masked in sources.values():
            at = self.saying.at(place, f"columns {', '.join(sorted(taken)[:10])}" if taken else "the whole of it")
            props = {"masked": sorted(masked)[:50]} if masked else None
            self.saying.link(output, verb if source.kind != "model" else "derived_from", source, at, props)
            masked_all |= masked
        if masked_all and output.kind != "model":
            # no approver, no date: a proposal that an approver outside the source may confirm (R5)
            record = {"method": f"masking of {', '.join(sorted(masked_all))[:300]}", "proposed_by": "OpenLineage"}
            proposal = Asset(output.id, output.kind, output.name, output.scope, {"declassified": record})
            self.saying.asset(proposal, self.saying.at(place, "a transformation says that it masks"))


def place_of(namespace: str, name: str, scope: str) -> Asset | None:
    """The dataset that a namespace and a name stand for, by the naming rules of the specification."""
    scheme, _, authority = namespace.partition("://")
    scheme = scheme.casefold()
    if "@" in authority and scheme not in places.CONTAINERS:
        authority = authority.rpartition("@")[2]
        namespace = f"{scheme}://{authority}"
    parts = [part.strip('"`[]') for part in name.split(".")]
    if scheme == "file" and "/" in name:
        return places.dataset(name if name.startswith("/") else f"/{name}", scope)
    if scheme in ("postgres", "postgresql", "redshift", "sqlserver", "mssql", "snowflake", "trino", "presto",
                  "databricks", "db2", "oracle", "teradata", "vertica") and len(parts) == 3:  # fmt: skip
        return places.table(scheme, authority, *parts)
    if scheme in ("mysql", "mariadb", "clickhouse", "hive", "cassandra", "spark", "impala") and len(parts) == 2:
        return places.table(scheme, authority, parts[0], "", parts[1])
    if scheme == "bigquery" and len(parts) == 3:
        return places.table("bigquery", "", *parts)
    if scheme == "awsathena" and len(parts) == 3:
        return identity.asset("dataset", name, key=f"awsathena://{authority}/{'/'.join(parts)}")
    if scheme.startswith("arn:"):
        return identity.asset("dataset", name, key=f"{namespace.rstrip('/')}:{name.lstrip('/')}")
    if scheme == "dbfs":
        return places.dataset(f"dbfs:/{name.lstrip('/')}", scope)
    if authority:
        return places.dataset(re.sub(r"(?<!:)/{2,}", "/", f"{namespace}/{name}"), scope)
    if re.match(r"[a-z][a-z0-9+.-]*://", name, re.IGNORECASE):
        return places.dataset(name, scope)
    if not namespace:
        return None
    return identity.asset("dataset", name, key=f"openlineage://{namespace}/{name}")


def _model(namespace: str, name: str, scope: str) -> Asset | None:
    if "huggingface" in namespace.casefold():
        return places.hub_model(name)
    if name.startswith(("models:/", "runs:/")):
        return places.mlflow_model(name)
    if "mlflow" in namespace.casefold():
        return places.mlflow_model(f"models:/{name}")
    if namespace.partition("://")[2]:
        return places.model(re.sub(r"(?<!:)/{2,}", "/", f"{namespace}/{name}"), scope)
    if namespace.startswith("file") or name.startswith("/"):
        return places.model(f"/{name.lstrip('/')}", scope)
    return identity.asset("model", name, key=f"openlineage://{namespace}/{name}")


def _tagged(facets: Mapping[str, Any]) -> tuple[frozenset[str], set[str], list[str]]:
    """Labels that tags and governance put on a dataset, the columns they are about, and why."""
    labels: set[str] = set()
    columns: set[str] = set()
    why: list[str] = []

    def add(found: Iterable[str], said: str, field: str = "") -> None:
        new = set(found)
        if new:
            labels.update(new)
            why.append(said[:200])
            if field:
                columns.add(field[:100])

    for tag in mappings(dig(facets, "tags", "tags"))[:1_000]:
        key, field = text(tag.get("key")), text(tag.get("field"))
        value = tag.get("value")
        add(labels_of_pair(key, value), f"tag {shown(key, value)}" + (f" on {field}" if field else ""), field)
    governance = mapping(facets.get("dataMeshGovernance"))
    if tier := text(governance.get("dataClassification")):
        add(labels_of_pair("classification", tier), f"classified {tier}")
    for column in texts(governance.get("piiColumns"))[:_MOST_COLUMNS]:
        add({"pii"}, f"column {column} is listed under piiColumns", column)
    return frozenset(labels), columns, why[:20]
