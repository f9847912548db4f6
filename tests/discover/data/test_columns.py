"""Columns are told by header, by values, or by both; what only looks alike is not."""

from __future__ import annotations

import importlib.util
import random
import sys
from collections import Counter
from pathlib import Path

import pytest

from penstock.inspect.sensitive.columns import classify_column

EMAILS = [f"p{n}@mailhaven.org" for n in range(30)]
DATES = [f"{1950 + n}-03-{n % 27 + 1:02}" for n in range(30)]


def test_the_generated_set_is_told(request):
    place = Path(__file__).parents[3] / "bench" / "data" / "columns.py"
    spec = importlib.util.spec_from_file_location("bench_columns", place)
    assert spec is not None
    assert spec.loader is not None
    bench = sys.modules["bench_columns"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    count: Counter[str] = Counter()
    made = random.Random(7).sample(list(bench.columns(seed=7, rows=40)), 400)
    for column in made:
        labels = classify_column(column.header, column.values).labels
        count["hit"] += column.label in labels
        count["miss"] += bool(column.label) and column.label not in labels
        count["false"] += bool(labels - {column.label})
    assert 2 * count["hit"] / (2 * count["hit"] + count["miss"] + count["false"]) >= 0.95


@pytest.mark.parametrize(
    ("header", "values", "labels"),
    [
        ("x", EMAILS, {"pii"}),
        ("username", EMAILS, {"pii"}),
        ("email", ["yes", "no"] * 9, set()),
        ("email", ["", "n/a", "null"] * 9, set()),
        ("email", [], {"pii"}),
        ("KundenGeburtsdatum", DATES, {"pii"}),
        ("geburtsdatum_kunde", DATES, {"pii"}),
        ("order_date", DATES, set()),
        ("дата рождения", DATES, {"pii"}),
        ("Né(e) le", DATES, {"pii"}),
        ("smtp_password", ["aB3$xy9zQ", "77kdjf!aP"] * 9, {"credentials"}),
        ("password_reset_sent_at", DATES, set()),
        ("created_by", ["Anna Weber", "Thomas Koch", "Julia Braun", "Peter Wolf", "Eva Klein"] * 4, {"pii"}),
        ("name", ["Lamp Berlin", "Table Oak", "Chair Paris", "Desk Pro", "Mug Blue"] * 4, set()),
        ("city", ["San Antonio", "Santa Maria", "St. Louis", "Charlotte", "Austin"] * 4, set()),
        ("firm", ["Weber GmbH", "Anna Koch Ltd", "Smith & Jones", "Martin Inc", "Wolf AG"] * 4, set()),
        ("ip_address", [f"10.0.0.{n}" for n in range(30)], set()),
        ("sha", [f"{n:064x}" for n in range(30)], set()),
    ],
)
def test_a_column_is(header, values, labels):
    assert classify_column(header, values).labels == labels


def test_counts_say_how_many_values_are_of_a_type():
    verdict = classify_column("mail", [*EMAILS, "?", "", "see notes"])
    assert verdict.counts == {"EMAIL": 30}


def test_a_header_made_to_stall_costs_little():
    classify_column("customer" * 16 + "x", ["1"])
    classify_column("a_" * 64, ["1"])
    classify_column("の" * 128, ["1"])
