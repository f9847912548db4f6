"""Pages for a terminal: one asset with its six questions, one finding, one case with its history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from penstock.assess.assessment import Answer, Answers
from penstock.assess.rollup import ALL, rolled_up
from penstock.graph.vocabulary import Asset, Case, Evidence, Finding
from penstock.report.clean import clean
from penstock.report.lists import happened, labels, severity, state
from penstock.report.screen import Screen
from penstock.report.table import labelled, path_line, when
from penstock.report.view import PEOPLE_KINDS, Report, words

#: The six questions in the order a reader asks them.
QUESTIONS = (
    ("impact", "How bad could it be?"),
    ("threats", "What could go wrong?"),
    ("sensitive_data", "Which sensitive data?"),
    ("audience", "Who can use it?"),
    ("used_for", "What is it used for?"),
    ("processes", "Which business relies on it?"),
)
#: Impact in words: the scale of a process's criticality and of a label's weight.
IMPACT = {1: "low", 2: "medium", 3: "high", 4: "vital"}
EVIDENCE = 8
RELATIONS = 40
#: Risks shown of a group.
RISKS = 10


def asset(report: Report, asset: Asset, *, screen: Screen | None = None) -> str:
    """One asset: what it is, the six questions with their evidence, its risks, its links, where it was seen."""
    screen = screen or Screen.of()
    head = Text(clean(asset.name), "bold").append(f"  {words(asset.kind)}", "dim")
    if asset.lifecycle != "current":
        head.append(f"  {asset.lifecycle}", "yellow")
    parts: list[RenderableType] = [head, Text(asset.id, "dim"), ""]
    held, seen = report.labelling.contains(asset.id), report.labelling.sees(asset.id)
    parts.append(labelled("Contains", labels(held) if held else Text("nothing known to be sensitive", "dim")))
    if seen - held:
        parts.append(labelled("Sees", labels(seen - held)))
    parts.append(labelled("Owner", Text(report.owner(asset.id) or "nobody is named")))
    for name, value in sorted(asset.props.items()):
        if value not in (None, "", (), []):
            parts.append(labelled(name.replace("_", " ").capitalize()[:11], Text(_said(value))))
    for label in sorted((held | seen) - asset.labels):
        proof = report.labelling.proof(asset.id, label)
        if len(proof) > 1:
            parts += ["", Text(f"Why {label}", "bold"), Padding(path_line(report, proof), (0, 0, 0, 2))]
    if answers := report.assessment.answers.get(asset.id):
        parts += ["", *_questions(report, answers)]
    if risks := [f for f in report.findings if asset.id in {f.subject, *(step.asset for step in f.path)}]:
        parts += ["", Text("Risks", "bold")]
        parts += [Padding(_risk_line(finding), (0, 0, 0, 2)) for finding in risks]
    parts += [
        "",
        *_links(report, asset),
        Text("Seen at", "bold"),
        *_evidence(report, report.graph.evidence.get(asset.id, ())),
    ]
    return screen.draw(*parts)


def group(report: Report, of: str, *, screen: Screen | None = None) -> str:
    """The six questions for the systems of a team, a person or a repository together, or for ``all``."""
    screen = screen or Screen.of()
    rolled = rolled_up(report.graph, report.assessment.answers, of)
    name = "Everything" if of == ALL else report.name(of)
    number = len(rolled.systems)
    parts: list[RenderableType] = [
        Text(name, "bold").append(f"  {number:,} system{'' if number == 1 else 's'}", "dim"),
        "",
        *_questions(report, rolled.answers),
    ]
    systems = set(rolled.systems)
    if risks := [f for f in report.findings if systems & {f.subject, *(step.asset for step in f.path)}][:RISKS]:
        parts += ["", Text("Worst risks", "bold"), *(Padding(_risk_line(one), (0, 0, 0, 2)) for one in risks)]
    if rolled.systems:
        names = sorted({report.name(id) for id in rolled.systems}, key=str.casefold)
        more = f", and {len(names) - RELATIONS:,} more" if len(names) > RELATIONS else ""
        parts += ["", Text("Systems", "bold"), Padding(Text(", ".join(names[:RELATIONS]) + more, "dim"), (0, 0, 0, 2))]
    return screen.draw(*parts)


def finding(report: Report, finding: Finding, *, screen: Screen | None = None) -> str:
    """One finding: why it is one, the path hop by hop with its evidence, how it was scored, what to do."""
    screen = screen or Screen.of()
    parts: list[RenderableType] = [
        Text(clean(finding.title), "bold").append(f"  {clean(finding.rule)} · {finding.id}", "dim"),
        severity(finding.severity).append(f"  {finding.score:.0f} of 100", "dim"),
        "",
        Text(clean(finding.explanation)),
    ]
    if len(finding.path) > 1:
        parts += ["", Text("Path", "bold"), Padding(path_line(report, finding.path), (0, 0, 0, 2))]
        before = ""
        for step in finding.path:
            hop = report.hop_evidence(before, step) if before else report.graph.evidence.get(step.asset, ())
            where = report.where(hop[0]) if hop else "no evidence of its own"
            parts.append(Padding(Text(report.name(step.asset)).append(f"  {where}", "dim"), (0, 0, 0, 4)))
            before = step.asset
    place = report.fix_place(finding)
    parts += ["", labelled("Fix", Text(clean(finding.fix)).append(f"  {place}" if place else "", "dim"))]
    parts.append(labelled("Owner", Text(report.owner_of(finding) or "nobody is named")))
    if case := report.case_of.get(finding.id):
        parts.append(labelled("Case", Text(case.id).append(" ").append_text(state(case))))
    if finding.terms:
        parts += ["", Text("Score", "bold")]
        parts.append(Padding(_terms(finding), (0, 0, 0, 2)))
    return screen.draw(*parts)


def case(report: Report, case: Case, *, screen: Screen | None = None) -> str:
    """One case: whose it is and why, who decides, who must know, who is affected, what is behind it, its history."""
    screen = screen or Screen.of()
    parts: list[RenderableType] = [
        Text(clean(case.title), "bold").append(f"  {case.id}", "dim"),
        severity(case.severity).append("  ").append_text(state(case)),
        "",
    ]
    owner = Text(report.name(case.owner)) if case.owner else Text("nobody", "yellow")
    parts.append(labelled("Owner", owner.append(f"  {clean(case.owner_why)}", "dim")))
    parts.append(labelled("Approver", Text(report.name(case.approver) if case.approver else "nobody who may")))
    if case.informed:
        parts.append(labelled("Informed", Text(", ".join(map(report.name, case.informed)))))
    if case.affected:
        parts.append(labelled("Affected", _affected(report, case.affected)))
    parts.append(labelled("In traffic", Text(happened(case))))
    known = {f.id: f for f in (*report.findings, *report.accepted)}
    if found := [known[id] for id in case.findings if id in known]:
        parts += ["", Text("Findings", "bold")]
        for one in found:
            path = path_line(report, one.path) if len(one.path) > 1 else Text(report.name(one.subject))
            parts.append(Padding(Group(_risk_line(one), Padding(path, (0, 0, 0, 2))), (0, 0, 0, 2)))
    parts += ["", Text("History", "bold")]
    for line in case.history:
        parts.append(
            Padding(
                Text(when(line.at), "dim").append(f"  {clean(line.who)}  ", "cyan").append(clean(line.what)),
                (0, 0, 0, 2),
            )
        )
    return screen.draw(*parts)


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _terms(finding: Finding) -> Table:
    """What the score is made of: each term with its value and why it is so."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for style in ("dim", "", "dim"):
        table.add_column(style=style, overflow="fold")
    for name, term in sorted(finding.terms.items()):
        value, because = (term.get("value"), term.get("because")) if isinstance(term, Mapping) else (term, None)
        if value or because:
            table.add_row(clean(name), _said(value), _said(because) if because else "")
    return table


