"""What looks like AI but is not stays silent."""

import pytest

LOOK_ALIKES = {
    "a travel agent": "class Agent:\n    def __init__(self, name, tools): ...\na = Agent(name='Bob', tools=[1])\n",
    "somebody's own package called agents": (
        "from travel.agents import Agent\na = Agent(name='Bob', instructions='x')\n"
    ),
    "an ORM model": (
        "from django.db import models\n"
        "class Model(models.Model):\n"
        "    name = models.CharField()\n"
        "model = Model(name='gpt-4')\n"
    ),
    "a text that names models": "TEXT = 'gpt-4o and claude-3 are models'\nmodel = 'gpt-4o'\n",
    "a template": "from jinja2 import Template\nt = Template('You are a helpful assistant {{ name }}')\n",
    "an ordinary tool decorator": "from click import tool\n@tool\ndef hammer(): ...\n",
    "a comment": "# from openai import OpenAI\n# OpenAI().chat.completions.create(model='gpt-4o')\nx = 1\n",
    "code in a string": "CODE = '''from openai import OpenAI\nOpenAI().chat.completions.create(model='gpt-4o')'''\n",
    "a pipeline that is none": "from invoke import task\nclass Pipeline: ...\np = Pipeline().fit([1])\n",
    "boto3 without models": (
        "import boto3\nboto3.client('s3').put_object(Bucket='b')\nboto3.client('lambda').invoke(FunctionName='f')\n"
    ),
    "pandas alone": "import pandas as pd\ndf = pd.read_csv('a.csv')\ndf.to_csv('b.csv')\n",
    "an http server": "from http.server import HTTPServer\nserver = HTTPServer(('', 80), None)\n",
}


@pytest.mark.parametrize("what", LOOK_ALIKES)
def test_python_look_alikes(see, what):
    seen = see({"a.py": LOOK_ALIKES[what]})
    assert seen.observations == []
    assert seen.complete == set()


def test_script_look_alikes(see):
    seen = see(
        {
            "a.ts": (
                "import { Agent } from 'https';\n"
                "const agent = new Agent({ keepAlive: true });\n"
                "const tool = { name: 'x' };\n"
            ),
            "b.tsx": "export const Prompt = () => <div prompt='You are here'>{model}</div>;\nconst model = 'gpt-4o';\n",
            "prompts/welcome.txt": "You are welcome to our shop, dear customer.",
        }
    )
    assert seen.observations == []


def test_a_local_module_shadows_a_package_of_the_same_name(see):
    seen = see({"openai.py": "class OpenAI:\n    pass\n", "a.py": "from openai import OpenAI\nclient = OpenAI()\n"})
    assert seen.names("provider") == set()


def test_a_package_beside_a_module_of_the_same_name_is_still_the_package(see):
    seen = see(
        {
            "air/__init__.py": "",
            "air/agents.py": (
                "from agents import Agent\nhelper = Agent(name='Helper', instructions='You help travellers.')\n"
            ),
            "air/other.py": (
                "from agents import Agent\nsecond = Agent(name='Second', instructions='You help travellers.')\n"
            ),
        }
    )
    assert seen.names("agent") == {"Helper", "Second"}


def test_tests_and_examples_keep_their_status(see):
    code = "from openai import OpenAI\nOpenAI().chat.completions.create(model='{}', messages=[])\n"
    seen = see(
        {
            "src/a.py": code.format("gpt-4o"),
            "tests/test_a.py": code.format("gpt-4o-mini"),
            "examples/b.py": code.format("gpt-4.1"),
            "src/tests/c.py": code.format("gpt-4o"),
        }
    )
    status = {m.name: m.status for m in seen.graph.of_kind("model")}
    assert status == {"gpt-4o": "used", "gpt-4o-mini": "test", "gpt-4.1": "example"}
