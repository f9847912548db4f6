"""DVC: stages of ``dvc.yaml``, what ``dvc.lock`` recorded of their last run, and files tracked by ``*.dvc``.

Format: DVC's user guide, "Project structure" (dvc.yaml, dvc.lock schema 2.0, .dvc files).
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.lineage import places
from penstock.discover.data.lineage.reading import entries, listed, mapping, mappings, text, texts
from penstock.discover.data.lineage.saying import MOST_PAIRS, Saying
from penstock.discover.data.lineage.words import labels_of_pair, labels_of_tag
from penstock.discover.git import repository_name
from penstock.discover.infra.marked import Map, line_of
from penstock.discover.infra.yaml_docs import read_documents
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Unseen

NAME = "lineage.dvc"
_CODE = (".py", ".ipynb", ".r", ".jl", ".sh", ".scala", ".java", ".go", ".ts", ".js", ".toml", ".cfg", ".lock")
_SETTINGS = (".yaml", ".yml", ".toml", ".ini", ".cfg", ".md")


@collector(
    NAME,
    reads=["dvc.yaml", "dvc.lock", "*.dvc"],
    sees="what DVC stages read and make: data, models, the script they run; where tracked files were imported from",
    unseen="stages whose paths are templates until DVC fills them in, unless dvc.lock holds them",
)
def dvc(file: File) -> Iterator[Yielded]:
    """Pipelines, datasets and models of a DVC file."""
    saying = Saying(NAME, file.scope, file.path)
    for document in read_documents(file, NAME):
        if isinstance(document, Unseen):
            yield document
        elif file.path.endswith(".dvc"):
            _tracked(saying, document)
        elif isinstance(document, Map):
            _stages(saying, document)
            _artifacts(saying, document)
    yield from saying


def _stages(saying: Saying, document: Map) -> None:
    stages = document.get("stages")
    bodies = [(name, _body(stage)) for name, stage in entries(stages)]
    scripts = [_script(saying, body) for _, body in bodies]
    for (name, body), script in zip(bodies, scripts, strict=True):
        alone = script and scripts.count(script) == 1
        if "cmd" in body or "outs" in body or "deps" in body:
            _stage(saying, text(name) or "stage", body, script if alone else "", line_of(stages, name))


def _body(stage: Any) -> Mapping[str, Any]:
    """What a stage does; of a ``foreach`` stage, what it does each time."""
    body = mapping(stage)
    return mapping(body.get("do")) or body


def _stage(saying: Saying, name: str, stage: Mapping[str, Any], script: str, line: int) -> None:
    folder = _folder(saying, stage)
    key = script or f"{posixpath.dirname(saying.path)}/dvc.yaml#{name}".lstrip("/")
    pipeline = identity.asset("pipeline", script or name, scope=saying.scope, key=key)
    at = saying.at(line, f"stage {name}" + (f" runs {script}" if script else ""))
    outs = [path for path in _paths(stage.get("outs")) if not _is_code(path)]
    made = [thing for path in outs if (thing := places.artefact(path, saying.scope, folder=folder))]
    needs = [path for path in _paths(stage.get("deps")) if not _is_code(path) and not path.endswith(_SETTINGS)]
    used = [thing for path in needs if (thing := places.artefact(path, saying.scope, folder=folder))]
    if not made and not used:
        return
    saying.asset(pipeline, at)
    data = [thing for thing in used if thing.kind == "dataset"]
    models = [thing for thing in used if thing.kind == "model"]
    produced = [thing for thing in made if thing.kind == "model"]
    measures = not made and bool(stage.get("metrics") or stage.get("plots"))
    for thing in data:
        if measures and models:
            for model in models:
                saying.link(model, "evaluated_on", thing, at)
        else:
            saying.link(pipeline, "loads", thing, at)
    for model in models:
        saying.link(pipeline, "consumes" if produced else "uses_model", model, at)
    for thing in made:
        saying.link(pipeline, "produces" if thing.kind == "model" else "writes", thing, at)
    for model in produced if len(produced) * len(used) <= MOST_PAIRS else ():
        for thing in data:
            saying.link(model, "trained_on", thing, at)
        for parent in models:
            saying.link(model, "derived_from", parent, at)


def _tracked(saying: Saying, document: Any) -> None:
    """A file under DVC's care: the dataset it is, its labels, and where it was imported from."""
    root = mapping(document)
    outs = mappings(root.get("outs"))
    if not any("path" in out and ({"md5", "hash", "etag", "cache"} & out.keys()) for out in outs):
        return
    folder = _folder(saying, root)
    origins = [origin for dep in mappings(root.get("deps")) if (origin := _origin(saying, dep, folder))]
    for out in outs:
        path = text(out.get("path"))
        thing = places.artefact(path, saying.scope, folder=folder) if path else None
        if thing is None:
            continue
        at = saying.at(line_of(out, "path"), f"{path} is tracked by DVC")
        labels = frozenset(label for tag in texts(out.get("labels")) for label in labels_of_tag(tag))
        for key, value in entries(out.get("meta")):
            labels |= labels_of_pair(key, value)
        saying.asset(Asset(thing.id, thing.kind, thing.name, thing.scope, thing.props, labels), at)
        for origin in origins:
            saying.link(thing, "derived_from", origin, at)


