"""Settings files of .NET: each value as a fact under its whole key, as ``configuration["OpenAI:Model"]`` reads it.

Such files may hold comments and commas too many, so they are read word by word; nothing is nested in our own calls.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from penstock.discover.collector import Fact, File, Yielded, collector
from penstock.discover.infra.environment import LONGEST, is_secret, without_credentials

#: Values of one file; large services have about 500.
MOST = 5_000
_WORD = re.compile(
    r"(?P<aside>\s+|//[^\n]*|/\*.*?\*/)|(?P<sign>[{}\[\],:])|(?P<text>\"(?:[^\"\\\n]|\\.)*\")|(?P<plain>[\w.+-]+)|.",
    re.DOTALL,
)
#: Parts of a file whose values are variables of the environment: those of a launch profile, of Azure Functions.
_VARIABLES = re.compile(r"(?:profiles:[^:]+:environmentVariables|Values):([^:]+)\Z")


class Setting(NamedTuple):
    """One value, the keys that lead to it, and its line."""

    name: str
    value: str
    line: int


@collector(
    "code.appsettings",
    reads=("appsettings*.json", "launchSettings.json", "local.settings.json"),
    sees="settings of .NET services with their values",
    unseen="user secrets and key vaults; values of secrets, on purpose",
)
def appsettings(file: File) -> Iterator[Yielded]:
    """A fact for each setting that has a value; of a secret only its name."""
    for count, setting in enumerate(settings(file.text)):
        if count >= MOST:
            return
        flat = _VARIABLES.search(setting.name)
        name = flat[1] if flat else setting.name
        if is_secret(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.rpartition(":")[2]), setting.value):
            yield Fact("env_secret", file.path, {"name": name, "line": setting.line})
        elif setting.value and len(setting.value) <= LONGEST:
            value = without_credentials(setting.value)
            yield Fact("env", file.path, {"name": name, "value": value, "line": setting.line})


def settings(text: str) -> Iterator[Setting]:
    """Every value of a settings file that is a text, a number or a yes or no."""
    above: list[str] = []
    numbers: list[int] = []  # of a list that is open: the place of its next value; -1 for a mapping
    key, waiting, line = "", "", 1
    for word in _WORD.finditer(text.removeprefix("\ufeff")):
        found, sign = word[0], word["sign"]
        if sign == ":":
            key, waiting = waiting, ""
        elif sign in ("{", "["):
            if numbers:
                above.append(str(numbers[-1]) if numbers[-1] >= 0 else key)
            numbers.append(0 if sign == "[" else -1)
            key = waiting = ""
        elif sign in (",", "}", "]") and numbers:
            if waiting:
                name = str(numbers[-1]) if numbers[-1] >= 0 else key
                yield Setting(":".join((*above, name)), waiting, line)
            waiting = ""
            if sign == ",":
                numbers[-1] += numbers[-1] >= 0
            else:
                numbers.pop()
                if numbers and above:
                    above.pop()
        elif word["text"]:
            waiting = _read(found)
        elif word["plain"] and found != "null":
            waiting = found
        line += found.count("\n")


def _read(quoted: str) -> str:
    try:
        return str(json.loads(quoted))
    except ValueError:
        return quoted[1:-1]
