"""Folders that hold data, and which data files belong into the inventory.

A data file by itself is context. It enters where something reads it, by its own path or by the folder it lies in,
and where it holds labelled or suspicious data in a repository that uses AI. A vector store that lies as files is use of
AI by itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from penstock.graph.identity import file_dataset, relation
from penstock.graph.vocabulary import AI_KINDS, Asset, Evidence, Observation, Relation

#: Names people give to folders of data and of texts for retrieval; documentation folders are not among them.
_DATA_FOLDERS = frozenset(
    ("data", "dataset", "datasets", "corpus", "corpora", "knowledge", "knowledge_base", "knowledge-base", "kb",
     "documents", "handbook", "policies", "faq", "faqs", "transcripts", "tickets", "conversations", "raw", "processed",
     "training", "training_data", "train", "rag", "ingest", "exports", "export", "dumps", "dump", "seed", "seeds",
     "memory", "memories", "chat_history", "finetune", "finetuning", "fine_tuning", "fine-tuning", "lake", "bronze",
     "silver", "gold", "landing")
)  # fmt: skip
#: Folders in which agents keep what they were told.
_MEMORIES = frozenset(("memory", "memories", "chat_history"))


#: What a dataset says of itself when it holds what was made to steer a model.
_SUSPICIOUS = frozenset(("planted", "flooded", "contradicted", "hidden"))


def holds_data(path: str) -> bool:
    """Whether a file lies in a folder named for data."""
    return any(part.casefold() in _DATA_FOLDERS for part in path.split("/")[:-1])


def role_of_place(path: str) -> str:
    """``memory`` for what an agent remembers, by its folder; else empty."""
    return "memory" if any(part.casefold() in _MEMORIES for part in path.split("/")[:-1]) else ""


def wanted(scope: str, found: Iterable[Observation]) -> list[Observation]:
    """The observations of a source without idle data files, and with the folders that are read tied to their files."""
    found = list(found)
    used: set[str] = set()
    for observation in found:
        if isinstance(observation.subject, Relation):
            used |= {observation.subject.source, observation.subject.target}
    uses_ai = any(_is_ai(observation) for observation in found)
    kept = [row for row in found if not _from_data(row) or _belongs(row.subject, used, uses_ai)]
    labelled = {
        row.subject.id: row.subject.name
        for row in found
        if _from_data(row) and isinstance(row.subject, Asset) and row.subject.kind == "dataset" and row.subject.labels
    }
    ties = _ties(scope, labelled, used) + _places(scope, kept, used)
    tied = {tie.subject.target for tie in ties if isinstance(tie.subject, Relation)}
    if not uses_ai:  # then the folder's reader is the reason that its files are in
        kept += [row for row in found if isinstance(row.subject, Asset) and row.subject.id in tied and row not in kept]
    return kept + ties


def _from_data(row: Observation) -> bool:
    return row.evidence.collector.startswith("data.")


def _belongs(subject: Asset | Relation, used: set[str], uses_ai: bool) -> bool:
    if isinstance(subject, Asset) and subject.kind == "dataset":
        return subject.id in used or bool(uses_ai and (subject.labels or _SUSPICIOUS & subject.props.keys()))
    return uses_ai


def _ties(scope: str, files: dict[str, str], used: set[str]) -> list[Observation]:
    """A folder that something reads holds what its labelled files hold."""
    ties = []
    for id_, path in sorted(files.items(), key=lambda row: row[1]):
        for folder_id, folder in _folders(path, scope).items():
            if folder_id in used and folder_id != id_:
                evidence = Evidence("data.folders", path, "resolved", (f"{path} lies in {folder}",), scope)
                ties.append(Observation(relation(folder_id, "ingests", id_), evidence))
    return ties


def _places(scope: str, found: list[Observation], used: set[str]) -> list[Observation]:
    """A vector store lies in the folder that something speaks of."""
    places = []
    for row in found:
        if _from_data(row) and isinstance(row.subject, Asset) and row.subject.kind == "vector_store":
            path = row.evidence.where.partition(":")[0]
            for folder_id, folder in _folders(path, scope).items():
                if folder_id in used:
                    evidence = Evidence("data.folders", path, "resolved", (f"{path} lies in {folder}",), scope)
                    places.append(Observation(relation(row.subject, "stored_in", folder_id), evidence))
    return places


def _folders(path: str, scope: str) -> dict[str, str]:
    """The ids under which code may speak of the folders above a file: ``data``, ``data/``, and ``.`` for the top."""
    parts = path.split("/")[:-1]
    names = ["/".join(parts[:depth]) for depth in range(len(parts), 0, -1)]
    return {file_dataset(spelling, scope).id: name for name in names for spelling in (name, f"{name}/")}


def _is_ai(observation: Observation) -> bool:
    subject = observation.subject
    return isinstance(subject, Asset) and subject.kind in AI_KINDS - {"application"} | {"vector_store"}
