"""Filters without the conditions that are a field's own."""

import pytest

from shared.own_conditions import own_condition_dropped


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("", "brand", ""),
        ("brand: sony", "brand", ""),
        ("brand: sony AND price < 5", "brand", "price < 5"),
        ("price >= 2 AND brand: sony AND price < 5", "price", "brand: sony"),
        ("NOT brand: sony AND price < 5", "brand", "price < 5"),
        ("(brand: sony OR brand: jbl) AND price < 5", "brand", "price < 5"),
        # What other fields have a part in is no choice of this one's values.
        ("(brand: sony OR price < 5)", "brand", "(brand: sony OR price < 5)"),
        ("attributes.fit: wide AND price < 5", "attributes.fit", "price < 5"),
        ("price < 5", "brand", "price < 5"),
    ],
)
def test_own_conditions_are_dropped(text: str, key: str, expected: str) -> None:
    assert own_condition_dropped(text, key) == expected
