"""Both engines give every condition one meaning; what is wrong does not compile; nothing runs long."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.conditions import Unknown, compile
from penstock.conditions.engines import ENGINES
from penstock.errors import NotUnderstood

ROWS = yaml.safe_load((Path(__file__).parent / "conformance.yaml").read_text(encoding="utf-8"))
TWO = {"a": "asset", "b": "asset"}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["when"])
def test_a_condition_means_the_same_on_every_engine(engine: str, row: dict) -> None:
    condition = compile(row["when"], TWO, engine=engine)
    for case in row["cases"]:
        answer = condition.evaluate({"a": case["a"], "b": case.get("b", {})})
        expected = Unknown(tuple(case["is"])) if isinstance(case["is"], list) else case["is"]
        assert answer == expected, case


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ('a.exposre == "internet"', "undeclared property a.exposre"),
        ('a.exposure == "internets"', "can never be"),
        ('a.exposure == "internet" && c.root', "no variable"),
        ("a.records == true", "compares a number with a flag"),
        ("a.exposure", "answers a text"),
        ("a", "uses a whole"),
        ("a.root.deep", "for a field"),
        ('"pii" in a.name', "'in' on something other"),
        ("a.root ? true : false", "cannot be read"),
        ('a.name.matches("(x+)+$")', "not in the dialect"),
        ("a.records / 0 > 1", "cannot be read"),
        ("[1].exists(x, true)", "not all text"),
        ("a.effects.exists(e, a.effects.exists(e, true))", "twice"),
        ("a.effects.exists(x, a.effects.exists(y, a.effects.exists(z, x == y || y == z)))", "more than 2 loops"),
        ("(" * 60 + "true" + ")" * 60, "nests deeper"),
        ("!" * 60 + "true", "nests deeper"),
        ("true" + " && true" * 130, "more than 250 parts"),
        ("true " * 600, "longer than"),
        ("", "is empty"),
        ("a.root &&", "needs"),
        ("'\\", "cannot be read"),
    ],
)
def test_what_is_wrong_does_not_compile_and_says_why(source: str, says: str) -> None:
    with pytest.raises(NotUnderstood, match=says.replace("(", r"\(")):
        compile(source, TWO)


def test_a_misspelt_property_is_answered_with_the_near_one() -> None:
    with pytest.raises(NotUnderstood) as error:
        compile('a.exposre == "internet"', TWO)
    assert "exposure" in str(error.value)


@pytest.mark.parametrize("engine", ENGINES)
def test_lists_too_long_to_loop_over_make_it_unknown_instead_of_slow(engine: str) -> None:
    condition = compile("a.columns.all(x, b.columns.exists(y, x == y))", TWO, engine=engine)
    many = {"columns": [f"c{n}" for n in range(3000)]}
    assert condition.evaluate({"a": many, "b": many}) == Unknown(("a.columns (too long)", "b.columns (too long)"))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_largest_condition_allowed_runs_on_every_engine(engine: str) -> None:
    wide = compile("a.root" + " || a.root" * 80, TWO, engine=engine)
    deep = compile("!" * 23 + "a.root", TWO, engine=engine)
    assert wide.evaluate({"a": {"root": True}}) is True
    assert deep.evaluate({"a": {"root": True}}) is False


def test_unknown_refuses_to_be_taken_for_false() -> None:
    with pytest.raises(TypeError):
        bool(compile("a.root", TWO).evaluate({}))


def test_unknown_travels_between_processes() -> None:
    assert pickle.loads(pickle.dumps(Unknown(("a.root",)))) == Unknown(("a.root",))


_atoms = st.sampled_from(['a.exposure == "internet"', "a.root", "b.root", '"pii" in a.contains', "has(b.root)", "true"])
_trees = st.recursive(
    _atoms,
    lambda inner: st.one_of(
        inner.map("!({})".format),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}) && ({two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}) || ({two[1]})"),
    ),
    max_leaves=6,
)
_world = st.fixed_dictionaries(
    {},
    optional={
        "exposure": st.sampled_from(["internet", "private"]),
        "root": st.booleans(),
        "contains": st.lists(st.sampled_from(["pii", "phi"]), max_size=2),
    },
)


@settings(max_examples=150, deadline=None)
@given(source=_trees, a=_world, b=_world)
def test_engines_agree_and_learning_more_never_turns_a_known_answer(source: str, a: dict, b: dict) -> None:
    answers = [compile(source, TWO, engine=engine).evaluate({"a": a, "b": b}) for engine in ENGINES]
    assert answers[0] == answers[1]
    if not isinstance(answers[0], Unknown) and "has(" not in source:
        full = {"exposure": "private", "root": False, "contains": []}
        assert compile(source, TWO).evaluate({"a": {**full, **a}, "b": {**full, **b}}) is answers[0]
