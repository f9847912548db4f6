"""Dependencies that mean AI, from the manifests of every ecosystem we know: frameworks and providers, as declared."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any, NamedTuple

from penstock.discover.code.places import status_of
from penstock.discover.collector import File, Yielded, collector
from penstock.graph import identity
from penstock.graph.vocabulary import Observation, Unseen
from penstock.knowledge.packages import package_named

#: Ecosystems whose code is read.
_READ_AS_CODE = frozenset({"pypi", "npm", "go", "crate", "gem", "composer"})


class Dependency(NamedTuple):
    ecosystem: str
    name: str
    line: int
    version: str = ""


@collector(
    "code.manifests",
    reads=(
        "requirements*.txt", "requirements/*.txt", "*requirements.txt", "pyproject.toml", "Pipfile", "setup.cfg",
        "setup.py",
        "environment.yml", "environment.yaml", "package.json", "go.mod", "pom.xml", "build.gradle", "build.gradle.kts",
        "libs.versions.toml", "Cargo.toml", "Gemfile", "*.gemspec", "composer.json",
        "*.csproj", "*.fsproj", "Directory.Packages.props", "packages.config",
    ),
    sees="AI packages named in manifests",
    unseen="packages that are only installed by a script",
)  # fmt: skip
def manifest(file: File) -> Iterator[Yielded]:
    """Frameworks and providers that a manifest declares."""
    found, problem = dependencies(file.path, file.text)
    if problem:
        yield Unseen(file.path, "manifest", problem, "", "code.manifests", file.scope)
    seen: set[str] = set()
    application = identity.application(file.scope)
    place = status_of(file.path)
    status = "declared" if place == "used" else place
    for dependency in found:
        package = package_named(dependency.ecosystem, dependency.name)
        if package is None or package.id in seen:
            continue
        seen.add(package.id)
        evidence = file.evidence("code.manifests", dependency.line, confidence="declared")
        if package.means == "framework":
            props = {"version": dependency.version} if dependency.version else {}
            framework = identity.asset("framework", package.framework or package.id, props=props, status=status)
            yield Observation(framework, evidence)
            yield Observation(application, evidence)
            yield Observation(identity.relation(application, "built_with", framework), evidence)
        if package.provider and dependency.ecosystem not in _READ_AS_CODE:  # there, the clients say where they go
            yield Observation(identity.asset("provider", package.provider, status=status), evidence)


def dependencies(path: str, text: str) -> tuple[list[Dependency], str]:
    """The dependencies that a manifest names, and what kept it from being read ("" = nothing)."""
    name = path.rpartition("/")[2]
    try:
        if name == "package.json":
            return _package_json(text), ""
        if name == "pyproject.toml":
            return _pyproject(text), ""
        if name == "Pipfile":
            return _tables(text, "pypi", ("packages", "dev-packages")), ""
        if name.endswith(".txt"):
            return _requirements(text), ""
        if name == "Cargo.toml":
            return _cargo(text), ""
        if name == "Gemfile" or name.endswith(".gemspec"):
            return _gems(text), ""
        if name == "composer.json":
            return _composer(text), ""
        if name == "go.mod":
            return _go(text), ""
        if name == "pom.xml":
            return _maven(text), ""
        if name.startswith("build.gradle") or name == "libs.versions.toml":
            return _gradle(text), ""
        if name.endswith((".csproj", ".fsproj", ".props", ".config")):
            return _nuget(text), ""
        return _loose(text), ""  # setup.cfg, setup.py, environment.yml
    except (ValueError, RecursionError) as error:
        return [], f"it does not parse: {error}"[:200]


_REQUIREMENT = re.compile(r"^\s*[\"'-]*\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(?:==\s*([\w.!+-]+))?")


def _requirements(text: str) -> list[Dependency]:
    found = []
    for number, line in enumerate(text.splitlines()[:20_000], 1):
        stripped = line.strip()
        if stripped and not stripped.startswith(("#", "-", "git+", "http")) and (hit := _REQUIREMENT.match(stripped)):
            found.append(Dependency("pypi", hit[1], number, hit[2] or ""))
    return found


def _pyproject(text: str) -> list[Dependency]:
    document = tomllib.loads(text)
    named: list[str] = []
    project = document.get("project")
    if isinstance(project, dict):
        named += _strings(project.get("dependencies"))
        optional = project.get("optional-dependencies")
        for group in optional.values() if isinstance(optional, dict) else ():
            named += _strings(group)
    groups = document.get("dependency-groups")
    for group in groups.values() if isinstance(groups, dict) else ():
        named += _strings(group)
    poetry = document.get("tool", {}).get("poetry", {}) if isinstance(document.get("tool"), dict) else {}
    if isinstance(poetry, dict):
        tables = [poetry.get("dependencies"), poetry.get("dev-dependencies")]
        extra = poetry.get("group")
        tables += (
            [g.get("dependencies") for g in extra.values() if isinstance(g, dict)] if isinstance(extra, dict) else []
        )
        for table in tables:
            named += list(table) if isinstance(table, dict) else []
    lines = text.splitlines()
    found = []
    for requirement in named:
        if hit := _REQUIREMENT.match(requirement):
            found.append(Dependency("pypi", hit[1], _line_of(lines, hit[1]), hit[2] or ""))
    return found


def _tables(text: str, ecosystem: str, names: tuple[str, ...]) -> list[Dependency]:
    document, lines = tomllib.loads(text), text.splitlines()
    return [
        Dependency(ecosystem, key, _line_of(lines, key))
        for name in names
        if isinstance(document.get(name), dict)
        for key in document[name]
    ]


def _package_json(text: str) -> list[Dependency]:
    document = json.loads(text)
    found, lines = [], text.splitlines()
    for part in ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies"):
        table = document.get(part) if isinstance(document, dict) else None
        for key, version in table.items() if isinstance(table, dict) else ():
            pinned = version if isinstance(version, str) and re.fullmatch(r"\d[\w.+-]*", version) else ""
            found.append(Dependency("npm", str(key), _line_of(lines, f'"{key}"'), pinned))
    return found


def _cargo(text: str) -> list[Dependency]:
    document, lines = tomllib.loads(text), text.splitlines()
    workspace, targets = document.get("workspace"), document.get("target")
    holders = [document, workspace, *(targets.values() if isinstance(targets, dict) else ())]
    found = []
    for holder in holders:
        for part in ("dependencies", "dev-dependencies", "build-dependencies"):
            table = holder.get(part) if isinstance(holder, dict) else None
            for key, given in table.items() if isinstance(table, dict) else ():
                said = given if isinstance(given, dict) else {"version": given}
                version = str(said.get("version", ""))
                pinned = version.lstrip("=") if re.fullmatch(r"=?\d+\.\d+\.\d[\w.+-]*", version) else ""
                found.append(Dependency("crate", str(said.get("package", key)), _line_of(lines, str(key)), pinned))
    return found


def _gems(text: str) -> list[Dependency]:
    found = []
    pattern = re.compile(r"^\s*(?:gem|\w+\.add(?:_runtime|_development)?_dependency)[\s(]+['\"]([\w.-]+)['\"]([^#]*)")
    for number, line in enumerate(text.splitlines()[:20_000], 1):
        if hit := pattern.match(line):
            version = re.search(r"['\"](?:=\s*)?(\d[\w.]*)['\"]", hit[2])
            found.append(Dependency("gem", hit[1], number, version[1] if version else ""))
    return found


def _composer(text: str) -> list[Dependency]:
    document, lines = json.loads(text), text.splitlines()
    found = []
    for part in ("require", "require-dev"):
        table = document.get(part) if isinstance(document, dict) else None
        for key, version in table.items() if isinstance(table, dict) else ():
            pinned = version.lstrip("v") if isinstance(version, str) and re.fullmatch(r"v?\d[\w.+-]*", version) else ""
            found.append(Dependency("composer", str(key), _line_of(lines, f'"{key}"'), pinned))
    return found


def _go(text: str) -> list[Dependency]:
    found = []
    for number, line in enumerate(text.splitlines()[:20_000], 1):
        hit = re.match(r"^\s*(?:require\s+)?([\w.-]+\.[\w.-]+/[\w./~-]+)\s+(v[\w.+-]+)", line)
        if hit and "// indirect" not in line:
            found.append(Dependency("go", hit[1], number, hit[2]))
    return found


def _maven(text: str) -> list[Dependency]:
    found = []
    pattern = r"<groupId>\s*([\w.${}-]+)\s*</groupId>\s*<artifactId>\s*([\w.${}-]+)\s*</artifactId>"
    for hit in re.finditer(pattern, text[:2_000_000]):
        found.append(Dependency("maven", f"{hit[1]}:{hit[2]}", text.count("\n", 0, hit.start()) + 1))
    return found


def _gradle(text: str) -> list[Dependency]:
    found = []
    for number, line in enumerate(text.splitlines()[:20_000], 1):
        if line.strip().startswith("//"):
            continue
        for hit in re.finditer(r"[\"']([\w.-]+):([\w.-]+)(?::([\w.+-]+))?[\"']", line):
            found.append(Dependency("maven", f"{hit[1]}:{hit[2]}", number, hit[3] or ""))
    return found


def _nuget(text: str) -> list[Dependency]:
    found = []
    pattern = r"<(?:PackageReference|PackageVersion|package)\b[^>]*?\b(?:Include|Update|id)\s*=\s*\"([^\"]+)\"([^>]*)"
    for hit in re.finditer(pattern, text[:2_000_000]):
        version = re.search(r"[Vv]ersion\s*=\s*\"([\w.+-]+)\"", hit[2])
        line = text.count("\n", 0, hit.start()) + 1
        found.append(Dependency("nuget", hit[1], line, version[1] if version else ""))
    return found


def _loose(text: str) -> list[Dependency]:
    """setup.cfg, setup.py and environment.yml: one requirement a line, quoted or after a dash."""
    found = []
    for number, line in enumerate(text.splitlines()[:20_000], 1):
        stripped = line.strip()
        if stripped.startswith("#"):
            continue
        quoted = re.findall(r"[\"']([A-Za-z0-9][\w.-]*(?:\[[^\]]*\])?\s*(?:[=<>~!]=?[^\"']*)?)[\"']", stripped)
        for requirement in quoted or [stripped.lstrip("- ")]:
            if hit := _REQUIREMENT.match(requirement):
                found.append(Dependency("pypi", hit[1], number))
    return found


def _strings(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _line_of(lines: list[str], name: str) -> int:
    """The line that names a dependency as a whole word."""
    pattern = re.compile(rf"(?<![\w@/-]){re.escape(name)}(?![\w/-])", re.IGNORECASE)
    return next((number for number, line in enumerate(lines, 1) if pattern.search(line)), 1)
