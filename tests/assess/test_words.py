"""What a finding says is said for a reader: whole sentences, no ids of labels, kinds of use or effects."""

from __future__ import annotations

import re

import pytest

from penstock.assess.engine import assess_rules
from penstock.assess.examples import world as drawn
from penstock.assess.rules import load_rules
from penstock.graph.labels import propagate
from penstock.graph.vocabulary import LABEL_WORDS, LABELS, MARKS, said_labels

RULES = [rule for rule in load_rules() if not rule.asks]


def told(rule) -> list[str]:
    """Every text of the findings that the rule's own examples raise."""
    texts = []
    for example in rule.row.fires:
        small = drawn(example)
        assessed = assess_rules([rule], small.graph, propagate(small.graph), small.organisation)
        for finding in assessed.findings:
            texts += [finding.explanation, finding.fix, *(str(term["because"]) for term in finding.terms.values())]
    return texts


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_findings_speak_in_words(rule) -> None:
    texts = told(rule)
    assert texts
    ids = "phi|pii|pci|minors|special_category|trade_secret|annex-iii"
    for text in texts:
        assert not re.search(rf"\b({ids})\b", text), text
        assert not re.search(r"[{}]|\bNone\b|  ", text), text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_fix_is_a_sentence_and_an_explanation_goes_before_a_full_stop(rule) -> None:
    assert re.match(r"[A-Z].*[.]$", rule.row.fix)
    assert not rule.row.explain.endswith(".")
    for text in (rule.row.why, rule.row.does_not_mean):
        assert re.match(r"[A-Z].*[.]$", text)


def test_every_label_has_words() -> None:
    assert set(LABEL_WORDS) == set(LABELS) | MARKS
    assert said_labels(["pii", "phi", "pci"]) == "payment card data, health data and personal data"
    assert said_labels(["pii"]) == "personal data"
    assert said_labels([]) == ""
