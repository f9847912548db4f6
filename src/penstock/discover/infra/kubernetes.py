"""Kubernetes manifests: what serves models, what holds vectors, and which workload the internet can reach.

One file at a time gives facts (workloads, services, routes, configuration); a joiner follows
route → service → workload over all files of the source, and names each hop in the evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.discover.collector import Fact, File, Source, Yielded, collector, joiner
from penstock.discover.infra.environment import env_fact, is_secret
from penstock.discover.infra.exposure import auth, exposure
from penstock.discover.infra.images import (
    ImageRow,
    image_name,
    port_of,
    pulled,
    row_of,
    row_of_command,
    served,
    split_command,
    weights,
)
from penstock.discover.infra.kubernetes_reach import ACCELERATORS, access_facts, pod_access, reach
from penstock.discover.infra.marked import Map, as_map, as_text, dig, line_of, maps, texts
from penstock.discover.infra.offer import endpoint, offers, spoken, store
from penstock.discover.infra.yaml_docs import is_template, read_documents, shared_documents
from penstock.errors import NotUnderstood
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Evidence, Observation, Unseen

NAME = "infra.kubernetes"
#: Entries of one list (containers, rules, ports) that are looked at.
MOST = 500
WORKLOADS = frozenset(
    {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod", "Rollout", "LeaderWorkerSet"}
)
ROUTES = frozenset({"Ingress", "HTTPRoute", "GRPCRoute", "Route", "VirtualService"})
#: How a resource or a list of them begins in JSON.
_JSON = re.compile(rb'\s*\{\s*"(?:apiVersion|kind)"\s*:')
#: Kinds of assets that a workload is.
_RUN = frozenset({"endpoint", "vector_store"})
#: What Kubernetes takes for a name.
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\Z")


@collector(
    NAME,
    reads=["*.yaml", "*.yml", "*.json"],
    sees="workloads with images, commands and variables; services; routes; configuration maps; KServe services;"
    " service accounts with what roles grant them, secrets by name, nodes with accelerators",
    version=2,
    unseen="what charts render; what operators make of other resources; network policies",
)
def manifests(file: File) -> Iterator[Yielded]:
    """Facts about each resource, and the variables of its containers."""
    if b"apiVersion" not in file.data or b"kind" not in file.data:
        return
    if file.path.endswith(".json") and not _JSON.match(file.data):
        return
    if is_template(file.text) and ("templates/" in file.path or not _parses(file.text)):
        yield Fact("template", file.path, {})
        return
    for document in read_documents(file, NAME):
        if isinstance(document, Unseen):
            yield document
            continue
        resource = as_map(document)
        items = maps(resource.get("items")) if as_text(resource.get("kind")).endswith("List") else [resource]
        for item in items:
            yield from resource_facts(file, item)


def _parses(text: str) -> bool:
    """Whether a text with ``{{ … }}`` is YAML as it stands: operators fill such places in, nobody renders the file."""
    try:
        return any(isinstance(document, Map) and document.get("kind") for document in shared_documents(text))
    except NotUnderstood:
        return False


def resource_facts(file: File, resource: Map) -> Iterator[Yielded]:
    """What one resource says by itself."""
    kind, spec = as_text(resource.get("kind")), as_map(resource.get("spec"))
    metadata = as_map(resource.get("metadata"))
    name = as_text(metadata.get("name"))
    namespace = as_text(metadata.get("namespace"))
    if not _NAME.match(name) or (namespace and not _NAME.match(namespace)):
        return
    common = {
        "kind": kind,
        "name": name,
        "namespace": namespace,
        "line": line_of(resource, "kind"),
        "annotations": _strings(metadata.get("annotations")),
    }
    if kind in WORKLOADS:
        yield from _workload(file, kind, common, resource, spec)
    elif kind == "Service":
        yield Fact("k8s", file.path, {
            **common, "sort": "service", "selector": _strings(spec.get("selector")), "type": as_text(spec.get("type")),
            "ports": [
                [as_text(port.get("port")), as_text(port.get("targetPort")) or as_text(port.get("port"))]
                for port in maps(spec.get("ports"))[:MOST]
            ],
        })  # fmt: skip
    elif kind in ROUTES:
        hosts, backends = _route(kind, spec)
        class_name = as_text(spec.get("ingressClassName"))
        yield Fact("k8s", file.path, {
            **common, "sort": "route", "hosts": hosts[:MOST], "backends": backends[:MOST], "class": class_name,
        })  # fmt: skip
    elif kind == "ConfigMap":
        data = as_map(resource.get("data"))
        for key in list(data)[:MOST]:
            yield from env_fact(file, key, as_text(data[key]), line_of(data, key))
    elif kind in ("InferenceService", "LLMInferenceService"):
        yield from _kserve(file, common, spec)
    elif kind == "LLMInferenceServiceConfig":
        yield from _kserve_config(file, common, spec)
    elif kind == "AIGatewayRoute":
        yield from _gateway_route(file, common, spec)
    elif kind == "InferenceGraph":
        yield from _inference_graph(file, common, spec)
    else:
        yield from access_facts(file, common, resource)


def _workload(file: File, kind: str, common: Mapping[str, Any], resource: Map, spec: Map) -> Iterator[Yielded]:
    if kind == "CronJob":
        spec = as_map(dig(spec, "jobTemplate", "spec"))
    template = resource if kind == "Pod" else as_map(spec.get("template"))
    if kind == "LeaderWorkerSet":
        template = as_map(dig(spec, "leaderWorkerTemplate", "leaderTemplate"))
    pod = as_map(template.get("spec"))
    containers = []
    for container in [*maps(pod.get("initContainers")), *maps(pod.get("containers"))][:MOST]:
        env = {}
        for variable in maps(container.get("env"))[:MOST]:
            key, value = as_text(variable.get("name")), as_text(variable.get("value"))
            if "value" in variable:
                yield from env_fact(file, key, value, line_of(variable, "value"))
            if value and not is_secret(key, value):
                env[key] = value[:2_000]
        containers.append(_container(container, env))
    if kind in ("Job", "CronJob"):
        yield from _fetches(file, common, containers, pod)
    labels = _strings(dig(template, "metadata", "labels")) or _strings(dig(spec, "selector", "matchLabels"))
    yield Fact("k8s", file.path, {
        **common, **pod_access(pod), "sort": "workload", "labels": labels, "containers": containers,
    })  # fmt: skip


def _fetches(
    file: File, common: Mapping[str, Any], containers: list[dict[str, Any]], pod: Map
) -> Iterator[Observation]:
    """A job that fetches weights: what it loads, and the volumes on which it leaves them."""
    name, namespace, scope = common["name"], common["namespace"], file.scope
    words = [word for container in containers for word in container["words"]]
    named = [
        word for word in words if word.startswith("hf://") and not word.startswith(("hf://datasets/", "hf://spaces/"))
    ]
    named += [model for fetch in ("huggingface-cli download", "hf download") for model in pulled(fetch, words)]
    models = [model for word in named if (model := weights(word, "huggingface", scope)) is not None]
    if not models:
        return
    at = file.evidence(NAME, common["line"], chain=(f"{common['kind']} {name} fetches {named[0]}",))
    job = identity.asset("pipeline", name, scope=scope, key=f"job:{namespace}/{name}")
    yield Observation(job, at)
    for model in models:
        yield Observation(model, at)
        yield Observation(identity.relation(job, "loads", model), at)
    for volume in maps(pod.get("volumes"))[:MOST]:
        claim = as_text(dig(volume, "persistentVolumeClaim", "claimName"))
        if _NAME.match(claim):
            place = _volume(claim, namespace, scope)
            yield Observation(place, at)
            yield Observation(identity.relation(job, "writes", place), at)


def _volume(claim: str, namespace: str, scope: str) -> Asset:
    """The volume behind a claim: where weights lie that servers share."""
    return identity.asset("data_store", claim, scope=scope, key=f"volume:{namespace}/{claim}")


def _container(container: Map, env: Mapping[str, str]) -> dict[str, Any]:
    words = split_command(texts(container.get("command"))[:MOST], texts(container.get("args"))[:MOST])
    resources = [*as_map(dig(container, "resources", "limits")), *as_map(dig(container, "resources", "requests"))]
    return {
        "name": as_text(container.get("name")),
        "image": as_text(container.get("image"))[:500],
        "words": words,
        "env": dict(env),
        "ports": [
            [as_text(port.get("name")), as_text(port.get("containerPort"))]
            for port in maps(container.get("ports"))[:MOST]
        ],
        "gpu": any(resource.startswith(ACCELERATORS) for resource in resources),
        "line": container.line,
    }


def _route(kind: str, spec: Map) -> tuple[list[str], list[str]]:
    """The hosts of a route and the services behind it."""
    hosts, backends = [], []
    match kind:
        case "Ingress":
            default = as_map(spec.get("defaultBackend") or spec.get("backend"))
            rules = maps(spec.get("rules"))[:MOST]
            hosts = [as_text(rule.get("host")) for rule in rules]
            paths = [path for rule in rules for path in maps(dig(rule, "http", "paths"))[:MOST]]
            for backend in [default, *(as_map(path.get("backend")) for path in paths)]:
                backends.append(as_text(dig(backend, "service", "name")) or as_text(backend.get("serviceName")))
        case "HTTPRoute" | "GRPCRoute":
            hosts = texts(spec.get("hostnames"))
            for rule in maps(spec.get("rules"))[:MOST]:
                backends += [as_text(ref.get("name")) for ref in maps(rule.get("backendRefs"))[:MOST]]
        case "Route":
            hosts = [as_text(spec.get("host"))]
            backends = [as_text(dig(spec, "to", "name"))]
        case "VirtualService":
            # Without a gateway, or with "mesh", a virtual service only shapes traffic inside.
            if [gateway for gateway in texts(spec.get("gateways")) if gateway != "mesh"]:
                hosts = texts(spec.get("hosts"))
            for http in maps(spec.get("http"))[:MOST]:
                for target in maps(http.get("route"))[:MOST]:
                    backends.append(as_text(dig(target, "destination", "host")).partition(".")[0])
    return [host for host in hosts if host], list(dict.fromkeys(name for name in backends if name))


def _kserve(file: File, common: Mapping[str, Any], spec: Map) -> Iterator[Yielded]:
    """KServe: the model that a service is given, at the address its predictor has in the cluster."""
    predictor = as_map(spec.get("predictor"))
    model = as_map(predictor.get("model")) or next(
        (m for m in map(as_map, predictor.values()) if "storageUri" in m), Map()
    )
    uri = as_text(model.get("storageUri")) or as_text(dig(spec, "model", "uri"))
    name, namespace, scope = common["name"], common["namespace"], file.scope
    words = split_command(texts(model.get("args")))
    at = file.evidence(NAME, common["line"], chain=(f"{common['kind']} {name}",))
    origin = f"http://{name}-predictor" + (f".{namespace}.svc.cluster.local" if namespace else "")
    place = endpoint(name, origin, scope)
    yield Observation(place, at)
    options = {word.partition("=")[0].replace("_", "-"): word.partition("=")[2] for word in words if "=" in word}
    found = weights(uri or options.get("--model-id", ""), "huggingface", scope)
    if found is not None:
        claim = uri.removeprefix("pvc://").partition("/")[0] if uri.startswith("pvc://") else ""
        if _NAME.match(claim):
            yield Observation(_volume(claim, namespace, scope), at)
            yield Observation(identity.relation(found, "stored_in", _volume(claim, namespace, scope)), at)
        offered = options.get("--model-name", "") or name
        yield Observation(found, at)
        yield Observation(identity.relation(place, "serves", found), at)
        alias = identity.model_at(origin, offered, scope)
        yield Observation(alias, at)
        if alias.id != found.id:
            yield Observation(identity.relation(alias, "derived_from", found), at)


def _kserve_config(file: File, common: Mapping[str, Any], spec: Map) -> Iterator[Yielded]:
    """KServe: what services may be based on; the model where the base itself names one."""
    name, namespace = common["name"], common["namespace"]
    at = file.evidence(NAME, common["line"], chain=(f"{common['kind']} {name}",))
    base = identity.asset("infrastructure", name, scope=file.scope, key=f"kserve-config:{namespace}/{name}")
    yield Observation(base, at)
    said = as_map(spec.get("model"))
    for reference in (as_text(said.get("uri")), as_text(said.get("name"))):
        found = weights(reference, "huggingface", file.scope) if not reference.startswith("pvc://") else None
        if found is not None:
            yield Observation(found, at)
            yield Observation(identity.relation(base, "loads", found), at)
            return


def _gateway_route(file: File, common: Mapping[str, Any], spec: Map) -> Iterator[Yielded]:
    """Envoy AI Gateway: an endpoint that sends calls on by the model that they name."""
    name, namespace, scope = common["name"], common["namespace"], file.scope
    at = file.evidence(NAME, common["line"], chain=(f"AIGatewayRoute {name}",))
    place = identity.asset("endpoint", name, scope=scope, key=f"ai-gateway-route:{namespace}/{name}")
    yield Observation(place, at)
    for rule in maps(spec.get("rules"))[:MOST]:
        headers = [h for match in maps(rule.get("matches"))[:MOST] for h in maps(match.get("headers"))[:MOST]]
        for header in headers:
            wanted = as_text(header.get("value")) if as_text(header.get("name")) == "x-ai-eg-model" else ""
            model = weights(wanted, "huggingface", scope) if "/" in wanted else None
            if model is not None:
                yield Observation(model, at)
                yield Observation(identity.relation(place, "serves", model), at)


def _inference_graph(file: File, common: Mapping[str, Any], spec: Map) -> Iterator[Yielded]:
    """KServe: services that answer together, one after another or one of them."""
    name, namespace, scope = common["name"], common["namespace"], file.scope
    at = file.evidence(NAME, common["line"], chain=(f"InferenceGraph {name}",))
    graph = identity.asset("pipeline", name, scope=scope, key=f"inference-graph:{namespace}/{name}")
    yield Observation(graph, at)
    nodes = as_map(spec.get("nodes"))
    for step in [step for node in list(nodes)[:MOST] for step in maps(as_map(nodes[node]).get("steps"))[:MOST]]:
        url = as_text(step.get("serviceUrl"))
        target = as_text(step.get("serviceName")) or url.partition("://")[2].partition("/")[0].partition(".")[0]
        if _NAME.match(target):
            origin = f"http://{target}-predictor" + (f".{namespace}.svc.cluster.local" if namespace else "")
            place = endpoint(target, origin, scope)
            yield Observation(place, at)
            yield Observation(identity.relation(graph, "invokes", place), at)


@dataclass(frozen=True, slots=True)
class Cluster:
    """The resources of one source, by what they are."""

    workloads: tuple[Fact, ...]
    services: tuple[Fact, ...]
    routes: tuple[Fact, ...]

    def services_of(self, workload: Fact) -> list[Fact]:
        """Services whose selector picks the workload."""
        labels = workload.value["labels"]
        return [
            service
            for service in self.services
            if service.value["selector"]
            and same_namespace(service, workload)
            and all(labels.get(key) == value for key, value in service.value["selector"].items())
        ]

    def routes_to(self, service: Fact) -> list[Fact]:
        return [r for r in self.routes if service.value["name"] in r.value["backends"] and same_namespace(r, service)]


@joiner(
    NAME,
    sees="endpoints with the models they serve, vector stores, and who can reach what",
    unseen="workloads, services and routes that other sources hold",
)
def cluster(source: Source) -> Iterator[Yielded]:
    """Workloads with the services in front of them and the routes in front of those."""
    found = _cluster(source)
    own = [workload for workload in found.workloads if not _serves(workload)]
    yield from workloads_with_ai(source)
    yield from _application(source, found, own)
    if templates := source.facts.get("template", ()):
        folder = templates[0].path.rpartition("/")[0] or "."
        yield Unseen(
            folder, f"{len(templates)} Kubernetes templates", "charts are not rendered; their values are read instead",
            "Commit rendered manifests, or scan the output of: helm template", NAME, source.scope, skipped=True,
        )  # fmt: skip


def workloads_with_ai(source: Source) -> Iterator[Observation]:
    """Workloads that hold AI, with what they serve, who reaches them, what they run as and what they hold."""
    found = _cluster(source)
    for workload in found.workloads:
        for container in workload.value["containers"]:
            if (row := _row(container)) is None:
                continue
            seen = list(_ai_container(source, found, workload, container, row))
            yield from seen
            places = {o.subject.id: o.subject for o in seen if isinstance(o.subject, Asset) and o.subject.kind in _RUN}
            yield from reach(source, workload, places.values(), NAME)


def _cluster(source: Source) -> Cluster:
    by_sort: dict[str, list[Fact]] = {"workload": [], "service": [], "route": []}
    for fact in source.facts.get("k8s", ()):
        by_sort[fact.value["sort"]].append(fact)
    return Cluster(*(tuple(by_sort[sort]) for sort in ("workload", "service", "route")))


def _serves(workload: Fact) -> bool:
    rows = (_row(container) for container in workload.value["containers"])
    return any(row is not None and row.role in ("inference", "vector_store") for row in rows)


def _ai_container(
    source: Source, found: Cluster, workload: Fact, container: Mapping[str, Any], row: ImageRow
) -> Iterator[Observation]:
    name, namespace = workload.value["name"], workload.value["namespace"]
    started = f"{workload.value['kind']} {name} runs {container['image']}"
    at = source.evidence(NAME, f"{workload.path}:{container['line']}", chain=(started,))
    if container["image"]:
        yield Observation(identity.asset("image", image_name(container["image"])), at)
    listening = port_of(container["words"]) or row.port
    urls: list[str] = []
    others: list[str] = []
    routes: list[tuple[Fact, dict[str, Any], tuple[str, ...]]] = []
    for service in found.services_of(workload):
        port = _service_port(service, container, listening)
        for host in _hosts(service.value["name"], service.value["namespace"] or namespace):
            (others if urls else urls).append(f"http://{host}:{port}")
        if reached := _reached(found, service):
            routes.append((service, *reached))
    url = urls[0] if urls else f"http://{_hosts(name, namespace)[0]}:{listening}"
    place: Asset | None = None
    if row.role == "vector_store":
        place = store(row, name, url, source.scope)
        yield Observation(place, at)
    elif row.role == "inference":
        gpu = None
        if container["gpu"]:
            key = f"{workload.path}#{name}"
            gpu = identity.asset("hardware", f"GPU of {name}", scope=source.scope, key=key, props={"role": "gpu"})
        servings = served(row, container["image"], container["words"], container["env"], source.scope)
        place = endpoint(name, url, source.scope)
        yield from offers(row, servings, place, [url, *spoken(source, others)], source.scope, at, gpu=gpu)
    else:
        yield Observation(identity.asset("framework", row.name), at)
    for service, props, steps in routes:
        if place is not None:
            yield Observation(_with(place, props), _inferred(source, service, (*steps, started)))


def _application(source: Source, found: Cluster, own: list[Fact]) -> Iterator[Yielded]:
    """The source's own workload, and who can reach it.

    A source that deploys several workloads of its own (a repository of manifests) says only of the one that bears its
    name that this is the application; of the others each is infrastructure with an exposure of its own.
    """
    last = source.name.rpartition("/")[2].casefold()
    for workload in own:
        named = last in (workload.value["name"].casefold(), *_image_words(workload))
        subject = identity.application(source.scope)
        if not named and len(own) > 1:
            key = f"{workload.value['namespace']}/{workload.value['name']}"
            subject = identity.asset("infrastructure", workload.value["name"], scope=source.scope, key=key)
        for service in found.services_of(workload):
            if reached := _reached(found, service):
                props, steps = reached
                chain = (*steps, f"service {service.value['name']} → {workload.value['kind']} {workload.value['name']}")
                place = found.routes_to(service)[0] if found.routes_to(service) else service
                yield Observation(_with(subject, props), _inferred(source, place, chain))


def _reached(found: Cluster, service: Fact) -> tuple[dict[str, Any], tuple[str, ...]] | None:
    """Exposure (and auth) of what stands behind a service, with the steps that show it; None when nothing tells.

    Of several routes the widest counts.
    """
    seen: list[tuple[dict[str, Any], tuple[str, ...]]] = []
    for route in found.routes_to(service):
        told = exposure(route.value["hosts"], route.value["class"], route.value["annotations"])
        if told is None:
            continue
        props = {"exposure": told[0]}
        step = f"{route.value['kind']} {route.value['name']} ({route.path}:{route.value['line']}): {told[1]}"
        steps = [step, f"{route.value['kind']} {route.value['name']} → service {service.value['name']}"]
        if asked := auth(route.value["annotations"]):
            props["auth"] = asked[0]
            steps.append(asked[1])
        seen.append((props, tuple(steps)))
    if service.value["type"] == "LoadBalancer":
        told = exposure((), "", service.value["annotations"])
        reach, why = told or ("internet", "a load balancer without a word that it is internal")
        seen.append(({"exposure": reach}, (f"Service {service.value['name']} is a load balancer: {why}",)))
    return min(seen, key=lambda item: ("internet", "corporate").index(item[0]["exposure"]), default=None)


def same_namespace(one: Fact, other: Fact) -> bool:
    """Whether two resources may meet: equal namespaces, or one that leaves its own to whoever applies it."""
    a, b = one.value["namespace"], other.value["namespace"]
    return a == b or not a or not b


def _row(container: Mapping[str, Any]) -> ImageRow | None:
    return row_of(container["image"]) or (row_of_command(container["words"]) if container["words"] else None)


def _hosts(name: str, namespace: str) -> list[str]:
    """The names of a service inside the cluster, the full one first."""
    if not namespace:
        return [name]
    return [f"{name}.{namespace}.svc.cluster.local", f"{name}.{namespace}.svc", f"{name}.{namespace}", name]


def _service_port(service: Fact, container: Mapping[str, Any], listening: int) -> int:
    """The port of a service that leads to the port on which the container listens; else its first."""
    names = dict(container["ports"])
    ports = service.value["ports"]
    for outside, target in ports:
        if str(names.get(target, target)) == str(listening) and outside.isdecimal():
            return int(outside)
    return int(ports[0][0]) if ports and ports[0][0].isdecimal() else listening


def _image_words(workload: Fact) -> list[str]:
    return [image_name(c["image"]).rpartition("/")[2].casefold() for c in workload.value["containers"]]


def _with(subject: Asset, props: Mapping[str, Any]) -> Asset:
    return Asset(subject.id, subject.kind, subject.name, subject.scope, dict(props))


def _inferred(source: Source, at: Fact, chain: tuple[str, ...]) -> Evidence:
    return source.evidence(NAME, f"{at.path}:{at.value['line']}", confidence="inferred", chain=chain)


def _strings(value: Any) -> dict[str, str]:
    mapping = as_map(value)
    return {key[:300]: as_text(mapping[key])[:1_000] for key in list(mapping)[:MOST]}
