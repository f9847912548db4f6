"""Models loaded from files: weights, pickled estimators, exported graphs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from penstock.discover.code.observed.look import Look
from penstock.discover.code.places import status_of
from penstock.discover.code.resolve import Frames, Target, Text
from penstock.discover.code.signatures import Site
from penstock.graph import identity
from penstock.graph.vocabulary import Asset

#: Ends of files that hold weights and nothing else, as the libraries that write them name them.
_WEIGHTS = (".pt", ".pth", ".ckpt", ".safetensors", ".onnx", ".gguf", ".keras", ".h5", ".tflite", ".pb", ".mar",
            ".caffemodel", ".joblib.model", ".cbm", ".ubj")  # fmt: skip
#: Words of a file's name that say that a pickled object is a model, and that it is something beside one.
_MODEL = re.compile(
    r"(?i)model|clf|classif|regress|estimator|predict|weights|checkpoint|forest|xgb|lgbm|svm|pipeline|kmeans"
)
_BESIDE = re.compile(
    r"(?i)scaler|encoder|vectori[sz]er|vocab|columns|feature|data|cache|tokeni[sz]er|label|optimi[sz]er|scheduler|history|"
    r"metrics|result|param|config|index"
)
#: What one does with a model and with nothing else.
_PREDICTS = frozenset(
    {"predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples", "kneighbors",
     "load_state_dict", "eval", "state_dict"}
)  # fmt: skip
#: Parts of a path that are looked at, files by whose end one is told, and steps back to where a path starts.
_MOST_PARTS, _MOST_FILES, _MOST_STEPS = 20, 50_000, 40


def make_loaded(look: Look, site: Site) -> list[Asset]:
    """The models in the files that a call loads."""
    line = look.line(site.path, site.call)
    props = {"role": site.row.role} if site.row.role else {}
    found: dict[str, Asset] = {}
    for text in file_names(look, look.argument(site, "model")):
        name = str(text.value)
        if site.row.guessed and not (_named_like_weights(name) or (site.path, site.call) in _predicting(look)):
            continue
        if "://" in name:
            model = identity.asset("model", name, props=props, status=status_of(site.path))
        else:
            place = place_in_source(look, site.path, name)
            model = identity.local_model(place, look.scope, props=props, status=status_of(site.path))
        look.say(model, site.path, line, text.chain, "resolved" if text.chain else "declared")
        found[model.id] = model
    return list(found.values())


def place_in_source(look: Look, path: str, name: str) -> str:
    """The path of the source that a name in a file means: beside the file, or from the root; else as it is written."""
    if name.startswith(("/", "~")):
        return name
    for place in (posixpath.normpath(posixpath.join(posixpath.dirname(path), name)), posixpath.normpath(name)):
        if place in look.source.paths or any(each.startswith(f"{place}/") for each in look.source.paths[:_MOST_FILES]):
            return place
    return posixpath.normpath(name)


def file_names(look: Look, places: list[tuple[str, int, Frames]]) -> Iterator[Text]:
    """The names of the files that arguments mean: texts, joined paths (what is known of their end), opened files."""
    for at in places:
        for target in look.resolver.follow(*at):
            texts = [text for text in look.resolver.text_of(target) if text.value]
            if not texts:
                texts = list(_opened(look, target))
            if not texts and (end := _known_end(look, target)) and (whole := _whole(look, target, end)):
                texts = [Text(whole, target.path, look.resolver.modules[target.path].line(target.ref), target.chain)]
            yield from texts


def _opened(look: Look, target: Target) -> Iterator[Text]:
    """The name of the file in ``open("model.pkl", "rb")``."""
    if target.kind != "external" or target.ref < 0 or not target.symbol.endswith("open()"):
        return
    row = look.resolver.modules[target.path].expressions[target.ref]
    if row[0] == "c" and row[3]:
        yield from file_names(look, [(target.path, row[3][0], target.frames)])


def _known_end(look: Look, target: Target) -> str:
    """What is known of the end of a joined path: ``models/m.pkl`` of ``os.path.join(HERE, "models", "m.pkl")``."""
    if target.ref < 0 or target.kind not in ("value", "external"):
        return ""
    row = look.resolver.modules[target.path].expressions[target.ref]
    parts = row[2] if row[0] == "f" else row[3] if row[0] == "c" and target.symbol.endswith(".join()") else []
    known: list[str] = []
    for part in reversed(parts[:_MOST_PARTS]):
        texts = [t.value for t in look.resolver.texts(target.path, part, target.frames) if t.value]
        if not texts:
            inner = next((t for t in look.resolver.follow(target.path, part, target.frames)), None)
            known = [_known_end(look, inner), *known] if inner is not None and inner.kind == "value" else known
            break
        known = [texts[0], *known]
    return "/".join(part.strip("/") for part in known if part.strip("/"))


def _whole(look: Look, target: Target, end: str) -> str:
    """The one file of the source whose path ends so; else the end, if its start is where the code itself lies."""
    fits = [path for path in look.source.paths[:_MOST_FILES] if path == end or path.endswith(f"/{end}")]
    return fits[0] if len(fits) == 1 else end if _beside_code(look, target) else ""


def _beside_code(look: Look, target: Target) -> bool:
    """Whether a path starts from the file it is written in: ``os.path.dirname(__file__)``."""
    todo, seen = [target], 0
    while todo and seen < _MOST_STEPS:
        at, seen = todo.pop(), seen + 1
        if at.symbol.startswith("__file__"):
            return True
        row: list[Any] = look.resolver.modules[at.path].expressions[at.ref] if at.ref >= 0 and at.path else ["?"]
        inner = row[2] if row[0] == "f" else [row[2], *row[3]] if row[0] == "c" else [row[2]] if row[0] == "a" else []
        todo += [t for part in inner for t in look.resolver.follow(at.path, part, at.frames)]
    return False


def _named_like_weights(name: str) -> bool:
    last = posixpath.basename(name)
    if _BESIDE.search(last):
        return False
    return last.lower().endswith(_WEIGHTS) or bool(_MODEL.search(name))


def _predicting(look: Look) -> frozenset[tuple[str, int]]:
    """The calls whose result somebody predicts with."""
    if look.predicting is None:
        found = set()
        for path, module in look.resolver.modules.items():
            for call in module.calls:
                callee = module.expressions[module.expressions[call][2]]
                if callee[0] == "a" and callee[3] in _PREDICTS:
                    found |= {(t.path, t.ref) for t in look.resolver.follow(path, callee[2]) if t.kind == "external"}
        look.predicting = frozenset(found)
    return look.predicting
