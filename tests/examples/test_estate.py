"""The example estate: complete, synthetic, and unable to set off an alarm for a real secret."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from penstock.discover.infra.environment import is_secret
from penstock.settings import load_settings

EXAMPLES = Path(__file__).parents[2] / "examples"
ESTATE = EXAMPLES / "estate"
REPOSITORIES = sorted(path for path in ESTATE.iterdir() if path.is_dir())


def test_it_holds_twelve_repositories_that_the_readme_names():
    text = (ESTATE / "README.md").read_text(encoding="utf-8")
    assert len(REPOSITORIES) == 12
    assert [r.name for r in REPOSITORIES if f"`{r.name}`" not in text] == []


def test_every_iban_has_right_check_digits_and_no_bank():
    for table in ("support-llm/data/customer_conversations.csv", "hr-bot/data/sick_leave.csv"):
        with (ESTATE / table).open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                iban = row["iban"]
                assert int(iban[4:] + "1314" + iban[2:4]) % 97 == 1
                assert iban[4] == "0"


def test_every_card_number_is_a_test_number_with_a_right_check_digit():
    text = (ESTATE / "support-agent/data/tickets.jsonl").read_text(encoding="utf-8")
    cards = re.findall(r"card (\d+)", text)
    assert cards
    for card in cards:
        digits = [int(d) for d in reversed(card)]
        assert sum(d if i % 2 == 0 else d * 2 - 9 * (d > 4) for i, d in enumerate(digits)) % 10 == 0
        assert card.startswith("411111")


def test_every_address_lies_in_a_domain_that_cannot_exist():
    for path in ESTATE.rglob("*"):
        if path.is_file():
            for domain in re.findall(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)", path.read_text(encoding="utf-8")):
                assert domain.endswith(".example") or re.match(r"[\d.]+$", domain), f"{path}: {domain}"


def test_nothing_in_it_looks_like_a_secret():
    for path in ESTATE.rglob("*"):
        if path.is_file():
            for word in re.findall(r"\S{12,}", path.read_text(encoding="utf-8")):
                assert not is_secret("", re.sub(r"DE\d{20}", "", word)), f"{path}: {word}"


def test_its_files_parse():
    for path in ESTATE.rglob("*"):
        if path.suffix in (".yaml", ".yml") and "templates" not in path.parts:
            list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
        elif path.suffix == ".ipynb" or path.name in ("package.json", "recipes.json", "settings.json"):
            json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix == ".py":
            compile(path.read_text(encoding="utf-8"), str(path), "exec")


def test_the_operators_configuration_is_one_penstock_reads():
    settings = load_settings(EXAMPLES, EXAMPLES / "penstock.yaml")
    assert settings.modes["support-agent"] == "enforce"
    assert settings.upstreams[0].base_url == "http://127.0.0.1:8422/v1"


@pytest.mark.slow
def test_its_data_can_be_made_again(tmp_path):
    before = {path: path.read_bytes() for path in ESTATE.rglob("data/*")}
    subprocess.run([sys.executable, str(EXAMPLES / "make_estate_data.py")], check=True)
    assert {path: path.read_bytes() for path in ESTATE.rglob("data/*")} == before
