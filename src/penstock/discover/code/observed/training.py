"""Training: which model was made from which base with which data, and where it went."""

from __future__ import annotations

import re

from penstock.discover.code import effects
from penstock.discover.code.observed.data import data_of, datasets_of, plain_address
from penstock.discover.code.observed.look import MODEL_ID, Look
from penstock.discover.code.observed.models import models_at
from penstock.discover.code.observed.weights import place_in_source
from penstock.discover.code.places import status_of
from penstock.discover.code.resolve import Target
from penstock.discover.code.signatures import Site, last_name, provider_of
from penstock.graph import identity
from penstock.graph.vocabulary import Asset

_HUB_ID = re.compile(r"^[\w.-]+/[\w.-]+$")
#: Classes and attributes of what is published beside weights.
_BESIDE_WEIGHTS = re.compile(
    r"^datasets\.|Tokenizer|Processor|FeatureExtractor|Config\b|Scheduler|\.(tokenizer|processing_class|config)\b"
)


def make_training(look: Look, site: Site) -> list[Asset]:
    line = look.line(site.path, site.call)
    data = [d for t in look.targets(site, "data") for d in data_of(look, t)]
    for text in (t for at in look.argument(site, "data") for t in look.list_texts(at)):
        if text.value and "://" in text.value:  # {"train": "s3://bucket/claims"}
            data.append(identity.asset("dataset", plain_address(text.value)))
            look.say(data[-1], site.path, line, text.chain)
    data += data_within(look, site) if site.decorated >= 0 else []
    bases = [m for t in look.targets(site, "base") for m in model_behind(look, t, owned=True)]
    if provider_of(site.row, site.symbol):
        bases = models_at(look, site, look.argument(site, "base"), site.row.provider, "", None)
        look.owned.add((site.path, site.call))
    outputs = [str(t.value) for t in look.texts(site, "hub") if t.value] or saved_by(look, site)
    outputs = outputs or [str(t.value) for t in look.texts(site, "output") if t.value]
    made = trained(look, site, data, bases, outputs[:1], line)
    for dataset in (d for t in look.targets(site, "evaluation") for d in data_of(look, t)):
        for model in (each for each in made if each.kind == "model"):
            look.link(model, "evaluated_on", dataset, site.path, line)
    return made


def data_within(look: Look, site: Site) -> list[Asset]:
    """What the function that a training is described by loads."""
    calls = effects.calls_in(look.resolver.modules[site.path], site.decorated)
    sites = [look.sites.get((site.path, call)) for call in calls]
    return [data for each in sites if each and each.row.makes == "data" for data in datasets_of(look, each)]


def make_evaluation(look: Look, site: Site) -> list[Asset]:
    """An evaluation as a pipeline: the data it asks with, the models it tries and those that judge."""
    line = look.line(site.path, site.call)
    key = f"{site.path}::evaluation"
    pipeline = identity.asset(
        "pipeline", site.path, scope=look.scope, key=key, props={"role": "evaluation"}, status=status_of(site.path)
    )
    look.say(pipeline, site.path, line)
    data = [d for t in look.targets(site, "data") for d in data_of(look, t)]
    for dataset in data:
        look.link(pipeline, "loads", dataset, site.path, line)
    tried = models_at(look, site, look.argument(site, "model"), provider_of(site.row, site.symbol), "", None)
    for model in tried:
        look.link(pipeline, "consumes", model, site.path, line)
        for dataset in data:
            look.link(model, "evaluated_on", dataset, site.path, line)
    judges = [m for t in look.targets(site, "judge") for m in look.assets_of(t, "model")]
    for judge in judges or models_at(look, site, look.argument(site, "judge"), "", "", None):
        look.link(pipeline, "uses_model", judge, site.path, line)
    return [pipeline, *tried]


