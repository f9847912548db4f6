"""A model's files together: which Python modules a loader imports, and what configurations promise about each other."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from penstock.errors import NotReachable
from penstock.inspect.models.source import OpenFile
from penstock.inspect.models.verdict import Reason, Verdict

Reader = Callable[[int], bytes]
#: Configurations are read up to this size; a tokenizer's vocabulary is none.
_CONFIG = 2 << 20
#: Configurations of Hugging Face that may name remote code.
_HUB = frozenset(
    "config.json tokenizer_config.json processor_config.json preprocessor_config.json generation_config.json"
    " adapter_config.json feature_extractor_config.json".split()
)
#: Modules that servers import by their name.
_BY_NAME = frozenset(("handler.py", "inference.py", "custom_generate/generate.py", "pipeline.py", "setup.py"))
_MODULE = re.compile(r"[A-Za-z_][\w./]*")


class Tree(Protocol):
    """Files by relative path: of a folder or of an archive."""

    @property
    def names(self) -> list[str]: ...

    def read(self, name: str, most: int = _CONFIG) -> bytes: ...


class Archive:
    """The members of an archive."""

    def __init__(self, readers: Mapping[str, Reader]) -> None:
        self._readers = readers
        self.names = list(readers)

    def read(self, name: str, most: int = _CONFIG) -> bytes:
        reader = self._readers.get(name)
        return reader(most) if reader else b""


class Folder:
    """The files of a folder, links out of it left out."""

    def __init__(self, root: Path) -> None:
        from penstock.inspect.models.scan import walk

        self._root = root
        self.unseen: list[Reason] = []
        self.names: list[str] = []
        for name, problem in walk(root):
            if problem is None:
                self.names.append(name)
            else:
                self.unseen.append(problem)

    def read(self, name: str, most: int = _CONFIG) -> bytes:
        try:
            source = OpenFile(str(self._root / name))
        except NotReachable:
            return b""
        try:
            return source.read(0, most)
        finally:
            source.close()


def loaded_modules(tree: Tree) -> frozenset[str]:
    """Paths of Python modules that something beside them imports when the model is loaded."""
    modules = [name for name in tree.names if name.endswith(".py")]
    if not modules:
        return frozenset()
    wanted: set[str] = set()
    model = _is_model(tree)
    for name in tree.names:
        folder, _, file = name.rpartition("/")
        prefix = f"{folder}/" if folder else ""
        if file in _HUB:
            wanted |= {f"{prefix}{module}" for module in auto_modules(_json(tree, name))}
        elif file == "model_index.json":
            wanted |= {each for each in modules if each.startswith(prefix) and each.count("/") <= prefix.count("/") + 1}
        elif file == "MLmodel":
            wanted |= {each for each in modules if each.startswith(f"{prefix}code")}
            for module in _loaders(tree.read(name)):
                wanted |= {each for each in modules if each.endswith(module)}
        elif file == "MANIFEST.json":
            about = _json(tree, name).get("model", {})
            handler = str(about.get("handler", "")).partition(":")[0] if isinstance(about, dict) else ""
            wanted |= {
                each
                for each in modules
                if handler and each.rpartition("/")[2].removesuffix(".py") == handler.removesuffix(".py")
            }
            wanted |= set(modules)
        elif name in _BY_NAME and model:
            wanted.add(name)
    if wanted:  # a module that is imported imports its neighbours
        folders = {name.rpartition("/")[0] for name in wanted}
        wanted |= {name for name in modules if name.rpartition("/")[0] in folders}
    return frozenset(wanted & set(modules))


def together(tree: Tree, run: frozenset[str], where: str = "") -> Iterator[Reason]:
    """What the files mean only together."""
    place = f"{where}!" if where else ""
    for name in tree.names:
        if name.rpartition("/")[2] in _HUB:
            config = _json(tree, name)
            for target in _auto_targets(config):
                repository, mark, _ = target.partition("--")
                if mark:
                    yield Reason(
                        Verdict.SUSPICIOUS, "hub.remote-elsewhere",
                        f"loads code from another repository, {repository}, that is not seen here",
                        f"{place}{name}", chain=f"auto_map: {target}",
                    )  # fmt: skip
    for name in sorted(run):
        yield Reason(
            Verdict.REVIEW, "code.shipped",
            "is imported when the model is loaded; a model type that the library has itself, with safetensors weights,"
            " needs no code",
            f"{place}{name}",
        )  # fmt: skip


def auto_modules(config: Mapping[str, Any]) -> set[str]:
    """Files that ``auto_map`` (or a custom pipeline) names."""
    return {f"{target.rpartition('--')[2].rpartition('.')[0].replace('.', '/')}.py" for target in _auto_targets(config)}


def _auto_targets(config: Mapping[str, Any]) -> list[str]:
    found = []
    mappings = [config.get("auto_map"), config.get("custom_pipelines")]
    for mapping in mappings:
        if not isinstance(mapping, dict):
            continue
        for value in mapping.values():
            for target in value if isinstance(value, list) else value.values() if isinstance(value, dict) else (value,):
                if isinstance(target, str) and "." in target:
                    found.append(target)
    return found


def _loaders(text: bytes) -> list[str]:
    """Paths of the modules that MLmodel's flavours load."""
    names = re.findall(rb"^\s*loader_module:\s*['\"]?([\w.]+)", text, re.M)
    return [name.decode().replace(".", "/") + ".py" for name in names if not name.startswith(b"mlflow.")]


def _is_model(tree: Tree) -> bool:
    """Whether the tree holds weights beside a configuration."""
    weights = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".onnx", ".h5", ".msgpack", ".pkl", ".joblib")
    return any(name.endswith(weights) for name in tree.names)


def _json(tree: Tree, name: str) -> dict[str, Any]:
    try:
        document = json.loads(tree.read(name))
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
