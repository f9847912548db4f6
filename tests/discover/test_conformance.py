"""Every language sees what Python sees: one project, written in each of them, with the same expected observations."""

from __future__ import annotations

import pytest

from eval.conformance import Construct, constructs, languages, missing


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("row", constructs(), ids=lambda row: row.construct)
def test_a_construct_is_seen_in_every_language(language: str, row: Construct) -> None:
    assert missing(language, row) == []
