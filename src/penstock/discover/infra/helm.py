"""Helm values: images, arguments, variables and routes that a chart is given, without rendering the chart.

Every mapping with an image is looked at, so that a chart of charts works too. Where the values say the name and the
namespace of the service (``fullnameOverride``, ``namespaceOverride`` or ``namespace``), it gets its cluster address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.discover.collector import Fact, File, Source, Yielded, collector, joiner
from penstock.discover.infra.environment import env_fact, is_address, is_secret
from penstock.discover.infra.exposure import auth, exposure
from penstock.discover.infra.images import image_name, port_of, row_of, row_of_command, served, split_command, weights
from penstock.discover.infra.marked import Map, as_flag, as_map, as_text, dig, line_of, maps, texts
from penstock.discover.infra.offer import endpoint, offers, store
from penstock.discover.infra.yaml_docs import is_template, read_documents
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Observation, Unseen

NAME = "infra.helm"
#: Mappings with an image in one file of values.
MOST = 200
_GPU = ("nvidia.com/", "amd.com/gpu", "gpu.intel.com/", "google.com/tpu")


@collector(
    NAME,
    reads=["values.yaml", "values.yml", "values-*.yaml", "values-*.yml", "values.*.yaml", "Chart.yaml"],
    sees="images, arguments, variables and ingresses in values; models of a vLLM stack",
    unseen="what templates add; names that a release gives; values from the command line",
)
def values(file: File) -> Iterator[Yielded]:
    """A fact for each mapping with an image, and its variables."""
    if is_template(file.text):
        yield Unseen(
            file.path, "Helm values", "they are a template themselves", collector=NAME, scope=file.scope, skipped=True
        )
        return
    for document in read_documents(file, NAME):
        if isinstance(document, Unseen):
            yield document
        elif file.path.rpartition("/")[2] == "Chart.yaml":
            chart = as_map(document)
            yield Fact("chart", file.path, {"name": as_text(chart.get("name")), "line": line_of(chart, "name")})
        else:
            root = as_map(document)
            for key, part in _parts(root):
                yield from _part(file, key, part, root)
            yield from _router(file, root)


def _parts(root: Map) -> Iterator[tuple[str, Map]]:
    """Every mapping that holds an image, with its path in the values."""
    waiting: list[tuple[str, Any]] = [("", root)]
    found = seen = 0
    while waiting and found < MOST and seen < 20_000:
        key, value = waiting.pop(0)
        seen += 1
        if isinstance(value, Map):
            if _image(value) or "modelURL" in value:
                found += 1
                yield key, value
            # What waits for a server before the pod starts is no server.
            inside = [(name, child) for name, child in value.items() if name not in ("image", "initContainer")]
            waiting += [(f"{key}.{name}" if key else name, child) for name, child in inside]
        elif isinstance(value, list):
            waiting += [(f"{key}[{index}]", child) for index, child in enumerate(value[:MOST])]


def _router(file: File, root: Map) -> Iterator[Yielded]:
    """The router of a vLLM stack: the one endpoint through which all of its models are reached."""
    router, models = as_map(root.get("routerSpec")), maps(dig(root, "servingEngineSpec", "modelSpec"))
    if not router or not models or as_flag(router.get("enableRouter")) is False:
        return
    line = line_of(root, "routerSpec")
    at = file.evidence(NAME, line, chain=("routerSpec of a vLLM stack",))
    place = identity.asset("endpoint", "router", scope=file.scope, key=f"helm:{file.path}#routerSpec")
    yield Observation(place, at)
    for model in models[:MOST]:
        found = weights(as_text(model.get("modelURL")), "huggingface", file.scope)
        if found is not None:
            here = file.evidence(NAME, line_of(model, "modelURL"), chain=("modelSpec behind the stack's router",))
            yield Observation(found, here)
            yield Observation(identity.relation(place, "serves", found), here)


def _part(file: File, key: str, part: Map, root: Map) -> Iterator[Yielded]:
    env: dict[str, str] = {}
    for name, value, line in _variables(part):
        yield from env_fact(file, name, value, line)
        if value and not is_secret(name, value):
            env[name] = value[:2_000]
    limits = as_map(dig(part, "resources", "limits"))
    ingress = as_map(part.get("ingress") or (root.get("ingress") if not key else None))
    yield Fact("helm", file.path, {
        "key": key,
        "line": line_of(part, "image") if "image" in part else part.line,
        "image": _image(part)[:500],
        "words": split_command(texts(part.get("command"))[:500], texts(part.get("args", part.get("extraArgs")))[:500]),
        "env": env,
        "model": as_text(part.get("modelURL")),
        "name": as_text(part.get("fullnameOverride")) or (as_text(part.get("name")) if key else ""),
        "namespace": as_text(part.get("namespaceOverride") or part.get("namespace") or root.get("namespaceOverride")),
        "port": as_text(dig(part, "service", "port")),
        "gpu": bool(part.get("requestGPU")) or any(r.startswith(_GPU) for r in limits),
        "ingress": {
            "enabled": as_flag(ingress.get("enabled")),
            "class": as_text(ingress.get("className") or ingress.get("ingressClassName")),
            "hosts": _hosts(ingress)[:100],
            "annotations": {k: as_text(v) for k, v in as_map(ingress.get("annotations")).items()},
            "line": ingress.line,
        },
    })  # fmt: skip


@joiner(
    NAME, sees="endpoints with models, vector stores and who can reach them, per chart", unseen="the name of a release"
)
def charts(source: Source) -> Iterator[Yielded]:
    """What each chart runs, under the chart's name."""
    names = {f.path.rpartition("/")[0]: str(f.value["name"]) for f in source.facts.get("chart", ())}
    parts = source.facts.get("helm", ())
    own = [fact for fact in parts if _row(fact.value) is None and not fact.value["model"]]
    for fact in parts:
        folder = fact.path.rpartition("/")[0]
        chart = names.get(folder) or folder.rpartition("/")[2] or source.name.rpartition("/")[2]
        yield from _run(source, fact, chart, lone=len({f.path.rpartition("/")[0] for f in own}) <= 1)