def make_fit(look: Look, site: Site) -> list[Asset]:
    line = look.line(site.path, site.call)
    data = [d for role in ("data", "more") for t in look.targets(site, role) for d in data_of(look, t)]
    module = look.resolver.modules[site.path]
    callee = module.expressions[module.expressions[site.call][2]]
    estimators = (
        [t for t in look.resolver.follow(site.path, callee[2]) if t.kind == "external" and t.ref >= 0]
        if callee[0] == "a"
        else []
    )
    if not estimators and site.symbol.endswith(".train"):  # a function that gives the model
        estimators = [Target("external", site.path, site.call, f"{site.symbol}()")]
    if not data or (estimators and not _is_estimator(estimators[0].symbol)):
        return []
    outputs = saved_to(look, estimators)
    if names := registered_as(look, estimators):
        outputs = [*outputs[:1], *(f"models:/{name}" for name in names)]
        return trained(look, site, data, [], outputs, line)
    if not outputs and estimators:
        name = look.symbol_name(estimators[0].path, estimators[0].ref) or last_name(estimators[0].symbol)
        return trained(look, site, data, [], [], line, local=f"{site.path}::{name}", name=name)
    bases = [m for t in estimators for m in model_behind(look, t)]
    return trained(look, site, data, bases, outputs[:1], line)


def trained(
    look: Look, site: Site, data: list[Asset], bases: list[Asset], outputs: list[str], line: int,
    local: str = "", name: str = "",
) -> list[Asset]:  # fmt: skip
    status = status_of(site.path)
    pipeline = identity.asset(
        "pipeline", site.path, scope=look.scope, key=site.path, props={"role": "training"}, status=status
    )
    look.say(pipeline, site.path, line)
    models: list[Asset] = []
    for output in outputs:
        if output.startswith("models:/"):
            models.append(identity.asset("model", output, props={"provider": "mlflow", "role": "trained"}))
        elif "://" in output:
            models.append(identity.asset("model", plain_address(output), props={"role": "trained"}))
        elif "/" in output and not output.startswith((".", "/", "~")) and has_hub_name(look, site):
            models.append(identity.asset("model", output, props={"provider": "huggingface", "role": "fine-tuned"}))
        else:
            place = place_in_source(look, site.path, output)
            models.append(identity.local_model(place, look.scope, props={"role": "trained"}))
    if local:
        models.append(identity.asset("model", name, key=f"{look.scope}/{local}", props={"role": "trained"}))
    for pushed in published_as(look, site, bases, models):
        model = identity.asset("model", pushed, props={"provider": "huggingface", "role": "fine-tuned"})
        for other in models:
            look.link(model, "derived_from", other, site.path, line)
        models.append(model)
    for dataset in data:
        look.link(pipeline, "loads", dataset, site.path, line)
    for model in models:
        look.say(model, site.path, line)
        look.link(pipeline, "produces", model, site.path, line)
        for dataset in data:
            look.link(model, "trained_on", dataset, site.path, line)
        for base in bases:
            look.link(model, "fine_tuned_from", base, site.path, line)
    for base in bases:
        look.link(pipeline, "consumes", base, site.path, line)
    return [pipeline, *models]


def has_hub_name(look: Look, site: Site) -> bool:
    return bool(look.texts(site, "hub"))


def published_as(look: Look, site: Site, bases: list[Asset], models: list[Asset]) -> list[str]:
    """Names under which the weights of a training are published."""
    found = []
    for other in look.sites.values():
        if other.row.makes == "push" and other.path == site.path and publishes(look, other, site, bases, models):
            found += [str(t.value) for t in look.texts(other, "path") if t.value and _HUB_ID.match(t.value)]
    return found[:2]


def publishes(look: Look, push: Site, site: Site, bases: list[Asset], models: list[Asset]) -> bool:
    """Whether what is pushed are the weights that this training made, not its tokenizer, its data or another model.

    The weights are the trainer's own, or loaded from where the training took or put them: training changes a
    model in place.
    """
    if push.receiver is None or _BESIDE_WEIGHTS.search(push.symbol) or second_of_pair(look, push):
        return False
    for step in effects.origins(look.resolver, push.receiver):
        made = look.sites.get((step.path, step.ref))
        if made is not None and made.row.makes == "training":
            return (made.path, made.call) == (site.path, site.call)
    loaded = {model.name for model in model_behind(look, push.receiver)}
    return not loaded or bool(loaded & {model.name for model in (*bases, *models)})


