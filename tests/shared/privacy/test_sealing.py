"""What is sealed opens with its key for its purpose, and with nothing else."""

from pathlib import Path

import pytest

from services.orchestrator.event_files.__main__ import main
from shared.privacy.sealing import (
    DataKey,
    KeyRing,
    UnsealError,
    add_key,
    read_keys,
    read_or_make_keys,
)


def test_every_bit_counts(tmp_path: Path) -> None:
    ring = read_or_make_keys(tmp_path / "keys")
    sealed = ring.seal(b"pressure cooker", b"ann")
    assert ring.open(sealed, b"ann") == b"pressure cooker"
    assert ring.seal(b"pressure cooker", b"ann") != sealed
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(UnsealError):
            ring.open(bytes(altered), b"ann")
    for text, associated in ((sealed, b"bob"), (sealed[:-1], b"ann"), (b"", b"ann")):
        with pytest.raises(UnsealError):
            ring.open(text, associated)
    with pytest.raises(UnsealError):
        DataKey(b"k" * 32).open(b"short", b"")


def test_a_new_key_seals_and_old_ones_open(tmp_path: Path, capsys) -> None:
    path = tmp_path / "keys"
    assert main([str(path)]) == 0
    first = read_keys(path)
    assert first.current in capsys.readouterr().out
    old = first.seal(b"text", b"")
    second = add_key(path)
    ring = read_keys(path)
    assert ring.current == second
    assert ring.open(old, b"") == b"text"
    assert not ring.is_current(old)
    assert ring.is_current(ring.seal(b"text", b""))
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["", "# none\n", "abc def\n", "0123456789abcdef c2hvcnQ=\n"])
def test_a_file_that_is_none_is_refused_without_its_secrets(tmp_path: Path, text, capsys) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(ValueError, match="key") as error:
        read_keys(path)
    assert "c2hvcnQ=" not in str(error.value)
    assert main([str(path)]) == 1
    assert path.read_text() == text
    assert capsys.readouterr().err


def test_two_keys_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    add_key(path)
    path.write_text(path.read_text() * 2)
    with pytest.raises(ValueError, match="no other line has"):
        read_keys(path)
    with pytest.raises(ValueError, match="needs a key"):
        KeyRing([])
