"""`shared.durable_file`: files that are made once."""

from pathlib import Path

import pytest

from shared.durable_file import make_durably


def test_a_file_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "key"
    make_durably(path, b"first", mode=0o600)
    make_durably(path, b"second")
    assert path.read_bytes() == b"first"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["key"]


def test_of_two_that_make_it_at_once_both_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    # As two processes see it: there was none when each looked.
    monkeypatch.setattr(Path, "exists", lambda _: False)
    make_durably(path, b"one")
    make_durably(path, b"two")
    assert path.read_bytes() == b"one"
