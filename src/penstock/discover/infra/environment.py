"""Values that a deployment gives to environment variables: facts for whoever resolves ``os.environ`` in code.

``env`` facts are ``{"name", "value", "line"}``; a variable that holds a secret becomes ``env_secret`` with
``{"name", "line"}`` alone, so that no secret ever leaves the file.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from penstock.discover.collector import Fact, File

#: Longest value that can be an address, a name or a switch.
LONGEST = 2_000
#: Values of one variable that a setting takes.
MOST_VALUES = 8
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,199}\Z")
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:KEY|APIKEY|TOKEN|SECRET|PASSWORD|PASSWD|PWD|PASS|CREDENTIALS?|PRIVATE|DSN|SALT|COOKIE|JWT|PAT)(?:$|_)"
    r"|(?:KEY|TOKEN|SECRET|PASSWORD)$",
    re.IGNORECASE,
)
#: Names that contain such a word and hold none: how many tokens, which secret, where the key file lies.
_HARMLESS_NAME = re.compile(
    r"TOKENS|_(?:NAME|PATH|FILE|URL|URI|ENABLED|TTL|LENGTH|LIMIT|ID|TYPE)$|TOKENIZER", re.IGNORECASE
)
_SECRET_VALUE = re.compile(
    r"(?:sk|pk|rk)[-_][A-Za-z0-9_-]{12,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}"
    r"|hf_[A-Za-z0-9]{16,}|AIza[\w-]{30,}|eyJ[\w-]{10,}\.[\w-]{10,}|-----BEGIN|glpat-[\w-]{16,}|Bearer\s+[\w.-]{12,}"
)  # well-known prefixes of keys and tokens, as their vendors document them
_SECRET_OPTION = re.compile(r"((?:token|key|secret|password)[\"']?\s*[=:]\s*)[^\s\"'&]+", re.IGNORECASE)
#: What stands before the @ of an address; of Azure's file systems that is a container.
_URL_CREDENTIALS = re.compile(r"(?<!abfs://)(?<!abfss://)(?<!wasb://)(?<!wasbs://)(?<=://)[^/@\s]*@")
_DENSE = re.compile(r"[A-Za-z0-9+]{20,}")


def env_fact(file: File, name: str, value: str, line: int) -> Iterator[Fact]:
    """The fact that a variable is set in a file, its value left out when it looks like a secret."""
    name, value = name.strip(), value.strip()
    if not _NAME.match(name) or len(value) > LONGEST or "{{" in value:  # a place that a template fills in
        return
    if is_secret(name, value):
        yield Fact("env_secret", file.path, {"name": name, "line": line})
    elif value:
        yield Fact("env", file.path, {"name": name, "value": without_credentials(value), "line": line})


def alias_fact(file: File, name: str, variable: str, line: int) -> Fact:
    """The fact that a setting has the value of a variable, where that is set."""
    return Fact("env_alias", file.path, {"name": name, "variable": variable, "line": line})


def aliased(given: Iterable[Fact], aliases: Iterable[Fact]) -> Iterator[Fact]:
    """What settings are through the variables that set them."""
    values: dict[str, list[Fact]] = {}
    for fact in given:
        row = fact.value if isinstance(fact.value, Mapping) else {}
        values.setdefault(str(row.get("name", "")), []).append(fact)
    for alias in aliases:
        for fact in values.get(alias.value["variable"], ())[:MOST_VALUES]:
            yield Fact("env", fact.path, {**fact.value, "name": alias.value["name"]})


def is_secret(name: str, value: str) -> bool:
    """Whether a value must not be kept: by the variable's name, a key's well-known form, or a dense random look."""
    if _SECRET_VALUE.search(value):
        return True
    if _SECRET_NAME.search(name) and not _HARMLESS_NAME.search(name):
        return True
    # Names of models and hosts are words joined by hyphens; a key is one run of letters and digits.
    # 3.7 bits: hexadecimal tops out at 4, English words stay near 3.
    return any(
        any(c.isdigit() for c in run) and any(c.isalpha() for c in run) and _entropy(run) > 3.7
        for run in _DENSE.findall(value)
    )


def is_address(text: str) -> bool:
    """Whether a text is an address with a host, as every reader of addresses would agree."""
    try:
        return bool(urlsplit(text).hostname) and "://" in text and not any(c.isspace() for c in text)
    except ValueError:
        return False


def without_credentials(text: str) -> str:
    """The text with user and password cut out of addresses."""
    return _URL_CREDENTIALS.sub("", text)


def redacted(text: str) -> str:
    """A command line with everything that looks like a key replaced."""
    text = _SECRET_VALUE.sub("[SECRET]", without_credentials(text))
    return re.sub(
        r"((?:token|key|secret|password)[\"']?\s*[=:]\s*)[^\s\"'&]+", r"\1[SECRET]", text, flags=re.IGNORECASE
    )


def interpolated(text: str, known: Mapping[str, str]) -> str | None:
    """A value with ``${NAME}``, ``${NAME:-default}`` and ``$NAME`` filled in as compose does; None: one is unknown."""
    missing = False

    def fill(match: re.Match[str]) -> str:
        nonlocal missing
        if match[0] == "$$":
            return "$"
        name = match["braced"] or match["plain"]
        value = known.get(name)
        if value:
            return value
        if match["default"] is not None and "$" not in match["default"]:
            return match["default"]
        missing = True
        return ""

    filled = re.sub(
        r"\$\$|\$\{(?P<braced>\w+)(?::?-(?P<default>[^}]*)|:?\?[^}]*)?\}|\$(?P<plain>[A-Za-z_]\w*)", fill, text
    )
    return None if missing else filled


def _entropy(text: str) -> float:
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