def second_of_pair(look: Look, push: Site) -> bool:
    """Whether a method is called on what follows the model in ``model, tokenizer = load(…)``."""
    module = look.resolver.modules[push.path]
    holder = module.expressions[module.expressions[module.expressions[push.call][2]][2]]
    if holder[0] != "r":
        return False
    _, bindings = module.lookup(holder[2], holder[3])
    taken = [module.expressions[module.assigned[number][2]] for kind, number in bindings if kind == "assign"]
    places = [module.expressions[row[3]][2] for row in taken if row[0] == "i" and row[3] >= 0]
    return bool(places) and all(place not in (0, "0") for place in places)


def saved_to(look: Look, estimators: list[Target]) -> list[str]:
    """Paths to which any of these models is saved."""
    refs = {(t.path, t.ref) for t in estimators}
    found = []
    for site in look.sites.values():
        if site.row.makes == "save":
            behind = look.targets(site, "model")
            if any((s.path, s.ref) in refs for t in behind for s in effects.origins(look.resolver, t)):
                paths = [t.value for t in look.texts(site, "path") if t.value]
                for target in look.targets(site, "path"):  # pickle.dump(model, open("model.pkl", "wb"))
                    if target.symbol == "open()" and target.ref >= 0:
                        row = look.resolver.modules[target.path].expressions[target.ref]
                        paths += [t.value for a in row[3][:1] for t in look.resolver.texts(target.path, a) if t.value]
                found += [p for p in paths if p]
    return found


def registered_as(look: Look, estimators: list[Target]) -> list[str]:
    """Names under which any of these models is put into a registry."""
    refs = {(t.path, t.ref) for t in estimators}
    found: list[str] = []
    for site in look.sites.values():
        if site.row.makes == "push" and "registered_model_name" in site.row.args.get("path", ()):
            behind = [s for t in look.targets(site, "model") for s in effects.origins(look.resolver, t)]
            if any((step.path, step.ref) in refs for step in behind):
                given = look.argument(site, "path")
                found += [str(t.value) for at in given for t in look.resolver.texts(*at) if t.value]
    return found[:2]


def saved_by(look: Look, site: Site) -> list[str]:
    """Paths to which a training, what it was called on or its model is saved: ``trainer.save_model(path)``."""
    made = {(site.path, site.call)}
    for base in look.targets(site, "base"):  # trained in place: ``model.save_pretrained(path)``
        made |= {(step.path, step.ref) for step in effects.origins(look.resolver, base) if step.ref >= 0}
    if site.receiver is not None:
        made |= {(step.path, step.ref) for step in effects.origins(look.resolver, site.receiver) if step.ref >= 0}
    found: list[str] = []
    for other in look.sites.values():
        if other.row.makes in ("save", "save_to") and other.receiver is not None and other.path == site.path:
            if _BESIDE_WEIGHTS.search(other.symbol):
                continue
            steps = {(step.path, step.ref) for step in effects.origins(look.resolver, other.receiver)}
            if steps & made:
                found += [str(t.value) for t in look.texts(other, "path") if t.value]
    return found


def model_behind(look: Look, target: Target, *, owned: bool = False) -> list[Asset]:
    """The model that a (wrapped, prepared, adapted) model value was loaded from."""
    found: dict[str, Asset] = {}
    seen: set[tuple[str, int]] = set()
    todo = [target]
    while todo and len(seen) < 60:
        for step in effects.origins(look.resolver, todo.pop()):
            site = look.sites.get((step.path, step.ref))
            if site is None or (step.path, step.ref) in seen:
                continue
            seen.add((step.path, step.ref))
            if site.row.makes == "passes":
                todo += look.targets(site, "of")
            elif site.row.makes == "model":
                found |= {asset.id: asset for asset in look.make(site) if asset.kind == "model"}
                if owned:
                    look.owned.add((site.path, site.call))
            break
    for text in look.resolver.text_of(target):
        if text.value and MODEL_ID.match(text.value) and "/" in text.value:  # SFTTrainer("org/name")
            model = identity.asset("model", text.value, props={"provider": "huggingface"})
            look.say(model, text.path, text.line, text.chain)
            found[model.id] = model
    return list(found.values())


def _is_estimator(symbol: str) -> bool:
    """Whether a fitted thing is a model, not a step that only prepares data."""
    return not re.search(
        r"Scaler|Encoder|Imputer|Vectorizer|Transformer|Normalizer|Binarizer|PCA|Tokenizer|Discretizer", symbol
    )
