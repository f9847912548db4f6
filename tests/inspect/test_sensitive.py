"""What is found in text, and what is left alone."""

import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.inspect.sensitive import detect, redact
from penstock.inspect.sensitive.columns import classify_column
from penstock.inspect.sensitive.detector import detector
from penstock.inspect.sensitive.rows import shapes, written_out
from penstock.inspect.sensitive.stream import HELD, StreamDetector


def types(text):
    return [span.type for span in detect(text)]


def test_a_sentence_with_an_email_and_a_card_shows_both():
    text = "Charge 4111 1111 1111 1111 and mail ada@analytical.co.uk, please"
    assert [(span.type, text[span.start : span.end]) for span in detect(text)] == [
        ("CREDIT_CARD", "4111 1111 1111 1111"),
        ("EMAIL", "ada@analytical.co.uk"),
    ]


def test_offsets_are_characters_even_behind_wide_ones():
    text = "名前 👩‍🔬 é: ada@analytical.co.uk \ud800 4111111111111111"
    assert [text[span.start : span.end] for span in detect(text)] == ["ada@analytical.co.uk", "4111111111111111"]


@pytest.mark.parametrize(
    "text",
    [
        "api_key = 'sk-your-key-here'",
        "password = os.environ['DB_PASSWORD']",
        "commit 4f0c1e3b9d2a7f6e5c4b3a2918273645546372819",
        "uuid 550e8400-e29b-41d4-a716-446655440000",
        "price 1,234,567.89 on 2026-03-04 at 11:02:41",
        "torch==2.4.1 @pytest.fixture user@2x.png",
    ],
)
def test_ordinary_text_is_left_alone(text):
    assert [span for span in detect(text) if span.category != "mark"] == []


def test_an_example_domain_is_an_email_but_less_surely():
    [real, example] = detect("ada@analytical.co.uk someone@example.com")
    assert real.confidence > 0.9 > 0.5 > example.confidence > 0.4


def test_a_key_in_a_connection_string_is_told_once():
    text = f"postgresql://app:{written_out('{alnum:20}')}@db.shop.internal:5432/orders"
    assert types(text) == ["SECRET"]


def test_redacting_leaves_types_and_nothing_else():
    text = "mail ada@analytical.co.uk or 4111111111111111."
    assert redact(text, detect(text)) == "mail [EMAIL] or [CREDIT_CARD]."


# ── properties over generated text ──────────────────────────────────────────────────────────────────────────────────

FULL = [written_out(example) for row in shapes() for example in (*row.match, *row.no_match)]
GLUE = [
    "",
    " ",
    "\n",
    ", ",
    '"',
    "=",
    ": ",
    "-",
    "é",
    "日",
    "@",
    ".",
    "+",
    "sk-",
    "eyJ",
    "://",
    "-----BEGIN ",
    "\ud800",
]


def worlds():
    """Texts made of examples, their fragments, and the characters that join and part them."""
    fragment = st.sampled_from(FULL).flatmap(
        lambda text: st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(
            lambda ab: text[min(ab) : max(ab)]
        )
    )
    noise = st.text(string.printable + "éß日\u200d", max_size=12)
    piece = st.one_of(st.sampled_from(FULL), fragment, st.sampled_from(GLUE), noise)
    return st.lists(piece, max_size=10).map("".join)


@settings(max_examples=300, deadline=None)
@given(worlds())
def test_both_engines_find_the_same_spans(text):
    assert detector("re2").detect(text) == detector("hyperscan").detect(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*FULL, "[SECRET]", "or", "of", "is", "5432", "="]), max_size=8).map(", ".join))
def test_redacting_twice_changes_nothing(text):
    """For values that stand apart. Values run into one another can hide behind a neighbour until it is masked."""
    once = redact(text, detect(text))
    assert redact(once, detect(once)) == once


@settings(max_examples=150, deadline=None)
@given(worlds(), st.randoms(use_true_random=False))
def test_a_stream_in_any_pieces_gives_the_spans_of_the_whole(text, chance):
    cuts = sorted(chance.randrange(len(text) + 1) for _ in range(chance.randrange(12)))
    assert streamed([text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]) == (text, detect(text))


@pytest.mark.parametrize("row", shapes(), ids=lambda row: row.id)
def test_a_stream_split_at_every_place_gives_the_spans_of_the_whole(row):
    for example in row.match:
        text = f"before that {written_out(example)} and after, yes"
        whole = detect(text)
        step = max(1, len(text) // 60)
        for cut in range(0, len(text) + 1, step):
            assert streamed([text[:cut], text[cut:]]) == (text, whole)
        assert streamed(list(text)) == (text, whole)


def test_a_stream_holds_back_no_more_than_it_must():
    chance = random.Random(7)
    stream = StreamDetector()
    for _ in range(3000):
        stream.feed("".join(chance.choices(string.ascii_letters + "   @.", k=chance.randrange(1, 30))))
        assert stream.held <= HELD
    stream.feed(" and then a plain sentence. ")
    assert stream.held == 0


def streamed(pieces):
    stream, text, spans = StreamDetector(), "", []
    for released, found in [*(stream.feed(piece) for piece in pieces), stream.finish()]:
        spans += [(span.start + len(text), span.end + len(text), span.rule) for span in found]
        text += released
    return text, [span for span in detect(text) if (span.start, span.end, span.rule) in spans] if len(spans) == len(
        detect(text)
    ) else spans


# ── columns ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_column_is_told_by_its_values_where_their_shape_is_proof():
    verdict = classify_column("c7", ["ada@analytical.co.uk", "grace@navy.mil", ""])
    assert verdict.labels == {"pii"} and verdict.types == ("EMAIL",) and verdict.share == 1.0


def test_a_column_is_told_by_its_header_where_values_have_no_shape():
    assert classify_column("last_name", ["Lovelace", "Hopper"]).labels == {"pii"}
    assert classify_column("diagnosis", ["E11.9", "J45"]).labels == {"phi"}


def test_a_header_that_its_values_deny_is_not_believed():
    assert classify_column("phone", ["yes", "no", "yes"]).labels == frozenset()


def test_some_cards_in_a_free_text_column_label_it():
    assert "pci" in classify_column("notes", ["paid with 4111 1111 1111 1111", *["all fine"] * 20]).labels


def test_plain_columns_stay_plain():
    for header, values in {
        "sku": ["A-1001", "A-1002"],
        "price": ["9.99", "12.50"],
        "created_at": ["2026-01-02"],
    }.items():
        assert classify_column(header, values).labels == frozenset()


# ── text quoted for programs ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("quoted", [r'"pay to:\nDE89370400440532013000"', r"id\tiban\n7\tDE89370400440532013000\n"])
def test_escapes_part_values_as_what_they_stand_for(quoted):
    [span] = detect(quoted)
    assert quoted[span.start : span.end] == "DE89370400440532013000"


@pytest.mark.parametrize("quote", ['"', r"\"", '""'])
def test_a_secret_is_found_in_quotes_of_any_depth(quote):
    value = written_out("{alnum:32}")
    text = f"client_secret = {quote}{value}{quote}"
    assert [text[span.start : span.end] for span in detect(text)] == [value]


def test_an_extension_is_no_part_of_the_number_that_is_judged():
    assert types("Fax: 345-899-3560x4587, desk (898)666-3621x0135") == ["PHONE", "PHONE"]


def test_random_letters_are_a_secret_and_names_in_code_are_none():
    assert types('client_secret = "DfTsMRlgnLhWbMSuWSnkrWfPUTXjFTgS"') == ["SECRET"]
    assert types('client_secret = "getClientSecretFromVaultProvider"') == []
