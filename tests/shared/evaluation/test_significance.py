import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.evaluation.significance import (
    bootstrap_interval,
    paired_bootstrap,
    paired_randomisation,
)

unit = st.floats(0, 1)


@given(st.lists(unit, min_size=1, max_size=30))
def test_the_interval_lies_within_the_values(values):
    interval = bootstrap_interval(values, resamples=200)
    slack = 1e-9
    assert min(values) - slack <= interval.low <= interval.high <= max(values) + slack


def test_more_queries_make_a_narrower_interval():
    few = bootstrap_interval([0.0, 1.0] * 5)
    many = bootstrap_interval([0.0, 1.0] * 200)
    assert few.mean == many.mean == 0.5
    assert many.high - many.low < (few.high - few.low) / 3


def test_equal_values_leave_no_doubt():
    interval = bootstrap_interval([0.25] * 8)
    assert interval.low == interval.high == interval.mean == 0.25


def test_the_seed_fixes_the_interval():
    values = [0.1, 0.9, 0.4, 0.7]
    assert bootstrap_interval(values, seed=3) == bootstrap_interval(values, seed=3)


def test_a_consistent_difference_is_significant_and_none_is_not():
    first = [0.5 + 0.01 * (i % 7) for i in range(40)]
    second = [value - 0.1 for value in first]
    assert paired_randomisation(first, second) == pytest.approx(1 / 10_001)
    assert paired_randomisation(first, first) == 1.0


def test_the_p_value_of_a_small_case_is_near_the_exact_one():
    # Differences 1, 1, 1: of the 8 sign patterns only +++ and --- reach a mean of 1.
    assert paired_randomisation([1, 1, 1], [0, 0, 0]) == pytest.approx(2 / 8, abs=0.02)


@given(st.lists(st.tuples(unit, unit), min_size=1, max_size=20))
def test_the_test_is_symmetric(pairs):
    first, second = zip(*pairs, strict=True)
    one = paired_randomisation(first, second, permutations=200)
    assert one == paired_randomisation(second, first, permutations=200)
    assert 0 < one <= 1


def test_the_bootstrap_knows_a_difference_from_none():
    first = [0.5 + 0.01 * (i % 7) for i in range(40)]
    second = [value - 0.1 - 0.01 * (i % 3) for i, value in enumerate(first)]
    above = paired_bootstrap(first, second)
    assert above.interval.low > 0.1
    assert above.interval.low <= above.interval.mean <= above.interval.high
    assert above.p == pytest.approx(1 / 10_001)
    assert above.better
    assert not above.worse
    assert paired_bootstrap(second, first).worse
    same = paired_bootstrap(first, first)
    assert same.p == 1.0
    assert not same.better
    assert not same.worse


def test_the_bootstrap_agrees_with_the_exact_distribution_of_a_small_case():
    # Differences 1 and -1/3, mean 1/3: a draw of two has the mean 1, 1/3, 1/3 or -1/3, and 1 and
    # -1/3 lie 2/3 away, which is as far as 1/3 lies from 0.
    assert paired_bootstrap([1, 0], [0, 1 / 3]).p == pytest.approx(0.5, abs=0.02)


@given(st.lists(st.tuples(unit, unit), min_size=1, max_size=20))
def test_the_bootstrap_is_antisymmetric(pairs):
    first, second = zip(*pairs, strict=True)
    one = paired_bootstrap(first, second, resamples=200)
    other = paired_bootstrap(second, first, resamples=200)
    assert one.p == other.p
    assert one.interval.low == pytest.approx(-other.interval.high)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="as many"):
        paired_bootstrap([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="confidence"):
        paired_bootstrap([1.0], [1.0], confidence=0)
    with pytest.raises(ValueError, match="at least one"):
        bootstrap_interval([])
    with pytest.raises(ValueError, match="confidence"):
        bootstrap_interval([1.0], confidence=1.0)
    with pytest.raises(ValueError, match="as many"):
        paired_randomisation([1.0], [])
