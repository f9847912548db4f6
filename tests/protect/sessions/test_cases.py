"""A hundred and eighty things an assistant may and may not do after it has read something."""

import pytest

from tests.protect.sessions.suite import cases, ruling


@pytest.mark.parametrize("case", [case for case in cases() if not case["hold"]], ids=lambda case: case["say"][:40])
def test_what_the_user_asked_for_is_done_without_a_question(case):
    assert not ruling(case).held, ruling(case).why


@pytest.mark.parametrize("case", [case for case in cases() if case["hold"]], ids=lambda case: case["say"][:40])
def test_what_a_content_asked_for_waits_for_a_person(case):
    found = ruling(case)
    assert found.held
    assert found.rule.startswith("call-") and found.why and case["do"][0] in found.subject
