"""Model files of a source: the graph learns what loading them would do."""

from __future__ import annotations

import json
import pickle
import struct

from penstock.discover.artifacts.model_files import model_files
from penstock.discover.collector import File
from penstock.graph.identity import local_model
from penstock.graph.vocabulary import Asset, Observation, Relation, Unseen
from tests.inspect.pickles import name, stream, system, text

SCOPE = "repo:acme/shop"


def found(path: str, content: bytes):
    return list(model_files(File(path, content, SCOPE)))


def models(yielded) -> list[Observation]:
    return [item for item in yielded if isinstance(item, Observation) and getattr(item.subject, "kind", "") == "model"]


def test_pickle_that_starts_programs_is_a_poisoned_model_and_says_why():
    (model,) = models(found("models/churn.pkl", stream(system())))
    assert model.subject.id == local_model("models/churn.pkl", SCOPE).id
    assert model.subject.props == {"format": "pickle", "remote_code": True, "dangers": ["poisoned"]}
    assert "os.system" in model.evidence.chain[0]


def test_class_of_ones_own_is_code_that_comes_with_the_weights():
    (model,) = models(found("m.pkl", stream(name("acme", "Net") + b")\x81")))
    assert model.subject.props == {"format": "pickle", "remote_code": True}


def test_plain_weights_say_nothing_about_code():
    (model,) = models(found("m.pkl", pickle.dumps({"w": [1.0]})))
    assert "remote_code" not in model.subject.props


def test_file_that_is_no_model_gives_nothing():
    assert found("notes.bin", b"just text\n") == []


def test_model_that_cannot_be_read_whole_is_unseen():
    yielded = found("m.pkl", b"\x80\x04}" + text("w"))
    assert [item.where for item in yielded if isinstance(item, Unseen)] == ["m.pkl"]


def test_key_in_metadata_is_a_credential_of_the_repository():
    key = "AKIA" + "Q3EGRZ7VYHDWLT5K"
    header = json.dumps(
        {"__metadata__": {"note": key}, "w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    ).encode()
    yielded = found("m.safetensors", struct.pack("<Q", len(header)) + header + bytes(8))
    subjects = [item.subject for item in yielded if isinstance(item, Observation)]
    assert {each.kind for each in subjects if isinstance(each, Asset)} == {"model", "credential", "repository"}
    assert any(isinstance(each, Relation) and each.verb == "stored_in" for each in subjects)
    assert key not in repr(yielded)
