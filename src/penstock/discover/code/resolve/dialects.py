"""What the resolver must know of a language that its IR does not say: how names are shared and imports found."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Dialect(NamedTuple):
    """One language.

    imports: what an import names: a ``module`` (Python), a ``file`` (scripts), a ``folder`` (Go), or a ``class`` in a
        package (Java).
    shares: the files that see each other's top names without an import: those of a ``folder`` (Go), those that say
        they belong to the same ``package`` (Java), or none.
    outer_fields: a bare name may be a field or method of a class around it.
    embeds: the members of a struct's bases are its own, under its name too.
    builders: what ends in ``…Builder`` gives itself back from each call until ``build()``.
    prelude: names that are there without an import and matter here; they come before any ``import x.*``.
    """

    imports: Literal["module", "file", "folder", "class"]
    shares: Literal["", "folder", "package"] = ""
    outer_fields: bool = False
    embeds: bool = False
    builders: bool = False
    prelude: frozenset[str] = frozenset()


DIALECTS = {
    "python": Dialect("module"),
    "typescript": Dialect("file"),
    "go": Dialect("folder", shares="folder", embeds=True),
    "go.mod": Dialect("folder"),
    "java": Dialect(
        "class",
        shares="package",
        outer_fields=True,
        builders=True,
        prelude=frozenset(
            {"String", "System", "Object", "Integer", "Boolean", "Math", "StringBuilder", "Override"}  # java.lang
        ),
    ),
}
