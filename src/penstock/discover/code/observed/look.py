"""What a source says while it is looked at: its sites, what they made, and what was said so far."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from penstock.discover.code import effects
from penstock.discover.code.ir import BASES, CLASS, KIND, NAME, PARENT, RETURNS
from penstock.discover.code.places import status_of
from penstock.discover.code.resolve import Frames, Resolver, Target, Text
from penstock.discover.code.resolve.backwards import Backwards
from penstock.discover.code.resolve.known import CONSTRUCTORS
from penstock.discover.code.signatures import Site, arguments, members_given
from penstock.discover.collector import Source
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Evidence, Observation, Relation, Unseen

COLLECTOR = "code"
MODEL_ID = re.compile(r"^[\w./:@+\-#~]+$")


class Look:
    """The sites of a source and what they mean so far; every asset is made once per site."""

    def __init__(self, source: Source, resolver: Resolver, makers: Mapping[str, Maker]) -> None:
        self.source = source
        self.scope = source.scope
        self.resolver = resolver
        self.backwards = Backwards(resolver)
        self.makers = makers
        self.application = identity.application(source.scope)
        self.sites: dict[tuple[str, int], Site] = {}
        self.made: dict[tuple[str, int], list[Asset]] = {}
        self.tools: dict[tuple[str, int], Asset] = {}  # function → the tool it is
        self.guards: dict[tuple[str, int], Asset] = {}
        self.owned: set[tuple[str, int]] = set()  # sites that belong to an agent, a store, …
        self.busy: set[tuple[str, int]] = set()
        self.out: dict[tuple[object, str], Observation] = {}
        self.notes: dict[tuple[str, str], Unseen] = {}
        self.packaged: list[tuple[str, str, int]] = []
        self.reach: dict[tuple[str, int], effects.Found] = {}
        self.open_wiring = False
        self.configured: tuple[Asset, ...] = ()  # models that properties of a framework name
        self._registered: dict[str, list[Site]] | None = None
        self._keys: dict[tuple[str, int], list[str]] | None = None
        self.predicting: frozenset[tuple[str, int]] | None = None  # calls whose result somebody predicts with

    def line(self, path: str, expression: int) -> int:
        return self.resolver.modules[path].line(expression)

    def say(
        self, subject: Asset | Relation, path: str, line: int, chain: Iterable[str] = (), confidence: str = "resolved"
    ) -> None:
        where = f"{path}:{line}" if line else path
        evidence = Evidence(COLLECTOR, where, confidence, tuple(dict.fromkeys(chain)), self.scope)
        key = (subject.key if isinstance(subject, Relation) else (subject.id, subject.name), where)
        self.out.setdefault(key, Observation(subject, evidence))

    def link(self, source: Asset, verb: str, target: Asset, path: str, line: int, chain: Iterable[str] = ()) -> None:
        if source.id != target.id:
            self.say(identity.relation(source, verb, target), path, line, chain)

    def app(self, path: str, line: int) -> Asset:
        self.say(self.application, path, line)
        return self.application

    def provider(self, name: str, path: str, line: int) -> None:
        if name and name not in ("self-hosted", "mlflow", "spacy", "openai-whisper"):
            found = identity.asset("provider", name, status=status_of(path))
            self.say(found, path, line)

    def unresolved(self, site: Site, what: str, texts: Iterable[Text], part: str) -> None:
        """A note that something of a site is decided where this source does not show it."""
        names = dict.fromkeys(t.env for t in texts if t.env and t.value is None)
        if names:
            plural = "s" if len(names) > 1 else ""
            variables = f"the environment variable{plural} {', '.join(names)}"
            why = f"it comes from {variables}, which nothing in reach sets"
        else:
            why = "it is known only at run time"
        where = f"{site.path}:{self.line(site.path, site.call)}"
        hint = f"Scan the deployment's configuration, or name the {part} in ai-system.yaml"
        self.notes[(where, what)] = Unseen(where, what, why, hint, COLLECTOR, self.scope, skipped=True)

    def make(self, site: Site) -> list[Asset]:
        """The assets that a site makes, made once."""
        key = (site.path, site.call)
        if key in self.made:
            return self.made[key]
        if key in self.busy:
            return []
        self.busy.add(key)
        maker = self.makers.get(site.row.makes)
        found: list[Asset] = maker(self, site) if maker else []
        self.busy.discard(key)
        self.made[key] = found
        return found

    def owner(self, site: Site) -> Asset | None:
        """The tool in whose function a site stands."""
        module = self.resolver.modules[site.path]
        scope = module.expressions[site.call][5] if module.expressions[site.call][0] == "c" else 0
        for function in self.resolver.enclosing(site.path, scope):
            if tool := self.tools.get((site.path, function)):
                return tool
        return None

    def argument(self, site: Site, role: str) -> list[tuple[str, int, Frames]]:
        if site.row.extends:
            return members_given(self.resolver, site, role)
        return arguments(self.resolver, site.path, site.call, site.row, role, site.symbol)

    def texts(self, site: Site, role: str) -> list[Text]:
        return [t for at in self.argument(site, role) for t in self.resolver.texts(*at)]

    def targets(self, site: Site, role: str) -> list[Target]:
        """What an argument holds, lists opened; a default of the package where it is not given."""
        given = self.argument(site, role)
        found: list[Target] = []
        for at in given:
            for target in self.resolver.follow(*at):
                found += self.opened(target)
        if not given:
            for name in site.row.defaults.get(role, ()):
                found += self._set_by_call(name) if name.endswith(")") else self.resolver.assigned_to(name)
        return found

    def _set_by_call(self, name: str) -> list[Target]:
        """What calls of a package set for all others: ``dspy.configure(lm)`` is its argument ``lm``."""
        symbol, _, keyword = name[:-1].partition("(")
        last = symbol.rpartition(".")[2]
        found: list[Target] = []
        for path, module in self.resolver.modules.items():
            for call in module.calls:
                row = module.expressions[call]
                callee = module.expressions[row[2]]
                named = keyword in row[4] and last in callee[2:4]
                if named and any(target.symbol == symbol for target in self.resolver.follow(path, row[2])):
                    found += self.resolver.follow(path, row[4][keyword])
        return found

    def opened(self, target: Target) -> list[Target]:
        """What a list, a dictionary or joined lists hold, nested ones opened; anything else is itself."""
        found: list[Target] = []
        todo, seen = [target], set()
        while todo and len(found) < 200:
            at = todo.pop(0)
            row: list[Any] = self.resolver.modules[at.path].expressions[at.ref] if at.kind == "value" else ["?"]
            if row[0] not in "ldf" or (at.path, at.ref) in seen:
                if row[0] not in "ld":
                    found.append(at)
                continue
            seen.add((at.path, at.ref))
            if row[0] != "f":
                todo = [*self.resolver.items(at), *todo]
                continue
            parts = [t for part in row[2] for t in self.resolver.follow(at.path, part, at.frames)]
            if any(t.kind == "value" and self.resolver.modules[t.path].expressions[t.ref][0] == "l" for t in parts):
                todo = [*parts, *todo]  # one list + another
            else:
                found.append(at)
        return found

    def named_targets(self, site: Site, role: str) -> Iterator[tuple[Target, str]]:
        """The things in a list or in an object ``{name: thing}``."""
        for at in self.argument(site, role):
            for target in self.resolver.follow(*at):
                if target.kind == "value":
                    row = self.resolver.modules[target.path].expressions[target.ref]
                    if row[0] == "d" and site.path.rpartition(".")[2] != "py":
                        for name, value in row[2]:
                            for inner in self.resolver.follow(target.path, value, target.frames):
                                yield inner, name if isinstance(name, str) and name != "**" else ""
                        continue
                for inner in self.opened(target):
                    yield inner, ""

    def keys_of(self, site: Site) -> list[str]:
        """The names under which objects of tools hold what a site makes: ``tools: { weather: tool(…) }``."""
        if self._keys is None:
            self._keys = {}
            for other in self.sites.values():
                for target, given in self.named_targets(other, "tools") if "tools" in other.row.args else ():
                    inner = self.site_of(target) if given and target.kind == "external" else None
                    if inner is not None and inner.row.makes == "tool":
                        known = self._keys.setdefault((inner.path, inner.call), [])
                        if given not in known:
                            known.append(given)
        return self._keys.get((site.path, site.call), [])

    def list_texts(self, at: tuple[str, int, Frames]) -> list[Text]:
        return [
            text
            for target in self.resolver.follow(*at)
            for inner in self.opened(target)
            for text in self.resolver.text_of(inner)
        ]

    def site_of(self, target: Target) -> Site | None:
        """The site that made an external value: itself, or the nearest one on the way to it."""
        if target.kind == "instance":
            return self.sites.get((target.symbol, target.ref)) or self.class_site(target.path, target.scope)
        if target.kind == "class":
            return self.class_site(target.path, target.ref)
        for step in effects.origins(self.resolver, target):
            if found := self.sites.get((step.path, step.ref)):
                return found
        return None

    def class_site(self, path: str, scope: int) -> Site | None:
        """What makes something of a class of the source: a base of it."""
        bases = self.resolver.modules[path].scopes[scope][BASES] if scope > 0 else ()
        return next((site for base in bases if (site := self.sites.get((path, base))) and site.row.extends), None)

    def assets_of(self, target: Target, *kinds: str) -> list[Asset]:
        """The assets of some kinds that a target stands for."""
        site = self.site_of(target)
        if site is None:
            return self.injected(target, *kinds)
        if site.row.makes == "passes":
            key = (site.path, site.call)
            if key in self.busy:
                return []
            self.busy.add(key)
            found = [a for inner in self.targets(site, "of") for a in self.assets_of(inner, *kinds)]
            self.busy.discard(key)
            return found
        return [asset for asset in self.make(site) if asset.kind in kinds]

    def registered(self, name: str, path: str) -> list[Site]:
        """The sites that put something of a type into the container of a project; of another where its own has none."""
        if self._registered is None:
            self._registered = {}
            for site in sorted(self.sites.values(), key=lambda site: (site.path, site.call)):
                for given in site.row.gives:
                    self._registered.setdefault(given, []).append(site)
        found = self._registered.get(name, [])
        project = self.resolver.packages.project
        return [site for site in found if project(site.path) == project(path)] or found

    def injected(self, target: Target, *kinds: str) -> list[Asset]:
        """The assets that a container hands out as something of a type that no call of the source makes.

        Either one that is registered for the type, or the only one of that very type that the source makes.
        """
        if target.kind != "external" or target.ref >= 0 or not target.symbol.endswith("()"):
            return []
        found = self.registered(target.symbol[:-2].rpartition(".")[2], target.path)
        if not found:
            same = [site for site in self.sites.values() if site.symbol == target.symbol[:-2] and site.decorated < 0]
            found = same if len(same) == 1 else []
        return [asset for site in found for asset in self.make(site) if asset.kind in kinds]

    def symbol_name(self, path: str, expression: int) -> str:
        """The name under which a value is kept: its variable, field, or the function that returns it."""
        module = self.resolver.modules[path]
        at = expression
        for _ in range(4):
            if name := module.name_of.get(at):
                return name if name != "default" else posixpath.basename(path).rsplit(".", 1)[0]
            if name := self.backwards.fields(path).get(at):
                return name
            if (wrapper := self.backwards.wrappers(path).get(at, -1)) < 0:
                break
            at = wrapper
        row = module.expressions[expression]
        scope = row[5] if row[0] == "c" else 0
        for function in self.resolver.enclosing(path, scope):
            if name := str(module.scopes[function][NAME]):
                owner = module.scopes[function][PARENT]
                made = name in CONSTRUCTORS and module.scopes[owner][KIND] == CLASS
                return str(module.scopes[owner][NAME]) if made else name
        return ""

    def returned(self, target: Target) -> tuple[int, str]:
        module = self.resolver.modules[target.path]
        for returned in module.scopes[target.ref][RETURNS]:
            for text in self.resolver.texts(target.path, returned):
                if text.length:
                    return text.length, text.sha or (hash_of(text.value) if text.value else "")
        return 0, ""


def hash_of(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


Maker = Callable[[Look, Site], list[Asset]]
