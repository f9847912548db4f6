"""Credentials left in files: their type and a fingerprint, never the value.

Only shapes that a provider gives its keys count here: a false alarm sends people to rotate a key that is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from penstock.discover.collector import File, Yielded, collector
from penstock.graph.identity import asset, relation
from penstock.graph.vocabulary import Observation
from penstock.inspect.fingerprint import fingerprint
from penstock.inspect.sensitive.detector import Detector
from penstock.inspect.sensitive.rows import shapes
from penstock.inspect.span import Span

_READS = (
    "*.py", "*.ipynb", "*.js", "*.mjs", "*.cjs", "*.ts", "*.tsx", "*.jsx", "*.json", "*.yaml", "*.yml", "*.toml",
    "*.ini", "*.cfg", "*.conf", "*.properties", "*.xml", "*.sh", "*.bash", "*.zsh", "*.ps1", "*.tf", "*.tfvars",
    "*.env", ".env", ".env.*", "*.java", "*.kt", "*.go", "*.rb", "*.php", "*.cs", "*.rs", "*.scala", "*.swift",
    "*.txt", "*.md", "*.pem", "*.key", "Dockerfile", "Dockerfile.*", "*.dockerfile", ".npmrc", ".pypirc", ".netrc",
)  # fmt: skip
#: Rules that tell a provider's key by its shape are surer than this; those that tell by a name beside it are not.
_SURE = 0.93
#: Shorter values could be guessed from a fingerprint.
_SHORTEST = 20
_DUMMY = (
    "example", "dummy", "fake", "sample", "placeholder", "changeme", "change-me", "your-", "your_", "redacted", "xxxx",
    "0000000", "1234567", "abcdef", "test", "todo", "insert", "replace", "<", ">", "{", "}", "$", "...",
)  # fmt: skip
_QUIET_FOLDERS = frozenset(
    ("test", "tests", "testing", "testdata", "__tests__", "fixtures", "spec", "specs", "example", "examples", "docs",
     "doc", "samples", "mocks", "__mocks__", "cassettes", "snapshots")
)  # fmt: skip


@collector(
    "data.secrets",
    reads=_READS,
    sees="keys and tokens whose shape their provider defines",
    unseen="passwords and keys without a shape of their own; whatever lies under tests, docs and examples",
)
def secrets(file: File) -> Iterator[Yielded]:
    """Each credential once a file, stored in the repository."""
    if _QUIET_FOLDERS & {part.casefold() for part in file.path.split("/")[:-1]} or _sample_file(file.path):
        return
    text = file.text
    told: set[str] = set()
    for span in _detector().detect(text):
        value = text[span.start : span.end]
        if span.confidence < _SURE or len(value) < _SHORTEST or _dummy(value):
            continue
        name = _kind(span)
        print_ = fingerprint(value)
        if print_ in told:
            continue
        told.add(print_)
        credential = asset(
            "credential", f"{name} {print_[:8]}", scope=file.scope, key=f"{name}:{print_}", labels=("credentials",)
        )
        evidence = file.evidence("data.secrets", text.count("\n", 0, span.start) + 1)
        repository = asset("repository", file.scope.removeprefix("repo:"))
        yield Observation(credential, evidence)
        yield Observation(repository, evidence)
        yield Observation(relation(credential, "stored_in", repository), evidence)


@cache
def _detector() -> Detector:
    return Detector([row for row in shapes() if row.category == "credentials" and row.confidence >= _SURE])


def _kind(span: Span) -> str:
    """``secret.aws-access-key`` → ``aws access key``."""
    return span.rule.rpartition(".")[2].replace("-", " ")


def _dummy(value: str) -> bool:
    """Whether a value was written to be seen: words of examples, or few different characters."""
    lower = value.casefold()
    if lower.startswith("-----begin"):
        return any(word in lower for word in ("example", "dummy", "fake", "..."))
    return any(word in lower for word in _DUMMY) or len(set(value)) < 10


def _sample_file(path: str) -> bool:
    name = path.rpartition("/")[2].casefold()
    return any(
        word in name for word in ("example", "sample", "template", "dist", "test_", "_test.", ".test.", ".spec.")
    )
