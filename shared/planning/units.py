"""Quantities as people write them: "50M" products, "120ms", "80%"."""

from __future__ import annotations

import re
from typing import Final

_NUMBER: Final = re.compile(r"\s*([0-9][0-9_,]*(?:\.[0-9]+)?|\.[0-9]+)\s*([A-Za-zµ%]*)\s*")
_COUNTS: Final = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9}
_MILLISECONDS: Final = {"us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3, "min": 6e4}
_GIB: Final = {"mib": 1 / 1024, "gib": 1.0, "tib": 1024.0, "mb": 1e6 / 2**30, "gb": 1e9 / 2**30}


class PlanInputError(ValueError):
    """A value that no plan can be made of.

    Args:
        flag: The option that it was given with, such as "--qps".
        message: What is wrong and what to give instead.
    """

    def __init__(self, flag: str, message: str) -> None:
        super().__init__(f"{flag}: {message}")
        self.flag = flag


def count(text: str, flag: str, *, least: float = 1.0, most: float = 1e12) -> float:
    """Returns a count, "50M" being 50 million, with k, M and B (10³, 10⁶, 10⁹).

    Raises:
        PlanInputError: It is no such number, or not between `least` and `most`.
    """
    value = _read(text, flag, _COUNTS, "a number such as 20000, 2k, 50M or 1.5B")
    return _within(value, text, flag, least, most)


def milliseconds(text: str, flag: str, *, least: float = 0.0, most: float = 6e4) -> float:
    """Returns a duration in milliseconds; the unit is us, ms, s or min and must be given.

    Raises:
        PlanInputError: It is no such duration, or not between `least` and `most` milliseconds.
    """
    value = _read(text, flag, _MILLISECONDS, "a duration with its unit, such as 120ms or 0.12s")
    return _within(value, text, flag, least, most)


def share(text: str, flag: str, *, most: float = 1.0) -> float:
    """Returns a share between 0 and `most`, "80%" being 0.8.

    Raises:
        PlanInputError: It is no such share.
    """
    value = _read(text, flag, {"": 1.0, "%": 0.01}, "a share such as 80% or 0.8")
    return _within(value, text, flag, 0.0, most)


def gibibytes(text: str, flag: str, *, least: float = 0.0, most: float = 1e6) -> float:
    """Returns an amount of memory in GiB.

    Raises:
        PlanInputError: It is no such amount, or not between `least` and `most` GiB.
    """
    value = _read(text, flag, _GIB, "an amount with its unit, such as 64GiB")
    return _within(value, text, flag, least, most)


def _read(text: str, flag: str, units: dict[str, float], wanted: str) -> float:
    found = _NUMBER.fullmatch(text)
    factor = units.get(found[2].lower()) if found else None
    if not found or factor is None:
        raise PlanInputError(flag, f"{text!r} is not {wanted}")
    return float(found[1].replace(",", "").replace("_", "")) * factor


def _within(value: float, text: str, flag: str, least: float, most: float) -> float:
    if not least <= value <= most:
        raise PlanInputError(flag, f"{text!r} is not between {least:g} and {most:g}")
    return value


def whole(value: int, flag: str, *, least: int, most: int) -> int:
    """Returns a whole number.

    Raises:
        PlanInputError: It is not between `least` and `most`.
    """
    if not least <= value <= most:
        raise PlanInputError(flag, f"{value} is not between {least} and {most}")
    return value
