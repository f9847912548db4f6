"""A generated monorepo, scanned cold and unchanged: ``python bench/scan/monorepo.py [FILES] [--all-ai]`` (10,000 files)

Prints CPU seconds for 1,000 files and the largest memory of all processes together (proportional set size, Linux).
Targets: at most 2 CPU s for 1,000 files cold, at most 10 % of that unchanged, at most 400 MB for 10,000 files. One
service in ten uses AI; with ``--all-ai`` each does.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cold_and_warm import ENVIRONMENT, once

#: Files of one service, and one shared library for so many services.
SERVICE, SHARED = 50, 10


def tree(files: int, share: float, chance: random.Random) -> Iterator[tuple[str, str]]:
    """(path, text) of every file."""
    services = files // SERVICE
    for number in range(services):
        uses_ai = chance.random() < share
        write = (_python, _script, _go, _java)[number % 10 // 3] if number % 10 < 9 else _python
        folder = f"services/team{number % 17}/service{number}"
        shared = number % max(services // SHARED, 1)
        for place in range(SERVICE - 1):
            yield write(folder, place, shared, uses_ai and place < 4, chance)
        yield f"{folder}/README.md", f"# Service {number}\n\nWhat it does.\n"
    for number in range(max(services // SHARED, 1)):
        yield f"libs/shared{number}/__init__.py", ""
        yield f"libs/shared{number}/clock.py", _functions_python(chance)


def _python(folder: str, place: int, shared: int, ai: bool, chance: random.Random) -> tuple[str, str]:
    head = "import json\nimport os\n"
    head += f"from shared{shared}.clock import step_0\nfrom .part{max(place - 1, 0)} import step_1\n"
    if ai:
        head += "from openai import OpenAI\nfrom agents import Agent\nclient = OpenAI()\n"
    body = _functions_python(chance)
    if ai:
        body += (
            f"\nMODEL = os.getenv('MODEL', 'gpt-4o')\n"
            f"agent = Agent(name='Helper {place}', model=MODEL, tools=[step_2])\n"
            "def ask(question):\n    return client.chat.completions.create(model=MODEL, messages=[question])\n"
        )
    return f"{folder}/part{place}.py", head + body


def _functions_python(chance: random.Random) -> str:
    return "".join(
        f'\n\ndef step_{n}(order, limit={n}):\n    """Work on an order."""\n'
        f"    rows = {{'id': order['id'], 'at': {n}}}\n    for item in order.get('items', []):\n"
        f"        if item.price > limit and item.kind != '{chance.random()}':\n"
        f"            rows[item.name] = json.dumps([item.price * {n}, item.tax, str(item)])\n    return rows\n"
        for n in range(12)
    )


def _script(folder: str, place: int, shared: int, ai: bool, chance: random.Random) -> tuple[str, str]:
    head = f"import {{ step1 }} from './part{max(place - 1, 0)}';\nimport fs from 'fs';\n"
    if ai:
        head += (
            "import OpenAI from 'openai';\nconst client = new OpenAI();\nconst MODEL = process.env.MODEL ?? 'gpt-4o';\n"
        )
    body = "".join(
        f"export function step{n}(order: Order, limit = {n}) {{\n"
        f"  const rows = {{ id: order.id, at: {chance.random()} }};\n"
        f"  for (const item of order.items) {{ if (item.price > limit) rows[item.name] = `${{item.price}} of {n}`; }}\n"
        "  return JSON.stringify(rows);\n}\n"
        for n in range(12)
    )
    if ai:
        body += "export const ask = (q: string) => client.chat.completions.create({ model: MODEL, messages: [q] });\n"
    return f"{folder}/part{place}.ts", head + body


def _go(folder: str, place: int, shared: int, ai: bool, chance: random.Random) -> tuple[str, str]:
    name = folder.rpartition("/")[2]
    head = f'package {name}\n\nimport (\n\t"fmt"\n' + ('\t"github.com/openai/openai-go"\n' if ai else "") + ")\n"
    body = "".join(
        f'func Step{place}x{n}(order Order) string {{\n'
        f'\trows := map[string]string{{"id": order.ID, "at": "{chance.random()}"}}\n'
        f'\tfor _, item := range order.Items {{\n\t\trows[item.Name] = fmt.Sprintf("%d of {n}", item.Price)\n\t}}\n'
        '\treturn fmt.Sprint(rows)\n}\n'
        for n in range(12)
    )  # fmt: skip
    return f"{folder}/part{place}.go", head + body


def _java(folder: str, place: int, shared: int, ai: bool, chance: random.Random) -> tuple[str, str]:
    package = folder.replace("/", ".")
    head = f"package {package};\n\nimport java.util.Map;\n" + (
        "import dev.langchain4j.model.openai.OpenAiChatModel;\n" if ai else ""
    )
    body = f"class Part{place} {{\n" + "".join(
        f"  String step{n}(Order order) {{\n    var rows = new java.util.HashMap<String, String>();\n"
        f'    for (Item item : order.items()) {{ rows.put(item.name(), item.price() + " of {chance.random()}"); }}\n'
        "    return rows.toString();\n  }\n"
        for n in range(12)
    )
    if ai:
        body += '  OpenAiChatModel model = OpenAiChatModel.builder().modelName("gpt-4o").build();\n'
    return f"{folder}/Part{place}.java", head + body + "}\n"


def watched(run: Callable[[], tuple[float, dict[str, int]]]) -> tuple[float, dict[str, int], float]:
    """What a scan took and gave, and the most memory (MB) that it and its workers held together."""
    done, most = threading.Event(), [0.0]

    def watch() -> None:
        while not done.wait(0.1):
            most[0] = max(most[0], sum(map(_held, _below(os.getpid()))) / 1024)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        cpu, facts = run()
    finally:
        done.set()
        watcher.join()
    return cpu, facts, most[0]


def _below(pid: int) -> Iterator[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        children += [c for task in Path(f"/proc/{pid}/task").iterdir() if task.name != str(pid)
                     for c in (task / "children").read_text().split()]  # fmt: skip
    except OSError:
        return
    for child in map(int, children):
        yield child
        yield from _below(child)


def _held(pid: int) -> int:
    """Proportional set size in kB."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def main(arguments: list[str]) -> int:
    share = 1.0 if "--all-ai" in arguments else 0.1
    files = int(next((word for word in arguments if word.isdigit()), "10000"))
    ENVIRONMENT["PYTHONPYCACHEPREFIX"] = tempfile.mkdtemp(prefix="penstock-bench-")
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as cache:
        size = 0
        for path, text in tree(files, share, random.Random(files)):
            target = Path(place, "monorepo", path)
            target.parent.mkdir(parents=True, exist_ok=True)
            size += target.write_text(text)
        Path(place, "tiny").mkdir()
        Path(place, "tiny", "a.py").write_text("import openai\n")
        once(f"{place}/cache", [f"{place}/tiny"])  # writes the byte code
        time.sleep(0.1)  # what was written just now would not be believed unchanged
        cold, facts, most = watched(lambda: once(cache, [f"{place}/monorepo"]))
        warm, _, _ = watched(lambda: once(cache, [f"{place}/monorepo"]))
    print(f"files read        {facts['files']:>8,}   {size / 1e6:.0f} MB, failed rows {facts['failed']}")
    print(f"observations      {facts['observations']:>8,}")
    print(f"cold              {cold:8.2f} CPU s   {1000 * cold / facts['files']:.2f} for 1,000 files (target 2)")
    print(f"unchanged         {warm:8.2f} CPU s   {100 * warm / cold:.1f} % of cold (target 10)")
    print(f"memory            {most:8.0f} MB      all processes (target 400 for 10,000 files)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
