"""Models that code offers to choose from are a catalogue; tables about models are not."""

from __future__ import annotations

USES = "from openai import OpenAI\nOpenAI().responses.create(model='gpt-4o', input='x')\n"


def models(seen) -> dict[str, str]:
    return {asset.name: asset.status for asset in seen.graph.of_kind("model")}


def test_a_list_of_entries_is_a_catalogue_and_a_constant_is_declared(see) -> None:
    seen = see(
        {
            "app.py": USES,
            "models.py": "CHAT_MODELS = [{'id': 'gpt-5', 'name': 'GPT-5'}, {'id': 'claude-opus-4-1'}]\n"
            "DEFAULT_MODEL = 'gpt-5-mini'\nMODEL_BY_PLAN = {'free': 'gpt-4.1-nano', 1: 'gpt-4o'}\n"
            "MODEL_CONFIG = {'o3': Config(), 'Router': Config()}\n",
        }
    )
    assert models(seen) == {
        "gpt-4o": "used", "gpt-5": "catalogue", "claude-opus-4-1": "catalogue", "gpt-5-mini": "declared",
        "gpt-4.1-nano": "catalogue", "o3": "catalogue",
    }  # fmt: skip
    assert seen.where("model", "gpt-5") == {"models.py:1"}


def test_ids_of_a_router_keep_their_spelling(script) -> None:
    seen = script(
        "import { gateway, generateText } from 'ai';\n"
        "generateText({ model: gateway('anthropic/claude-haiku-4.5'), prompt: 'x' });\n"
        "export const chatModels: ChatModel[] = [{ id: 'openai/gpt-5.2', name: 'GPT-5.2' }];\n"
    )
    assert models(seen)["openai/gpt-5.2"] == "catalogue"
    assert "GPT-5.2" not in models(seen)


def test_what_is_about_models_and_what_is_a_test_stays_out(see) -> None:
    seen = see(
        {
            "app.py": USES,
            "costs.py": "MODEL_PRICES = {'gpt-5': 1.25}\nmodel_context_window = {'gpt-5': 400_000}\n"
            "models = ['sedan', 'e-3']\n"
            "RELEASES = ['gpt-5']\n",
            "tests/test_models.py": "MODELS = ['gpt-5']\n",
        }
    )
    assert models(seen) == {"gpt-4o": "used"}


def test_without_ai_a_list_of_models_is_nothing(see) -> None:
    assert see({"app.py": "MODELS = ['gpt-5', 'claude-opus-4-1']\n"}).names("model") == set()
