"""Money in minor units: exact, rounded half up, never below zero."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.terms.money import digits_of, discounted, to_major, to_minor

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD", "CLF", "CNY"])
PERCENTS = st.decimals(0, 100, places=4)


@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("JPY", 0), ("BHD", 3), ("UYW", 4)])
def test_digits_are_those_of_the_currency(currency, digits):
    assert digits_of(currency) == digits


@given(minor=st.integers(0, 10**15), currency=CURRENCIES)
def test_minor_units_come_back(minor, currency):
    amount = to_major(minor, currency)
    assert to_minor(Decimal(repr(amount)), currency) == minor


@pytest.mark.parametrize(("amount", "currency"), [("0.001", "EUR"), ("1.5", "JPY")])
def test_digits_that_a_currency_has_not_are_refused(amount, currency):
    with pytest.raises(ValueError, match=f"{currency} has"):
        to_minor(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("amount", "percent", "minor"),
    [(100.0, "12.5", 8750), (0.05, "10", 5), (0.05, "50", 3), (19.99, "0", 1999), (9.99, "100", 0)],
)
def test_a_discount_is_rounded_half_up(amount, percent, minor):
    assert discounted(amount, Decimal(percent), "EUR") == minor


@given(
    amount=st.floats(0, 1e9, allow_nan=False),
    percents=st.tuples(PERCENTS, PERCENTS),
    currency=CURRENCIES,
)
def test_more_percent_never_cost_more_and_never_less_than_nothing(amount, percents, currency):
    small, large = (discounted(amount, percent, currency) for percent in sorted(percents))
    assert small >= large >= 0
    # To within half of a minor unit.
    exact = Decimal(repr(amount)).scaleb(digits_of(currency)) * (100 - min(percents)) / 100
    assert abs(small - exact) <= Decimal("0.5")