def _questions(report: Report, answers: Answers) -> Iterable[RenderableType]:
    for name, question in QUESTIONS:
        answer: Answer = getattr(answers, name)
        yield Text(question, "bold")
        known = answer.value not in (None, "", (), [])
        said = _answer(report, name, answer) if known else Text("unknown", "yellow")
        because = "" if name == "processes" and known else clean(answer.because)
        if reason := " · ".join(filter(None, (because, answer.confidence if known else ""))):
            said.append(f"\n{reason}", "dim")
        yield Padding(said, (0, 0, 0, 2))
        for evidence in answer.evidence[:2]:
            yield Padding(_place(report, evidence), (0, 0, 0, 2))


def _answer(report: Report, question: str, answer: Answer) -> Text:
    """An answer's value in words: a weight as such, assets by name, several threats each on its line."""
    if question == "impact" and isinstance(answer.value, int):
        return Text(IMPACT.get(answer.value, clean(answer.value)))
    if isinstance(answer.value, list | tuple):
        between = "\n" if question in ("threats", "used_for") else ", "
        return Text(
            between.join(report.name(value) if isinstance(value, str) else _said(value) for value in answer.value)
        )
    return Text(_said(answer.value))


def _links(report: Report, asset: Asset) -> list[RenderableType]:
    found: list[RenderableType] = []
    for relation in sorted(report.graph.out(asset.id), key=lambda r: r.key):
        found.append(Text(f"─{relation.verb.replace('_', ' ')}→ ", "dim").append(report.name(relation.target)))
    for relation in sorted(report.graph.into(asset.id), key=lambda r: r.key):
        found.append(Text(f"←{relation.verb.replace('_', ' ')}─ ", "dim").append(report.name(relation.source)))
    if not found:
        return []
    shown = [Padding(link, (0, 0, 0, 2)) for link in found[:RELATIONS]]
    if len(found) > RELATIONS:
        shown.append(Padding(Text(f"and {len(found) - RELATIONS:,} more", "dim"), (0, 0, 0, 2)))
    return [Text("Links", "bold"), *shown, ""]


