"""Versions of an entry of the model repository."""

from pathlib import Path

import pytest

from shared.inference.entries import add_version, next_version, versions


def test_versions_follow_one_another_and_appear_whole(tmp_path: Path) -> None:
    entry = tmp_path / "shop_intents"
    assert (versions(entry, "a.bin"), next_version(tmp_path, "shop_intents")) == ([], 1)
    first = add_version(entry, 1, {"a.bin": b"1", "b.bin": b"2"}, "# card\n")
    assert {path.name: path.read_bytes() for path in first.iterdir()} == {
        "a.bin": b"1",
        "b.bin": b"2",
    }
    (entry / "10").mkdir()
    assert versions(entry, "a.bin") == [1]
    assert next_version(tmp_path, "shop_intents") == 11
    add_version(entry, 11, {"a.bin": b"3"}, "# newer\n")
    assert versions(entry, "a.bin") == [1, 11]
    assert (entry / "README.md").read_text() == "# newer\n"
    assert sorted(path.name for path in entry.iterdir()) == ["1", "10", "11", "README.md"]


def test_a_version_that_stands_there_stays(tmp_path: Path) -> None:
    add_version(tmp_path / "m", 1, {"a": b"1"}, "")
    with pytest.raises(OSError, match="not empty"):
        add_version(tmp_path / "m", 1, {"a": b"2"}, "")
    assert (tmp_path / "m" / "1" / "a").read_bytes() == b"1"
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["1", "README.md"]


@pytest.mark.parametrize("name", ["", "..", ".", "a/b", "1st", "a b", "a@2", "x" * 101])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no name of a model"):
        next_version(tmp_path, name)
