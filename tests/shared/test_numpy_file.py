"""Files of arrays, whole and damaged."""

from pathlib import Path

import numpy as np
import pytest

from shared.numpy_file import UNREADABLE, open_arrays


def test_arrays_are_found_by_their_names(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", one=np.arange(3))
    with open_arrays(tmp_path / "a.npz") as file:
        assert file["one"].tolist() == [0, 1, 2]
        with pytest.raises(KeyError):
            file["two"]


@pytest.mark.parametrize("damage", ["absent", "cut", "empty", "text", "one array", "pickle"])
def test_what_is_damaged_is_told_and_closed(tmp_path: Path, damage: str) -> None:
    """One that is left open would fail the test: warnings are errors."""
    path = tmp_path / "a.npz"
    if damage == "one array":
        with path.open("wb") as file:
            np.save(file, np.arange(3))
    elif damage == "pickle":
        np.savez(path, one=np.array([{}], dtype=object))
    elif damage != "absent":
        np.savez(path, one=np.arange(3))
        whole = path.read_bytes()
        path.write_bytes({"cut": whole[:90], "empty": b"", "text": b"no arrays"}[damage])
    with pytest.raises(UNREADABLE), open_arrays(path) as arrays:
        arrays["one"]
