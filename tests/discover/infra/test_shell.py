"""Scripts and Makefiles: what they fetch, which servers of models they start, what they export."""

from __future__ import annotations

import pytest

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
ONLY = ["infra.shell", "infra.workflows", "infra.dockerfile"]


@pytest.mark.parametrize(
    ("path", "text", "model"),
    [
        ("pull.sh", "#!/bin/sh\nollama pull llama3.2:3b\n", "llama3.2:3b"),
        ("a.sh", "huggingface-cli download \\\n  --local-dir w Qwen/Qwen2.5-7B-Instruct\n", "Qwen/Qwen2.5-7B-Instruct"),
        ("b.sh", "sudo hf download Qwen/Qwen2.5-7B-Instruct && echo ok\n", "Qwen/Qwen2.5-7B-Instruct"),
        ("Makefile", "MODEL ?= mistral\npull:\n\t@ollama pull $(MODEL)\n", "mistral"),
        ("c.sh", 'M="gemma2"\nollama run "${M}" hi\n', "gemma2"),
        ("d.sh", "ollama pull ${MODEL:-phi4}\n", "phi4"),
    ],
)
def test_a_fetched_model_is_used_by_the_source(look, path, text, model):
    seen = look({path: text}, only=ONLY)
    assert seen.names("model") == [model]
    assert ("shop", "uses_model", model) in seen.links()


@pytest.mark.parametrize(
    "text",
    [
        f"vllm serve {LLAMA} --port 8000 &\n",
        f"MODEL={LLAMA}\npython -m vllm.entrypoints.openai.api_server --model $MODEL\n",
        f"docker run --gpus all -p 8000:8000 vllm/vllm-openai:v0.6 --model {LLAMA}\n",
        f"docker run --rm -it ghcr.io/huggingface/text-generation-inference:2 --model-id {LLAMA}\n",
    ],
)
def test_a_server_that_a_script_starts_serves_its_model(look, text):
    (link,) = look({"serve.sh": text}, only=ONLY).links("serves")
    assert link[0].endswith(" in serve.sh")
    assert link[2] == LLAMA


def test_what_a_script_exports_is_known_to_the_code_it_starts(look):
    seen = look({"run.sh": "MODEL=gpt-5\nexport CHAT_MODEL=$MODEL\nexport TOKEN=$(cat t)\npython app.py\n"}, only=ONLY)
    assert seen.env() == {"CHAT_MODEL": "gpt-5"}


def test_a_step_of_a_workflow_that_fetches_a_model_is_seen(look):
    flow = "jobs:\n  a:\n    steps:\n      - run: |\n          ollama pull qwen3:8b\n"
    assert look({".github/workflows/a.yml": flow}, only=ONLY).names("model") == ["qwen3:8b"]


@pytest.mark.parametrize(
    "text",
    ["# ollama pull llama3\n", "echo install ollama first\n", "ollama list\nollama serve\n", "npm run build\n",
     "curl -fsSL https://ollama.com/install.sh | sh\n", "docker run -d redis:7\n", "\\\n" * 50_000,
     "ollama pull " * 20_000],
)  # fmt: skip
def test_a_script_without_models_stays_silent_and_a_hostile_one_costs_little(look, text):
    assert look({"x.sh": text}, only=ONLY).names("model") in ([], ["ollama"])
