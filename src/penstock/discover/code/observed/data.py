"""Data that code loads: files, tables, hub datasets."""

from __future__ import annotations

import posixpath
import re

from penstock.discover.code import effects
from penstock.discover.code.observed.look import Look
from penstock.discover.code.places import status_of
from penstock.discover.code.resolve import Target
from penstock.discover.code.signatures import Site, last_name
from penstock.graph import identity
from penstock.graph.vocabulary import Asset


def datasets_of(look: Look, site: Site) -> list[Asset]:
    """The datasets that a loading call names."""
    line = look.line(site.path, site.call)
    found: list[Asset] = []
    if site.row.address:
        if (address := address_of(look, site)) is None:
            return []
        look.say(address, site.path, line)
        return [address]
    files = [t for at in look.argument(site, "files") for t in look.list_texts(at) if t.value]
    texts = files or [t for t in look.texts(site, "path") if t.value]
    if site.row.named and not texts:
        name = last_name(site.symbol)
        found.append(identity.asset("dataset", name, key=site.symbol, scope=look.scope))
    for text in texts:
        found.append(named_dataset(look, str(text.value), site, hub=site.row.hub and not files))
    for place, data in enumerate(found):
        look.say(data, site.path, line, texts[place].chain if place < len(texts) else ())
    return found


def address_of(look: Look, site: Site) -> Asset | None:
    """The data at the address that several arguments make: ``s3://{bucket}/{key}``, up to what is not known."""
    parts = re.split(r"\{(\w+)\}", site.row.address)
    address = parts[0]
    for role, rest in zip(parts[1::2], parts[2::2], strict=True):
        given = next((t.value for t in look.texts(site, role) if t.value), "")
        if not given:
            break
        address += given.strip("/") + rest
    bare = plain_address(address)
    return identity.asset("dataset", bare, status=status_of(site.path)) if bare != plain_address(parts[0]) else None


def named_dataset(look: Look, name: str, site: Site, *, hub: bool) -> Asset:
    status = status_of(site.path)
    if re.match(r"^[a-z][a-z0-9+.-]*://", name):
        bare = plain_address(name)
        return identity.asset("dataset", bare, status=status)
    place = posixpath.normpath(posixpath.join(posixpath.dirname(site.path), name))
    for path in (place, posixpath.normpath(name)):
        if path in look.source.paths or any(p.startswith(f"{path}/") for p in look.source.paths):
            return identity.file_dataset(path, look.scope)
    if hub and not name.startswith((".", "/")) and not re.search(r"\.(json|jsonl|csv|parquet|txt|arrow)$", name):
        return identity.asset("dataset", name, key=f"hf://datasets/{name}", status=status)
    return identity.file_dataset(posixpath.normpath(name), look.scope)


def data_of(look: Look, target: Target) -> list[Asset]:
    """The data an external value was loaded from, through whatever was done to it on the way."""
    found: dict[str, Asset] = {}
    seen: set[tuple[str, int]] = set()
    todo = [target]
    while todo and len(seen) < 60:
        for step in effects.origins(look.resolver, todo.pop()):
            if (step.path, step.ref) in seen:
                continue
            seen.add((step.path, step.ref))
            site = look.sites.get((step.path, step.ref))
            if site is not None and site.row.makes == "data":
                found |= {asset.id: asset for asset in datasets_of(look, site)}
            elif site is not None:
                todo += [t for role in ("of", "more") for t in look.targets(site, role)]
            else:
                row = look.resolver.modules[step.path].expressions[step.ref]
                todo += [t for a in row[3][:3] for t in look.resolver.follow(step.path, a, step.frames)]
    return list(found.values())


def say_data_beside_ai(look: Look, ordered: list[Site]) -> None:
    """Tables read in a file that also calls a model: the application reads them."""
    calling = {site.path for site in ordered if site.row.makes in ("request", "agent", "store")}
    training = {site.path for site in ordered if site.row.makes in ("training", "fit")}
    for site in ordered:
        if site.row.makes == "data" and not site.row.hub and site.path in calling - training:
            line = look.line(site.path, site.call)
            for data in datasets_of(look, site):
                look.link(look.app(site.path, line), "reads", data, site.path, line)


#: Ports that an engine has anyway, and schemes in which what stands before the @ is a container and no user.
_PORTS = {"postgresql": ":5432", "mysql": ":3306", "mssql": ":1433", "redshift": ":5439", "redis": ":6379"}
_CONTAINERS = frozenset({"abfs", "abfss", "wasb", "wasbs"})


def plain_address(url: str) -> str:
    """An address as every reader writes it: without credentials, query, driver, usual port and closing slash."""
    scheme, _, rest = url.split("?")[0].split("#")[0].partition("://")
    scheme = re.sub(r"^postgres(?:ql)?(?:\+\w+)?$", "postgresql", scheme.lower().partition("+")[0])
    host, slash, path = rest.partition("/")
    if scheme not in _CONTAINERS:
        host = host.rpartition("@")[2]
    return f"{scheme}://{host.removesuffix(_PORTS.get(scheme, ' '))}{slash}{path}".rstrip("/")


def database(address: str, table: str, scope: str) -> Asset | None:
    """The table of a database as a data store."""
    address = address.strip()
    if "://" in address:
        base = plain_address(address)
        key = f"{base}/{table}" if table else base
        return identity.asset("data_store", key)
    if address.endswith((".db", ".sqlite", ".sqlite3")):
        return identity.asset("data_store", f"{address}/{table}" if table else address, scope=scope)
    if table:
        return identity.asset("data_store", table, scope=scope)
    return None
