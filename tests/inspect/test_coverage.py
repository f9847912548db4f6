"""How much of the world the pack covers, counted from its rows."""

import pytest

from penstock.inspect.sensitive import detect
from penstock.inspect.sensitive.rows import shapes
from penstock.knowledge.pack import header


def test_numbers_of_sixty_countries_are_known():
    assert len({country for row in shapes() if row.type == "NATIONAL_ID" for country in row.country.split()}) >= 60


def test_keys_of_more_than_250_kinds_are_known():
    assert sum(row.category == "credentials" for row in shapes()) >= 250


@pytest.mark.parametrize(("concept", "words"), header("sensitive")["concepts"].items())
def test_each_concept_has_words_in_twelve_languages(concept, words):
    assert len(words) >= 12


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("religion: Catholic", "special_category"),
        ("ethnicity: Hispanic", "special_category"),
        ("she identifies as lesbian", "special_category"),
        ("party affiliation: SPD", "special_category"),
        ("Gewerkschaft: IG Metall", "special_category"),
        ("genotype rs429358(C;T)", "special_category"),
        ("diagnosed with type 2 diabetes", "phi"),
        ("my son is 9 years old", "minors"),
        ("社外秘:新製品計画", "confidential"),
        ("# Unauthorized copying of this file, via any medium, is strictly prohibited", "confidential"),
        ("BETRIEBSGEHEIMNIS", "trade_secret"),
        ("geo:48.858370,2.294481", "pii"),
        ("VIN: 1HGCM82633A004352", "pii"),
        ("driving licence: X829GE1QM", "pii"),
        ("LOINC: 4548-4", "phi"),
    ],
)
def test_what_the_law_names_is_seen(text, category):
    assert {span.category for span in detect(text)} == {category}
