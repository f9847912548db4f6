"""What is kept between processes, and what is not believed."""

import pytest

from penstock.knowledge.kept import keep, kept


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PENSTOCK_CACHE", str(tmp_path))
    return tmp_path / "penstock"


def test_what_was_made_of_the_same_sources_is_found_again():
    keep("rows", [b"a", b"bc"], b"made")
    assert kept("rows", [b"a", b"bc"]) == b"made"
    assert kept("rows", [b"ab", b"c"]) is None


def test_a_file_that_others_can_write_is_not_believed(folder):
    keep("rows", [b"a"], b"made")
    [file] = folder.iterdir()
    assert file.stat().st_mode & 0o077 == 0
    file.chmod(0o666)
    assert kept("rows", [b"a"]) is None


def test_a_link_is_not_followed_and_a_shared_folder_not_used(folder):
    keep("rows", [b"a"], b"made")
    [file] = folder.iterdir()
    other = folder.parent / "other"
    file.rename(other)
    file.symlink_to(other)
    assert kept("rows", [b"a"]) is None
    folder.chmod(0o777)
    assert kept("rows", [b"a"]) is None
