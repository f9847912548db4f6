"""Bicep, azd and HOCON as sources of variables: values reach the code that reads them, with nothing guessed."""

from __future__ import annotations

import pytest

from penstock.discover.collector import Fact, File
from penstock.discover.infra.bicep import bicep, variables
from penstock.discover.infra.bicep_text import declarations
from penstock.discover.infra.environment import aliased
from penstock.discover.infra.hocon import hocon


def env(**files: str) -> dict[str, set[str]]:
    """Variable → values, of files by name (``__`` for a dot, ``_in_`` for a slash)."""
    facts: dict[str, list[Fact]] = {}
    for name, text in files.items():
        path = name.replace("_in_", "/").replace("__", ".")
        for fact in bicep(File(path, text.encode(), "repo:a/b")):
            facts.setdefault(fact.kind, []).append(fact)
    found: dict[str, set[str]] = {}
    for fact in variables(facts):
        found.setdefault(fact.value["name"], set()).add(fact.value["value"])
    return found


API = """
param modelName string = 'gpt-4o'
resource app 'Microsoft.App/containerApps@2024-03-01' = {
  properties: { template: { containers: [ { env: [
    { name: 'CHAT_MODEL', value: modelName }
    {
      name: 'GREETING'
      value: 'hello ${modelName}!'
    }
    { name: 'COMPUTED', value: uniqueString(modelName) }
    { name: 'API_KEY', value: 'sk-abcdefghijklmnopqrstuvwx' }
  ] } ] } }
}
"""
MAIN = """
param chat string
var names = { chat: chat, embed: 'text-embedding-3-small' }
module api 'app/api.bicep' = {
  params: {
    modelName: names.chat
    appSettings: { EMBED_MODEL: names.embed }
  }
}
output AZURE_CHAT_MODEL string = chat
"""


def test_a_default_reaches_the_variable_and_what_is_computed_or_secret_does_not():
    assert env(api__bicep=API) == {"CHAT_MODEL": {"gpt-4o"}, "GREETING": {"hello gpt-4o!"}}


def test_a_parameter_file_and_a_module_call_replace_the_default():
    given = '{"parameters": {"chat": {"value": "gpt-4.1"}}}'
    found = env(main__bicep=MAIN, main__parameters__json=given, app_in_api__bicep=API)
    assert found["CHAT_MODEL"] == {"gpt-4.1"}
    assert found["EMBED_MODEL"] == {"text-embedding-3-small"}
    assert "AZURE_CHAT_MODEL" not in found


def test_a_bicepparam_file_says_which_template_it_is_for():
    given = "using 'main.bicep'\nparam chat = 'gpt-5'\n"
    assert env(main__bicep=MAIN, prod__bicepparam=given, app_in_api__bicep=API)["CHAT_MODEL"] == {"gpt-5"}
    other = given.replace("main", "other")
    assert "CHAT_MODEL" not in env(main__bicep=MAIN, prod__bicepparam=other, app_in_api__bicep=API)


def test_azd_gives_programs_what_the_main_template_puts_out_and_fills_in_defaults():
    given = '{"parameters": {"chat": {"value": "${AZURE_MODEL=gpt-4o-mini}"}}}'
    found = env(main__bicep=MAIN, main__parameters__json=given, app_in_api__bicep=API, azure__yaml="name: x\n")
    assert found["AZURE_CHAT_MODEL"] == {"gpt-4o-mini"}
    assert "AZURE_CHAT_MODEL" not in env(
        main__bicep=MAIN, main__parameters__json=given.replace("=gpt-4o-mini", ""), azure__yaml="name: x\n"
    )


def test_either_side_of_a_condition_may_hold():
    code = "param on bool = true\nvar m = on ? 'a-model' : 'b-model'\nvar x = { appSettings: { THE_MODEL: m } }\n"
    assert env(main__bicep=code)["THE_MODEL"] == {"a-model", "b-model"}


@pytest.mark.parametrize(
    "text",
    ["param", "param x", "param x string =", "var a = {" * 300, "var a = [" * 300, "var a = " + "(" * 5000, "'" * 999,
     "module m 'self.bicep' = { params: { x: x } }", "var a = b\nvar b = a\nvar s = { env: { LOOP_X: a } }",
     "{}[]():=?"],
)  # fmt: skip
def test_damaged_or_hostile_templates_are_read_to_their_end(text):
    list(declarations(text))
    assert not env(self__bicep=text)


CONF = """
ktor { deployment { port = 8080 } }
ai.chat { # the model
  model = "gpt-4o-mini"
  model = ${?CHAT_MODEL}
  tags = [a, b]
}
ai.embedding.model: text-embedding-3-small
"""


def test_settings_of_hocon_have_their_full_names_and_the_variables_that_set_them():
    facts = list(hocon(File("src/main/resources/application.conf", CONF.encode(), "repo:a/b")))
    values = {fact.value["name"]: fact.value["value"] for fact in facts if fact.kind == "env"}
    assert values["ai.chat.model"] == "gpt-4o-mini"
    assert values["ai.embedding.model"] == "text-embedding-3-small"
    assert "ai.chat.tags" not in values
    given = [Fact("env", ".env", {"name": "CHAT_MODEL", "value": "gpt-5", "line": 1})]
    (also,) = aliased(given, [fact for fact in facts if fact.kind == "env_alias"])
    assert (also.path, also.value) == (".env", {"name": "ai.chat.model", "value": "gpt-5", "line": 1})


@pytest.mark.parametrize("text", ["{" * 5000, "a {" * 5000, "a = " * 5000, '"""', "${?}", "}" * 99, "a.b.c"])
def test_damaged_settings_are_read_to_their_end(text):
    assert not [f for f in hocon(File("application.conf", text.encode(), "s")) if f.value.get("value") == "x"]
