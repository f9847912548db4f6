"""A system's threat model for a reader: a table for the terminal, JSON, Markdown and one HTML page with its picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from penstock.assess.assessment import Answers
from penstock.assess.controls import control_of
from penstock.assess.frameworks import address, titles
from penstock.assess.threats import Answering, Faced, ThreatModel
from penstock.graph.vocabulary import SEVERITIES, Evidence, Question, said_labels
from penstock.report.clean import clean
from penstock.report.json_report import moment
from penstock.report.pages import IMPACT
from penstock.report.screen import Screen
from penstock.report.view import Report, words

#: Raised when a reader of the last version could be misled.
SCHEMA = "penstock.threat-model/1"
STATES = {"shown": "shown by a finding", "conceivable": "conceivable", "open": "hangs on an answer"}
#: A severity as what is left of a threat.
REST = {"info": "none", **{severity: severity for severity in SEVERITIES[1:]}}
#: Colour of a severity on a terminal.
COLOURS = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": "green"}
EDITIONS = {
    "owasp-llm-2026": "OWASP LLM 2026", "owasp-llm-2025": "OWASP LLM 2025", "owasp-agentic-2026": "OWASP Agentic 2026",
    "atlas-5.6": "MITRE ATLAS 5.6", "eu-ai-act-2024": "EU AI Act", "gdpr-2016": "GDPR",
}  # fmt: skip
#: Questions and assets named on a terminal.
_SHOWN = 8


def said_rest(rest: tuple[str, str]) -> str:
    """What is left of a threat: ``high``, or ``none to high`` where answers decide."""
    least, most = (REST[one] for one in rest)
    return most if least == most else f"{least} to {most}"


def said_state(answering: Sequence[Answering]) -> dict[str, list[Answering]]:
    """Answers to one control by whether it is there, missing or unknown."""
    found: dict[str, list[Answering]] = {}
    for one in answering:
        found.setdefault(one.standing.state, []).append(one)
    return {state: found[state] for state in ("there", "missing", "unknown") if state in found}


def by_control(faced: Faced) -> dict[str, list[Answering]]:
    """The controls of a threat, those that stop it first, each with where it would have to be."""
    found: dict[str, list[Answering]] = {}
    for one in sorted(faced.controls, key=lambda one: not one.stops):
        found.setdefault(one.standing.control, []).append(one)
    return found


def tags(faced: Faced) -> list[tuple[str, str, str, str]]:
    """(name for a reader, title, why, address) of what a threat is tagged with."""
    found = []
    for tag in faced.threat.tags:
        for edition, id in tag.items():
            if edition != "why":
                name = f"{edition}:{id}"
                found.append((f"{EDITIONS.get(edition, edition)} {id}", titles()[name], tag["why"], address(name)))
    return found


def day(report: Report) -> str:
    """The day of the report."""
    return (moment(report.generated_at) or "")[:10]


def places(report: Report, evidence: Iterable[Evidence]) -> str:
    """Where evidence can be read."""
    return ", ".join(dict.fromkeys(clean(report.where(one) or one.collector, 120) for one in evidence))


# ── terminal ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def overview_table(report: Report, models: Sequence[ThreatModel], *, screen: Screen | None = None) -> str:
    """Every system with what is left of its threats, the worst first."""
    screen = screen or Screen.of()
    if not models:
        return screen.draw(Text("No system is known that a threat model could be made of. Run: penstock scan PATH"))
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("System", "", "At most left", "Threats", "Shown", "Questions"):
        table.add_column(heading, justify="right" if heading in ("Threats", "Shown", "Questions") else "left")
    for model in sorted(models, key=lambda one: (-SEVERITIES.index(one.worst), -len(one.threats))):
        table.add_row(
            Text(clean(report.name(model.system), 40), "bold"),
            Text(words(report.kind(model.system)), "dim"),
            Text(REST[model.worst], COLOURS[model.worst]),
            str(len(model.threats)),
            str(sum(faced.state == "shown" for faced in model.threats) or "-"),
            str(len(model.questions) or "-"),
        )
    return screen.draw(table, "", Text("One of them: penstock threats SYSTEM", "dim"))


def table(report: Report, model: ThreatModel, *, screen: Screen | None = None) -> str:
    """One system's threats, the worst first, with what stands against each."""
    screen = screen or Screen.of()
    head = Text(clean(report.name(model.system)), "bold").append(f"  {words(report.kind(model.system))}", "dim")
    parts: list[RenderableType] = [head, Text(_summary(model), "dim"), ""]
    for faced in model.threats:
        parts += _block(report, faced)
    if model.questions:
        parts += [Text(f"Answers that would narrow it ({len(model.questions)})", "bold")]
        parts += [Padding(Text(clean(question.about)), (0, 0, 0, 2)) for question in model.questions[:_SHOWN]]
        if len(model.questions) > _SHOWN:
            parts.append(Text(f"  and {len(model.questions) - _SHOWN} more: penstock ask", "dim"))
    return screen.draw(*parts)


