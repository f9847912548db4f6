"""One thing has one id, however it is spelled and wherever it was seen."""

from __future__ import annotations

import pytest

from penstock.graph import identity

SCOPE = "repo:shop/assistant"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("HTTP://User:secret@LLM.example:80/v1?x#y", "http://llm.example"),
        ("llm:8000/v1", "http://llm:8000"),
        ("https://llm.example:443", "https://llm.example"),
        ("http://llm.ml.svc:8000/v1", "http://llm.ml.svc.cluster.local:8000"),
        ("http://llm.ml.svc.cluster.local.:8000", "http://llm.ml.svc.cluster.local:8000"),
        ("http://llm.ml:8000", "http://llm.ml:8000"),  # may be a host of the internet
        ("http://[::1]:8000/v1", "http://[::1]:8000"),
        ("http://x:99999/", "http://x"),
    ],
)
def test_an_origin_is_spelled_one_way(url: str, origin: str) -> None:
    assert identity.origin_of(url) == origin
    assert identity.origin_of(origin) == origin


@pytest.mark.parametrize(
    "url", ["http://[", "http://a@[/x", "http://[::1", "http://ho\u2100st/", "://", "", "http://]["]
)
def test_what_is_no_url_is_an_origin_all_the_same(url: str) -> None:
    assert "://" in identity.origin_of(url)
    assert "@" not in identity.origin_of(url)
    assert identity.endpoint(url, SCOPE).id == identity.endpoint(url, SCOPE).id


def test_a_hub_model_at_an_endpoint_is_the_hub_model() -> None:
    at = identity.model_at("http://tei:8080", "BAAI/bge-m3", SCOPE)
    assert at == identity.asset("model", "BAAI/bge-m3", props={"provider": "huggingface"})


def test_a_tagged_model_at_an_endpoint_is_that_of_the_ollama_library() -> None:
    at = identity.model_at("http://ollama:11434", "llama3.2:3b", SCOPE)
    assert at == identity.asset("model", "llama3.2:3b", props={"provider": "ollama"})


@pytest.mark.parametrize(
    "name", ["chat", "gpt-4o", "models/current", "./a/b", "a/b/c", "claude-v2:1", "ft:gpt:org", "a/b:c"]
)
def test_any_other_name_belongs_to_its_endpoint(name: str) -> None:
    here = identity.model_at("http://llm:8000", name, SCOPE)
    assert here.props["provider"] == "self-hosted"
    assert here.id != identity.model_at("http://other:8000", name, SCOPE).id


def test_weights_at_a_path_are_one_model_in_their_source() -> None:
    model = identity.local_model("./models//churn.joblib", SCOPE)
    assert model.id == identity.local_model("models/churn.joblib", SCOPE).id
    assert model.name == "models/churn.joblib"
    assert model.id != identity.local_model("models/churn.joblib", "repo:other").id
    assert identity.local_model("/models/current/", SCOPE).name == "current"
