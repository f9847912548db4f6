"""Compose, Dockerfiles and .env: what serves, what stores, what variables hold."""

from __future__ import annotations

import pytest

from penstock.graph import identity

SCOPE = "repo:acme/shop"
ONLY = ["infra."]


def served_as(seen):
    """(endpoint, model, provider) of every model that is served."""
    graph = seen.graph
    return {
        (graph.assets[r.source].name, graph.assets[r.target].name, graph.assets[r.target].prop("provider"))
        for r in graph.relations
        if r.verb == "serves"
    }


def test_a_vllm_service_serves_its_model_under_its_alias(look):
    text = """
services:
  llm:
    image: vllm/vllm-openai:v0.10.2
    command: --model acme/own-7b --served-model-name chat --port 9000
    deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}
"""
    seen = look({"compose.yaml": text}, only=ONLY)
    assert served_as(seen) == {("llm", "acme/own-7b", "huggingface")}
    assert seen.one("endpoint").id == identity.endpoint("http://llm:9000/v1", SCOPE).id
    alias = identity.model_at("http://llm:9000/v1", "chat", SCOPE)
    own = identity.asset("model", "acme/own-7b", props={"provider": "huggingface"})
    assert (alias.id, "derived_from", own.id) in {relation.key for relation in seen.graph.relations}
    assert ("llm", "deployed_on", "GPU of llm") in seen.links()


OWN = {("s", "acme/m", "huggingface")}


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("{image: vllm/vllm-openai, command: [serve, acme/m]}", set()),
        ("{image: 'x.example/a/vllm/vllm-openai@sha256:00', command: [--model=acme/m]}", OWN),
        ("{image: acme/own, command: vllm serve acme/m --port 1}", OWN),
        ("{image: acme/own, entrypoint: [python, -m, vllm.entrypoints.openai.api_server], command: [--model, acme/m]}",
         OWN),
        ("{image: 'ghcr.io/huggingface/text-generation-inference:3', command: --model-id acme/m}", OWN),
        ("{image: 'ghcr.io/huggingface/text-generation-inference:3', environment: [MODEL_ID=acme/m]}",
         OWN),
        ("{image: 'ghcr.io/ggml-org/llama.cpp:server', command: '-m /models/m.gguf'}", {("s", "m.gguf", None)}),
        ("{image: vllm/vllm-openai, command: '--model $MODEL', environment: {MODEL: acme/m}}", OWN),
        ("{image: vllm/vllm-openai, command: '--model ${MODEL:-acme/m}'}", OWN),
        ("{image: vllm/vllm-openai, command: '--model ${MODEL}'}", set()),
        ("{image: 'ollama/ollama', entrypoint: [sh, -c, 'ollama serve & ollama pull llama3.2:3b; wait']}",
         {("s", "llama3.2:3b", "ollama")}),
    ],
)  # fmt: skip
def test_the_model_is_read_from_where_each_server_takes_it(look, service, expected):
    assert served_as(look({"compose.yaml": f"services: {{s: {service}}}"}, only=ONLY)) == expected


def test_a_service_that_only_pulls_is_no_server(look):
    text = """
services:
  ollama: {image: ollama/ollama}
  pull:
    image: ollama/ollama
    entrypoint: /bin/sh
    command: [-c, "sleep 3; OLLAMA_HOST=ollama:11434 ollama pull llama3.2"]
"""
    assert served_as(look({"docker-compose.yml": text}, only=ONLY)) == {("ollama", "llama3.2", "ollama")}


def test_values_come_from_the_env_file_beside(look):
    seen = look(
        {
            "a/.env": "MODEL=acme/m\n",
            ".env": "MODEL=acme/other\n",
            "a/compose.yml": "services: {s: {image: vllm/vllm-openai, command: '--model ${MODEL}'}}",
        },
        only=ONLY,
    )  # fmt: skip
    assert served_as(seen) == OWN


@pytest.mark.parametrize(
    ("ports", "exposure"),
    [("[]", "private"), ("['127.0.0.1:6333:6333']", "private"), ("['6333:6333']", None), ("['0.0.0.0:1:6333']", None),
     ("[{target: 6333, published: 6333, host_ip: 127.0.0.1}]", "private"), ("[6333]", None)],
)  # fmt: skip
def test_exposure_is_said_only_where_it_is_known(look, ports, exposure):
    text = f"services: {{q: {{image: 'qdrant/qdrant:v1', ports: {ports}}}}}"
    assert look({"compose.yaml": text}, only=ONLY).one("vector_store").prop("exposure") == exposure


def test_a_network_from_outside_leaves_exposure_open(look):
    text = "services: {q: {image: chromadb/chroma}}\nnetworks: {shared: {external: true}}\n"
    assert look({"compose.yaml": text}, only=ONLY).one("vector_store").prop("exposure") is None


