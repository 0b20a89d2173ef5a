"""How what reviewers find is worded, by aspect and side."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

_DATA: Final = Path(__file__).parent / "data" / "wordings.toml"
IT: Final = "it "


def wording(aspect: str, praises: bool, language: str) -> str:
    """Returns what follows "find", without an "it"."""
    return _table()[aspect][_side(praises, language)].removeprefix(IT)


def of_it(aspect: str, praises: bool, language: str) -> bool:
    """Whether it follows "find it"."""
    return _table()[aspect][_side(praises, language)].startswith(IT)


def _side(praises: bool, language: str) -> str:
    return f"{'praise' if praises else 'fault'}_{language}"


@cache
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads(_DATA.read_text(encoding="utf-8"))
