"""Findings by what closes them: one change that ends many ways stands before many that end one each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import overload

from penstock.assess.assessment import AttackPath, Fix
from penstock.assess.cuts import Cut, Cuts
from penstock.assess.facts import Facts
from penstock.graph.vocabulary import DATA_KINDS, SEVERITIES, Finding, Unseen

#: Changes looked for beyond what the findings themselves say.
_CHANGES = 20
#: How bad a way is that no finding tells: somebody should look.
_UNTOLD = "medium"


class Fixes(Sequence[Fix]):
    """Every finding under one fix: worst first, then by how many ways and findings it closes.

    A change of the graph closes a finding when every attack path that tells it runs through the change; what no such
    change closes stands under the fix that its rule names.
    """

    def __init__(self, facts: Facts, findings: Sequence[Finding], paths: Sequence[AttackPath]) -> None:
        self._facts, self._findings, self._paths = facts, findings, paths

    @overload
    def __getitem__(self, at: int) -> Fix: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Fix]: ...
    def __getitem__(self, at: int | slice) -> Fix | Sequence[Fix]:
        return self._every[at]

    def __len__(self) -> int:
        return len(self._every)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fixes) and self._every == other._every

    __hash__ = None  # type: ignore[assignment]

    @property
    def unseen(self) -> tuple[Unseen, ...]:
        """What the bound on the length of ways left out."""
        return self.cuts.unseen

    @cached_property
    def cuts(self) -> Cuts:
        """The ways behind the fixes."""
        return Cuts(self._facts)

    @cached_property
    def _every(self) -> tuple[Fix, ...]:
        by_id = {finding.id: finding for finding in self._findings}
        told: dict[str, list[AttackPath]] = {}
        for path in self._paths:
            for id in path.findings:
                told.setdefault(id, []).append(path)
        open_ones = dict(by_id)
        made = []
        for cut in self.cuts.best(_CHANGES):
            closed = [id for id in open_ones if id in told and all(_crosses(path, cut) for path in told[id])]
            roots = {open_ones[id].root for id in closed}
            closed += [id for id, finding in open_ones.items() if id not in closed and finding.root in roots]
            made.append(self._fix(cut, [open_ones.pop(id) for id in closed]))
        by_root: dict[str, list[Finding]] = {}
        for finding in open_ones.values():
            by_root.setdefault(finding.root, []).append(finding)
        made += [self._named(findings) for findings in by_root.values()]
        return tuple(sorted(made, key=_order))

    def _fix(self, cut: Cut, findings: Sequence[Finding]) -> Fix:
        what, change = self._change(cut)
        return Fix(
            at=cut.at,
            what=what,
            severity=_worst(findings) or _UNTOLD,
            change=change,
            relation=cut.relation,
            findings=tuple(finding.id for finding in findings),
            closes=cut.closes,
        )

    def _named(self, findings: Sequence[Finding]) -> Fix:
        """The fix that the rules of findings of one root name."""
        first = findings[0]
        ids = tuple(finding.id for finding in findings)
        return Fix(at=first.fix_at, what=first.fix, severity=_worst(findings), findings=ids)

    def _change(self, cut: Cut) -> tuple[str, str]:
        """The change in words, and as ``penstock whatif`` takes it."""
        assets = self._facts.graph.assets
        asset = assets[cut.at]
        name, id = asset.name, asset.id
        if cut.relation:
            _, verb, target = cut.relation
            said = _WITHOUT.get(verb, f"See to it that {{}} no longer {verb.replace('_', ' ')} {{}}")
            return said.format(name, assets[target].name), f"remove {id} {verb} {target}"
        if asset.prop("public_read"):
            return f"Close {name} to the public", f"set {id} public_read=false"
        if asset.prop("exposure") == "internet":
            return f"Take {name} off the internet, or ask for a login", f"set {id} exposure=private"
        if asset.kind in ("tool", "mcp_server"):
            return f"Let a person approve what {name} does", f"set {id} approval=required"
        if asset.kind in ("application", "assistant"):
            return f"Check what goes into {name} and what comes out", f"guard {id}"
        if asset.kind in DATA_KINDS:
            return f"Narrow what {name} holds and who reads it", f"remove {id}"
        return f"Close {name}, or take it out of the way", f"remove {id}"


_WITHOUT = {
    "runs_as": "Run {} as an identity of its own with fewer rights than {}",
    "can_read": "Take the right to read {1} from {0}",
    "can_write": "Take the right to change {1} from {0}",
    "can_admin": "Take the right to administer {1} from {0}",
    "can_assume": "Do not let {} assume {}",
    "holds": "Take {1} away from {0}",
    "grants": "Narrow {} so that it does not open {}",
    "uses_tool": "Take the tool {1} from {0}",
    "reads": "Keep {} from reading {}",
    "retrieves_from": "Keep {} from searching {}",
    "delegates_to": "Keep {} from handing work to {}",
    "writes": "Keep {} from writing to {}",
    "ingests": "Keep {1} out of {0}",
    "loads": "Load in {} a reviewed and pinned copy of {}",
}


def _crosses(path: AttackPath, cut: Cut) -> bool:
    if cut.relation is None:
        return any(step.asset == cut.at for step in path.hops)
    return any(
        cut.relation == ((a.asset, b.verb, b.asset) if b.forward else (b.asset, b.verb, a.asset))
        for a, b in pairwise(path.hops)
    )


def _worst(findings: Sequence[Finding]) -> str:
    return max((finding.severity for finding in findings), key=SEVERITIES.index, default="")


def _order(fix: Fix) -> tuple[object, ...]:
    return (-SEVERITIES.index(fix.severity), -len(fix.closes), -len(fix.findings), fix.at, fix.what)
