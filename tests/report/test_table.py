"""The screens read well at any width, are plain where they must be, and cannot be steered by what was scanned."""

import io
import re
from dataclasses import replace

import pytest
import report_world as world

from penstock.errors import WrongUse
from penstock.graph.diff import Changes
from penstock.graph.graph import Graph
from penstock.graph.labels import propagate
from penstock.report import lists, pages, render
from penstock.report.clean import clean, escaped_json
from penstock.report.screen import Screen
from penstock.report.table import closing_screen
from penstock.report.view import Report

#: What a hostile repository may call things.
HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31mred\x1b[0m\r\nagent\u202egnp.exe\U000e0041\ud800[bold red]x[/]" + "y" * 5000


def screens(report, screen):
    yield closing_screen(report, screen=screen, where={"console": "http://127.0.0.1:8420"}, next_steps=["penstock up"])
    yield from (make(report, screen=screen) for make in (lists.inventory, lists.findings, lists.coverage,
                                                         lists.changes, lists.cases))  # fmt: skip
    yield pages.asset(report, report.graph.assets[world.id_of("agent")], screen=screen)
    yield pages.finding(report, report.findings[0], screen=screen)
    yield from (pages.case(report, case, screen=screen) for case in report.cases)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_screen(report, width):
    for text in screens(report, Screen(width)):
        assert max(map(len, text.splitlines())) <= width


def test_closing_screen_says_what_there_is_what_matters_and_what_is_missing(report):
    text = closing_screen(report, screen=Screen(100), where={"console": "http://x"}, next_steps=[("penstock up", "go")])
    assert text.index("1 agent") < text.index("1 dataset")
    assert text.index("CRITICAL") < text.index("HIGH")
    for said in ("support-agent ─invokes→", "owner       ml-platform", "1 new",
                 "it does not parse (helpdesk/b/broken.py)", "nobody is named", "http://x", "penstock up",
                 "vendored"):  # fmt: skip
        assert said in text, said


def test_three_risks_are_three_causes(report):
    twins = [replace(report.findings[0], id=f"t{n}") for n in range(5)]
    many = replace(report, assessment=replace(report.assessment, findings=(*twins, report.findings[1])), cases=())
    assert [f.rule for f in many.top(3)] == ["x-leak", "x-money"]


def test_clean_world_says_so_and_a_broken_scan_never_looks_clean(report):
    empty = Report(Graph(), propagate(Graph()))
    text = render("table", empty)
    assert "No AI was found" in text
    assert "Nothing to act on" in text
    broken = Report(Graph(unseen=report.graph.unseen), propagate(Graph()))
    assert "all that was in reach was read" in text
    assert "all that was in reach was read" not in render("table", broken)


def test_colour_is_for_terminals_only(report, monkeypatch):
    assert "\x1b" not in "".join(screens(report, Screen.of(io.StringIO())))
    assert "\x1b[" in closing_screen(report, screen=Screen(80, colour=True))

    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert Screen.of(Terminal()).colour
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Screen.of(Terminal()).colour


def test_output_that_holds_no_unicode_gets_none(report):
    text = closing_screen(report, screen=Screen(80, unicode=False))
    assert text.isascii()
    assert "support-agent -invokes>" in text


def test_names_cannot_steer_the_terminal(observations):
    hostile = [
        replace(o, subject=replace(o.subject, name=HOSTILE)) if getattr(o.subject, "kind", "") == "agent" else o
        for o in observations
    ]
    report = world.report_of(hostile)
    for text in screens(report, Screen(100)):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    for format in ("json", "sarif", "cyclonedx"):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\U000e0041]", render(format, report))
        render(format, report).encode()
    assert "[boldred]x" in "".join(lists.inventory(report, screen=Screen(100)).split())


def test_clean_keeps_what_honest_scripts_need():
    for honest in ("مى‌خواهم", "👩‍💻 agent", "क्‍ष", "naïve café", "模型"):
        assert clean(honest) == honest
    assert clean("a\x1b[31mb\x1b[0m") == "ab"
    assert clean("a\u202eb") == "a<U+202E>b"
    assert clean("a\nb\tc") == "a b c"
    assert clean("x" * 50, 10) == "xxxxxxxxx…"


def test_escaped_json_means_the_same():
    import json

    value = {"a": "\u202e\U000e0041\x9b\ud800 ok"}
    text = escaped_json(json.dumps(value, ensure_ascii=False))
    assert text.isascii()
    assert json.loads(text) == value


def test_report_about_one_source_leaves_the_others_out(report):
    only = report.only([world.TRAINING])
    assert world.id_of("tool") not in only.graph.assets
    assert {world.id_of("model"), world.id_of("data"), world.id_of("team")} <= set(only.graph.assets)
    assert [f.id for f in only.findings] == ["f-0001"]
    assert only.failures == ()
    assert [c.id for c in only.cases] == ["case-1"]


def test_nothing_changed_is_said(report):
    assert "Nothing changed" in lists.changes(replace(report, changes=Changes()), screen=Screen(80))


def test_unknown_format_names_the_known_ones(report):
    with pytest.raises(WrongUse) as raised:
        render("html", report)
    assert "cyclonedx" in str(raised.value)
