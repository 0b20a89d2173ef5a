"""Intervals that hold about as many products each, and the conditions that select them."""

from hypothesis import given
from hypothesis import strategies as st

from shared.number_intervals import Interval, balanced, condition_of


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


def test_an_interval_is_selected_by_its_ends() -> None:
    assert condition_of("price", Interval(None, 20)) == "price < 20"
    assert condition_of("price", Interval(20, 50.5)) == "price >= 20 AND price < 50.5"
    assert condition_of("attributes.ram", Interval(8, None)) == "attributes.ram >= 8"
    assert condition_of("price", Interval()) == "price: *"