def _run(source: Source, fact: Fact, chart: str, *, lone: bool) -> Iterator[Yielded]:
    part = fact.value
    row = _row(part)
    inner = part["key"].rpartition(".")[2].partition("[")[0]
    name = part["name"] or (f"{chart}-{inner}" if inner and inner != "image" else chart)
    started = f"chart {chart} runs {part['image'] or part['model']}"
    at = source.evidence(NAME, f"{fact.path}:{part['line']}", chain=(started,))
    subject: Asset | None = None
    url = ""
    if row is not None and part["namespace"]:
        port = int(part["port"][:6]) if part["port"].isdecimal() else port_of(part["words"]) or row.port
        url = f"http://{name}.{part['namespace']}.svc.cluster.local:{port}"
        url = url if is_address(url) else ""
    if part["model"]:
        subject = endpoint(name, url, source.scope) if url else _place(name, fact, source)
        model = weights(part["model"], "huggingface", source.scope)
        yield Observation(subject, at)
        if model is not None:
            yield Observation(model, at)
            yield Observation(identity.relation(subject, "serves", model), at)
    elif row is not None and row.role == "inference":
        subject = endpoint(name, url, source.scope) if url else _place(name, fact, source)
        gpu = None
        if part["gpu"]:
            key = f"{fact.path}#{part['key']}"
            gpu = identity.asset("hardware", f"GPU of {name}", scope=source.scope, key=key, props={"role": "gpu"})
        servings = served(row, part["image"], part["words"], part["env"], source.scope)
        yield from offers(row, servings, subject, [url] if url else [], source.scope, at, gpu=gpu)
    elif row is not None and row.role == "vector_store":
        subject = store(row, name, url, source.scope)
        yield Observation(subject, at)
    elif row is not None:
        yield Observation(identity.asset("framework", row.name), at)
    elif lone:
        subject = identity.application(source.scope)
    else:
        key = f"helm:{fact.path}#{part['key']}"
        subject = identity.asset("infrastructure", name, scope=source.scope, key=key)
    if row is not None and part["image"]:
        yield Observation(identity.asset("image", image_name(part["image"])), at)
    if subject is not None:
        yield from _reach(source, fact, subject, started)


def _reach(source: Source, fact: Fact, subject: Asset, started: str) -> Iterator[Yielded]:
    """Who can reach what the chart runs, when its ingress is on."""
    ingress = fact.value["ingress"]
    if ingress["enabled"] is not True:
        return
    told = exposure(ingress["hosts"], ingress["class"], ingress["annotations"])
    if told is None:
        return
    props = {"exposure": told[0]}
    chain = [f"the ingress of the chart is on: {told[1]}", started]
    if asked := auth(ingress["annotations"]):
        props["auth"] = asked[0]
        chain.append(asked[1])
    at = source.evidence(NAME, f"{fact.path}:{ingress['line']}", confidence="inferred", chain=chain)
    yield Observation(Asset(subject.id, subject.kind, subject.name, subject.scope, props), at)


def _row(part: Mapping[str, Any]) -> Any:
    return row_of(part["image"]) or (row_of_command(part["words"]) if part["words"] else None)


def _place(name: str, fact: Fact, source: Source) -> Asset:
    return identity.asset("endpoint", name, scope=source.scope, key=f"helm:{fact.path}#{fact.value['key']}")


def _image(part: Map) -> str:
    """An image reference from any of the ways in which charts write one."""
    image = part.get("image")
    if isinstance(image, Map):
        repository = as_text(image.get("repository")) or as_text(image.get("name"))
        registry, tag = as_text(image.get("registry")), as_text(image.get("tag"))
        return "/".join(filter(None, (registry, repository))) + (f":{tag}" if tag else "") if repository else ""
    text = as_text(image)
    if text:
        return text
    repository = as_text(part.get("repository"))
    return f"{repository}:{as_text(part.get('tag'))}" if repository and "tag" in part and "/" in repository else ""


def _variables(part: Map) -> Iterator[tuple[str, str, int]]:
    for key in ("env", "extraEnv", "extraEnvVars", "environment"):
        env = part.get(key)
        if isinstance(env, Map):
            for name in list(env)[:500]:
                yield name, as_text(env[name]), line_of(env, name)
        for variable in maps(env)[:500] if isinstance(env, list) else ():
            yield as_text(variable.get("name")), as_text(variable.get("value")), line_of(variable, "value")


def _hosts(ingress: Map) -> list[str]:
    """Hosts of an ingress: a list of mappings, a list of words, or one word."""
    listed = ingress.get("hosts")
    found = [as_text(item.get("host") or item.get("name")) for item in maps(listed)] or texts(listed)
    return [host for host in [*found, as_text(ingress.get("host")), as_text(ingress.get("hostname"))] if host]
