"""Packs are validated at load, and an error says where."""

import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.errors import NotUnderstood, WrongUse
from penstock.knowledge import pack


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    sides: int
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


def shapes(tmp_path: Path, text: str, *, validate=None) -> pack.Pack:
    path = tmp_path / "shapes.yaml"
    path.write_text(text)
    return pack.read_pack(pack.Definition("shapes", Shape, None, validate, pack.examples_of), [path])


def test_rows_come_in_file_order_with_their_header(tmp_path):
    read = shapes(tmp_path, "reader: a.b\nrows:\n- {id: a, sides: 3}\n- {id: b, sides: 4}\n")
    assert [row.id for row in read.rows] == ["a", "b"]
    assert read.header == {"reader": "a.b"}
    assert read.by_id()["b"].sides == 4


def test_one_mapping_is_one_row(tmp_path):
    assert [row.id for row in shapes(tmp_path, "id: a\nsides: 3\n").rows] == ["a"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- {id: a, sides: 3}\n- {id: b, sides: many}\n", "Row 2 of pack 'shapes'"),
        ("- {id: a, sides: 3}\n- {id: b, side: 3, sides: 3}\n", "side"),
        ("- {id: a, sides: 3}\n- {id: a, sides: 3}\n", "occurs twice"),
    ],
)
def test_a_wrong_row_is_named_with_file_and_line(tmp_path, text, words):
    with pytest.raises(NotUnderstood) as caught:
        shapes(tmp_path, text)
    assert words in caught.value.message
    assert caught.value.where.endswith("shapes.yaml:2")


def test_broken_yaml_is_named_with_file_and_line(tmp_path):
    with pytest.raises(NotUnderstood) as caught:
        shapes(tmp_path, "- {id: a, sides: 3}\n- {id: b, sides\n")
    assert "shapes.yaml:" in caught.value.where


def test_further_checks_speak_at_load(tmp_path):
    with pytest.raises(NotUnderstood, match="too few sides"):
        shapes(tmp_path, "- {id: a, sides: 2}\n", validate=lambda row: ["too few sides"] if row.sides < 3 else [])


def test_an_unknown_pack_is_wrong_use():
    with pytest.raises(WrongUse):
        pack.load_pack("no-such-pack")


def test_yes_and_no_are_field_names_and_words(tmp_path):
    (row,) = shapes(tmp_path, "- {id: a, sides: 3, yes: [on, off], no: [n]}\n").rows
    assert (row.yes, row.no) == (("on", "off"), ("n",))


def test_a_pack_is_read_once_for_all_processes_and_again_when_it_changes(tmp_path, monkeypatch):
    monkeypatch.setenv("PENSTOCK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(pack, "PACKS", tmp_path)
    place = tmp_path / "shapes.yaml"

    def rows(loose=False):
        kind = msgspec.defstruct("Shape", [("id", str), ("since", Any if loose else str)], module=__name__, frozen=True)
        pack.define_pack("shapes", kind)
        return [(row.id, row.since) for row in pack.load_pack("shapes").rows]

    place.write_text("rows: [{id: a, since: '2026'}]\nnote: 3\n")
    assert rows() == rows() == [("a", "2026")]
    assert len(list((tmp_path / "cache" / "penstock").iterdir())) == 1
    place.write_text("rows: [{id: b, since: '2027'}]\nnote: 3\n")
    assert rows() == [("b", "2027")]
    place.write_text("rows: [{id: c, since: 2027-01-01}]\nnote: 3\n")
    assert rows(loose=True) == rows(loose=True) == [("c", datetime.date(2027, 1, 1))]
