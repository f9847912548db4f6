"""What a workload of Kubernetes may do and hold: its service account, what roles grant it, secrets by name; GPU nodes.

Values of secrets are never read. A grant counts with the role and the binding that give it, both named in the
evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from penstock.discover.collector import Fact, File, Source, Yielded
from penstock.discover.infra.marked import Map, as_map, as_text, dig, line_of, maps, texts
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Observation

#: Entries of one list that are looked at.
MOST = 500
_ROLES, _BINDINGS = ("Role", "ClusterRole"), ("RoleBinding", "ClusterRoleBinding")
_READ, _WRITE = frozenset({"get", "list", "watch", "*"}), frozenset({"create", "update", "patch", "*"})


def access_facts(file: File, common: Mapping[str, Any], resource: Map) -> Iterator[Yielded]:
    """Facts on roles, bindings and nodes; nothing for other kinds."""
    kind = common["kind"]
    if kind in _ROLES:
        reach = [word for rule in maps(resource.get("rules"))[:MOST] for word in _granted(rule)]
        yield Fact("k8s_access", file.path, {**common, "sort": "role", "reach": list(dict.fromkeys(reach))})
    elif kind in _BINDINGS:
        subjects = [
            [as_text(subject.get("namespace")) or common["namespace"], as_text(subject.get("name"))]
            for subject in maps(resource.get("subjects"))[:MOST]
            if as_text(subject.get("kind")) == "ServiceAccount"
        ]
        role = as_map(resource.get("roleRef"))
        yield Fact("k8s_access", file.path, {
            **common, "sort": "binding", "subjects": subjects,
            "role": [as_text(role.get("kind")), as_text(role.get("name"))],
        })  # fmt: skip
    elif kind == "Node":
        yield from _node(file, common, resource)


def pod_access(pod: Map) -> dict[str, Any]:
    """The service account of a pod and the names of the secrets that it is given."""
    secrets = [as_text(dig(volume, "secret", "secretName")) for volume in maps(pod.get("volumes"))[:MOST]]
    for container in [*maps(pod.get("initContainers")), *maps(pod.get("containers"))][:MOST]:
        secrets += [as_text(dig(given, "secretRef", "name")) for given in maps(container.get("envFrom"))[:MOST]]
        secrets += [
            as_text(dig(variable, "valueFrom", "secretKeyRef", "name"))
            for variable in maps(container.get("env"))[:MOST]
        ]
    return {
        "account": as_text(pod.get("serviceAccountName")) or as_text(pod.get("serviceAccount")),
        "secrets": sorted({name for name in secrets if name and "{{" not in name}),
    }


def reach(source: Source, workload: Fact, subjects: Iterable[Asset], collector: str) -> Iterator[Observation]:
    """What the workload behind some assets runs as and holds."""
    held = workload.value
    at = source.evidence(
        collector, f"{workload.path}:{held['line']}", confidence="declared", chain=(f"{held['kind']} {held['name']}",)
    )
    for subject in subjects:
        for name in held["secrets"]:
            key = identity.asset("credential", name, scope=source.scope, key=f"secret:{held['namespace']}/{name}")
            yield Observation(key, at)
            yield Observation(identity.relation(subject, "holds", key), at)
        if held["account"]:
            words, steps = granted(source.facts.get("k8s_access", ()), held["namespace"], held["account"])
            account = identity.asset(
                "identity", held["account"], scope=source.scope,
                key=f"service-account:{held['namespace']}/{held['account']}",
                props={"role": "service account"} | ({"scope": "; ".join(words)} if words else {}),
            )  # fmt: skip
            said = source.evidence(collector, f"{workload.path}:{held['line']}", chain=(*at.chain, *steps))
            yield Observation(account, said if words else at)
            yield Observation(identity.relation(subject, "runs_as", account), at)


def granted(facts: Sequence[Fact], namespace: str, account: str) -> tuple[list[str], list[str]]:
    """What a service account may do beyond the usual, in words, and the bindings and roles that say so."""
    roles = {(f.value["kind"], f.value["namespace"], f.value["name"]): f for f in facts if f.value["sort"] == "role"}
    words: list[str] = []
    steps: list[str] = []
    for binding in (f for f in facts if f.value["sort"] == "binding"):
        if [namespace, account] not in binding.value["subjects"]:
            continue
        kind, name = binding.value["role"]
        role = roles.get((kind, binding.value["namespace"] if kind == "Role" else "", name))
        everywhere = binding.value["kind"] == "ClusterRoleBinding"
        for word in role.value["reach"] if role else ["everything"] if name == "cluster-admin" else []:
            words.append(f"{word} in {'every namespace' if everywhere else binding.value['namespace'] or 'its own'}")
            steps.append(f"{binding.value['kind']} {binding.value['name']} gives {kind} {name}: {word}")
    return list(dict.fromkeys(words)), list(dict.fromkeys(steps))


def _granted(rule: Map) -> Iterator[str]:
    resources, verbs = set(texts(rule.get("resources"))), set(texts(rule.get("verbs")))
    if "*" in resources and "*" in verbs:
        yield "everything"
        return
    if resources & {"secrets", "*"} and verbs & _READ:
        named = texts(rule.get("resourceNames"))
        yield f"reads secrets{' ' + ', '.join(named[:5]) if named else ''}"
    if resources & {"pods/exec", "pods/attach", "*"} and verbs & _WRITE:
        yield "runs commands in pods"
    if resources & {"pods", "deployments", "jobs", "*"} and verbs & _WRITE:
        yield "starts workloads"
    if verbs & {"escalate", "bind", "impersonate"}:
        yield "takes other roles"


def _node(file: File, common: Mapping[str, Any], resource: Map) -> Iterator[Observation]:
    """A node with accelerators, as its device plug-in and its labels describe it."""
    labels = as_map(dig(resource, "metadata", "labels"))
    capacity = as_map(dig(resource, "status", "capacity"))
    counted = [(name, as_text(capacity[name])) for name in capacity if name.startswith(ACCELERATORS)]
    counted = [(name, count) for name, count in counted if count.isdecimal() and int(count)]
    product = as_text(labels.get("nvidia.com/gpu.product"))
    if not counted and not product:
        return
    version = ", ".join(
        f"{what} {number}"
        for what, parts in (("driver", ("driver", "driver-version")), ("CUDA", ("runtime", "runtime-version")))
        if (number := _version(labels, *parts))
    )
    props = {"role": "gpu"} | ({"version": version} if version else {})
    chain = [f"Node {common['name']} has {count} {name}" for name, count in counted]
    if as_text(labels.get("nvidia.com/mig.strategy")):
        chain.append(f"MIG strategy {as_text(labels.get('nvidia.com/mig.strategy'))}")
    name = f"{product or counted[0][0]} of {common['name']}"
    at = file.evidence("infra.kubernetes", line_of(resource, "kind"), confidence="declared", chain=chain)
    yield Observation(identity.asset("hardware", name, scope=file.scope, key=f"node:{common['name']}", props=props), at)


#: Resources by which device plug-ins offer accelerators.
ACCELERATORS = ("nvidia.com/", "amd.com/gpu", "gpu.intel.com/", "google.com/tpu", "aws.amazon.com/neuron")


def _version(labels: Map, plain: str, full: str) -> str:
    """A version in the labels of GPU feature discovery: whole, or in its parts."""
    if whole := as_text(labels.get(f"nvidia.com/cuda.{full}.full")):
        return whole
    parts = [as_text(labels.get(f"nvidia.com/cuda.{plain}.{part}")) for part in ("major", "minor", "rev")]
    return ".".join(filter(None, parts))
