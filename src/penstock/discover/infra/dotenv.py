"""``.env`` files: the values that variables have, without the secrets among them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.infra.environment import env_fact

NAME = "infra.dotenv"
MOST = 5_000
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=\s*(.*?)\s*\Z")


@collector(
    NAME,
    reads=[".env", ".env.*", "*.env", ".envrc"],
    sees="values of variables",
    unseen="values of secrets, on purpose; values over several lines",
)
def dotenv(file: File) -> Iterator[Yielded]:
    """A fact for each variable that is set."""
    for number, line in enumerate(file.text.splitlines()[:MOST], 1):
        match = _LINE.match(line[:4_000])
        if match and not line.lstrip().startswith("#"):
            yield from env_fact(file, match[1], _plain(match[2]), number)


def _plain(value: str) -> str:
    if value[:1] in ("'", '"'):
        end = value.find(value[0], 1)
        return value[1:end] if end > 0 else value[1:]
    return re.split(r"\s#", value, maxsplit=1)[0].strip()
