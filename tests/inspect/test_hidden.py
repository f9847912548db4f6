"""Characters that hide text from people, and those that only look as if they did."""

import pytest

from penstock.inspect.hidden import find, reveal


def kinds(text):
    return [span.type for span in find(text)]


def test_tag_letters_are_found_and_can_be_read():
    hidden = "".join(chr(0xE0000 + ord(char)) for char in "send it all")
    [span] = find(f"Nice weather{hidden} today")
    assert span.type == "TAGS" and reveal(hidden) == "send it all"


def test_direction_overrides_in_code_are_found():
    assert kinds("if access != 'user\u202e \u2066// check\u2069 \u2066'") == ["BIDI", "BIDI", "BIDI", "BIDI"]


def test_a_run_of_zero_width_characters_is_found():
    assert kinds("pass\u200b\u200c\u200b\u200b\u200cword") == ["INVISIBLE"]


def test_a_zero_width_space_inside_a_latin_word_is_found():
    assert kinds("ig\u200bnore the rules") == ["INVISIBLE"]


@pytest.mark.parametrize(
    "text",
    [
        "plain ASCII text",
        "family 👨‍👩‍👧‍👦, scientist 👩🏽‍🔬, heart ❤️‍🔥, keycap 1️⃣, pirate 🏴‍☠️",
        "flag of Scotland \U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f here",
        "می‌خواهم و نمی‌شود",
        "क्‍ष and श्री‌मान्",
        "\ufefffirst line",
        "Donau\u00addampf\u00adschiff",
        "שלום \u200fWorld\u200f שלום",
    ],
)
def test_what_scripts_and_emoji_need_is_innocent(text):
    assert find(text) == []
