"""Only the code that can matter to AI is read closely; the answer is the same as if all had been."""

import pytest

from penstock.discover.code import relevance
from penstock.discover.code.relevance import choose, glance
from penstock.discover.scan import scan
from penstock.graph.vocabulary import Asset
from penstock.settings import Settings
from penstock.work.limits import time_cap

ASK = (
    "from openai import OpenAI\nfrom .settings import LIMIT\n"
    "def ask(model):\n    return OpenAI().chat.completions.create(model=model, messages=[])\n"
)
FAR = "import os\n\n\ndef rename(path):\n    os.rename(path, path + '.old')\n"


def chosen(files):
    return set(choose({path: glance(path, text.encode()) for path, text in files.items()}))


def look(place, cache=None):
    result = scan([place], settings=Settings(), cache=cache, now=1.0)
    models = {o.subject.name for o in result.observations if isinstance(o.subject, Asset) and o.subject.kind == "model"}
    return models, result


@pytest.fixture
def shop(tmp_path):
    def write(files):
        for path, text in files.items():
            (tmp_path / "shop" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "shop" / path).write_text(text)
        return tmp_path / "shop"

    return write


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"a.py": FAR, "b.py": "import a\n"}, set()),
        ({"a.py": "import openai\n", "far.py": FAR}, {"a.py"}),
        (
            {
                "lib/__init__.py": "",
                "lib/llm.py": ASK,
                "lib/settings.py": "LIMIT = 3\n",
                "lib/far.py": FAR,
                "main.py": "from lib.llm import ask\nimport names\n",
                "names.py": "MODEL = 'gpt-4o'\n",
            },
            {"lib/__init__.py", "lib/llm.py", "lib/settings.py", "main.py", "names.py"},
        ),
        ({"a.py": "x = 1; import openai\n", "b.py": "if x: from a import (\n    y,\n)\n"}, {"a.py", "b.py"}),
        (
            {"pkg/__init__.py": "", "pkg/a.py": "import openai\n", "pkg/b.py": "from . import (c,\n  a)\n"},
            {"pkg/__init__.py", "pkg/a.py", "pkg/b.py"},
        ),
        (
            {"n.ipynb": '{"cells": [{"source": ["import openai\\n", "from tools import add"]}]}', "tools.py": FAR},
            {"n.ipynb", "tools.py"},
        ),
        (
            {
                "src/a.ts": "import OpenAI from 'openai';\nimport { M } from './m.js';\n",
                "src/m.ts": "export const M = 1",
                "src/b.js": "const { a } = require(\n  './a')\n",
                "src/far.ts": "export const x = 1",
            },
            {"src/a.ts", "src/m.ts", "src/b.js"},
        ),
        (
            {
                "go.mod": "module acme.dev/shop\n",
                "llm/a.go": 'package llm\nimport "github.com/openai/openai-go"\n',
                "llm/b.go": "package llm\nconst Model = 1\n",
                "main.go": 'package main\nimport (\n\tx "acme.dev/shop/llm"\n)\n',
                "far/c.go": "package far\n",
            },
            {"go.mod", "llm/a.go", "llm/b.go", "main.go"},
        ),
        (
            {
                "a/A.java": "package com.a;\nimport dev.langchain4j.data.Document;\nimport com.b.B.Inner;\n",
                "a/Mate.java": "package com.a;\n",
                "b/B.java": "package com.b;\n",
                "c/C.java": "package com.c;\n",
            },
            {"a/A.java", "a/Mate.java", "b/B.java"},
        ),
    ],
)
def test_what_uses_ai_what_uses_that_and_all_that_these_use(files, wanted):
    assert chosen(files) == wanted


def test_a_name_is_followed_through_files_that_do_not_mention_ai(shop):
    place = shop({"llm.py": ASK, "settings.py": "LIMIT = 1\n", "main.py": "from llm import ask\nimport names\n"
                  "ask(names.MODEL)\n", "names.py": "MODEL = 'gpt-4o'\n", "far.py": FAR})  # fmt: skip
    assert look(place)[0] == {"gpt-4o"}


def test_what_stands_aside_leaves_the_view_of_guards_whole(shop):
    place = shop({"a.py": ASK.format() + "ask('gpt-4o')\n", "settings.py": "LIMIT = 1\n", "far.py": FAR})
    result = look(place)[1]
    assert [row.verb for row in result.complete if row.collector == "code"] == ["guarded_by"]


def test_a_file_that_comes_into_reach_later_is_read_then_and_one_that_leaves_is_not(shop, tmp_path):
    near = {"llm.py": ASK, "settings.py": "LIMIT = 1\n", "names.py": "MODEL = 'gpt-4o'\n"}
    far = {"main.py": "print()\n"}
    place, cache = shop(near | far), tmp_path / "cache"
    assert look(place, cache)[0] == set()
    shop({"main.py": "from llm import ask\nimport names\nask(names.MODEL)\n"})
    assert look(place, cache)[0] == {"gpt-4o"}
    shop(far)
    assert look(place, cache)[0] == set()
    assert look(place, cache)[0] == look(place)[0]


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\0import \xff\0", b"import " * 100_000, b"from " + b"." * 1_000_000])
def test_a_glance_takes_any_bytes(data):
    for path in ("a.py", "a.ts", "a.go", "A.java", "a.ipynb", "go.mod", "x"):
        assert choose({path: glance(path, data)}) <= {path}


@pytest.mark.parametrize("ending", sorted(relevance.SHOWN))
def test_a_glance_at_hostile_bytes_takes_linear_time(ending):
    words = (b"from", b"import", b"import static", b"require", b"using", b"use", b"package", b"namespace", b"module")
    with time_cap(20):
        for word in words:
            for run in (b" ", b"\t", b"(", b"a", b".", b"a.", b"\n", b"'", b"\\"):
                glance(f"x.{ending}", (word + b" " + run * 50_000) * 2)
                glance(f"x.{ending}", (word + run) * 5_000)
