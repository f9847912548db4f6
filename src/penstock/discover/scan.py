"""Look at sources once: targets → trees → files → collectors → joiners → one `Scan`.

A scope counts as finished only when every file that a collector reads was read and every collector and joiner ran
to its end. A file that could not be read, a collector that failed or ran out of time, a collector that does not
load, an interrupt: each leaves the scope unfinished, so that nothing is retired that was merely not seen (it becomes
stale). A collector's own row about content it does not understand (a broken YAML file) does not: the file was read,
and repositories with a broken fixture would never retire anything. Either way the scope's claims to completeness are
withdrawn: all of them in the first case, those of that collector's family in the second.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from penstock.discover import registry
from penstock.discover.cache import Cache, Known, Row, settled, stat_of
from penstock.discover.collector import COLLECTORS, JOINERS, Fact, Gate
from penstock.discover.data.folders import wanted
from penstock.discover.databases import is_database, scope_of
from penstock.discover.encoding import Claims, claims_of, encode
from penstock.discover.generated import why_generated
from penstock.discover.git import People
from penstock.discover.names import Names
from penstock.discover.progress import Phase, Progress
from penstock.discover.sources import Tree, trees
from penstock.discover.spool import Spool
from penstock.discover.walk import LARGE, LARGEST_FILE, SAMPLE, SAMPLED, Entry, read, unreadable, walk
from penstock.graph.identity import application, asset, relation
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import AI_KINDS, Asset, Complete, Evidence, Observation, Unseen
from penstock.inspect.fingerprint import process_key
from penstock.settings import Settings
from penstock.work.limits import Overrun, time_cap

if TYPE_CHECKING:  # the pool and what it runs are needed only when something changed
    from penstock.discover.collect import Gave, Item, JoinItem
    from penstock.work.workers import Failed, Workers

#: A batch for a worker: so many files or bytes (from there on a task's own cost no longer shows: notes on scale).
_BATCH_FILES, _BATCH_BYTES = 50, 1_000_000
#: A process loads packs and compiles patterns for 0.3 CPU s: only for so many bytes (1 CPU s of work) is it worth it.
_BYTES_A_PROCESS = 2_000_000
#: Seconds for a batch of files, and again for each file of a batch that did not come back.
_SECONDS = 20.0
#: Seconds for a glance at one file; a glance at 5 MB of code takes 0.04 CPU s.
_GLANCE_SECONDS = 1.0
#: Seconds for all joiners over one source; sources of very many files get more.
_JOIN_SECONDS = 300.0
#: Content that is held from the glance at a file until it is read closely; of more, files are read twice.
_GLANCED = 16_000_000
#: Files are remembered whenever what they gave has so many bytes; a row of the cache has about so many besides.
_REMEMBERED_AT, _ROW = 4_000_000, 300
#: Files glanced at between two words on how far it is.
_TOLD_EVERY = 100
#: A worker may take so much beyond what its libraries need. The largest file is 5 MB; its syntax tree is 20-40 times
#: that.
_MEMORY_MB = 1024


def scan(
    targets: Iterable[str | os.PathLike[str]],
    *,
    settings: Settings,
    cache: Path | None,
    workers: Workers | None = None,
    progress: Callable[[Progress], None] | None = None,
    names: Names | None = None,
    key: bytes = b"",
    now: float,
) -> Scan:
    """Everything the collectors find in the targets, and everything that could not be seen.

    Args:
        targets: folders, folders of repositories, files, git addresses (``@ref`` at the end), ``path@ref``, addresses
            of PostgreSQL databases.
        cache: folder for what earlier scans found, None for none.
        workers: a pool to share; None starts one for this scan.
        names: names that folders without a git remote already bear; those given by this scan are added.
        key: of fingerprints of secrets (``installation_key``); without one they compare within this process only.
        now: seconds since the epoch, the scan's date.
    Ctrl-C ends it early with what was found so far; unfinished scopes say so.

    Raises:
        NotReachable: a path that does not exist.
    """
    with contextlib.ExitStack() as held:
        paths = [os.fspath(target) for target in targets]
        looking = _Look(settings, cache, workers, progress or (lambda _: None), names or Names(), key)
        held.callback(lambda: looking.close())
        try:
            looking.run([path for path in paths if not is_database(path)], held)
            looking.ask([path for path in paths if is_database(path)])
        except KeyboardInterrupt:
            looking.interrupted = True
        return looking.outcome(now)


@dataclass(slots=True)
class _Part:
    """One source while it is looked at."""

    tree: Tree
    entries: list[Entry]
    unseen: list[Unseen]
    paths: tuple[str, ...] = ()
    #: files that collectors read, with the collectors' names
    wanted: list[tuple[Entry, tuple[str, ...]]] = field(default_factory=list)
    claims: list[Claims] = field(default_factory=list)
    facts: Spool = field(default_factory=Spool)
    #: what is to be remembered, and its bytes
    fresh: list[Row] = field(default_factory=list)
    fresh_size: int = 0
    gone: set[str] = field(default_factory=set)
    #: what was seen of files in a first glance, and what the cache knows of them
    glances: dict[str, bytes] = field(default_factory=dict)
    known: dict[str, Known] = field(default_factory=dict)
    #: cached under a shape that tells whether anything changed
    shape: bytes = b""
    whole: bool = False
    settled: bool = True
    #: reasons why the scope cannot count as finished
    failures: int = 0

    @property
    def scope(self) -> str:
        return self.tree.scope

    @property
    def key(self) -> str:
        """Under which the cache knows it: one file of a source is not the source."""
        return f"{self.scope}//{self.tree.only}" if self.tree.only else self.scope

    def fail(self, row: Unseen) -> None:
        self.failures += 1
        self.unseen.append(row)


class _Look:
    """The state of one scan."""

    def __init__(
        self,
        settings: Settings,
        cache: Path | None,
        workers: Workers | None,
        progress: Callable[[Progress], None],
        names: Names,
        key: bytes,
    ) -> None:
        self.settings = settings
        self.place = cache
        self.workers = workers
        self.progress = progress
        self.names = names
        self.key = key or process_key()
        self.parts: list[_Part] = []
        self.asked: dict[str, list[Observation | Unseen]] = {}
        self.broken: tuple[Unseen, ...] = ()
        self.interrupted = False
        self.done = self.total = self.found = 0
        self.cache = Cache(None)
        self.reading: dict[tuple[str, str], Row] = {}
        self.glanced: dict[tuple[str, str], tuple[int, bytes]] = {}
        self.room = _GLANCED

    def run(self, targets: Iterable[str | os.PathLike[str]], held: contextlib.ExitStack) -> None:
        self.tell("finding files")
        matcher = registry.Matcher(self.patterns())
        found = trees(targets, held, self, self.names)
        for tree in found:
            self.parts.append(self.list_files(tree, matcher))
        self.total = sum(len(part.wanted) for part in self.parts)
        for part in self.parts:
            self.take_over(part)
        if all(part.whole for part in self.parts):
            self.tell("done")
            return
        registry.load()  # before the workers start, so that they need not
        from penstock.discover.collect import collect
        from penstock.work.workers import Done, Workers, usable_cpus

        size = sum(entry.size for part in self.parts if not part.whole for entry, _ in part.wanted)
        processes = min(usable_cpus(), 1 + size // _BYTES_A_PROCESS)
        workers = self.workers or held.enter_context(Workers(processes, memory_mb=_MEMORY_MB, seconds=_SECONDS))
        self.tell("reading")
        by_scope = {part.scope: part for part in self.parts}
        try:
            for outcome in workers.map(collect, self.batches()):
                for gave in outcome.result if isinstance(outcome, Done) else [self.lost(outcome, by_scope)]:
                    self.take(gave, by_scope[gave.scope])
        finally:
            for part in self.parts:
                self.remember(part)
        self.tell("resolving")
        self.join([part for part in self.parts if not part.whole], workers)
        self.tell("done")

    def ask(self, addresses: Iterable[str]) -> None:
        """Look into databases, one after the other."""
        for address in addresses:
            from penstock.discover.data.postgresql import sample_database

            said = self.asked.setdefault(scope_of(address), [])
            for found in sample_database(address):
                said.append(found)
                self.found += isinstance(found, Observation)

    def close(self) -> None:
        """Let go of all files."""
        self.cache.close()
        for part in self.parts:
            part.facts.close()

    def recall(self, root: Path, commit: str) -> People | None:
        """Committers as an earlier scan read them."""
        kept = self.cache.history(os.fspath(root), commit)
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.msgpack.decode(kept, type=People) if kept is not None else None
        return None

    def keep(self, root: Path, commit: str, people: People) -> None:
        """Committers for later scans."""
        self.cache.keep_history(os.fspath(root), commit, encode(people))

    def patterns(self) -> dict[str, tuple[str, ...]]:
        """What each collector reads: from the cache if nothing of ours changed, else from the collectors."""
        self.cache = Cache(self.place, registry.code_state()) if self.place else Cache(None)
        if self.cache.manifest and not COLLECTORS:
            with contextlib.suppress(msgspec.DecodeError):
                return msgspec.msgpack.decode(self.cache.manifest[1], type=dict[str, tuple[str, ...]])
        self.broken = registry.load()
        if self.broken:  # what others find now is not all there is to find
            self.cache.close()
            self.cache = Cache(None)
        reads = registry.reads()
        self.cache.adopt(registry.signature(), encode(reads))
        return reads

    def list_files(self, tree: Tree, matcher: registry.Matcher) -> _Part:
        """Walk a tree and decide which files are for whom."""
        part = _Part(tree, [], list(tree.unseen))
        if part.unseen and tree.root == Path(os.devnull):
            part.failures = 1
            return part
        found = walk(tree.root, tree.scope, excluded=self.excluded(), without=tree.without, own=self.own(tree.root))
        part.failures = sum(not row.skipped for row in found.unseen)
        part.unseen += found.unseen
        part.entries = [entry for entry in found.entries if not tree.only or entry.path == tree.only]
        part.paths = tuple(entry.path for entry in found.entries)
        for entry in part.entries:
            if names := matcher.names(entry.path):
                if entry.size <= LARGEST_FILE or entry.path.lower().endswith((*SAMPLED, *LARGE)):
                    part.wanted.append((entry, names))
                else:
                    size = f"{entry.size / 1024**2:.0f} MB, larger than {LARGEST_FILE // 1024**2} MB"
                    part.unseen.append(Unseen(entry.path, "its content", size, scope=tree.scope, skipped=True))
        return part

    def take_over(self, part: _Part) -> None:
        """Take over what the cache still knows to be true."""
        if self.place is None or part.failures:
            return
        part.shape = hashlib.sha256(
            encode([part.tree.about, part.tree.only, part.paths, [(e.path, stat_of(e), n) for e, n in part.wanted]])
        ).digest()
        kept = self.cache.source(part.key, part.shape)
        if kept is not None:
            with contextlib.suppress(msgspec.DecodeError):
                part.claims.append(claims_of(kept))
                part.whole = True
                self.count(part, len(part.wanted))

    def batches(self) -> Iterator[tuple[Item, ...]]:
        """Files that have to be read, in batches across sources."""
        batch: list[Item] = []
        size = 0
        for part in self.parts:
            if part.whole:
                continue
            part.known = self.cache.files(part.key)
            part.gone = part.known.keys() - {entry.path for entry, _ in part.wanted}
            for entry, names in self.chosen(part):
                item = self.item(part, entry, names)
                if item is None:
                    continue
                batch.append(item)
                size += len(item.data)
                if len(batch) >= _BATCH_FILES or size >= _BATCH_BYTES:
                    yield tuple(batch)
                    batch, size = [], 0
        if batch:
            yield tuple(batch)

    def chosen(self, part: _Part) -> Iterator[tuple[Entry, tuple[str, ...]]]:
        """The files of a source with those of their readers that are to read them, after a glance at all."""
        gates = {gate for each in COLLECTORS.values() if (gate := each.gate) is not None}
        shut: dict[str, set[str]] = {}
        for gate in gates:
            behind = {name for name, each in COLLECTORS.items() if each.gate is gate}
            gated = [e for e, names in part.wanted if not behind.isdisjoint(names) and e.size <= LARGEST_FILE]
            glances = {}
            for number, entry in enumerate(gated, 1):
                glances[entry.path] = self.glance(part, entry, gate)
                if number % _TOLD_EVERY == 0:
                    self.progress(Progress("looking over", number, len(gated), self.found, part.tree.name))
            aside = sorted(glances.keys() - gate.choose(glances))
            for path in aside:
                shut.setdefault(path, set()).update(behind)
            part.glances |= glances
            if aside:
                part.facts.add(encode([Fact(gate.aside, "", aside)]))
        for entry, names in part.wanted:
            yield entry, tuple(name for name in names if name not in shut.get(entry.path, ()))

    def glance(self, part: _Part, entry: Entry, gate: Gate) -> bytes:
        """What is seen of a file at a glance; nothing where that fails: then it is chosen, and a worker says why."""
        known = part.known.get(entry.path)
        if known and known.stat == stat_of(entry):
            return known.glance
        read_at = time.time_ns()
        try:
            data = read(entry, LARGEST_FILE)
            with time_cap(_GLANCE_SECONDS):
                seen = gate.glance(entry.path, data)
        except (OSError, Overrun):
            return b""
        if len(data) <= self.room:
            self.glanced[part.scope, entry.path] = read_at, data
            self.room -= len(data)
        return seen

    def item(self, part: _Part, entry: Entry, names: tuple[str, ...]) -> Item | None:
        """The file for a worker; None when it is known, cannot be read, or nobody reads it."""
        from penstock.discover.collect import Item

        stat, readers, glance = stat_of(entry), " ".join(names), part.glances.pop(entry.path, b"")
        known = part.known.pop(entry.path, None)
        if known and known.readers != readers:
            known = None
        if known and known.stat == stat and self.reuse(part, known):
            return None
        try:
            read_at, data = self.content(part, entry)
        except OSError as error:
            part.fail(unreadable(entry.path, "file", error, part.scope))
            self.count(part)
            return None
        digest = hashlib.sha256(data).digest()
        place = entry.place if entry.size > LARGEST_FILE and entry.path.lower().endswith(LARGE) else ""
        if place:  # the head alone does not tell whether the rest changed
            digest = hashlib.sha256(digest + f"{entry.size}:{entry.mtime_ns}".encode()).digest()
        elif entry.size > LARGEST_FILE:
            why = f"{entry.size / 1024**2:.0f} MB: only the first {SAMPLE // 1024**2} MB are read"
            part.unseen.append(Unseen(entry.path, "the rest of the file", why, scope=part.scope, skipped=True))
        sure = settled(entry, read_at)
        part.settled = part.settled and sure
        row = Row(entry.path, stat if sure else "", digest, readers, glance, b"", b"")
        if known and known.digest == digest and (gave := self.reuse(part, known)):
            if sure:
                self.fresh(part, replace(row, claims=gave[0], facts=gave[1]))
            return None
        if not names or (why := why_generated(entry.path, data)):
            if names:
                said = Claims(unseen=[Unseen(entry.path, "its content", why, scope=part.scope, skipped=True)])
                row = replace(row, claims=encode(said))
                self.add(part, said, b"")
            self.fresh(part, row)
            self.count(part)
            return None
        self.reading[part.scope, entry.path] = row
        return Item(part.scope, entry.path, data, names, self.key, place, entry.size)

    def content(self, part: _Part, entry: Entry) -> tuple[int, bytes]:
        """When a file was read, and what it held then.

        Raises:
            OSError: it cannot be read.
        """
        if (glanced := self.glanced.pop((part.scope, entry.path), None)) is not None:
            self.room += len(glanced[1])
            return glanced
        return time.time_ns(), read(entry, LARGEST_FILE if entry.size <= LARGEST_FILE else SAMPLE)

    def reuse(self, part: _Part, known: Known) -> tuple[bytes, bytes] | None:
        """The claims and facts that the cache has of a file, taken over; None where they cannot be."""
        gave = self.cache.gave(part.key, known.path)
        if gave is None:
            return None
        try:
            self.add(part, claims_of(gave[0]), gave[1])
        except msgspec.DecodeError:
            return None
        self.count(part)
        return gave

    def fresh(self, part: _Part, row: Row) -> None:
        """Have a file remembered; from time to time, so that little is lost with this process."""
        part.fresh.append(row)
        part.fresh_size += len(row.claims) + len(row.facts) + len(row.glance) + _ROW
        if part.fresh_size > _REMEMBERED_AT:
            self.remember(part)

    def remember(self, part: _Part) -> None:
        if part.fresh or part.gone:
            self.cache.keep_files(part.key, part.fresh, part.gone)
        part.fresh, part.fresh_size, part.gone = [], 0, set()

    def take(self, gave: Gave, part: _Part) -> None:
        self.add(part, claims_of(gave.claims), gave.facts)
        row = self.reading.pop((gave.scope, gave.path), None)
        if gave.sure and row:
            self.fresh(part, replace(row, claims=gave.claims, facts=gave.facts))
        if not gave.sure:
            part.failures += 1
        self.count(part)

    def add(self, part: _Part, claims: Claims, facts: bytes) -> None:
        if facts:
            part.facts.add(facts)
        if claims.assets or claims.relations or claims.complete or claims.unseen:
            part.claims.append(claims)
            self.found += len(claims.assets) + len(claims.relations)

    def lost(self, failed: Failed[Item], parts: dict[str, _Part]) -> Gave:
        """The row for a file that took its worker with it."""
        from penstock.discover.collect import Gave

        item = failed.item
        hint = "Look at the file: it may be made to stall or exhaust tools"
        parts[item.scope].unseen.append(
            Unseen(item.path, "what collectors find there", failed.why, hint, scope=item.scope)
        )
        return Gave(item.scope, item.path, b"", b"", False)

    def join(self, parts: list[_Part], workers: Workers) -> None:
        """Run the joiners over every source whose files are through."""
        from penstock.discover.collect import SECONDS_A_FILE, Encoded, JoinItem, join
        from penstock.work.workers import Failed

        names = tuple(JOINERS)
        by_scope = {part.scope: part for part in parts}

        def tasks() -> Iterator[tuple[JoinItem, ...]]:
            for part in parts:
                about = dict(part.tree.about)
                source = Encoded(part.scope, part.tree.name, part.paths, part.facts.kept(), about)
                yield tuple(JoinItem(name, source) for name in names)

        left = {part.scope: len(names) for part in parts}
        seconds = _JOIN_SECONDS + 2 * SECONDS_A_FILE * max((len(part.paths) for part in parts), default=0)
        for outcome in workers.map(join, tasks() if names else iter(()), seconds=seconds):
            if isinstance(outcome, Failed):
                item = outcome.item
                row = Unseen(item.source.scope, f"what {item.joiner} finds", outcome.why, collector=item.joiner,
                             scope=item.source.scope)  # fmt: skip
                by_scope[item.source.scope].fail(row)
                left[item.source.scope] -= 1
            else:
                for gave in outcome.result:
                    part = by_scope[gave.scope]
                    self.add(part, claims_of(gave.claims), b"")
                    part.failures += not gave.sure
                    left[gave.scope] -= 1
            scope = outcome.item.source.scope if isinstance(outcome, Failed) else outcome.batch[0].source.scope
            if not left[scope]:
                self.seal(by_scope[scope])
        if not names:
            for part in parts:
                self.seal(part)

    def seal(self, part: _Part) -> None:
        """A source is through: keep it whole where a second look would find the same."""
        part.whole = True
        part.facts.close()
        if self.place is not None and part.shape and part.settled and not part.failures:
            everything = Claims([], [], [], [])
            for claims in part.claims:
                everything.assets.extend(claims.assets)
                everything.relations.extend(claims.relations)
                everything.complete.extend(claims.complete)
                everything.unseen.extend(claims.unseen)
            # notes that only reading gives (a sampled file) belong to what is found; those of the walk come anew
            everything.unseen.extend(row for row in part.unseen if row.what == "the rest of the file")
            self.cache.keep_source(part.key, part.shape, encode(everything))

    def outcome(self, now: float) -> Scan:
        observations: list[Observation] = []
        complete: list[Complete] = []
        unseen: list[Unseen] = list(self.broken)
        finished = []
        for part in self.parts:
            mine = wanted(part.scope, (seen for claims in part.claims for seen in claims.observations()))
            own_rows = [row for claims in part.claims for row in claims.unseen]
            observations += [*mine, *_repository(part.tree, mine)]
            unseen += [*part.unseen, *own_rows]
            if not part.whole and self.interrupted:
                hint = "Scan again: what was read already is not read again"
                row = Unseen(part.scope, "the rest of the source", "the scan was interrupted", hint, scope=part.scope)
                unseen.append(row)
            elif part.failures == 0 and not self.broken:
                families = {row.collector.partition(".")[0] for row in own_rows if not row.skipped}
                complete += [
                    row
                    for claims in part.claims
                    for row in claims.complete
                    if row.collector.partition(".")[0] not in families
                ]
                if not part.tree.only:
                    finished.append(part.scope)
        for scope, said in self.asked.items():
            rows = [row for row in said if isinstance(row, Unseen)]
            observations += [seen for seen in said if isinstance(seen, Observation)]
            unseen += rows
            if not self.interrupted and all(row.skipped for row in rows):
                finished.append(scope)
        if self.interrupted and not self.parts:
            unseen.append(Unseen("scan", "everything", "the scan was interrupted", "Scan again"))
        if self.cache.trouble:
            why, hint = f"the cache is not used: {self.cache.trouble}", "Scans are slower until it can be written"
            unseen.append(Unseen(str(self.place), "what earlier scans found", why, hint, skipped=True))
        scopes = (*(part.scope for part in self.parts), *self.asked)
        return Scan(tuple(observations), tuple(complete), tuple(unseen), scopes, tuple(finished), now)

    def excluded(self) -> Callable[[str], bool]:
        if not self.settings.exclude:
            return lambda path: False
        globs = [glob.rstrip("/") for glob in self.settings.exclude]
        matcher = registry.Matcher({"x": [form for glob in globs for form in (glob, glob.removesuffix("/**"))]})
        return lambda path: bool(matcher.names(path))

    def own(self, root: Path) -> frozenset[str]:
        """Folders of Penstock's own that lie in a tree: the cache, and the state directory around it."""
        if self.place is None:
            return frozenset()
        places = {os.path.realpath(self.place)}
        state = self.place.parent
        if (state / "penstock.db").exists() or (state / "snapshot.json").exists():
            places.add(os.path.realpath(state))
        return frozenset(places - {os.path.realpath(root)})

    def count(self, part: _Part, files: int = 1) -> None:
        self.done += files
        self.progress(Progress("reading", self.done, self.total, self.found, part.tree.name))

    def tell(self, phase: Phase) -> None:
        self.progress(Progress(phase, self.done, self.total, self.found))


def _repository(tree: Tree, found: list[Observation]) -> list[Observation]:
    """The repository, once something of AI was found in it, and its application's place in it."""
    assets = [observation.subject for observation in found if isinstance(observation.subject, Asset)]
    if not any(seen.kind in AI_KINDS - {"application"} for seen in assets):
        return []
    repository = repository_of(tree.scope)
    evidence = Evidence("source", ".", "declared", scope=tree.scope)
    rows = [Observation(repository, evidence)]
    own = application(tree.scope).id
    if any(seen.id == own for seen in assets):
        rows.append(Observation(relation(own, "defined_in", repository), evidence))
    return rows


def repository_of(scope: str) -> Asset:
    """The repository that a scope stands for."""
    return asset("repository", scope.removeprefix("repo:"))
