"""The assessment: rules over a labelled graph give findings and questions; paths and the six answers beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from penstock.assess.answers import SixAnswers
from penstock.assess.arrays import Ints
from penstock.assess.assessment import Assessment
from penstock.assess.facts import Facts, sensitive
from penstock.assess.fixes import Fixes
from penstock.assess.match import Match, Matcher
from penstock.assess.paths import attack_paths
from penstock.assess.questions import Questions
from penstock.assess.rules import Rule, load_rules
from penstock.assess.score import score, terms
from penstock.assess.words import told
from penstock.graph.graph import Graph
from penstock.graph.labels import Labelling
from penstock.graph.store.protocol import Acceptance
from penstock.graph.vocabulary import Finding, Question, Step, Unseen
from penstock.settings import Organisation


def assess(
    graph: Graph,
    labelling: Labelling,
    organisation: Organisation,
    *,
    acceptances: Sequence[Acceptance] = (),
    now: float,
) -> Assessment:
    """Judge the graph by the shipped rules.

    Args:
        acceptances: decisions to live with a finding; those not over at ``now`` move it to ``accepted``.
        now: seconds since the epoch.
    """
    facts = Facts(graph, labelling, organisation)
    return told_of(facts, *judge(load_rules(), facts), acceptances=acceptances, now=now)


def told_of(
    facts: Facts,
    raised: Sequence[Raised],
    questions: Sequence[Question],
    unseen: tuple[Unseen, ...],
    *,
    acceptances: Sequence[Acceptance] = (),
    now: float,
) -> Assessment:
    """The assessment that tells what was raised and asked."""
    findings = [one.finding for one in raised]
    living_with = {acceptance.finding for acceptance in acceptances if acceptance.at <= now < acceptance.until}
    open_findings = tuple(finding for finding in findings if finding.id not in living_with)
    paths = attack_paths(facts, open_findings, {one.finding.id: one.ways for one in raised})
    return Assessment(
        findings=open_findings,
        accepted=tuple(finding for finding in findings if finding.id in living_with),
        questions=tuple(questions),
        paths=paths,
        answers=SixAnswers(facts, findings),
        unseen=unseen,
        fixes=Fixes(facts, open_findings, paths),
    )


def assess_rules(rules: Iterable[Rule], graph: Graph, labelling: Labelling, organisation: Organisation) -> Assessment:
    """Findings (worst first) and questions (most pressing first) of some rules, nothing else."""
    raised, questions, unseen = judge(rules, Facts(graph, labelling, organisation))
    return Assessment(findings=tuple(one.finding for one in raised), questions=tuple(questions), unseen=unseen)


def judge(rules: Iterable[Rule], facts: Facts) -> tuple[list[Raised], list[Question], tuple[Unseen, ...]]:
    """Every rule over the graph: what is surely so is raised, what hangs on the unknown is asked, bounds are said."""
    matcher = Matcher(facts)
    questions = Questions(matcher)
    raised = [one for rule in rules for one in found_by(rule, matcher, questions)]
    return *ordered(raised, questions), matcher.unseen


def found_by(
    rule: Rule,
    matcher: Matcher,
    questions: Questions,
    subjects: Ints | None = None,
) -> list[Raised]:
    """What one rule raises, one for each subject; what it would ask goes to ``questions``.

    Args:
        subjects: places of those to judge, ascending; all when None.
    """
    sure: dict[str, list[Match]] = {}
    for match in matcher.matches(rule, subjects):
        if match.missing or rule.asks:
            questions.add(rule, match)
        else:
            sure.setdefault(match.bound[rule.subject], []).append(match)
    return [_raised(rule, subject, matches, matcher) for subject, matches in sure.items()]


def ordered(raised: Iterable[Raised], questions: Questions) -> tuple[list[Raised], list[Question]]:
    """What is raised, worst first and without what another finding covers; and what is to be asked beside it."""
    worst_first = sorted(raised, key=lambda one: (-one.finding.score, one.rule.id, one.finding.subject))
    known = {(one.rule.name, one.finding.subject) for one in worst_first}
    return _uncovered(worst_first), questions.ordered(known)


@dataclass(frozen=True, slots=True)
class Raised:
    """A finding with its rule and the different ways in which it applies, the worst first."""

    rule: Rule
    finding: Finding
    ways: tuple[tuple[Step, ...], ...]


#: Ways kept of one finding; a person reads a few.
_WAYS = 4


def _raised(rule: Rule, subject: str, matches: list[Match], matcher: Matcher) -> Raised:
    """One finding for all matches of a rule on one subject, told by its worst."""
    facts = matcher.facts
    ranked = sorted(
        ((score(rule, match, matcher), match) for match in matches),
        key=lambda pair: (-pair[0].value, len(pair[1].path), sorted(pair[1].bound.items())),
    )
    worst, match = ranked[0]
    related = {id for other in matches for id in other.bound.values()} - {subject}
    fix_at = match.bound[rule.fix_at]
    finding = Finding(
        id=fingerprint(rule.id, subject),
        rule=rule.id,
        subject=subject,
        title=rule.row.title,
        severity=worst.severity,
        explanation=told(rule.row.explain, match, facts),
        fix=told(rule.row.fix, match, facts),
        path=_path(rule, match, facts),
        score=worst.value,
        score_range=(worst.low, worst.high),
        terms=terms(worst, rule, match, facts, len(matches)),
        tags=tuple(rule.row.tags),
        related=tuple(sorted(related)),
        fix_at=fix_at,
        root=fingerprint(rule.row.cause or rule.name, fix_at),
    )
    ways = dict.fromkeys(_path(rule, match, facts) for _, match in ranked[: _WAYS * 5])
    return Raised(rule, finding, tuple(ways)[:_WAYS])


def fingerprint(*parts: str) -> str:
    """A stable id of what is meant: equal across scans, different for different parts (80 bits of SHA-256)."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


def _uncovered(raised: list[Raised]) -> list[Raised]:
    """One finding for each name and subject (several rows may see one risk), less those that another one covers."""
    worst: dict[tuple[str, str], Raised] = {}
    for one in raised:
        worst.setdefault((one.rule.name, one.finding.subject), one)
    return [
        one
        for (_, subject), one in worst.items()
        if not any((name, subject) in worst for name in one.rule.row.covered_by)
    ]


def _path(rule: Rule, match: Match, facts: Facts) -> tuple[Step, ...]:
    """The matched way, and on to where the labels of the ``follow`` variable come from."""
    path = match.path
    if not rule.row.follow or not path or path[-1].asset != match.bound[rule.row.follow]:
        return path
    asset = path[-1].asset
    proofs = [facts.labelling.proof(asset, label) for label in sensitive(facts.labelling.touches(asset))[:1]]
    return path + tuple(step for proof in proofs for step in back(proof))


def back(proof: tuple[Step, ...]) -> tuple[Step, ...]:
    """A proof (origin to asset) walked from the asset to the origin, without the asset itself."""
    return tuple(Step(proof[n - 1].asset, proof[n].verb, not proof[n].forward) for n in range(len(proof) - 1, 0, -1))