def _block(report: Report, faced: Faced) -> list[RenderableType]:
    least, most = faced.rest
    rest = Text(REST[most].upper().ljust(9), COLOURS[most])
    rest.append(f" {faced.threat.title}", "bold").append(f"  {faced.threat.id}", "dim")
    if least != most:
        rest.append(f"  at best {REST[least]}", COLOURS[least])
    lines = [f"{STATES[faced.state]}: {clean(reason, 300)}" if not n else clean(reason, 300)
             for n, reason in enumerate(faced.because[:2])]  # fmt: skip
    if faced.cases > 2:
        lines.append(f"and {faced.cases - 2} more")
    found: list[RenderableType] = [rest, *(Padding(Text(line), (0, 0, 0, 10)) for line in lines)]
    for state, label, colour in (
        ("there", "there", "green"),
        ("missing", "missing", "red"),
        ("unknown", "unknown", "yellow"),
    ):
        names = [
            f"{control_of(id).title.lower()} ({', '.join(_names(report, one[state]))})"
            for id, answering in by_control(faced).items()
            if state in (one := said_state(answering))
        ]
        if names:
            found.append(Padding(Text(f"{label:9}", colour).append("; ".join(names), "default"), (0, 0, 0, 10)))
    return [*found, ""]


def _names(report: Report, answering: Iterable[Answering]) -> list[str]:
    return list(dict.fromkeys(clean(report.name(one.standing.asset), 40) for one in answering))


def _summary(model: ThreatModel) -> str:
    shown = sum(faced.state == "shown" for faced in model.threats)
    open_ones = sum(faced.state == "open" for faced in model.threats)
    said = f"{len(model.threats) - open_ones} conceivable threats"
    said += f", {shown} of them shown by findings" if shown else ""
    said += f"; {open_ones} more hang on an answer" if open_ones else ""
    return f"{said}; looked at with the {len(model.parts)} assets that it is made of"


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def document(report: Report, models: Iterable[ThreatModel]) -> dict[str, Any]:
    """The threat models as JSON."""
    return {
        "schema": SCHEMA,
        "generator": {"name": "penstock", "version": report.version},
        "generated_at": moment(report.generated_at),
        "systems": [
            {
                "id": model.system,
                "name": report.name(model.system),
                "kind": report.kind(model.system),
                "parts": list(model.parts),
                "at_most": model.worst,
                "threats": [_threat(report, faced) for faced in model.threats],
                "questions": [_question(question) for question in model.questions],
            }
            for model in models
        ],
    }


def _threat(report: Report, faced: Faced) -> dict[str, Any]:
    return {
        "id": faced.threat.id,
        "title": faced.threat.title,
        "stride": list(faced.threat.stride),
        "state": faced.state,
        "attack": faced.attack,
        "because": list(faced.because),
        "cases": faced.cases,
        "assets": list(faced.assets),
        "inherent": faced.inherent,
        "rest": list(faced.rest),
        "findings": list(faced.findings),
        "controls": [
            {
                "id": one.standing.control,
                "title": control_of(one.standing.control).title,
                "asset": one.standing.asset,
                "stops": one.stops,
                "state": one.standing.state,
                "evidence": [
                    {"where": report.where(e), "collector": e.collector, "confidence": e.confidence}
                    for e in one.standing.evidence
                ],
                "question": one.standing.question.about if one.standing.question else None,
            }
            for one in faced.controls
        ],
        "tags": [dict(tag) for tag in faced.threat.tags],
        "questions": [_question(question) for question in faced.questions],
    }


