"""Properties of Spring services and variables of workflows, as facts for whoever reads them in code."""

from __future__ import annotations


def test_a_property_has_its_full_name_and_the_default_of_its_variable(look):
    text = """
spring:
  ai:
    openai:
      api-key: ${OPENAI_API_KEY:demo}
      base-url: ${BASE}
      chat:
        options:
          model: ${CHAT_MODEL:gpt-4o-mini}
    ollama.embedding.model: nomic-embed-text
---
spring.config.activate.on-profile: docker
"""
    seen = look({"src/main/resources/application.yml": text}, only=["infra.spring"])
    assert seen.env() == {
        "spring.ai.openai.chat.options.model": "gpt-4o-mini",
        "CHAT_MODEL": "gpt-4o-mini",
        "spring.ai.ollama.embedding.model": "nomic-embed-text",
        "spring.config.activate.on-profile": "docker",
    }
    assert {f.value["name"] for f in seen.facts if f.kind == "env_secret"} >= {"OPENAI_API_KEY"}
    assert seen.graph.assets == {}


def test_a_properties_file_says_the_same(look):
    text = "# model\nspring.ai.openai.chat.options.model=gpt-4o\nspring.ai.openai.api-key=sk-abcdefghijklmnop\n"
    seen = look({"application-prod.properties": text}, only=["infra.spring"])
    assert seen.env() == {"spring.ai.openai.chat.options.model": "gpt-4o"}
    assert [fact.value["line"] for fact in seen.facts if fact.kind == "env"] == [2]


def test_variables_of_workflows_without_what_the_service_keeps(look):
    actions = """
env: {STAGE: test}
jobs:
  evaluate:
    env: {MODEL: gpt-4o, API_KEY: "${{ secrets.KEY }}"}
    steps:
    - run: x
      env: {EMBED_MODEL: text-embedding-3-small, OTHER: "${{ vars.X }}"}
"""
    gitlab = "variables: {CHAT_MODEL: {value: claude-3-5-haiku-latest}}\njob: {variables: {N: 3}, script: [x]}\n"
    seen = look({".github/workflows/ci.yml": actions, ".gitlab-ci.yml": gitlab}, only=["infra.workflows"])
    assert seen.env() == {
        "STAGE": "test",
        "MODEL": "gpt-4o",
        "EMBED_MODEL": "text-embedding-3-small",
        "CHAT_MODEL": "claude-3-5-haiku-latest",
        "N": "3",
    }
