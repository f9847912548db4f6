"""HOCON (``application.conf`` of Ktor, Akka, Play): each value as a fact under its full name.

``model = ${?CHAT_MODEL}`` says that a variable sets the value; that becomes an ``env_alias`` fact.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.infra.environment import alias_fact, env_fact

NAME = "infra.hocon"
#: Values of one file and blocks in one another that are read.
MOST, DEEPEST = 5_000, 50
_WORD = re.compile(
    r"(?P<aside>[ \t\r]+|(?:#|//)[^\n]*)|(?P<end>[\n,])|(?P<text>\"\"\".*?\"\"\"|\"(?:[^\"\\\n]|\\.)*\")"
    r"|(?P<place>\$\{\??[\w.-]+\})|(?P<sign>[{}\[\]=:]|\+=)|(?P<plain>[^\s{}\[\]=:,\"#$]+)|.",
    re.DOTALL,
)
_PLACE = re.compile(r"\$\{\??([\w.-]+)\}\Z")


@collector(
    NAME,
    reads=["application*.conf", "reference.conf", "ktor*.conf"],
    sees="settings of Ktor, Akka and Play services with their values, and the variables that set them",
    unseen="included files; lists; values of secrets, on purpose",
)
def hocon(file: File) -> Iterator[Yielded]:
    """A fact for each setting that has a value, and for each that a variable sets."""
    for count, (name, value, place, line) in enumerate(settings(file.text)):
        if count >= MOST:
            return
        if place:
            yield alias_fact(file, name, place, line)
        else:
            yield from env_fact(file, name, value, line)


def settings(text: str) -> Iterator[tuple[str, str, str, int]]:
    """(name, value, variable, line) of each setting; those in lists are left out."""
    above: list[str] = []
    keys: list[str] = []  # of the line so far
    values: list[str] = []
    place, given, lists, line = "", False, 0, 1
    for word in _WORD.finditer(text):
        found, sign = word[0], word["sign"]
        if sign == "[":
            lists += 1
        elif sign == "]":
            lists = max(0, lists - 1)
        elif lists:
            pass
        elif sign == "{" and len(above) < DEEPEST:
            above.append(".".join(keys))
            keys, values, place, given = [], [], "", False
        elif word["end"] or sign == "}":
            if given and keys and (values or place):
                yield ".".join((*above, *keys)), " ".join(values), place, line
            keys, values, place, given = [], [], "", False
            if sign == "}" and above:
                above.pop()
        elif sign:
            given = True
        elif word["place"]:
            match = _PLACE.match(found)
            place = match[1] if match else ""
        elif word["text"] or word["plain"]:
            plain = found.strip('"')
            (values if given else keys).append(plain)
        line += found.count("\n")
    if given and keys and (values or place):
        yield ".".join((*above, *keys)), " ".join(values), place, line
