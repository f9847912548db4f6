"""Values are followed, with the steps that led there; what cannot be followed stays unknown."""

import pytest

CALL = "from openai import OpenAI\nOpenAI().chat.completions.create(model={}, messages=[])\n"


def models(see, head, expression, *, env=None, **files):
    sources = {"app.py": head + "\n" + CALL.format(expression)}
    return see({**sources, **{f"{name}.py": text for name, text in files.items()}}, env).names("model")


@pytest.mark.parametrize(
    ("head", "expression", "found"),
    [
        ("M = 'gpt-4o'", "M", {"gpt-4o"}),
        ("V = '4o'", "f'gpt-{V}'", {"gpt-4o"}),
        ("V = '4o'", "'gpt-' + V", {"gpt-4o"}),
        ("V = 'x'\nC = {'chat': 'gpt-4o', 'other': 'gpt-4.1'}", "C['chat']", {"gpt-4o"}),
        ("import os", "os.environ.get('M', 'gpt-4o')", {"gpt-4o"}),
        ("import os", "os.getenv('M') or 'gpt-4o'", {"gpt-4o"}),
        (
            "from enum import Enum\nclass M(Enum):\n    BIG = 'gpt-4o'\n    SMALL = 'gpt-4o-mini'",
            "M.BIG.value",
            {"gpt-4o"},
        ),
        ("class S:\n    model: str = 'gpt-4o'\ns = S()", "s.model", {"gpt-4o"}),
        (
            "class S:\n    def __init__(self, m='gpt-4o'):\n        self.m = m\ns = S('gpt-4.1')",
            "s.m",
            {"gpt-4.1"},
        ),
        (
            "from dataclasses import dataclass, field\n@dataclass\nclass S:\n    m: str = field(default='gpt-4o')",
            "S().m",
            {"gpt-4o"},
        ),
        ("def pick(big):\n    return 'gpt-4o' if big else 'gpt-4o-mini'", "pick(True)", {"gpt-4o", "gpt-4o-mini"}),
        ("def same(x):\n    return x", "same('gpt-4o')", {"gpt-4o"}),
        ("import os", "os.environ['M']", set()),
        ("import sys", "sys.argv[1]", set()),
        ("M = M2\nM2 = M", "M", set()),
        ("def f(n):\n    return f(n - 1)", "f(3)", set()),
    ],
)
def test_a_model_named_in_many_ways(see, head, expression, found):
    assert models(see, head, expression) == found


def test_the_environment_of_a_deployment_answers_a_read(see):
    head = "import os"
    assert models(see, head, "os.environ['CHAT_MODEL']", env={"CHAT_MODEL": "gpt-4.1"}) == {"gpt-4.1"}


def test_settings_classes_read_the_environment(see):
    head = "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    chat_model: str\ns = S()"
    assert models(see, head, "s.chat_model", env={"CHAT_MODEL": "gpt-4.1"}) == {"gpt-4.1"}


def test_a_default_is_kept_beside_what_callers_pass(see):
    seen = see(
        {
            "lib/llm.py": (
                "from openai import OpenAI\n"
                "def ask(q, model='gpt-4o-mini'):\n"
                "    return OpenAI().chat.completions.create(model=model, messages=[])\n"
            ),
            "main.py": "from lib.llm import ask\nask('x', model='gpt-4o')\n",
        }
    )
    assert seen.names("model") == {"gpt-4o", "gpt-4o-mini"}
    assert "model of ask (main.py:2)" in seen.chain("model", "gpt-4o")


def test_a_client_kept_on_self_and_one_made_elsewhere(see):
    seen = see(
        {
            "clients.py": "from anthropic import Anthropic\nclient = Anthropic()\n",
            "bot.py": (
                "from clients import client\n"
                "class Bot:\n"
                "    def __init__(self):\n"
                "        self.llm = client\n"
                "    def say(self):\n"
                "        return self.llm.messages.create(model='claude-sonnet-4-5', max_tokens=1, messages=[])\n"
            ),
        }
    )
    assert seen.names("model") == {"claude-sonnet-4-5"}


def test_a_wrapper_class_passes_its_argument_on(see):
    head = (
        "from openai import OpenAI\n"
        "class Chat:\n"
        "    def __init__(self, model):\n"
        "        self.model = model\n"
        "        self.client = OpenAI()\n"
        "    def ask(self):\n"
        "        return self.client.chat.completions.create(model=self.model, messages=[])\n"
    )
    assert see({"a.py": head + "Chat('gpt-4.1').ask()\n"}).names("model") == {"gpt-4.1"}


def test_names_of_a_loop_are_each_of_its_items(see):
    assert see(
        {
            "a.py": (
                "from openai import OpenAI\n"
                "for m in ['gpt-4o', 'gpt-4.1']:\n"
                "    OpenAI().chat.completions.create(model=m, messages=[])\n"
            )
        }
    ).names("model") == {"gpt-4o", "gpt-4.1"}


def test_a_key_in_a_literal_is_kept_nowhere(see):
    key = "sk-proj-" + "a1B2c3D4" * 6
    call = "c.chat.completions.create(model='gpt-4o', messages=[])\n"
    seen = see({"a.py": f"from openai import OpenAI\nc = OpenAI(api_key='{key}')\n{call}"})
    assert seen.names("model") == {"gpt-4o"}
    assert key not in repr(seen.observations)


def notes(seen):
    return {(row.where, row.what, row.why.partition(", which")[0]) for row in seen.unseen if row.skipped}


def test_an_address_that_nothing_sets_is_said(see):
    settings = (
        "from pydantic_settings import BaseSettings\n"
        "class Settings(BaseSettings):\n    llm_base_url: str\nsettings = Settings()\n"
    )
    client = (
        "from openai import OpenAI\nfrom settings import settings\nclient = OpenAI(base_url=settings.llm_base_url)\n"
    )
    call = "client.chat.completions.create(model='chat', messages=[])\n"
    files = {"settings.py": settings, "app.py": client + call}
    expected = ("app.py:3", "where the calls of client go", "it comes from the environment variable LLM_BASE_URL")
    assert notes(see(files)) == {expected}
    assert not notes(see(files, env={"LLM_BASE_URL": "http://llm:8000/v1"}))
    assert not notes(see({"app.py": "from openai import OpenAI\nclient = OpenAI(base_url=None)\n" + call}))


def test_a_model_that_nothing_names_is_said(see):
    text = (
        "import os\nfrom openai import OpenAI\n"
        "OpenAI().chat.completions.create(model=os.environ['MODEL'], messages=[])\n"
    )
    assert notes(see({"app.py": text})) == {
        ("app.py:3", "the model of create", "it comes from the environment variable MODEL")
    }
    assert not notes(see({"app.py": text}, env={"MODEL": "gpt-4o"}))
    assert not notes(see({"app.py": text.replace("os.environ['MODEL']", "os.getenv('MODEL', 'gpt-4o')")}))


@pytest.mark.parametrize(
    ("body", "parses"),
    [
        ("<p>\n  Analysis & Visualizations\n</p>", True),
        ("<>Terms & Conditions</>", True),
        ("<p>{model ? }</p>", False),
        ("<p>one", False),
    ],
)
def test_text_for_people_in_a_page_is_no_broken_code(see, body, parses):
    seen = see(
        {
            "app.tsx": f"import OpenAI from 'openai';\nconst a = {body};\n"
            "new OpenAI().responses.create({ model: 'gpt-5' });\n"
        }
    )
    assert ("gpt-5" in seen.names("model")) or not parses
    assert (not seen.unseen) is parses