def _evidence(report: Report, evidence: Iterable[Evidence]) -> Iterable[RenderableType]:
    found = list(evidence)
    for one in found[:EVIDENCE]:
        yield Padding(_place(report, one), (0, 0, 0, 2))
    if len(found) > EVIDENCE:
        yield Padding(Text(f"and {len(found) - EVIDENCE:,} more", "dim"), (0, 0, 0, 2))


def _place(report: Report, evidence: Evidence) -> Text:
    chain = " → ".join(clean(step, 120) for step in evidence.chain)
    text = Text(report.where(evidence)).append(f"  {clean(evidence.collector)}, {evidence.confidence}", "dim")
    return text.append(f"  {chain}", "dim") if chain else text


def _risk_line(finding: Finding) -> Text:
    return (
        severity(finding.severity).append("  ").append(clean(finding.title)).append(f"  {clean(finding.rule)}", "dim")
    )


def _affected(report: Report, affected: Iterable[str]) -> Text:
    """Business processes first, as they come, then the rest by name."""
    text = Text()
    for number, id in enumerate(affected):
        if number == 12:
            return text.append(", …", "dim")
        style = "bold" if report.kind(id) in PEOPLE_KINDS else ""
        text.append(", " if number else "").append(report.name(id), style)
    return text


def _said(value: object) -> str:
    """A value as a person would say it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        if "value" in value and "because" in value:
            return f"{clean(value['value'])}  {clean(value['because'])}"
        return ", ".join(f"{clean(k)}: {_said(v)}" for k, v in sorted(value.items()))
    if isinstance(value, set | frozenset):
        return ", ".join(sorted(map(_said, value)))
    if isinstance(value, list | tuple):
        return ", ".join(map(_said, value))
    return clean(value)
