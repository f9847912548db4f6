"""Hostile and broken files cost a bounded amount and never an exception."""

import json
import random

import pytest
import tree_sitter_typescript
from tree_sitter import Language, Parser

from penstock.discover.code import parse
from penstock.discover.scan import scan
from penstock.graph.vocabulary import Asset
from penstock.settings import Settings
from penstock.work.limits import Overrun, time_cap

DEEP = 10_000


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * DEEP + "1" + ")" * DEEP,
        "x = " + "f(" * DEEP + "1" + ")" * DEEP,
        "x = " + "1 + " * DEEP + "1",
        "x = " + "a." * DEEP + "b",
        "x = " + "[" * DEEP,
        "".join(f"{' ' * i}if x:\n" for i in range(300)) + " " * 300 + "pass\n",
    ],
)
def test_deep_python_does_not_crash(see, text):
    see(
        {
            "a.py": "from openai import OpenAI\nc = OpenAI()\n"
            + text
            + "\nc.chat.completions.create(model=x, messages=[])\n"
        }
    )


@pytest.mark.parametrize(
    "text", ["x = " + "(" * DEEP + "1" + ")" * DEEP, "x = " + "{a:" * DEEP, "f(" * DEEP, "`${" * 2_000]
)
def test_deep_scripts_do_not_crash(see, text):
    see({"a.ts": "import OpenAI from 'openai';\n" + text})


def test_mis_encoded_and_binary_files_are_read_as_far_as_they_go(see):
    seen = see(
        {
            "a.py": (
                b"from openai import OpenAI\nx = '\xff\xfe\x00caf\xe9'\n"
                b"OpenAI().chat.completions.create(model='gpt-4o', messages=[])\n"
            ),
            "b.py": bytes(range(256)) * 50,
        }
    )
    assert seen.names("model") == {"gpt-4o"}


def test_a_byte_order_mark_does_not_hide_the_first_import(see):
    seen = see(
        {
            "a.py": (
                "﻿from openai import OpenAI\nOpenAI().chat.completions.create(model='gpt-4o', messages=[])\n"
            ).encode()
        }
    )
    assert seen.names("model") == {"gpt-4o"}


def test_a_part_that_does_not_parse_is_said_and_the_rest_is_kept(see):
    seen = see(
        {
            "a.py": (
                "from openai import OpenAI\n"
                "OpenAI().chat.completions.create(model='gpt-4o', messages=[])\n"
                "def (:\n"
                "  x = = 3\n"
            )
        }
    )
    assert seen.names("model") == {"gpt-4o"}
    assert [u.where.partition(":")[0] for u in seen.unseen] == ["a.py"]
    assert seen.complete == set()


def test_a_thousand_callers_and_cycles_end(see):
    files = {
        f"m{i}.py": f"from m{(i + 1) % 60} import f as g\nfrom openai import OpenAI\ndef f(x):\n    return g(x)\n"
        for i in range(60)
    }
    files["main.py"] = (
        "from m0 import f\n"
        "from openai import OpenAI\n"
        "OpenAI().chat.completions.create(model=f('gpt-4o'), messages=[])\n"
    ) + "f('x')\n" * 1000
    see(files)


def test_lists_that_hold_themselves_end(see):
    grow = "".join(f"a{i} = [*a{i}, *a{(i + 1) % 40}, *a{(i + 7) % 40}]\n" for i in range(40))
    same = "d = {**d, 'x': d}\nd = {**d, **d}\ntools = tools + tools + [tools]\n"
    seen = see({"a.py": f"from agents import Agent\n{grow}{same}a = Agent(name='A', tools=tools + a1, model=d['x'])\n"})
    assert seen.names("agent") == {"A"}


def test_a_minified_bundle_is_left_out_and_said(see):
    seen = see({"bundle.js": "var a=1;" * 20_000})
    assert [u.skipped for u in seen.unseen] == [True]


