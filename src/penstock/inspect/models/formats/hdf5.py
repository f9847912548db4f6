"""HDF5, read as far as a model's description needs: groups, attributes, links out of the file. Numbers are not read.

Keras keeps its architecture in the attribute ``model_config`` of the root. The reader knows superblocks 0-3, object
headers 1 and 2, symbol tables, link messages, variable-length texts in the global heap; what it does not know (dense
link and attribute storage) is said to be unseen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from penstock.inspect.models import metadata
from penstock.inspect.models.formats import hdf5_reader
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason, Verdict

_CONFIGS = ("model_config", "training_config", "config", "compile_config")


def look(piece: Piece) -> Iterator[Reason]:
    """Judge links, external storage, architectures and credentials."""
    if piece.source.size < 4096 and not piece.whole()[8:].strip(b"\0"):
        piece.report.notes.append(f"{piece.where}: an HDF5 file without content")
        return
    tree = hdf5_reader.Tree(piece.source, piece.budget)
    try:
        tree.walk()
    except hdf5_reader.NotRead as error:
        yield piece.say(Verdict.INCONCLUSIVE, "hdf5.broken", f"was not read to its end: {error}")
    for name, target in tree.links:
        yield piece.say(Verdict.SUSPICIOUS, "hdf5.link", f"{name!r} is a link to another file, {target!r}")
    for name, target in tree.external:
        yield piece.say(
            Verdict.MALICIOUS if target.startswith(("/", "..")) else Verdict.SUSPICIOUS,
            "hdf5.external",
            f"{name!r} reads its numbers from {target!r}",
        )
    for name, value in tree.attributes.items():
        text = value.decode("utf-8", "replace")
        if name.rpartition("/")[2] in _CONFIGS or text[:1] == "{":
            try:
                document = json.loads(text)
            except (ValueError, RecursionError):
                continue
            if isinstance(document, dict):
                from penstock.inspect.models.formats import keras

                piece.report.facts.setdefault("library", "Keras")
                yield from keras.config(piece, document)
        yield from metadata.find(piece, name.rpartition("/")[2], text, "the attribute")
    for why in tree.unseen:
        yield piece.say(Verdict.INCONCLUSIVE, "hdf5.unseen", why)
