"""``penstock ask``."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click
import msgspec

from penstock.cli.commands.accept import end_of
from penstock.cli.listing import current, print_json
from penstock.cli.options import State, format_option, open_state, state_options, you
from penstock.cli.screen import as_table, printable
from penstock.errors import NotReachable, NotUnderstood, WrongUse

if TYPE_CHECKING:
    from penstock.assess.questionnaire import Open, Proposal
    from penstock.graph.vocabulary import Asset
    from penstock.report.view import Report

#: Bytes of a file of answers, and of a README that is looked into.
LONGEST, README = 1_000_000, 20_000
#: Longest time that an answer counts, in days: then it is asked again.
DAYS = 365
#: Questions shown in the table; the sheet has all of them.
_SHOWN = 25


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One entry of a sheet. Without ``answer`` it was left open."""

    asset: str
    about: str
    question: str = ""
    answer: Any = None
    why: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    until: Any = None


class Sheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file of answers, and whose they are."""

    by: str = ""
    answers: tuple[Answer, ...] = ()


@click.command("ask")
@click.argument("what", metavar="[ASSET]", required=False)
@click.option(
    "--write", metavar="FILE", type=click.Path(dir_okay=False), help="Write a sheet to fill in; never over a file."
)
@click.option("--answers", metavar="FILE", type=click.Path(dir_okay=False), help="Read a filled-in sheet back.")
@click.option("--by", default=you, show_default="you", help="Whose answers they are, where the sheet does not say.")
@format_option("table", "json")
@state_options
def command(
    what: str | None, write: str | None, answers: str | None, by: str, format_: str,
    state: str | None, config: str | None,
) -> None:  # fmt: skip
    """List what only a person knows, with who likely does; write it as a sheet, and read the answers back.

    \b
    penstock ask --write answers.yaml      then fill in what you know
    penstock ask --answers answers.yaml

    An answer counts as your word until its end date, above what was found. What stands as proposed was taken from a
    README or from names, and counts for nothing until you write it as the answer.
    """
    from penstock.cli.find import asset_named

    if answers:
        with open_state(state, config) as opened:
            _take(opened, read_sheet(Path(answers)), by)
    with current(state, config) as (opened, report):
        only = asset_named(report.graph, what).id if what else ""
        asked = _open(opened, report, only)
        if write:
            _write(Path(write), sheet(report, asked, by))
        elif format_ == "json":
            print_json(_document(report, asked))
        else:
            click.echo(_table(report, asked), nl=False)


def _open(opened: State, report: Report, only: str) -> list[Open]:
    from penstock.assess.facts import Facts
    from penstock.assess.questionnaire import open_questions
    from penstock.respond.words import BY_HAND

    facts = Facts(report.graph, report.labelling, opened.settings.organisation)
    found = open_questions(facts, report.assessment.questions, only=only, describe=_readmes(opened.store.get("places")))
    return [one for one in found if one.prop is None or one.sets in BY_HAND]


def _readmes(places: Any) -> Callable[[Asset], Proposal | None]:
    """The first sentence of the README beside the code of an application, where its source lies on this machine."""
    from penstock.assess.questionnaire import Proposal, purpose_in

    known = places if isinstance(places, dict) else {}

    def describe(asset: Asset) -> Proposal | None:
        folder = known.get(asset.scope.removeprefix("repo:"))
        if asset.kind != "application" or not isinstance(folder, str):
            return None
        for name in ("README.md", "README.rst", "README.txt", "README", "readme.md"):
            file = Path(folder) / name
            try:
                if file.is_symlink() or not file.is_file():
                    continue
                with file.open("rb") as opened:
                    said = purpose_in(opened.read(README).decode("utf-8", "replace"))
            except OSError:
                continue  # what only might have helped is no failure
            return Proposal(said, name) if said else None
        return None

    return describe


# ── out ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _table(report: Report, asked: Sequence[Open]) -> str:
    if not asked:
        return "Nothing is open that a person would have to say.\n"
    rows = [(report.owner(one.asset) or "unknown", one.rule or "-", _told(one)) for one in asked[:_SHOWN]]
    more = f"\n{len(asked) - _SHOWN} more are in the sheet.\n" if len(asked) > _SHOWN else "\n"
    risks = sum(bool(one.rule) for one in asked)
    return (
        as_table(("Likely known by", "Risk", "Question"), rows)
        + f"{more}{len(asked)} questions, {risks} of them with a risk that hangs on the answer.\n"
        + "Fill them in: penstock ask --write answers.yaml, then penstock ask --answers answers.yaml\n"
    )


def _told(one: Open) -> str:
    return one.text + (f" (proposed, from {one.proposal.because}: {one.proposal.value})" if one.proposal else "")


def _document(report: Report, asked: Sequence[Open]) -> dict[str, Any]:
    return {
        "schema": "penstock.questions/1",
        "questions": [
            {
                "asset": one.asset,
                "name": report.name(one.asset),
                "about": one.sets,
                "question": one.text,
                "why": one.why,
                "owner": report.owner(one.asset) or None,
                "rule": one.rule or None,
                "type": one.prop.type if one.prop else "text",
                "words": list(one.prop.words) if one.prop else [],
                "days": one.days,
                "proposed": {"value": one.proposal.value, "from": one.proposal.because} if one.proposal else None,
            }
            for one in asked
        ],
    }


def sheet(report: Report, asked: Sequence[Open], by: str) -> str:
    """The questions as YAML to fill in. Every text is a quoted scalar or a comment on one line."""
    lines = [
        "# Fill in what you know behind `answer:` and leave the rest; then: penstock ask --answers THIS-FILE",
        "# Your answers count as your word until the end date. `proposed` counts for nothing until you write it.",
        f"by: {_quoted(by)}",
        "answers:" if asked else "answers: []",
    ]
    today = datetime.datetime.fromtimestamp(report.generated_at, datetime.UTC).date()
    for one in asked:
        place = report.place(one.asset)
        owner = report.owner(one.asset)
        about = f"{report.kind(one.asset)} {report.name(one.asset)}{f', {place}' if place else ''}"
        lines += ["", f"# {_line(about)}{f' · likely known by {_line(owner)}' if owner else ''}", f"# {_line(one.why)}"]
        if one.proposal:
            lines.append(f"# proposed, from {_line(one.proposal.because)}: {_line(one.proposal.value)}")
        lines += [
            f"- asset: {_quoted(one.asset)}", f"  about: {one.sets}", f"  question: {_quoted(one.text)}",
            f"  answer:   # {_takes(one)}", f"  until: {today + datetime.timedelta(days=one.days)}",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _takes(one: Open) -> str:
    if one.prop is None:
        return "a name" if one.sets == "process" else "a team, or user:name"
    if one.prop.words:
        return f"{'some of ' if one.prop.type == 'words' else ''}{', '.join(one.prop.words)}"
    return {"flag": "true or false", "number": "a number", "words": "a list of words"}.get(one.prop.type, "text")


def _line(text: str) -> str:
    from penstock.report.clean import clean

    return clean(text, 300)


def _quoted(text: str) -> str:
    return json.dumps(_line(text))


def _write(place: Path, text: str) -> None:
    try:
        with place.open("x", encoding="utf-8") as file:  # never over answers, never through a link
            file.write(text)
    except FileExistsError as error:
        raise WrongUse(
            "There is such a file already", str(place), "Name a new one; answers are not overwritten"
        ) from error
    except OSError as error:
        raise NotReachable(f"It cannot be written: {error.strerror}", str(place), "Name another file") from error
    click.echo(printable(f"Wrote {place}"), err=True)


# ── in ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_sheet(place: Path) -> Sheet:
    """A filled-in sheet.

    Raises:
        NotReachable: it cannot be read.
        NotUnderstood: it is too long, no YAML, or no sheet.
    """
    import yaml

    try:
        with place.open("rb") as file:
            data = file.read(LONGEST + 1)
    except OSError as error:
        raise NotReachable(
            f"It cannot be read: {error.strerror}", str(place), "Name the sheet that you filled in"
        ) from error
    if len(data) > LONGEST:
        raise NotUnderstood("The sheet is too long", str(place), f"At most {LONGEST:,} bytes")
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(data, Loader=yaml.SafeLoader)):
            raise NotUnderstood("The sheet uses YAML aliases", str(place), "Write every answer out")
        return msgspec.convert(yaml.safe_load(data), Sheet)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{place}:{mark.line + 1}" if mark else str(place)
        raise NotUnderstood("The sheet is not readable as YAML", where, str(getattr(error, "problem", ""))) from error
    except msgspec.ValidationError as error:
        raise NotUnderstood(f"This is no sheet of answers: {error}", str(place), "penstock ask --write FILE") from error


def _take(opened: State, filled: Sheet, by: str) -> None:
    """Take the answers down, all or none."""
    from penstock.respond.words import say

    who = filled.by.strip() or by.strip()
    if not who:
        raise WrongUse("Nobody says this", hint="Write your name behind by: in the sheet, or give --by NAME")
    assets = opened.store.graph().assets
    given = [(one, _said(one, assets), _until(one, opened.now)) for one in filled.answers if one.answer is not None]
    for one, said, until in given:
        why = one.why or f"answer to: {one.question}"
        say(opened.store, who, one.asset, **said, why=why[:2000], until=until, now=opened.now)
    left = len(filled.answers) - len(given)
    word = "answer" if len(given) == 1 else "answers"
    click.echo(printable(f"Took down {len(given)} {word} as the word of {who}; {left} left open."), err=True)


def _said(one: Answer, assets: Any) -> dict[str, Any]:
    """What is said, as ``say`` takes it.

    Raises:
        WrongUse: there is no such asset or property.
        NotUnderstood: the property takes no such value.
    """
    from penstock.assess.questionnaire import RELATED
    from penstock.graph.vocabulary import PROPS, check_props
    from penstock.respond.words import BY_HAND, LONGEST_NAME

    where = f"{one.asset}: {one.question or one.about}"
    if one.asset not in assets:
        raise WrongUse("There is no such asset", where, "Write a new sheet: penstock ask --write FILE")
    if one.about in RELATED:
        if not isinstance(one.answer, str) or not one.answer.strip() or len(one.answer) > LONGEST_NAME:
            raise WrongUse(f"A name is needed for {one.about}", where, "Write it in words")
        return {one.about: one.answer.strip()}
    if one.about not in BY_HAND:
        raise WrongUse(f"{one.about!r} cannot be said by hand", where, "See docs/concepts.md")
    value = one.answer
    if PROPS[one.about].type == "words":
        value = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value
    if isinstance(value, str) and not value.strip():
        raise WrongUse("The answer is empty", where, "Leave it out, or say something")
    check_props({one.about: value}, where)
    return {"props": {one.about: value}}


def _until(one: Answer, now: float) -> float:
    """The end of the word: as the sheet says, at most a year from now."""
    latest = now + DAYS * 86_400.0
    until = end_of(str(one.until)) if one.until else latest
    if until is None or until <= now:
        raise WrongUse(
            "The end date is past",
            f"{one.asset}: {one.question or one.about}",
            "Write a day to come, at most a year on",
        )
    return min(until, latest)
