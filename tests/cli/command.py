"""The command as a user runs it, and small worlds on disk for it to look at."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

#: A key of no account, in two parts so that nobody's scanner takes this file for a leak.
KEY = "sk-proj-" + "Zk3bV9xQ2mN7tR4wY8pL1sD6fG0hJ5aC3eU7iO2kB9nM4vX8zT1qW6rE5yI0oP"
#: An application that puts customers' data into prompts and keeps its key in the code, a model server, and a coding
#: assistant with an unpinned tool server.
SHOP = {
    "app/agent.py": f"""
        import pandas as pd
        from openai import OpenAI

        client = OpenAI(api_key="{KEY}")


        def answer(question: str) -> str:
            rows = pd.read_csv("data/customers.csv").to_string()
            reply = client.chat.completions.create(
                model="gpt-4o-mini",
                messages=[{{"role": "user", "content": question + rows}}],
            )
            return reply.choices[0].message.content
    """,
    "app/data/customers.csv": "name,email\n"
    + "".join(f"Ada Lovelace,ada.lovelace{number}@mail-shop.de\n" for number in range(40)),
    ".mcp.json": '{"mcpServers": {"files": {"command": "npx", "args": ["-y", "@acme/files"]}}}\n',
    "docker-compose.yml": """
        services:
          llm:
            image: ollama/ollama:0.5.0
    """,
    "requirements.txt": "openai==2.0\n",
    "ai-system.yaml": """
        system:
          name: shop-helper
          purpose: Answers shoppers
          audience: public
          owner: team-shop
    """,
}
#: Says whom the shop agreed to: with it, its model server is a risk (PS390), and calls are held to the policy.
STRICT = "organisation: {name: Shop, sanctioned_providers: [openai]}\nmodes: {shop: enforce}\n"


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """This process's environment without what would steer the command."""
    unwanted = ("NO_COLOR", "COLUMNS", "PYTHONDONTWRITEBYTECODE")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PENSTOCK_") and k not in unwanted}
    return {**kept, **more}


def penstock(*words: str | Path, cwd: Path | None = None, timeout: float = 120, **env: str) -> Ended:
    """Run the command in a process of its own, its output piped."""
    done = subprocess.run(
        [sys.executable, "-m", "penstock", *map(str, words)],
        capture_output=True, cwd=cwd, env=environment(**env), timeout=timeout, check=False,
        encoding="utf-8", errors="replace", stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return Ended(done.returncode, done.stdout, done.stderr)


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    """Put the files into a folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(textwrap.dedent(content).lstrip("\n"), encoding="utf-8")
    return root


def three_parts(ended: Ended) -> bool:
    """Whether an error says what happened, where and what to do, and shows no stack trace."""
    lines = ended.err.splitlines()
    starts = [line.split(" ")[0] if not line.startswith(" ") else line.strip().split(" ")[0] for line in lines]
    return "error:" in starts and "-->" in starts and "help:" in starts and "Traceback" not in ended.err
