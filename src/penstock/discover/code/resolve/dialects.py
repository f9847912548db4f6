"""What the resolver must know of a language that its IR does not say: how names are shared and imports found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

#: Types of .NET by their full names.
_DOTNET = {
    name: f"{package}.{name}"
    for package, names in {
        "System": "Environment Uri String Console Math Convert Guid DateTime Type Lazy Array Func Action Tuple",
        "System.IO": "File Directory Path FileStream StreamReader StreamWriter",
        "System.Net.Http": "HttpClient HttpRequestMessage StringContent",
        "System.Diagnostics": "Process ProcessStartInfo",
        "Microsoft.Extensions.Configuration": (
            "IConfiguration IConfigurationRoot IConfigurationSection IConfigurationManager ConfigurationManager"
            " ConfigurationBuilder"
        ),
        "Microsoft.Extensions.Hosting": (
            "Host IHost IHostApplicationBuilder HostApplicationBuilder HostBuilderContext IHostBuilder"
        ),
        "Microsoft.Extensions.DependencyInjection": "IServiceCollection ServiceCollection IServiceProvider",
        "Microsoft.AspNetCore.Builder": "WebApplication WebApplicationBuilder",
    }.items()
    for name in names.split()
}


class Dialect(NamedTuple):
    """One language.

    imports: what an import names: a ``module`` (Python), a ``file`` (scripts), a ``folder`` (Go), a ``class`` in a
        package (Java), a path through a ``crate`` (Rust), or a ``constant`` that all files share (Ruby).
    shares: the files that see each other's top names without an import: those of a ``folder`` (Go), those that say
        they belong to the same ``package`` (Java), or none.
    outer_fields: a bare name may be a field or method of a class around it.
    embeds: the members of a struct's bases are its own, under its name too.
    chains: what a chain of calls makes is known by the name that its last call is given.
    bare_calls: a member is asked for by a call without arguments, be it a method or a field.
    builders: what ends in ``…Builder`` gives itself back from each call until ``build()``.
    prelude: names that are there without an import and matter here; they come before any ``import x.*``.
    implied: the same with their full names, where a language's own library is imported as a whole.
    aside: packages whose names are of no interest, so that ``import x.*`` of them is not looked into.
    family: the language whose packages it shares (Kotlin those of Java).
    nested: a package sees the names of those around it, and files without one those of their project (C#).
    """

    imports: Literal["module", "file", "folder", "class", "crate", "constant"]
    shares: Literal["", "folder", "package", "source"] = ""
    outer_fields: bool = False
    embeds: bool = False
    bare_calls: bool = False
    chains: bool = False
    builders: bool = False
    prelude: frozenset[str] = frozenset()
    implied: Mapping[str, str] = {}
    aside: tuple[str, ...] = ()
    nested: bool = False
    family: str = ""


DIALECTS = {
    "python": Dialect("module"),
    "typescript": Dialect("file"),
    "go": Dialect("folder", shares="folder", embeds=True),
    "go.mod": Dialect("folder"),
    "csproj": Dialect("class"),
    "csharp": Dialect(
        "class",
        shares="package",
        outer_fields=True,
        nested=True,
        implied=_DOTNET,
        aside=(
            "System",
            "Microsoft.AspNetCore",
            "Microsoft.EntityFrameworkCore",
            "Microsoft.Extensions.Configuration",
            "Microsoft.Extensions.DependencyInjection",
            "Microsoft.Extensions.Hosting",
            "Microsoft.Extensions.Logging",
            "Microsoft.Extensions.Options",
            "Microsoft.Extensions.Caching",
            "Microsoft.Extensions.Http",
            "Microsoft.Identity",
            "Newtonsoft",
            "Xunit",
            "NUnit",
            "Moq",
            "FluentAssertions",
            "Serilog",
            "UnityEngine",
            "OpenTelemetry",
            "Azure.Identity",
        ),
    ),
    "kotlin": Dialect(
        "class",
        shares="package",
        outer_fields=True,
        builders=True,
        family="java",
        prelude=frozenset(
            "String Int Long Boolean Double Any Unit List Map Set System Math Regex Pair Triple Lazy println print lazy"
            " listOf mutableListOf setOf mapOf mutableMapOf buildList buildMap buildString require requireNotNull check"
            " checkNotNull error with run apply also let emptyList emptyMap arrayOf to TODO Exception".split()
        ),
    ),
    "java": Dialect(
        "class",
        shares="package",
        outer_fields=True,
        builders=True,
        prelude=frozenset(
            {"String", "System", "Object", "Integer", "Boolean", "Math", "StringBuilder", "Override"}  # java.lang
        ),
    ),
    "rust": Dialect("crate", chains=True),
    "cargo.toml": Dialect("crate"),
    "php": Dialect("class", shares="package", chains=True),
    "ruby": Dialect("constant", shares="source", outer_fields=True, bare_calls=True, chains=True),
}
