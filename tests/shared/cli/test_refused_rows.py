"""Rows that were refused, as people see them."""

from types import SimpleNamespace

import pytest

from shared.cli.refused_rows import SHOWN_ERRORS, show_refused


def test_the_first_rows_are_told_by_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [SimpleNamespace(row=at, field="", reason="is none") for at in range(30, 1, -1)]
    rows[-1] = SimpleNamespace(row=2, field="user_id", reason="is \x1b[31mred")
    show_refused(rows)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == SHOWN_ERRORS + 1
    assert lines[0].startswith("line 2 user_id: is ")
    assert "\x1b" not in lines[0]
    assert lines[1] == "line 3: is none"
    assert lines[-1] == "and 9 more"
    show_refused([])
    assert not capsys.readouterr().err
