"""What stands in place of values: masks, hashes, tokens that come back; and fingerprints of secrets."""

import random
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import NotUnderstood
from penstock.inspect.fingerprint import fingerprint, installation_key
from penstock.inspect.sensitive import detect, redact
from penstock.inspect.sensitive.redact import hashed
from penstock.inspect.sensitive.rows import shapes, written_out
from penstock.inspect.sensitive.tokens import LONGEST, Tokens
from penstock.inspect.span import Span

KEY = bytes(range(32))
HERE, ELSEWHERE = Tokens(KEY, "conversation 1"), Tokens(KEY, "conversation 2")
LETTER = "Mail ada@analytical.co.uk or call +49 170 1234567; card 4111 1111 1111 1111, IBAN DE89370400440532013000."
EXAMPLES = [written_out(example) for row in shapes() for example in row.match]


def hide(text, tokens=HERE):
    return tokens.hide(text, detect(text))


# ── tokens ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_value_is_left_and_all_come_back():
    hidden = hide(LETTER)
    assert not any(part in hidden for part in ("ada@", "170 123", "4111 1111", "DE8937"))
    assert HERE.restore(f"As you said: {hidden}") == f"As you said: {LETTER}"


def test_an_address_stays_an_address_and_figures_stay_figures():
    words = hide(LETTER).split()
    assert words[1].endswith("@email.invalid") and words[4].rstrip(";").isdigit() and words[6].rstrip(",").isdigit()
    assert words[8].startswith("IBAN_tk")


def test_equal_values_are_equal_tokens_in_one_conversation_only():
    assert hide("ada@analytical.co.uk, ada@analytical.co.uk").split(", ") == [hide("ada@analytical.co.uk")] * 2
    assert hide("ada@analytical.co.uk") != hide("ada@analytical.co.uk", ELSEWHERE)
    assert Tokens(KEY, "conversation 1").restore(hide(LETTER)) == LETTER


def test_a_token_of_another_conversation_or_key_is_left_alone():
    hidden = hide(LETTER)
    assert ELSEWHERE.restore(hidden) == hidden
    assert Tokens(bytes(32), "conversation 1").restore(hidden) == hidden


def test_a_token_cannot_be_relabelled():
    hidden = hide("IBAN DE89370400440532013000")
    assert HERE.restore(hidden.replace("IBAN_tk", "SECRET_tk")) == hidden.replace("IBAN_tk", "SECRET_tk")


def test_hiding_twice_changes_nothing():
    assert hide(hide(LETTER)) == hide(LETTER)


def test_a_value_too_long_is_masked():
    text = "x" * (LONGEST + 1)
    assert HERE.hide(text, [Span(0, len(text), "SECRET", "credentials", 1.0, "", "")]) == "[SECRET]"


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="16 bytes"):
        Tokens(b"short", "conversation")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["EMAIL", "PHONE", "SECRET", "名前"]), st.text(max_size=12))
def test_any_value_comes_back(value, kind, around):
    text = f"{around} {value} {around}"
    start = len(around) + 1
    hidden = HERE.hide(text, [Span(start, start + len(value), kind, "pii", 1.0, "", "")]) if value else text
    assert HERE.restore(hidden) == text


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*EXAMPLES, "EMAIL", "TK", "000", "tk", "_tk", "x"]), max_size=6), st.randoms())
def test_a_stream_in_any_pieces_is_restored_as_the_whole(values, chance):
    hidden = chance.choice((" ", "", "@", ".")).join(hide(value) for value in values)
    cuts = sorted(chance.randrange(len(hidden) + 1) for _ in range(chance.randrange(9)))
    assert restored([hidden[a:b] for a, b in zip([0, *cuts], [*cuts, len(hidden)], strict=True)]) == HERE.restore(
        hidden
    )


def test_a_stream_split_at_every_place_is_restored():
    hidden = hide(LETTER)
    for cut in range(len(hidden) + 1):
        assert restored([hidden[:cut], hidden[cut:]]) == LETTER
    assert restored(list(hidden)) == LETTER


@pytest.mark.parametrize("place", range(0, 70, 3))
def test_a_changed_token_is_left_as_it_stands(place):
    for value in ("ada@analytical.co.uk", "+49 170 1234567", "DE89370400440532013000"):
        token = hide(value)
        place %= len(token)
        changed = token[:place] + ("b" if token[place] == "a" else "a") + token[place + 1 :]
        assert HERE.restore(changed) == changed


def test_plain_words_are_not_held_back():
    restorer = HERE.restorer()
    assert restorer.feed("The customer asked for ") == "The customer asked for "
    assert restorer.feed("it. ") == "it. "


def test_what_only_begins_like_a_token_is_held_no_longer_than_one():
    restorer, chance = HERE.restorer(), random.Random(3)
    text = "SECRET_tk" + "".join(chance.choices("abcdefgh234567", k=5000))
    given_out = ""
    for at in range(0, len(text), 7):
        given_out += restorer.feed(text[at : at + 7])
        assert at + 7 - len(given_out) < 600
    assert given_out + restorer.finish() == text


def restored(pieces):
    restorer = HERE.restorer()
    return "".join([*(restorer.feed(piece) for piece in pieces), restorer.finish()])


# ── hashes and fingerprints ─────────────────────────────────────────────────────────────────────────────────────────


def test_hashes_tell_equal_values_and_no_more():
    text = "ada@analytical.co.uk bob@analytical.co.uk ada@analytical.co.uk"
    first, second, third = redact(text, detect(text), hashed(KEY)).split()
    assert first == third != second and "ada" not in first
    assert redact(text, detect(text), hashed(bytes(32))).split()[0] != first


def test_a_fingerprint_needs_the_key():
    assert fingerprint("secret", KEY) == fingerprint("secret", KEY) != fingerprint("secret", bytes(32))
    assert fingerprint("secret") == fingerprint("secret") != fingerprint("secret", KEY)
    assert len(fingerprint("\ud800")) == 16


def test_the_key_of_an_installation_is_made_once_and_for_its_owner_only(tmp_path):
    key = installation_key(tmp_path / "state")
    assert installation_key(tmp_path / "state") == key and len(key) == 32
    [file] = (tmp_path / "state").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    with pytest.raises(NotUnderstood, match="read by others"):
        installation_key(tmp_path / "state")
    file.chmod(0o600)
    file.write_bytes(b"short")
    with pytest.raises(NotUnderstood, match="5 bytes"):
        installation_key(tmp_path / "state")


def test_two_installations_have_two_keys(tmp_path):
    assert installation_key(tmp_path / "one") != installation_key(tmp_path / "two")
