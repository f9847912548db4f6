"""An account of a real moto server with thousands of resources: all found, also by a run that goes on after a kill."""

from __future__ import annotations

import pytest

from bench.cloud.aws import measured


@pytest.mark.slow
def test_everything_is_found_after_a_run_that_was_killed():
    result = measured(2_000, kill=True)
    assert result["resources"] >= 2_000 and result["types"] >= 25
    assert result["missing"] == {}
    assert result["resumed"] > 0
