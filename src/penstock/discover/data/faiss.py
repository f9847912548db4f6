"""FAISS indexes: the number of vectors from the index, texts from the store of documents beside it.

LangChain keeps the documents as a pickle. It is read as a list of opcodes, in which texts stand as they are; nothing
is loaded, so nothing in it can run.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Iterator

import msgspec

from penstock.discover.collector import Fact, File, Source, Yielded, collector, joiner
from penstock.discover.data.json_rows import flat
from penstock.discover.data.rows import Sample, Told, of_sample, unread
from penstock.discover.data.stores import folder_of, packed, say_stores, unpacked
from penstock.graph.vocabulary import Unseen

#: Opcodes of one pickle that are read, at 1 CPU s a million; 40 a document.
_OPCODES = 1_000_000
#: Fields of a stored document that stand as names before their values.
_FIELDS = frozenset(("page_content", "text", "content", "source", "title", "author", "file_name", "file_path"))
#: What begins so is the name of a class or of a field of its own.
_MODULES = ("langchain", "llama_index", "__")
#: A text without a name before it counts from so many characters on; shorter ones are ids.
_SENTENCE = 40


@collector(
    "data.faiss",
    reads=("*.faiss", "index.pkl", "docstore.json"),
    sees="vector indexes, how many entries they have, and what the texts beside them hold",
    unseen="what vectors without texts hold",
)
def index(file: File) -> Iterator[Yielded]:
    """An index, or the documents beside one; a pickle or JSON that belongs to no index says nothing."""
    folder = folder_of(file.path)
    name = file.path.rpartition("/")[2].lower()
    if name.endswith(".faiss"):
        count = vectors(file.data)
        if count is None:
            yield unread(file, "data.faiss", "it does not begin as an index of FAISS")
        else:
            yield Fact("data.faiss.index", file.path, {"folder": folder, "vectors": count})
        return
    sample = Sample()
    try:
        for row in stored(file.data) if name == "index.pkl" else documents(file.data):
            sample.add(row)
    except (ValueError, msgspec.DecodeError, RecursionError) as error:
        if name == "index.pkl":
            yield unread(file, "data.faiss", f"behind text {sample.seen:,} it does not read: {str(error)[:120]}")
    if sample.seen:
        told = of_sample(sample, sample.seen, role="embeddings")
        yield Fact("data.faiss.texts", file.path, {"folder": folder, **packed(told)})


@joiner("data.faiss.folders", sees="FAISS indexes with the texts that lie beside them")
def folders(source: Source) -> Iterator[Yielded]:
    """An index and the documents in its folder are one vector store."""
    texts = {fact.value["folder"]: fact for fact in source.facts.get("data.faiss.texts", ())}
    found: dict[str, tuple[str, Told]] = {}
    for fact in source.facts.get("data.faiss.index", ()):
        folder, count = fact.value["folder"], fact.value["vectors"]
        beside = texts.get(folder)
        if beside is not None:
            found[folder] = fact.path, unpacked(beside.value, count)
            continue
        found[folder] = fact.path, Told(role="embeddings", records=count)
        hint = "Tell what it holds with declared_data in ai-system.yaml"
        yield Unseen(fact.path, "what its vectors stand for", "no texts lie beside the index", hint, "data.faiss",
                     source.scope, skipped=True)  # fmt: skip
    yield from say_stores(source, "data.faiss", "faiss", found)


def vectors(data: bytes) -> int | None:
    """How many vectors an index holds: four letters of its type, the dimension, the number."""
    if len(data) < 16 or data[:2] != b"Ix":
        return None
    dimension, count = struct.unpack_from("<iq", data, 4)
    return int(count) if 0 < dimension < 1_000_000 and 0 <= count < 1 << 40 else None


def stored(data: bytes) -> Iterator[dict[str, str]]:
    """Texts in a pickled store, each under the name that stands before it. Raises ValueError."""
    name = last = ""
    remembered: dict[int, str] = {}
    for number, (code, argument, _) in enumerate(pickletools.genops(data)):
        if number >= _OPCODES:
            return
        if code.name == "MEMOIZE":
            remembered[len(remembered)] = last
            continue
        if code.name in ("BINGET", "LONG_BINGET"):
            argument = remembered.get(int(argument or 0), "")
        last = argument if isinstance(argument, str) else ""
        if last in _FIELDS or not last:
            name = last
        elif not last.startswith(_MODULES):
            if name:
                yield {name: last}
            elif len(last) > _SENTENCE and " " in last:
                yield {"text": last}
            name = ""


def documents(data: bytes) -> Iterator[dict[str, str]]:
    """Nodes of a docstore as LlamaIndex writes it. Raises msgspec.DecodeError."""
    document = msgspec.json.decode(data)
    nodes = document.get("docstore/data") if isinstance(document, dict) else None
    for node in nodes.values() if isinstance(nodes, dict) else ():
        within = node.get("__data__", node) if isinstance(node, dict) else None
        if isinstance(within, dict):
            kept = {name: within[name] for name in ("text", "metadata") if name in within}
            yield flat(kept)
