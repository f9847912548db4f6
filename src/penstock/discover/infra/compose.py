"""Compose files: which services serve models or hold vectors, who reaches them, the variables they get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from penstock.discover.collector import Fact, File, Source, Yielded, collector, joiner
from penstock.discover.infra.environment import env_fact, interpolated, is_address, is_secret
from penstock.discover.infra.images import (
    ImageRow,
    image_name,
    port_of,
    pulled,
    row_of,
    row_of_command,
    served,
    split_command,
)
from penstock.discover.infra.marked import Map, as_map, as_seq, as_text, dig, line_of, maps, texts
from penstock.discover.infra.offer import endpoint, offers, spoken, store
from penstock.discover.infra.yaml_docs import read_documents
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Evidence, Observation, Unseen

NAME = "infra.compose"
#: Services of one file that are looked at; the largest public files have about 150.
MOST = 1_000
#: What a program on the machine itself, or in another container, calls the machine.
LOCAL = ("localhost", "127.0.0.1", "host.docker.internal")


@collector(
    NAME,
    reads=["docker-compose*.yml", "docker-compose*.yaml", "compose*.yml", "compose*.yaml", "*.compose.yml"],
    sees="services with their image, command, variables, ports and GPUs",
    unseen="values from the shell; extends and include across files; which override files are used",
)
def compose(file: File) -> Iterator[Yielded]:
    """Each service as a fact, and its variables as facts for whoever resolves them."""
    for document in read_documents(file, NAME):
        if isinstance(document, Unseen):
            yield document
            continue
        services = as_map(as_map(document).get("services"))
        networks = as_map(as_map(document).get("networks"))
        shared = any(as_map(network).get("external") for network in networks.values())
        for name in list(services)[:MOST]:
            service = as_map(services[name])
            env = dict(_variables(service))
            for key, (value, line) in env.items():
                filled = interpolated(value, {})
                if filled is not None:
                    yield from env_fact(file, key, filled, line)
                elif is_secret(key, ""):
                    yield Fact("env_secret", file.path, {"name": key, "line": line})
            yield Fact("compose", file.path, _record(name, service, line_of(services, name), env, shared))


@joiner(NAME, sees="endpoints with the models they serve, vector stores, GPUs", unseen="what entry-point scripts do")
def services(source: Source) -> Iterator[Yielded]:
    """Services of every compose file, their ``${VARIABLES}`` filled in from the ``.env`` beside the file."""
    files: dict[str, list[Service]] = {}
    for fact in source.facts.get("compose", ()):
        folder = fact.path.rpartition("/")[0]
        beside = f"{folder}/.env" if folder else ".env"
        known = {f.value["name"]: str(f.value["value"]) for f in source.facts.get("env", ()) if f.path == beside}
        files.setdefault(fact.path, []).append(_resolved(fact.path, fact.value, known))
    for found in files.values():
        for service in found:
            yield from _service(source, service, found)


@dataclass(frozen=True, slots=True)
class Service:
    """A service with its variables filled in."""

    path: str
    record: Mapping[str, Any]
    image: str
    words: list[str]
    env: dict[str, str]
    row: ImageRow | None

    @property
    def only_pulls(self) -> bool:
        """Whether it fetches models for another service and ends."""
        if self.row is None or not self.row.pulls or row_of_command(self.words) is self.row:
            return False
        return any(pulled(pull, self.words) for pull in self.row.pulls)


def _resolved(path: str, record: Mapping[str, Any], known: Mapping[str, str]) -> Service:
    image = interpolated(record["image"], known) or record["image"]
    env = {key: interpolated(value, known) or "" for key, value in record["env"].items()}
    parts = [interpolated(part, {**known, **env}) or part for part in record["command"]]
    words = split_command(*parts) if record["shell"] else split_command(parts)
    return Service(path, record, image, words, env, row_of(image) or (row_of_command(words) if words else None))


def _service(source: Source, service: Service, siblings: list[Service]) -> Iterator[Yielded]:
    row, record, scope = service.row, service.record, source.scope
    if row is None or service.only_pulls:
        return
    name = str(record["name"])
    if not is_address(f"http://{name}"):
        return
    why = f"service {name} runs {service.image or ' '.join(service.words[:3])}"
    at = source.evidence(NAME, f"{service.path}:{record['line']}", chain=(why,))
    if service.image:
        yield Observation(identity.asset("image", image_name(service.image)), at)
    port = port_of(service.words) or row.port
    origin = f"http://{name}:{port}"
    if row.role == "vector_store":
        alone = sum(other.row is row for other in siblings) == 1
        place = store(row, name, origin, scope, alone=alone)
        yield Observation(place, at)
        yield from _exposed(place, record, at)
    elif row.role == "inference":
        servings = served(row, service.image, service.words, service.env, scope)
        for other in siblings:
            if other.row is row and other.only_pulls:
                servings += served(row, other.image, other.words, other.env, scope)
        published = [f":{outside}" for outside, inside in record["ports"] if inside == port]
        others = [f"http://{other}:{port}" for other in record["names"]]
        others += [
            f"http://{host}{p}" for p in published for host in ("localhost", "127.0.0.1", "host.docker.internal")
        ]
        gpu = None
        if record["gpu"]:
            key = f"{service.path}#{name}"
            gpu = identity.asset("hardware", f"GPU of {name}", scope=scope, key=key, props={"role": "gpu"})
        place = endpoint(name, origin, scope)
        yield from _exposed(place, record, at)
        yield from offers(row, servings, place, [origin, *spoken(source, others)], scope, at, gpu=gpu)
    else:
        yield Observation(identity.asset("framework", row.name), at)


def _exposed(place: Asset, record: Mapping[str, Any], at: Evidence) -> Iterator[Observation]:
    """Private where nothing but the machine or the file's own networks can reach it; else nothing is known.

    A guess: the same thing may be deployed elsewhere in another way.
    """
    if not record["open"] and not record["shared"]:
        guess = replace(at, confidence="guessed", chain=(*at.chain, "no port is published beyond this machine"))
        yield Observation(replace(place, props={"exposure": "private"}), guess)


def _record(name: str, service: Map, line: int, env: Mapping[str, tuple[str, int]], shared: bool) -> dict[str, Any]:
    """A service as a fact: plain, bounded values."""
    entry, command = service.get("entrypoint"), service.get("command")
    parts = [*texts(entry), *texts(command)]
    ports, open_ = _ports(service)
    return {
        "name": name[:200],
        "line": line,
        "image": as_text(service.get("image"))[:500],
        "command": [part[:20_000] for part in parts[:500]],
        "shell": isinstance(entry, str) or isinstance(command, str),
        "env": {key: value for key, (value, _) in env.items() if not is_secret(key, value)},
        "ports": ports,
        "open": open_ or as_text(service.get("network_mode")) == "host",
        "shared": shared,
        "gpu": _gpu(service),
        "names": [n for n in (as_text(service.get("container_name")), as_text(service.get("hostname"))) if n],
    }


def _variables(service: Map) -> Iterator[tuple[str, tuple[str, int]]]:
    """Name, value and line of each variable, from a mapping or a list of ``NAME=value``."""
    environment = service.get("environment")
    if isinstance(environment, Map):
        for name in list(environment)[:MOST]:
            yield name, (as_text(environment[name]), line_of(environment, name))
    for index, item in enumerate(as_seq(environment)[:MOST]):
        name, _, value = as_text(item).partition("=")
        if name:
            yield name, (value, line_of(environment, index))


def _ports(service: Map) -> tuple[list[list[int]], bool]:
    """Published [outside, inside] ports, and whether any is published beyond this machine."""
    found: list[list[int]] = []
    open_ = False
    for item in as_seq(service.get("ports"))[:MOST]:
        if isinstance(item, Map):
            outside, inside, host = (
                as_text(item.get("published")),
                as_text(item.get("target")),
                as_text(item.get("host_ip")),
            )
        else:
            host, outside, inside = _port(as_text(item))
        open_ = open_ or host not in ("127.0.0.1", "localhost", "::1")
        if outside.isdecimal() and inside.isdecimal():
            found.append([int(outside[:6]), int(inside[:6])])
    return found, open_


def _port(text: str) -> tuple[str, str, str]:
    """Host, published and inner port of ``[host:]published:inner[/protocol]``; defaults of variables count."""
    plain = interpolated(text, {}) or text
    head, _, inside = plain.partition("/")[0].rpartition(":")
    host, _, outside = head.rpartition(":")
    return host.strip("[]"), outside, inside


def _gpu(service: Map) -> bool:
    devices = dig(service, "deploy", "resources", "reservations", "devices")
    wanted = {word.casefold() for device in maps(devices) for word in texts(device.get("capabilities"))}
    return (
        "gpu" in wanted
        or as_text(service.get("runtime")) == "nvidia"
        or bool(service.get("gpus"))
        or any(device.startswith(("/dev/kfd", "/dev/nvidia")) for device in texts(service.get("devices")))
    )
