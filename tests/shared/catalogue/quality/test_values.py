"""What a title says beside what sets variants apart."""

import pytest

from shared.catalogue.quality.values import core

LONG = 300_000
"""Digits of which a look at every stretch would take hours."""


@pytest.mark.parametrize(
    ("title", "left"),
    [
        ("Toner cartridge 2,5 kg", ("cartridge", "toner")),
        ("Cable 1.5m grey", ("cable",)),
        ("Paper pack of 500 sheets", ("paper", "sheets")),
        ("显示器 27 寸", ("显示器",)),
        ("Drive 12345678901 gbx", ("12345678901", "drive", "gbx")),
        ("Version 1.2.5 m", ("1", "version")),
    ],
)
def test_measures_are_taken_out(title: str, left: tuple[str, ...]) -> None:
    assert core(title, {}) == left


@pytest.mark.parametrize("end", ["", ".", " ", "x"])
def test_a_long_run_of_digits_is_looked_at_once(end: str) -> None:
    assert core(f"kettle {'7' * LONG}{end}", {})[-1] == "kettle"
