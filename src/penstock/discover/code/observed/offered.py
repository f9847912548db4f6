"""Models that code offers to choose from, though no call names them: lists, tables and constants that say "model"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.discover.code.observed.look import MODEL_ID, Look
from penstock.discover.code.places import status_of
from penstock.discover.code.resolve.module import Module
from penstock.graph import identity
from penstock.graph.vocabulary import Asset
from penstock.knowledge.models import family_of
from penstock.knowledge.providers import provider_of_prefix

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_MODELS = frozenset({"model", "models", "llm", "llms"})
#: Tables about models, not of models to choose: what they cost and hold, and which are gone.
_ABOUT = frozenset(
    {"price", "prices", "pricing", "cost", "costs", "rate", "rates", "token", "tokens", "limit", "limits", "context",
     "window", "windows", "encoding", "encodings", "alias", "aliases", "deprecated", "legacy", "unsupported", "mock",
     "fake", "regex", "pattern", "prefix", "prefixes", "icon", "icons", "label", "labels", "mapping"}
)  # fmt: skip
#: Keys of an entry under which its id stands.
_IDS = ("id", "modelid", "model", "modelname", "apimodel", "modelstring", "value", "slug", "key", "name")
#: Entries of one list, and how deep they may lie in it.
_MOST, _DEEPEST = 500, 3


def say_offered(look: Look) -> None:
    """What is offered and not yet said. A single constant is declared; a list or table is a catalogue."""
    said = {seen.subject.name for seen in look.out.values() if isinstance(seen.subject, Asset)}
    routers = {
        str(seen.subject.prop("provider"))
        for seen in look.out.values()
        if isinstance(seen.subject, Asset) and seen.subject.kind == "model" and "/" in seen.subject.name
    }
    for path, module in sorted(look.resolver.modules.items()):
        if status_of(path) != "used":
            continue
        for _, name, expression, _ in module.assigned:
            if expression < 0 or not _says_model(name):
                continue
            single = module.expressions[expression][0] == "s"
            for id, line in _ids(module, expression):
                if id not in said:
                    _say(look, id, "declared" if single else "catalogue", routers, path, line, name)


def _say(look: Look, id: str, status: str, routers: set[str], path: str, line: int, name: str) -> None:
    family = family_of(id.rpartition("/")[2])
    props = {"role": family.role, "vendor": family.vendor} if family else {}
    if "/" in id:
        props["provider"] = next(iter(routers)) if len(routers) == 1 else ""
    elif family:
        props["provider"] = family.provider
    model = identity.asset("model", id, props={k: v for k, v in props.items() if v}, status=status)
    look.say(model, path, line, (f"offered in {name}",), "declared")


def _says_model(name: str) -> bool:
    words = {word.lower() for word in _WORDS.findall(name)}
    return bool(words & _MODELS) and not words & _ABOUT


def _ids(module: Module, expression: int) -> Iterator[tuple[str, int]]:
    """Ids of known families in a literal, with their lines: an entry, its id, or the key of a table."""
    waiting = [(expression, 0)]
    left = _MOST
    while waiting and left:
        left -= 1
        at, depth = waiting.pop()
        row = module.expressions[at]
        if row[0] == "s":
            if _is_known(row[2]):
                yield row[2], row[1]
        elif depth >= _DEEPEST:
            continue
        elif row[0] == "*":
            waiting.append((row[2], depth))
        elif row[0] == "l":
            waiting += [(part, depth + 1) for part in row[2]]
        elif row[0] == "d":
            held = [(_plain(key), value) for key, value in row[2] if isinstance(key, str)]
            waiting += [(value, depth + 1) for value in _named(module, held) or [value for _, value in row[2]]]
            yield from ((key, module.line(value)) for key, value in row[2] if isinstance(key, str) and _is_known(key))
        elif row[0] == "c":
            waiting += [(value, depth + 1) for value in _named(module, [(_plain(k), v) for k, v in row[4].items()])]


def _named(module: Module, held: list[tuple[str, int]]) -> list[int]:
    """The value under the key that says most of an id: where ``id`` holds one, ``name`` is for people."""
    found = sorted((_IDS.index(key), value) for key, value in held if key in _IDS)
    known = [
        value for _, value in found if module.expressions[value][0] == "s" and _is_known(module.expressions[value][2])
    ]
    return known[:1] or [value for _, value in found]


def _plain(key: str) -> str:
    return re.sub(r"[^a-z]", "", key.lower())


def _is_known(text: str) -> bool:
    """An id as it is sent: of a known family, bare or after the name of a provider."""
    if not MODEL_ID.match(text) or not any(c.isdigit() for c in text):
        return False
    prefix, slash, rest = text.rpartition("/")
    if slash and not provider_of_prefix(prefix.rpartition("/")[2]):
        return False
    return family_of(rest) is not None
