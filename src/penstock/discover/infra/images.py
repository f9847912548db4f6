"""Container images that hold AI, and which model their command line serves. The rows are data (pack ``images``)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

import msgspec

from penstock.graph import identity
from penstock.graph.vocabulary import Asset
from penstock.knowledge.pack import define_pack, load_pack


class ImageRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an image is; the header of the pack says what each field means."""

    id: str
    name: str
    role: str
    images: tuple[str, ...]
    port: int
    commands: tuple[str, ...] = ()
    hub: str = ""
    model_args: tuple[str, ...] = ()
    alias_args: tuple[str, ...] = ()
    model_env: tuple[str, ...] = ()
    model_role: str = ""
    pulls: tuple[str, ...] = ()
    image_is_model: bool = False
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


ROLES = frozenset({"inference", "vector_store", "gateway", "builder", "training"})


def _problems(row: ImageRow) -> Iterator[str]:
    if row.role not in ROLES:
        yield f"role {row.role!r} is none of {', '.join(sorted(ROLES))}"


define_pack("images", ImageRow, check=lambda row, image: bool(_matches(row, image)), validate=_problems)


@dataclass(frozen=True, slots=True)
class Serving:
    """A model that a container serves: as the command names it, the names it is offered under, and how we know."""

    model: Asset
    aliases: tuple[str, ...]
    why: str


def row_of(image: str) -> ImageRow | None:
    """The row of an image reference, or None when it holds no AI that we know."""
    return next((row for row in load_pack("images").rows if _matches(row, image)), None)


def row_of_command(words: Sequence[str]) -> ImageRow | None:
    """The row whose server a command line starts, whatever the image is called."""
    line = f" {' '.join(words)} "
    return next((row for row in load_pack("images").rows if any(f" {c} " in line for c in row.commands)), None)


@cache
def commands_known() -> tuple[bytes, ...]:
    """The first words of the commands that start servers of models."""
    return tuple(sorted({c.split()[0].encode() for row in load_pack("images").rows for c in row.commands}))


def image_name(image: str) -> str:
    """The repository of an image reference without tag and digest."""
    plain = image.strip().partition("@")[0]
    folder, slash, last = plain.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"


def split_command(*parts: object) -> list[str]:
    """The words of a command given as strings or lists of strings; what a shell would run is split as well."""
    words: list[str] = []
    for part in parts:
        items = [part] if isinstance(part, str) else part if isinstance(part, list | tuple) else []
        for item in items:
            text = str(item)
            if isinstance(part, str) or " " in text or "\n" in text:
                words += _split(text.replace("\\\n", " "))
            else:
                words.append(text)
    return words[:2_000]


def served(row: ImageRow, image: str, words: Sequence[str], env: Mapping[str, str], scope: str) -> list[Serving]:
    """The models that a container of this row serves, as far as its command and environment say."""
    values = [_filled(word, env) for word in words]
    references: list[tuple[str, str]] = []
    aliases = tuple(
        alias for option in row.alias_args for value in _option(values, option) for alias in value.split(",")
    )
    for option in row.model_args:
        found = _bare(row, values) if option == "-" else _option(values, option)
        references += [
            (value, f"{row.name} is started with {option if option != '-' else 'it'}") for value in found[:1]
        ]
        if references:
            break
    for name in row.model_env:
        if not references and env.get(name):
            references.append((_filled(env[name], env), f"{row.name} reads the variable {name}"))
    if row.image_is_model:
        references.append(("/".join(image_name(image).split("/")[-2:]), "the image holds the model"))
    for pull in row.pulls:
        references += [(value, f"the command runs {pull}") for value in pulled(pull, values)]
    if not references and row.hub == "" and aliases:
        references += [(alias, f"{row.name} offers it") for alias in aliases]
        aliases = ()
    servings = []
    for value, why in dict.fromkeys(references):
        model = weights(value, row.hub, scope, role=_role(row, value))
        if model is not None:
            servings.append(Serving(model, tuple(filter(None, aliases)), why))
    return servings


def _role(row: ImageRow, model: str) -> str:
    """Embedding servers serve rerankers too; those say so in their names."""
    return "reranker" if row.model_role == "embedding" and "rerank" in model.casefold() else row.model_role


#: Options of download commands that take a value.
_VALUED = frozenset(
    ("--local-dir", "--revision", "--include", "--exclude", "--token", "--cache-dir", "--repo-type", "--max-workers")
)