def test_services_without_ai_are_no_assets(look):
    images = ("postgres:17", "acme/qdrant-exporter", "acme/ollama-ui", "ollama")
    text = "services: {web: {build: .}, " + ", ".join(f"s{n}: {{image: '{i}'}}" for n, i in enumerate(images)) + "}"
    assert not look({"compose.yaml": text}, only=ONLY).graph.assets


def test_two_sources_with_a_service_of_one_name_stay_apart(look):
    text = "services: {q: {image: qdrant/qdrant}}"
    one, other = (look({"compose.yaml": text}, only=ONLY, scope=f"repo:{name}") for name in ("a", "b"))
    assert not set(one.graph.assets) & {a.id for a in other.graph.of_kind("vector_store")}


SECRETS = {
    "OPENAI_API_KEY": "anything",
    "PLAIN": "sk-" + "a1B2c3D4" * 4,
    "DB_PASSWORD": "hunter2",
    "RANDOM": "q8Zr2Lx0Vb7Ty5Nw3Kd9",
    "HDR": "Bearer " + "abcDEF0123456789",
}
PLAIN = {
    "LLM_BASE_URL": "http://llm:8000/v1",
    "MODEL": "gpt-4o-mini-2024-07-18",
    "OTHER_MODEL": "claude-3-5-sonnet-20241022",
    "MAX_TOKENS": "4096",
    "AZURE_OPENAI_DEPLOYMENT": "chat-prod",
    "KEY_FILE_PATH": "/run/keys/a",
}


def test_variables_are_facts_and_secrets_are_names_alone(look):
    lines = [f"{name}={value}" for name, value in {**SECRETS, **PLAIN}.items()]
    rows = "".join(f"      {name}: '{value}'\n" for name, value in {**SECRETS, **PLAIN}.items())
    files = {
        ".env": "\n".join(lines),
        "compose.yaml": f"services:\n  s:\n    image: vllm/vllm-openai\n    environment:\n{rows}",
        "Dockerfile": "FROM x\n" + "".join(f"ENV {name}={value!r}\n" for name, value in {**SECRETS, **PLAIN}.items()),
    }
    seen = look(files, only=ONLY)
    assert seen.env() == PLAIN
    for value in SECRETS.values():
        assert value not in repr(seen.yielded)
    assert {fact.value["name"] for fact in seen.facts if fact.kind == "env_secret"} == set(SECRETS)


def test_credentials_in_addresses_are_cut_out(look):
    seen = look({".env": "STORE=postgresql://me:topsecret@db/shop\n"}, only=ONLY)
    assert seen.env() == {"STORE": "postgresql://db/shop"}


def test_dotenv_takes_every_common_spelling(look):
    text = "\ufeff# c\nexport A=1\nB = 'two words' # x\nC=\"q\"\nD=\nno line\nE=x # note\n=x\n"
    assert look({".env.local": text}, only=ONLY).env() == {"A": "1", "B": "two words", "C": "q", "E": "x"}


def test_an_image_that_fetches_and_serves_says_so(look):
    text = """
ARG BASE=vllm/vllm-openai:v0.10
FROM ${BASE} AS serve
ENV MODEL=acme/own-7b HF_HOME=/cache
RUN pip install x && \\
    # a comment
    huggingface-cli download acme/own-7b --local-dir /m
CMD ["vllm", "serve", "$MODEL"]
"""
    seen = look({"Dockerfile": text}, only=ONLY)
    assert served_as(seen) == {("vLLM in Dockerfile", "acme/own-7b", "huggingface")}
    assert ("shop", "uses_model", "acme/own-7b") in seen.links()
    assert seen.env() == {"MODEL": "acme/own-7b", "HF_HOME": "/cache"}


def test_an_ordinary_dockerfile_has_no_ai(look):
    text = 'FROM python:3.12\nRUN pip install flask\nRUN echo ollama pull\nCMD ["flask", "run"]\n'
    assert not look({"Dockerfile": text}, only=ONLY).graph.assets


@pytest.mark.parametrize(
    "text",
    [
        b"\xff\xfe\x00",
        b"services: 7",
        b"services: {a: 1, b: [x], c: {ports: 9, environment: 3}}",
        b"services: {a: {image: [1], command: {x: y}, deploy: [], ports: [{}, '::', 'a:b']}}",
        b"[",
    ],
)
def test_broken_files_cost_a_note_at_most(look, text):
    seen = look({"compose.yaml": text, "Dockerfile": text, ".env": text}, only=ONLY)
    assert not seen.graph.assets


def test_a_store_is_the_one_that_code_means_by_its_product(look):
    seen = look({"compose.yaml": "services: {db: {image: 'pgvector/pgvector:pg17'}}"}, only=ONLY)
    assert seen.one("vector_store").id == identity.asset("vector_store", "pgvector", scope=SCOPE).id
    two = look({"compose.yaml": "services: {a: {image: qdrant/qdrant}, b: {image: qdrant/qdrant}}"}, only=ONLY)
    assert sorted(two.names("vector_store")) == ["a", "b"]
