"""Catalogues: models that configuration lists, and lists of other things that stay silent."""

from __future__ import annotations

import json

import pytest

from penstock.discover.infra.catalogues import catalogues
from penstock.graph import identity

ONLY = ["infra.catalogues"]

APIS = """\
default-api: openai
default-model: small
apis:
  openai:
    base-url: https://api.openai.com/v1
    api-key-env: OPENAI_API_KEY
    models:
      gpt-4o:
        aliases: [big]
        max-input-chars: 392000
      gpt-4o-mini:
        aliases: [small]
        max-input-chars: 392000
  localai:
    base-url: http://localhost:8080
    models:
      ggml-own:
        max-input-chars: 12250
"""


def test_ids_are_taken_as_written_and_aliases_are_no_models(look):
    seen = look({"config.yml": APIS}, only=ONLY)
    assert set(seen.names("model")) == {"gpt-4o", "gpt-4o-mini", "ggml-own"}
    assert set(seen.names("provider")) == {"openai", "localai"}
    assert seen.one("model", "gpt-4o").status == "catalogue"


def test_the_default_of_a_catalogue_is_used_by_the_application_under_its_alias_too(look):
    seen = look({"config.yml": APIS}, only=ONLY)
    assert seen.links("uses_model") == {("shop", "uses_model", "gpt-4o-mini")}
    assert seen.one("model", "gpt-4o-mini").status == "used"


def test_a_model_at_an_address_of_ones_own_is_what_that_address_offers(look):
    seen = look({"config.yml": APIS}, only=ONLY)
    there = identity.model_at("http://localhost:8080", "ggml-own", "repo:acme/shop")
    assert seen.one("model", "ggml-own").id == there.id


def test_places_keep_their_lines_also_in_a_document_inside_a_document(look):
    inner = "model_list:\n- model_name: chat\n  litellm_params:\n    model: azure/gpt-4o-eu\n"
    text = "kind: ConfigMap\ndata:\n  litellm.yaml: |\n" + "".join(f"    {line}\n" for line in inner.splitlines())
    seen = look({"k8s/config.yaml": text}, only=ONLY)
    model = seen.one("model")
    assert (model.name, model.prop("provider")) == ("gpt-4o-eu", "azure-openai")
    assert [e.where for e in seen.graph.evidence[model.id]] == ["k8s/config.yaml:7"]


@pytest.mark.parametrize(
    ("path", "text", "models"),
    [
        ("config.toml", '[llm]\nprovider = "openai"\nmodel = "gpt-4o"\ntemperature = 0\n', {"gpt-4o"}),
        ("config.json", '{"models": [{"title": "a", "provider": "ollama", "model": "phi3:mini"}]}', {"phi3:mini"}),
        ("jobs.yaml", "weights: hf://acme/own-7b\n", {"acme/own-7b"}),
        ("ci.yml", "steps:\n- run: |\n    ollama pull llama3.2:1b\n    ollama run the thing\n", {"llama3.2:1b"}),
        ("data.yaml", "corpus: hf://datasets/acme/talks\n", set()),
        ("openapi.yaml", "openapi: 3.1.0\nx: {provider: openai, model: gpt-4o, temperature: 1}\n", set()),
        ("schema.json", '{"properties": {"llm": {"provider": "openai", "model": "gpt-4o"}}}', set()),
        ("dbt_project.yml", "name: shop\nmodels:\n  shop:\n    staging: {+materialized: view}\n", set()),
        ("schema.yml", "models:\n- name: gpt_costs\n  columns: [{name: provider}, {name: model}]\n", set()),
        ("cars.json", '{"models": ["a4", "q5"], "provider": "audi"}', set()),
        ("answers.json", '[{"provider": "openai", "model": "gpt-4o", "usage": {"total": 3}}]', set()),
        ("models.yaml", "{{ range .models }}\n- model: {{ .provider }}\n{{ end }}", set()),
    ],
)  # fmt: skip
def test_what_is_a_list_of_models_and_what_is_not(look, path, text, models):
    assert set(look({path: text}, only=ONLY).names("model")) == models


def test_a_price_list_as_large_as_the_public_one_is_cut_and_says_so(look):
    rows = {f"openai/m-{n}": {"litellm_provider": "openai", "max_tokens": 1} for n in range(500)}
    seen = look({"prices.json": json.dumps(rows)}, only=ONLY)
    assert len(seen.names("model")) == 400
    assert [(note.what, note.skipped) for note in seen.notes] == [("100 further models", True)]


def test_a_file_without_a_word_of_models_is_not_parsed(look):
    assert look({"broken.yaml": "a: [1, 2"}, only=ONLY).yielded == ()
    assert catalogues  # registered by name