def _question(question: Question) -> dict[str, str]:
    return {"asset": question.asset, "about": question.prop or question.verb, "question": question.about}


# ── Markdown ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def markdown(report: Report, model: ThreatModel) -> str:
    """The threat model as Markdown, for a wiki or a review."""
    name = md(report.name(model.system))
    lines = [
        f"# Threat model of {name}", "",
        f"{words(report.kind(model.system)).capitalize()} · owner {md(report.owner(model.system) or 'unknown')} · "
        f"{day(report)} · Penstock {report.version}", "", f"{_summary(model)}.", "",
        "| Question | Answer |", "|---|---|",
        *(f"| {question} | {md(answer)} |" for question, answer in six(report, model.system)), "",
        "| Threat | What is left | Without controls | State |", "|---|---|---|---|",
        *(f"| {md(f.threat.title)} | {said_rest(f.rest)} | {REST[f.inherent]} | {STATES[f.state]} |"
          for f in model.threats), "",
    ]  # fmt: skip
    for number, faced in enumerate(model.threats, 1):
        stride = ", ".join(word.replace("_", " ") for word in faced.threat.stride)
        state = f"(without controls {REST[faced.inherent]}) · {STATES[faced.state]} · {stride}"
        lines += [
            f"## {number}. {md(faced.threat.title)}", "",
            f"**Left: {said_rest(faced.rest)}** {state}", "",
            md(faced.attack), "", "Why here:", "", *(f"- {md(reason)}" for reason in faced.because),
            *([f"- and {faced.cases - len(faced.because)} more"] if faced.cases > len(faced.because) else []), "",
        ]  # fmt: skip
        if faced.findings:
            titles_of = {f.id: f.title for f in report.findings}
            lines += ["Shown by:", "", *(f"- {md(titles_of.get(id, id))} (`{id}`)" for id in faced.findings), ""]
        if faced.controls:
            lines += ["| Control | At | State | Evidence or question |", "|---|---|---|---|"]
            for id, answering in by_control(faced).items():
                for one in answering:
                    standing = one.standing
                    said = places(report, standing.evidence) or (standing.question.about if standing.question else "")
                    stops = " (stops it)" if one.stops else ""
                    at = md(report.name(standing.asset))
                    lines.append(f"| {control_of(id).title}{stops} | {at} | {standing.state} | {md(said)} |")
            lines.append("")
        lines += [
            f"References: {'; '.join(f'[{tag} {title}]({url}): {why}' for tag, title, why, url in tags(faced))}",
            "",
        ]
    if model.questions:
        lines += ["## Questions whose answers would narrow it", ""]
        lines += [f"- {md(question.about)}" for question in model.questions]
    return "\n".join(lines).rstrip() + "\n"


def six(report: Report, system: str) -> list[tuple[str, str]]:
    """The six questions about a system, and their answers in words."""
    told: Mapping[str, Answers] = report.assessment.answers
    if system not in told:
        return []
    answers = told[system]

    def listed(value: Any, names: bool = False) -> str:
        if value is None:
            return "unknown"
        if isinstance(value, list | tuple):
            return ", ".join(report.name(one) if names else str(one) for one in value) or "none known"
        return str(value)

    return [
        ("Impact on the business", IMPACT.get(answers.impact.value) or listed(answers.impact.value)),
        ("Sensitive data", said_labels(answers.sensitive_data.value or ()) or "none known"),
        ("Audience", listed(answers.audience.value)),
        ("Used for", listed(answers.used_for.value)),
        ("Processes that rely on it", listed(answers.processes.value, names=True)),
    ]


def md(text: str) -> str:
    """Text of a scanned tree in Markdown: it can open no link, no HTML and no new cell."""
    said = clean(text, 400)
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#!" else "&amp;" if c == "&" else c for c in said)
