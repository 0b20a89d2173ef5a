"""Intervals, categories and filters without a field's own conditions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.retrieval.facet_fields import FacetKind, categories, check_key
from services.retrieval.fields import ValueKind
from shared.errors import InvalidArgumentError
from shared.number_intervals import Interval, balanced
from shared.own_conditions import own_condition_dropped

ATTRIBUTES = {
    "ram": frozenset({ValueKind.NUMBER}),
    "fit": frozenset({ValueKind.KEYWORD}),
    "size": frozenset({ValueKind.KEYWORD, ValueKind.NUMBER}),
}


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200), st.integers(1, 8))
def test_intervals_hold_every_number_once(numbers: list[float], limit: int) -> None:
    intervals = balanced(
        len(numbers), lambda bound: sum(number < bound for number in numbers), limit
    )
    assert 1 <= len(intervals) <= limit
    assert intervals[0].low is None
    assert intervals[-1].high is None
    held = [
        sum(
            (each.low is None or number >= each.low) and (each.high is None or number < each.high)
            for number in numbers
        )
        for each in intervals
    ]
    assert sum(held) == len(numbers)
    assert all(held), "an interval without products is of no use"


def test_intervals_share_the_numbers() -> None:
    numbers = [float(number) for number in range(1, 101)]
    intervals = balanced(100, lambda bound: sum(n < bound for n in numbers), 4)
    assert intervals == [Interval(None, 20), Interval(20, 50), Interval(50, None)]


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


def test_categories_are_paths() -> None:
    counts = [
        ("kitchen", 5), ("kettles", 3), ("kitchen > kettles", 3), ("books", 2),
        ("kitchen > pots", 2), ("pots", 2),
    ]  # fmt: skip
    assert categories(counts) == [
        ("kitchen", 5), ("kitchen > kettles", 3), ("books", 2), ("kitchen > pots", 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "with_intervals", "kind"),
    [
        ("brand", False, FacetKind.WORD),
        ("in_stock", False, FacetKind.WORD),
        ("price", False, FacetKind.NUMBER),
        ("attributes.ram", False, FacetKind.NUMBER),
        ("attributes.size", False, FacetKind.WORD),
        ("attributes.size", True, FacetKind.NUMBER),
    ],
)
def test_kinds(key: str, with_intervals: bool, kind: FacetKind) -> None:
    assert check_key(key, ATTRIBUTES, "facets[0]", with_intervals) is kind


@pytest.mark.parametrize(
    ("key", "with_intervals", "field"),
    [
        ("", False, "facets[3].key"),
        ("colr", False, "facets[3].key"),
        ("id", False, "facets[3].key"),
        ("release_time", False, "facets[3].key"),
        ("popularity", False, "facets[3].key"),
        ("attributes.nothing", False, "facets[3].key"),
        ("brand", True, "facets[3].intervals"),
        ("attributes.fit", True, "facets[3].intervals"),
    ],
)
def test_bad_keys_are_named(key: str, with_intervals: bool, field: str) -> None:
    with pytest.raises(InvalidArgumentError) as error:
        check_key(key, ATTRIBUTES, "facets[3]", with_intervals)
    assert [violation.field for violation in error.value.violations] == [field]
