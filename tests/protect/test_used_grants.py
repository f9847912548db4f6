"""A grant for one call is used once: also after a restart, and by several processes."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from penstock.protect import permits
from penstock.protect.asking import Grant
from penstock.protect.permits import UsedGrants


def grant(number, until=None):
    return Grant(id=f"g-{number}", application="a", key="k", until=until or time.time() + 60, single=True)


def test_what_was_used_stays_used_after_a_restart_and_what_was_given_back_is_free(tmp_path):
    first = UsedGrants(tmp_path / "used")
    assert first.take(grant(1)) and first.take(grant(2)) and not first.take(grant(1))
    first.give_back(grant(2))
    again = UsedGrants(tmp_path / "used")
    assert not again.take(grant(1)) and again.take(grant(2))
    assert not first.take(grant(2))  # the other one took it meanwhile
    assert (tmp_path / "used").stat().st_mode & 0o077 == 0


def test_of_many_who_want_it_at_once_one_gets_it(tmp_path):
    several = [UsedGrants(tmp_path / "used") for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda number: several[number % 4].take(grant(number // 8)), range(80)))
    assert sum(got) == 10


@pytest.mark.parametrize("torn", [b"+g-1", b"\xff\xfe", b"+g-7 nonsense\n", b"*\n\n"])
def test_a_journal_that_was_torn_is_read_as_far_as_it_goes(tmp_path, torn):
    assert UsedGrants(tmp_path / "used").take(grant(3))
    with (tmp_path / "used").open("ab") as file:
        file.write(torn)
    again = UsedGrants(tmp_path / "used")
    assert not again.take(grant(3)) and again.take(grant(4))
    assert not UsedGrants(tmp_path / "used").take(grant(4))


def test_a_long_journal_is_begun_anew_with_what_still_counts(tmp_path, monkeypatch):
    used = UsedGrants(tmp_path / "used")
    assert used.take(grant(1)) and used.take(grant(2, until=time.time() - 5))
    monkeypatch.setattr(permits, "LARGEST_JOURNAL", 10)
    again = UsedGrants(tmp_path / "used")
    assert (tmp_path / "used").read_text().count("\n") == 1
    assert not again.take(grant(1)) and not used.take(grant(1))


def test_a_grant_that_cannot_be_noted_is_not_given(tmp_path, monkeypatch):
    used = UsedGrants(tmp_path / "used")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    assert not used.take(grant(1))
