"""Packs are validated at load, and an error says where."""

from pathlib import Path

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