def _origin(saying: Saying, dep: Mapping[str, Any], folder: str) -> Asset | None:
    """What a tracked file was imported from: a file of another repository, or an address."""
    repository, path = mapping(dep.get("repo")), text(dep.get("path"))
    if url := text(repository.get("url")):
        name = repository_name(url)
        return identity.file_dataset(posixpath.normpath(path), f"repo:{name}") if name and path else None
    return places.artefact(path, saying.scope, folder=folder) if path else None


def _artifacts(saying: Saying, document: Map) -> None:
    """Names that a project gives to its models and data."""
    named = document.get("artifacts")
    for name, about in entries(named):
        path, kind = text(mapping(about).get("path")), text(mapping(about).get("type"))
        make = places.model if kind == "model" else places.dataset if kind in ("dataset", "data") else places.artefact
        thing = make(path, saying.scope, folder=posixpath.dirname(saying.path)) if path else None
        if thing is not None:
            labels = frozenset(label for tag in texts(mapping(about).get("labels")) for label in labels_of_tag(tag))
            named_so = Asset(thing.id, thing.kind, thing.name, thing.scope, thing.props, labels)
            saying.asset(named_so, saying.at(line_of(named, name), f"artifact {text(name)}"))


def _paths(listing: Any) -> list[str]:
    """Paths of a list of ``path``, ``{path: {cache: false}}`` or, in dvc.lock, ``{path: …, md5: …}``."""
    found = []
    for item in listed(listing):
        if isinstance(item, dict):
            found.append(text(item["path"]) if isinstance(item.get("path"), str) else text(next(iter(item), "")))
        else:
            found.append(text(item))
    return [path for path in found if path]


def _script(saying: Saying, stage: Mapping[str, Any]) -> str:
    """The script that a stage's command starts, when the stage also depends on it; empty when it is not sure."""
    command = " ".join(texts(stage.get("cmd")))
    try:
        words = shlex.split(command)[:200]
    except ValueError:
        words = command.split()[:200]
    folder = _folder(saying, stage)
    deps = {posixpath.normpath(path) for path in _paths(stage.get("deps"))}
    run = [word for word in words if re.search(r"\.(?:py|ipynb|r|jl|sh)\Z", word, re.IGNORECASE)]
    found = [word for word in run if posixpath.normpath(word) in deps] or (run if len(set(run)) == 1 else [])
    return posixpath.normpath(posixpath.join(folder, found[0])) if found else ""


def _folder(saying: Saying, body: Mapping[str, Any]) -> str:
    return posixpath.normpath(
        posixpath.join(posixpath.dirname(saying.path), text(body.get("wdir")) or ".")
    ).removeprefix(".")


def _is_code(path: str) -> bool:
    return path.casefold().endswith(_CODE) or path.rstrip("/") in ("src", "scripts", "lib")
