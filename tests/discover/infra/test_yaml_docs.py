"""YAML of strangers: lines kept, cost bounded."""

from __future__ import annotations

import pytest

from penstock.discover.infra.marked import Map, as_flag, dig, line_of
from penstock.discover.infra.yaml_docs import documents, is_template
from penstock.errors import NotUnderstood


def test_values_know_their_lines():
    first, second = documents("a: 1\nb:\n  c: [x,\n    y]\n---\nd: 2\n")
    assert (line_of(first, "a"), line_of(first["b"], "c"), line_of(first["b"]["c"], 1)) == (1, 3, 4)
    assert line_of(second, "d") == 6
    assert line_of(first, "missing") == 1


def test_only_plain_words_become_values():
    (document,) = documents(
        "a: 3.10\nb: '1'\nc: true\nd: ~\ne: 0x10\nf: !!python/object:os.system {}\ng: yes\nh: 012\n"
    )
    assert document == {"a": "3.10", "b": "1", "c": True, "d": None, "e": "0x10", "f": {}, "g": "yes", "h": "012"}
    assert as_flag(document["g"]) is True


def test_merge_keys_lend_what_is_not_said():
    (document,) = documents("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: {<<: [*x, *x], c: 4}\n")
    assert document["y"] == {"a": 1, "b": 3}
    assert document["z"] == {"a": 1, "b": 2, "c": 4}


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "a: &a [*a]",
        "a: *b",
        "[" * 100_000,
        "{a: " * 10_000,
        "- " * 5_000 + "x",
        "a: \x00",
        "a: [\n",
        "\t- a\n  b: {",
        "x" * 5_000_000,
        "- a\n" * 300_000,
        "&a a: *a\n? *a\n: &a [*a, *a",
        "%YAML 9.9\n---\n[",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_what_explodes_or_breaks_is_refused(text):
    with pytest.raises(NotUnderstood):
        list(documents(text))


def test_a_million_anchors_are_refused_not_followed():
    with pytest.raises(NotUnderstood):
        list(documents("".join(f"k{n}: &a{n} {{x: 1}}\n" for n in range(150_000))))


def test_what_came_before_the_broken_place_is_kept():
    found = []
    with pytest.raises(NotUnderstood):
        found.extend(documents("a: 1\n---\nb: [")) or [found.append(d) for d in documents("a: 1\n---\nb: [")]
    stream = documents("a: 1\n---\nb: [")
    assert next(stream) == {"a": 1}


def test_odd_keys_are_text():
    (document,) = documents("? [a, b]\n: 1\ntrue: 2\n3: 4\n? {x: y}\n: 5\n")
    assert document == {"": 5, "true": 2, "3": 4}
    assert isinstance(document, Map)


def test_digging_never_fails():
    assert dig("text", "a", "b") is None
    assert dig(next(documents("a: {b: 1}")), "a", "b", "c") is None


@pytest.mark.parametrize(
    "text", ["{{- if .Values.x }}\na: 1\n{{ end }}", "a: {{ .Values.b }}", 'a: "{{ include "x" . }}"']
)
def test_templates_are_told_from_yaml(text):
    assert is_template(text)


@pytest.mark.parametrize("text", ["a: {b: {c: 1}}", "a: '{{ item }}'", "a: '{{date}}'"])
def test_braces_alone_make_no_template(text):
    assert not is_template(text)