def test_a_notebook_keeps_its_lines_and_drops_magics(see):
    cells = [
        {"cell_type": "markdown", "source": ["# openai\n"]},
        {"cell_type": "code", "source": ["%pip install openai\n", "from openai import OpenAI\n", "c = OpenAI()"]},
        {"cell_type": "code", "source": ["!ls\n", "c.chat.completions.create(model='gpt-4o', messages=[])"]},
    ]
    text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}, indent=1)
    seen = see({"a.ipynb": text})
    line = next(i for i, row in enumerate(text.splitlines(), 1) if "create(model" in row)
    assert seen.where("model", "gpt-4o") == {f"a.ipynb:{line}"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": 3}', '{"cells": [3, null, {"source": 4}]}', "[" * 100_000])
def test_a_notebook_that_is_none_is_said(see, text):
    seen = see({"a.ipynb": text})
    assert seen.observations == []


@pytest.mark.slow
def test_a_notebook_of_a_hundred_thousand_cells(see):
    cells = [{"cell_type": "code", "source": [f"x{i} = {i}\n"]} for i in range(100_000)]
    cells[0]["source"] = [
        "from openai import OpenAI\n",
        "OpenAI().chat.completions.create(model='gpt-4o', messages=[])\n",
    ]
    cells += [{"cell_type": "code", "source": ["y = 1\n"]}] * 10
    seen = see({"a.ipynb": json.dumps({"cells": cells}, indent=1)})
    assert seen.names("model") == {"gpt-4o"}
    assert any("10 cells" in u.why for u in seen.unseen)


SEEDS = {
    "a.py": (
        "from agents import Agent, function_tool\nfrom openai import OpenAI\nM = {'a': 'gpt-4o'}\n"
        "@function_tool\ndef f(x: str = f'{M}') -> str:\n    return [y for y in x if y][0]\n"
        "a = Agent(name='A', model=M['a'], tools=[f, *[f]], instructions=('x' 'y' + str(1)))\n"
    ),
    "b.ts": (
        "import OpenAI from 'openai';\nimport { tool, generateText } from 'ai';\n"
        "const { m = 'x', ...r } = process.env;\n"
        "export const t = tool({ execute: async ({ a }) => `${a}` });\nclass C { c = new OpenAI(); f(p: string = m) {\n"
        "  return this.c.chat.completions.create({ model: p ?? 'gpt-4o', ...r }); } }\nnew C().f('gpt-4.1');\n"
    ),
    "package.json": '{"dependencies": {"ai": "1", "openai": "^4"}}',
    "pyproject.toml": '[project]\ndependencies = ["openai>=1", "langchain"]\n[tool.poetry.dependencies]\nmcp = "1"\n',
    "n.ipynb": '{"cells": [{"cell_type": "code", "source": ["%pip\\n", "import openai\\n"]}], "metadata": {}}',
}


@pytest.mark.slow
def test_damaged_files_never_raise(see):
    chance = random.Random(20261122)
    pieces = [b"(", b"[", b"{", b'"""', b"'", b"\n", b"\\", b"`", b"${", b"*", b"=", b"\0", b"\xff"]
    for _ in range(400):
        damaged = {}
        for path, text in SEEDS.items():
            data = bytearray(text.encode())
            for _ in range(chance.randint(0, 8)):
                at = chance.randrange(len(data))
                if chance.random() < 0.5:
                    del data[at : at + chance.randint(1, 20)]
                else:
                    data[at:at] = chance.choice(pieces)
                data = data or bytearray(b" ")
            damaged[path] = bytes(data)
        see(damaged)


@pytest.mark.slow
def test_a_file_on_which_the_grammar_never_ends_costs_its_time_and_its_own_row(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "endless.tsx").write_bytes(b"import 'openai'; <A{[<i e'\"x[m:w-[0v")
    (tmp_path / "shop" / "app.py").write_text(
        "from openai import OpenAI\nOpenAI().chat.completions.create(model='gpt-4o', messages=[])\n"
    )
    result = scan([tmp_path / "shop"], settings=Settings(), cache=None, now=1.0)
    assert [(row.where, row.why) for row in result.unseen if not row.skipped] == [
        ("endless.tsx", "it took longer than 5 s")
    ]
    names = {seen.subject.name for seen in result.observations if isinstance(seen.subject, Asset)}
    assert "gpt-4o" in names
    assert result.finished == ()


def test_a_parser_that_was_stopped_reads_the_next_file(monkeypatch):
    parser = Parser(Language(tree_sitter_typescript.language_tsx()))
    monkeypatch.setattr(parse, "PARSE_SECONDS", 0.1)
    with pytest.raises(Overrun):
        parse.parse(parser, b"<A{[<i e'\"x[m:w-[0v")
    assert not parse.parse(parser, b"const a = <p>{b}</p>;").root_node.has_error


def test_an_alarm_that_rings_while_parsing_waits_until_the_parser_is_left_in_order(monkeypatch):
    parser = Parser(Language(tree_sitter_typescript.language_tsx()))
    monkeypatch.setattr(parse, "PARSE_SECONDS", 0.2)
    with pytest.raises(Overrun), time_cap(0.1):
        parse.parse(parser, b"<A{[<i e'\"x[m:w-[0v")
    assert not parse.parse(parser, b"const a = <p>{b}</p>;").root_node.has_error
