"""ServiceNow's common service data model, as its Table API, its JSON export or a CSV of a list give it.

Processes and capabilities, applications and services with owners, criticality and approval groups, information objects
with their marks, what depends on what (``cmdb_rel_ci``), groups and users. A reference is read as a ``sys_id``, as a
name, or as the object with both that ``sysparm_display_value=all`` gives.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from penstock.discover.data.lineage.saying import Saying
from penstock.discover.organisation.directory import Entry, Group, tell
from penstock.discover.organisation.json_words import text
from penstock.discover.organisation.parties import business_process, party, service, slug
from penstock.graph import identity
from penstock.graph.vocabulary import Asset

#: Words of a class or a table → what it is. The first that occurs decides.
_CLASSES = (
    ("information_object", "data"), ("data_object", "data"),
    ("business_process", "process"), ("business_capability", "process"), ("capability", "process"),
    ("sys_user_grmember", "member"), ("sys_user_group", "group"), ("sys_user", "user"), ("rel_ci", "link"),
    ("business_app", "system"), ("service", "system"), ("appl", "system"), ("offering", "system"),
    ("db_", "system"), ("server", "system"), ("cmdb_ci", "system"),
)  # fmt: skip
#: Columns in the order in which they are asked who answers for an item.
_OWNERS = (("owned_by", "person"), ("it_application_owner", "person"), ("business_owner", "person"),
           ("managed_by_group", "team"), ("support_group", "team"), ("assignment_group", "team"),
           ("managed_by", "person"))  # fmt: skip
_APPROVERS = (("change_control", "team"), ("approval_group", "team"))
_CRITICALITY = ("business_criticality", "busines_criticality", "criticality")
_WORDS = {"most critical": 4, "somewhat critical": 3, "less critical": 2, "not critical": 1}
#: Names of a relation as ServiceNow writes it from its parent's side: the parent relies on the child …
_PARENT_RELIES = re.compile(
    r"(?i)(?:depends on|runs on|uses|consumes|hosted on|provided by|powered by|connects to|instantiates|contains|"
    r"sends data to|implements)\s*::"
)
#: … or the child on the parent.
_CHILD_RELIES = re.compile(
    r"(?i)(?:used by|depended on by|provides|hosts|runs|supports|powers|receives data from)\s*::"
)
_MARKS = {"pii": "pii", "personal": "pii", "pci": "pci", "phi": "phi", "health": "phi", "confidential": "confidential",
          "special": "special_category"}  # fmt: skip
_HEADERS = {"managed_by_group", "support_group", "owned_by", "business_criticality", "busines_criticality",
            "sys_class_name", "change_control", "assignment_group", "class"}  # fmt: skip


def told(start: bytes) -> bool:
    return b'"sys_id"' in start or b'"sys_class_name"' in start or b'"cmdb_' in start or b'"sys_user' in start


def told_csv(start: bytes) -> bool:
    """A list with a name and a column that only a configuration item has."""
    columns = {_column(name) for name in start.partition(b"\n")[0].decode("utf-8", "replace").split(",")}
    return bool({"name", "parent"} & columns) and bool(
        columns & _HEADERS - {"class"} or {"parent", "child", "type"} <= columns
    )


def read(document: Any, said: Saying) -> None:
    """Say what the items of an export are, who answers for them, and what they rely on."""
    Export(said, [(place, table, row) for place, table, row in _rows(document)]).tell()


class Export:
    """The records of one export, and what their references mean."""

    def __init__(self, said: Saying, rows: list[tuple[str, str, Mapping[str, Any]]]) -> None:
        self.said = said
        self.rows: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
        for place, table, row in rows:
            self.rows.setdefault(_what(table, row), []).append((place, row))
        self.items: dict[str, Asset] = {}
        self.people: dict[str, Asset] = {}

    def tell(self) -> None:
        self._people()
        for sort in ("process", "system", "data"):
            for place, row in self.rows.get(sort, ()):
                self._item(sort, place, row)
        for place, row in self.rows.get("link", ()):
            self._link(place, row)

    def _people(self) -> None:
        people = [
            Entry(
                key=_id(row),
                email=mail if "@" in (mail := text(row, "email")) else "",
                logins=tuple(filter(None, (text(row, "user_name"), text(row, "sys_id")))),
                shown=text(row, "name"),
                left={"true": False, "1": False, "false": True, "0": True}.get(_word(row, "active")),
                manager=_reference(row, "manager")[0],
                place=place,
            )
            for place, row in self.rows.get("user", ())
        ]
        members: dict[str, list[str]] = {}
        for _, row in self.rows.get("member", ()):
            members.setdefault(_reference(row, "group")[0], []).append(_reference(row, "user")[0])
        groups = []
        for place, row in self.rows.get("group", ()):
            inside = (*members.get(_id(row), ()), *members.get(text(row, "name"), ()))
            gone = _word(row, "active") in ("false", "0")
            groups.append(Group(_id(row), text(row, "name"), inside, email=text(row, "email"), gone=gone, place=place))
        self.people = tell(self.said, people, groups)

    def _item(self, sort: str, place: str, row: Mapping[str, Any]) -> None:
        name = text(row, "name", "display_name", "number")
        if not slug(name):
            return
        level = _criticality(row)
        asset = service(name)
        if sort == "process":
            hours = _hours(text(row, "rto", "recovery_time_objective", "rto_tier"))
            told = {"criticality": level, "tolerable_outage_h": hours}
            asset = business_process(name, **{key: value for key, value in told.items() if value is not None})
        elif sort == "data":
            marks = {label for column, value in row.items() for label in _marks(str(column), value)}
            asset = identity.asset("dataset", name, key=f"servicenow://information-object/{slug(name)}", labels=marks)
        elif level is not None:
            asset = Asset(asset.id, asset.kind, asset.name, props={"criticality": level}, status=asset.status)
        self.items[_id(row)] = self.items[name] = self.said.asset(asset, self.said.at(place))
        self._told(asset, place, row)

    def _told(self, asset: Asset, place: str, row: Mapping[str, Any]) -> None:
        for columns, verb in ((_OWNERS, "owned_by"), (_APPROVERS, "approved_by")):
            for column, kind in columns:
                if (who := self._party(row, column, kind)) is not None:
                    self.said.link(asset, verb, who, self.said.at(place, f"{column}: {_reference(row, column)[1]}"))
                    break
        parent = _reference(row, "parent") if "child" not in row else ("", "")
        if (above := self.items.get(parent[0]) or self.items.get(parent[1])) is not None and above.kind == "process":
            self.said.link(asset, "supports", above, self.said.at(place, "parent"))

    def _party(self, row: Mapping[str, Any], column: str, kind: str) -> Asset | None:
        key, shown = _reference(row, column)
        if not key:
            return None
        if key in self.people:
            return self.people[key]
        return party(shown, otherwise=kind) if not _SYS_ID.match(shown) else None

    def _link(self, place: str, row: Mapping[str, Any]) -> None:
        ends = [self._end(row, column) for column in ("parent", "child")]
        if ends[0] is None or ends[1] is None:
            return
        kind = _reference(row, "type")[1]
        parent, child = ends[0], ends[1]
        if _CHILD_RELIES.match(kind):
            parent, child = child, parent
        elif not _PARENT_RELIES.match(kind):
            return
        at = self.said.at(
            place, f"{_reference(row, 'parent')[1]} {kind.partition('::')[0]} {_reference(row, 'child')[1]}"
        )
        if parent.kind == "process":
            self.said.link(child, "supports", parent, at)
        elif child.kind == "process":
            self.said.link(parent, "supports", child, at)
        else:
            self.said.link(parent, "reads" if child.kind == "dataset" else "connects_to", child, at)

    def _end(self, row: Mapping[str, Any], column: str) -> Asset | None:
        key, shown = _reference(row, column)
        found = self.items.get(key) or self.items.get(shown)
        return found or (service(shown) if slug(shown) and not _SYS_ID.match(shown) else None)


_SYS_ID = re.compile(r"[0-9a-f]{32}\Z")


def _rows(document: Any) -> list[tuple[str, str, Mapping[str, Any]]]:
    """(place, table, record) of every record: of ``result`` or ``records``, or of lists named for their table."""
    found: list[tuple[str, str, Mapping[str, Any]]] = []
    lists = {"": document} if isinstance(document, list) else document if isinstance(document, Mapping) else {}
    for key, rows in lists.items():
        table = key if isinstance(key, str) and key not in ("result", "records") else ""
        if isinstance(rows, list):
            found += [
                (f"#/{key}/{n}".replace("//", "/"), table, row)
                for n, row in enumerate(rows)
                if isinstance(row, Mapping)
            ]
    return found


def from_columns(row: Mapping[str, str]) -> dict[str, str]:
    """A row of a CSV under the names of columns, whichever way they were exported (``Owned by``, ``owned_by``)."""
    named = {_column(name): value for name, value in row.items() if name}
    if "class" in named:
        named.setdefault("sys_class_name", named["class"])
    return named


def _column(name: str) -> str:
    return re.sub(r"\W+", "_", name.strip().strip('"\ufeff').casefold()).strip("_")


def _what(table: str, row: Mapping[str, Any]) -> str:
    word = (table or text(row, "sys_class_name") or _reference(row, "sys_class_name")[0]).casefold().replace(" ", "_")
    for part, what in _CLASSES:
        if part in word:
            return what
    if "child" in row and "parent" in row:
        return "link"
    if "user_name" in row:
        return "user"
    if "user" in row and "group" in row:
        return "member"
    return "system" if _HEADERS & set(row) else "group"


def _id(row: Mapping[str, Any]) -> str:
    return text(row, "sys_id") or _reference(row, "sys_id")[0] or text(row, "name")


def _reference(row: Mapping[str, Any], column: str) -> tuple[str, str]:
    """What a reference points at: (sys_id or name, name or sys_id)."""
    value = row.get(column)
    if isinstance(value, Mapping):
        return text(value, "value", "display_value"), text(value, "display_value", "value")
    return text(row, column), text(row, column)


def _word(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    return ("true" if value else "false") if isinstance(value, bool) else _reference(row, column)[1].casefold()


def _criticality(row: Mapping[str, Any]) -> int | None:
    """``1 - most critical`` … ``4 - not critical`` as 4 … 1."""
    said = next((found for column in _CRITICALITY if (found := _word(row, column))), "")
    if match := re.match(r"([1-4])(?:\s*-|\Z)", said):
        return 5 - int(match[1])
    return _WORDS.get(said)


def _hours(said: str) -> float | None:
    """A recovery time: hours, or days, hours and minutes in words."""
    match = re.fullmatch(r"(\d{1,5}(?:\.\d+)?)\s*(h|hours?|hrs?|m|min|minutes?|d|days?)?", said.strip().casefold())
    if not match:
        return None
    return float(match[1]) * {"m": 1 / 60, "d": 24.0}.get((match[2] or "h")[0], 1.0)


def _marks(column: str, value: Any) -> set[str]:
    """Labels that a column says: ``contains_pii: true``, ``data_classification: Confidential``, ``type: PII``."""
    said = str(value.get("display_value", "") if isinstance(value, Mapping) else value).strip().casefold()
    name = _column(column)
    if said in ("true", "1", "yes"):
        return {label for word, label in _MARKS.items() if word in name.split("_")}
    if "classification" in name or name in ("type", "sensitivity", "data_type"):
        return {label for word, label in _MARKS.items() if word in re.split(r"\W+", said)}
    return set()
