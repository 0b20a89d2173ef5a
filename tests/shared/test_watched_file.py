"""A file that changes under a service."""

import pytest

from shared.watched_file import Look, WatchedFile


def number(path):
    return int(path.read_text("utf-8"))


def test_it_is_read_again_only_when_it_changed(tmp_path):
    path = tmp_path / "n"
    path.write_text("1", "utf-8")
    file = WatchedFile(path, number, ValueError, OSError)
    assert [file.look(), file.look()] == [Look.READ, Look.SAME]
    path.write_text("22", "utf-8")
    assert file.look() is Look.READ
    assert file.value == 22


def test_what_was_right_stays_while_it_is_wrong(tmp_path):
    path = tmp_path / "n"
    path.write_text("1", "utf-8")
    file = WatchedFile(path, number, ValueError, OSError)
    file.look()
    path.write_text("one " * 400, "utf-8")
    assert [file.look(), file.look()] == [Look.REFUSED, Look.SAME]
    assert file.value == 1
    assert "one" in file.problem
    assert len(file.problem) <= 500
    path.unlink()
    assert file.look() is Look.REFUSED
    assert file.value == 1
    path.write_text("3", "utf-8")
    assert file.look() is Look.READ
    assert (file.value, file.problem) == (3, "")


def test_another_file_behind_the_same_link_is_a_change(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(f"{ord(name)}"[:2], "utf-8")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "a")
    file = WatchedFile(link, number, ValueError, OSError)
    file.look()
    link.unlink()
    link.symlink_to(tmp_path / "b")
    assert file.look() is Look.READ
    assert file.value == 98


def test_without_a_file_nothing_is_read_and_other_errors_are_told(tmp_path):
    nothing = WatchedFile(None, number, ValueError)
    assert nothing.look() is Look.SAME
    assert nothing.value is None
    file = WatchedFile(tmp_path / "none", number, ValueError)
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            file.look()
