"""Model files of a source: the graph learns what loading them would do."""

from __future__ import annotations

import json
import pickle
import struct

from penstock.discover.artifacts import model_files
from penstock.discover.collector import Fact, File, Source, Yielded
from penstock.graph.identity import local_model
from penstock.graph.vocabulary import Asset, Observation, Relation, Unseen
from tests.inspect.pickles import name, stream, system, text

SCOPE = "repo:acme/shop"


def scanned(files: dict[str, bytes]) -> list[Yielded]:
    """What the collectors yield for a source of these files, and the joiner of what they leave to it."""
    yielded: list[Yielded] = []
    for path, content in files.items():
        file = File(path, content, SCOPE)
        telling = path.endswith(".json")
        yielded += (model_files.model_settings if telling else model_files.model_files)(file)
    facts: dict[str, tuple[Fact, ...]] = {}
    for item in yielded:
        if isinstance(item, Fact):
            facts[item.kind] = (*facts.get(item.kind, ()), item)
    return [*yielded, *model_files.models(Source(SCOPE, "shop", tuple(files), facts, {}))]


def found(path: str, content: bytes) -> list[Yielded]:
    return scanned({path: content})


def models(yielded) -> list[Observation]:
    return [item for item in yielded if isinstance(item, Observation) and getattr(item.subject, "kind", "") == "model"]


def test_pickle_that_starts_programs_is_a_poisoned_model_and_says_why():
    (model,) = models(found("models/churn.pkl", stream(system())))
    assert model.subject.id == local_model("models/churn.pkl", SCOPE).id
    props = dict(model.subject.props)
    assert len(props.pop("sha256")) == 64
    assert props == {"format": "pickle", "remote_code": True, "dangers": ["poisoned"], "verdict": "malicious"}
    assert "os.system" in model.evidence.chain[0]


def test_class_of_ones_own_is_code_that_comes_with_the_weights():
    (model,) = models(found("m.pkl", stream(name("acme", "Net") + b")\x81")))
    assert model.subject.props["remote_code"] is True
    assert model.subject.props["verdict"] == "review"


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


def weights(shape: list[int], kind: str = "BF16") -> bytes:
    size = 2 * shape[0] * shape[1]
    header = json.dumps({"w": {"dtype": kind, "shape": shape, "data_offsets": [0, size]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(size)


CONFIG = json.dumps(
    {"model_type": "llama", "torch_dtype": "bfloat16", "quantization_config": {"quant_method": "gptq", "bits": 4}}
).encode()


def test_weights_in_parts_beside_their_configuration_are_one_model():
    yielded = scanned(
        {
            "m/config.json": CONFIG,
            "m/model-00001-of-00002.safetensors": weights([2, 3]),
            "m/model-00002-of-00002.safetensors": weights([4, 5]),
        }
    )
    (model,) = models(yielded)
    assert model.subject.id == local_model("m", SCOPE).id
    assert model.subject.props == {
        "format": "safetensors", "verdict": "clean", "parameters": 26, "dtype": "bfloat16", "architecture": "llama",
        "quantisation": "gptq",
    }  # fmt: skip


def test_a_dangerous_part_is_seen_by_itself_and_makes_the_whole_dangerous():
    yielded = scanned(
        {"m/config.json": CONFIG, "m/model.safetensors": weights([2, 3]), "m/pytorch_model.bin": stream(system())}
    )
    whole, part = sorted((each.subject for each in models(yielded)), key=lambda asset: asset.name)
    assert (whole.name, part.name) == ("m", "m/pytorch_model.bin")
    assert whole.props["verdict"] == part.props["verdict"] == "malicious"
    assert whole.props["dangers"] == ["poisoned"]
    ties = [each.subject for each in yielded if isinstance(each, Observation) and isinstance(each.subject, Relation)]
    assert [(tie.source, tie.verb, tie.target) for tie in ties] == [(whole.id, "derived_from", part.id)]


def test_a_configuration_of_something_else_makes_no_model_of_its_folder():
    yielded = scanned({"m/config.json": b'{"port": 80}', "m/net.safetensors": weights([2, 3])})
    assert [each.subject.name for each in models(yielded)] == ["m/net.safetensors"]


def test_each_gguf_file_is_a_model_by_itself_and_says_how_it_is_quantised():
    def text_of(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    content = b"GGUF" + struct.pack("<IQQ", 3, 0, 3)
    content += text_of("general.architecture") + struct.pack("<I", 8) + text_of("qwen2")
    content += text_of("general.license") + struct.pack("<I", 8) + text_of("apache-2.0")
    content += text_of("general.file_type") + struct.pack("<II", 4, 15)
    (model,) = models(scanned({"m/config.json": CONFIG, "m/q4.gguf": content}))
    assert model.subject.name == "m/q4.gguf"
    props = dict(model.subject.props)
    assert props["quantisation"] == "Q4_K_M"
    assert (props["architecture"], props["licence"], props["format"]) == ("qwen2", "apache-2.0", "gguf")
