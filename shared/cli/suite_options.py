"""How the suite was started, so that `status` expects no Triton where `up` was told to use none."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

TritonChoice = Literal[False, "auto"]


def remember_triton(home: Path, choice: TritonChoice) -> None:
    """Note the choice in the suite's state."""
    marker = _marker(home)
    marker.parent.mkdir(parents=True, exist_ok=True)
    if choice is False:
        marker.touch()
    else:
        marker.unlink(missing_ok=True)


def remembered_triton(home: Path) -> TritonChoice:
    """The choice of the last `up`."""
    return False if _marker(home).exists() else "auto"


def _marker(home: Path) -> Path:
    return home / "run" / "without-triton"
