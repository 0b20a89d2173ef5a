import sqlite3
from pathlib import Path

import pytest

from shared.privacy.sealed_rows import SealedRows
from shared.privacy.sealing import UnsealError, add_key, read_keys, read_or_make_keys


def opened(folder: Path) -> tuple[sqlite3.Connection, SealedRows]:
    connection = sqlite3.connect(folder / "file.sqlite")
    return connection, SealedRows(connection, read_or_make_keys(folder / "file.key"))


def test_rows_open_after_a_restart_and_for_what_they_were_sealed_for_alone(tmp_path: Path) -> None:
    connection, rows = opened(tmp_path)
    sealed = rows.seal(b"secret", b"row 1")
    digest = rows.digest("user", "anna")
    assert b"secret" not in sealed
    connection.close()
    connection, rows = opened(tmp_path)
    assert rows.open(sealed, b"row 1") == b"secret"
    with pytest.raises(UnsealError):
        rows.open(sealed, b"row 2")
    with pytest.raises(UnsealError):
        rows.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), b"row 1")
    for damaged in (b"", b"\0\0", b"\0\0\0\xff" + sealed[4:]):
        with pytest.raises(UnsealError):
            rows.open(damaged, b"row 1")
    assert rows.digest("user", "anna") == digest
    others = [("session", "anna"), ("user", "ann"), ("user", "an", "na")]
    assert digest not in {rows.digest(*each) for each in others}
    connection.close()


def test_a_rotated_key_file_seals_keys_anew_and_rows_stay_as_they_are(tmp_path: Path) -> None:
    connection, rows = opened(tmp_path)
    sealed = rows.seal(b"secret", b"row")
    connection.close()
    path = tmp_path / "file.key"
    added = add_key(path)
    connection, rows = opened(tmp_path)
    assert rows.open(sealed, b"row") == b"secret"
    connection.close()
    only_new = [line for line in path.read_text().splitlines() if line.startswith(added)]
    path.write_text("\n".join(only_new) + "\n")
    connection, rows = opened(tmp_path)
    assert rows.open(sealed, b"row") == b"secret"
    connection.close()


def test_a_wrong_key_file_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    connection, rows = opened(tmp_path)
    sealed = rows.seal(b"secret", b"row")
    connection.close()
    path = tmp_path / "file.key"
    right = path.read_text()
    path.unlink()
    with pytest.raises(ValueError, match="key file"):
        opened(tmp_path)
    path.write_text(right)
    connection, rows = opened(tmp_path)
    assert rows.open(sealed, b"row") == b"secret"
    connection.close()
    assert read_keys(path)


def test_a_key_serves_for_a_while_and_then_another_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, rows = opened(tmp_path)
    old = rows.seal(b"old", b"row")
    rows.renew()
    assert rows.seal(b"same", b"row")[:4] == old[:4]
    monkeypatch.setattr("shared.privacy.sealed_rows._MOST_ROWS", 2)
    rows.renew()
    new = rows.seal(b"new", b"row")
    assert new[:4] != old[:4]
    connection.close()
    connection, rows = opened(tmp_path)
    assert (rows.open(old, b"row"), rows.open(new, b"row")) == (b"old", b"new")
    monkeypatch.setattr("shared.privacy.sealed_rows._MOST_SECONDS", 0.0)
    rows.renew()
    assert rows.seal(b"newer", b"row")[:4] not in (old[:4], new[:4])
    connection.close()