def pulled(pull: str, words: Sequence[str]) -> list[str]:
    """The models that ``ollama pull`` and the like name in a command line."""
    first, second = pull.split()
    found = []
    for index in range(len(words) - 2):
        if words[index].rpartition("/")[2] == first and words[index + 1] == second:
            rest = words[index + 2 : index + 40]
            bare = (
                word
                for place, word in enumerate(rest)
                if not word.startswith("-") and not (place and rest[place - 1] in _VALUED)
            )
            found.append(next(bare, "").rstrip(";"))
    return [value for value in found if re.fullmatch(r"[A-Za-z0-9][\w.:/@-]*", value)]


def port_of(words: Sequence[str]) -> int | None:
    """The port that a command line names."""
    value = next(iter(_option(words, "--port")), "")
    return int(value) if value.isdecimal() and 0 < int(value[:6]) < 65_536 else None


def weights(reference: str, hub: str, scope: str, *, role: str = "") -> Asset | None:
    """The model behind a reference to weights: a hub id, an address, or files.

    Args:
        hub: where a bare name lives.
    """
    text = reference.strip().strip("'\"")
    if not text or len(text) > 300 or any(mark in text for mark in "${}<> \n") or text.startswith("-"):
        return None
    props = {"role": role} if role else {}
    if text.startswith("hf://"):
        text, hub = "/".join(text[5:].partition("@")[0].split("/")[:2]), "huggingface"
    elif text.startswith("ollama://"):
        text, hub = text[9:], "ollama"
    elif re.match(r"[a-z][a-z0-9+.-]*://", text, re.IGNORECASE):
        return identity.asset("model", text.rstrip("/").rpartition("/")[2], key=text, props=props)
    if hub == "huggingface" and re.fullmatch(r"[\w.-]+/[\w.-]+(?::[\w.-]+)?", text) and not text.startswith("."):
        return identity.asset("model", text.partition(":")[0], props={"provider": hub, **props})
    if text.startswith(("/", "./", "../")) or hub in ("", "huggingface"):
        path = text.removeprefix("./")
        is_path = "/" in path or re.search(r"\.(?:gguf|safetensors|onnx|bin|pt)\Z", path)
        if is_path:
            return identity.local_model(path, scope, props=props)
        return identity.asset("model", path, scope=scope, key=f"{scope}/{path}", props=props)
    return identity.asset("model", text, props={"provider": hub, **props})


def _matches(row: ImageRow, image: str) -> bool:
    parts = image_name(str(image)).casefold().split("/")
    return any(
        len(pattern) <= len(parts) and all(map(fnmatchcase, parts[-len(pattern) :], pattern))
        for pattern in _patterns(row)
    )


@cache
def _patterns(row: ImageRow) -> tuple[list[str], ...]:
    return tuple(pattern.casefold().split("/") for pattern in row.images)


def _split(text: str) -> list[str]:
    try:
        words = shlex.split(text, comments=False)
    except ValueError:
        words = text.split()
    out: list[str] = []
    for word in words:
        # A script handed to a shell is one word to the shell and a command line to us.
        out += _split(word) if " " in word and len(word) < len(text) else [word]
    return out


def _filled(text: str, env: Mapping[str, str]) -> str:
    """``$(NAME)``, ``${NAME}`` and ``$NAME`` replaced from the container's own environment, once."""
    return re.sub(
        r"\$\((\w+)\)|\$\{(\w+)\}|\$(\w+)",
        lambda m: env.get(m[1] or m[2] or m[3], m[0]),
        text,
    )


def _option(words: Sequence[str], option: str) -> list[str]:
    """The values of an option, given as ``--x v`` or ``--x=v``; the first word that is no option ends them."""
    found = []
    for index, word in enumerate(words):
        if word.startswith(option + "="):
            found.append(word[len(option) + 1 :])
        elif word == option:
            for value in words[index + 1 : index + 20]:
                if value.startswith("-"):
                    break
                found.append(value)
    return found


def _bare(row: ImageRow, words: Sequence[str]) -> list[str]:
    """The first bare word after the server's command: ``vllm serve MODEL``."""
    for command in row.commands:
        head = command.split()
        for index in range(len(words) - len(head) + 1):
            tail = [words[index].rpartition("/")[2], *words[index + 1 : index + len(head)]]
            if tail == head and not head[-1].startswith("vllm.entrypoints"):
                rest = words[index + len(head) : index + len(head) + 1]
                return [word for word in rest if not word.startswith("-")]
    if row.commands and words and not words[0].startswith("-") and "/" in words[0] and not words[0].startswith("/bin"):
        return [words[0]] if re.fullmatch(r"[\w.-]+/[\w.-]+", words[0]) else []
    return []
