"""The shipped rules: in the grammar, tagged, silent on nothing known, and each with its page."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from penstock.assess.chains import parse_chain
from penstock.assess.coverage import known_risks, table
from penstock.assess.examples import fires
from penstock.assess.frameworks import titles
from penstock.assess.pages import index, page
from penstock.assess.rules import Row, compiled, load_rules, problems
from penstock.errors import NotUnderstood

PAGES = Path(__file__).parents[2] / "docs" / "rules"
RULES = load_rules()


def test_every_rule_says_what_fires_and_what_stays_silent() -> None:
    counts = [(len(rule.row.fires), len(rule.row.silent)) for rule in RULES]
    print(f"{len(RULES)} rules, {sum(f for f, _ in counts)} worlds that fire, {sum(s for _, s in counts)} that do not")
    assert all(fire and silent for fire, silent in counts)


@pytest.mark.parametrize("rule", [rule for rule in RULES if not rule.asks], ids=lambda rule: rule.id)
def test_no_rule_fires_on_assets_of_which_nothing_is_known(rule) -> None:
    """Silence is no evidence: with every property and label taken away, a rule may ask, never claim."""
    import re

    for example in rule.row.fires:
        worlds = example["world"] if isinstance(example, dict) else example
        chains = [worlds] if isinstance(worlds, str) else worlds
        bare = [re.sub(r"([a-z_]+)\[(?:[^\[\]]|\[[^\]]*\])*\]", r"\1", chain) for chain in chains]
        if rule.name in ("no-owner", "identity-shared", "secret-in-code", "secret-in-prompt", "endpoint-override"):
            continue  # what these claim is a relation, or its absence where all relations were seen
        assert not fires(rule, {"world": bare}), bare


def test_pages_are_made_from_the_rows() -> None:
    stale = [rule.id for rule in RULES if (PAGES / f"{rule.id}.md").read_text(encoding="utf-8") != page(rule)]
    assert stale == [], "run: python -m penstock.assess.pages docs/rules"
    assert (PAGES / "README.md").read_text(encoding="utf-8") == index(RULES)
    assert (PAGES / "coverage.md").read_text(encoding="utf-8") == table()
    assert {path.stem for path in PAGES.glob("PS*.md")} == {rule.id for rule in RULES}


def test_every_known_risk_is_found_by_rules_that_are_there_or_says_why_not() -> None:
    there = {rule.name for rule in RULES}
    named = {name for known in known_risks() for name in known.rules}
    assert named <= there
    silent = [known.id for known in known_risks() if not known.rules]
    print(f"{len(known_risks())} known risks, {len(silent)} found by no rule: {', '.join(silent)}")
    assert all(known.why for known in known_risks() if not known.rules)


def test_every_tag_is_in_the_catalogue_of_its_edition() -> None:
    for rule in RULES:
        for tag in rule.row.tags:
            assert tag["why"]
            assert all(f"{edition}:{id}" in titles() for edition, id in tag.items() if edition != "why"), rule.id


def _row(**changes) -> Row:
    row = {
        "id": "X1", "name": "x", "title": "t", "severity": "high", "match": "agent -[reads]-> dataset",
        "when": 'agent.exposure == "internet"', "explain": "{agent}", "why": "w", "fix": "f", "does_not_mean": "d",
        "tags": [{"owasp-llm-2026": "LLM02", "why": "w"}],
    }  # fmt: skip
    return msgspec.convert(row | changes, Row)


def test_a_sound_row_has_no_problems() -> None:
    assert list(problems(_row())) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"when": 'agent.exposre == "internet"'}, "undeclared property agent.exposre"),
        ({"when": 'agent.exposure == "everywhere"'}, "can never be"),
        ({"match": "agent -[looks_at]-> dataset"}, "no verb 'looks_at'"),
        ({"match": "robot -[reads]-> dataset"}, "no kind or group 'robot'"),
        ({"match": "agent -[reads]{1,9}-> dataset"}, "not within 0 to 6"),
        ({"match": "agent reads dataset"}, "needs an arrow"),
        ({"match": "agent[colour: red] -[reads]-> dataset"}, "no property 'colour'"),
        ({"match": "agent" + " -[reads]-> x:any" * 9}, "more than 8 places"),
        ({"severity": "dreadful"}, "no severity 'dreadful'"),
        ({"severity": ""}, "either severity or ask"),
        ({"tags": [{"owasp-llm-2026": "LLM99", "why": "w"}]}, "no owasp-llm-2026:LLM99"),
        ({"tags": [{"owasp-llm-2026": "LLM02"}]}, "needs an id and a why"),
        ({"explain": "{nobody} did it"}, "{nobody} is no variable"),
        ({"subject": "nobody"}, "'nobody' is no variable"),
        ({"absent": "team -[member_of]-> person"}, "shares no variable"),
        ({"does_not_mean": ""}, "does_not_mean is missing"),
        ({"entry": "door"}, "no entry 'door'"),
    ],
)
def test_a_row_that_is_wrong_says_what_is_wrong(changes, says) -> None:
    assert says in " ".join(problems(_row(**changes)))


def test_a_chain_reads_back_as_it_was_written() -> None:
    chain = parse_chain("app:actor -[invokes|reads]{0,3}-> dataset <-[trained_on]- model[format: pickle]")
    assert chain.variables == ("app", "dataset", "model")
    assert (chain.segments[0].least, chain.segments[0].most, chain.segments[1].forward) == (0, 3, False)
    assert chain.spots[2].props == (("format", "pickle"),)
    assert chain.reversed().reversed() == chain


def test_hostile_chains_end_in_an_error_not_in_a_hang() -> None:
    for text in ("[" * 5000, "agent -[" + "a|" * 5000, "agent[" + "{" * 5000 + "]", "a" * 100_000, "-" * 5000):
        with pytest.raises(NotUnderstood):
            parse_chain(text)


def test_rows_travel_through_compilation_once() -> None:
    assert compiled(_row()) is compiled(_row())
