"""Sums of money in whole minor units of their currency, which add and compare without rounding."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

_USUAL: Final = 2
_NONE: Final = (
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
    *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
)
_THREE: Final = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_FOUR: Final = ("CLF", "UYW")
_DIGITS: Final = dict.fromkeys(_NONE, 0) | dict.fromkeys(_THREE, 3) | dict.fromkeys(_FOUR, 4)
"""Digits of the minor unit where they are not two (ISO 4217, table A.1)."""
_WHOLE: Final = Decimal(100)


def digits_of(currency: str) -> int:
    """Returns how many digits stand behind the point in a currency."""
    return _DIGITS.get(currency, _USUAL)


def to_minor(amount: Decimal, currency: str) -> int:
    """Returns a sum in minor units.

    Raises:
        ValueError: It has more digits behind the point than the currency.
    """
    scaled = amount.scaleb(digits_of(currency))
    if scaled != scaled.to_integral_value():
        digits = digits_of(currency)
        raise ValueError(f"{currency} has {digits} digits behind the point, not as {amount}")
    return int(scaled)


def to_major(minor: int, currency: str) -> float:
    """Returns a sum in major units, as `Price.amount` holds it."""
    return float(Decimal(minor).scaleb(-digits_of(currency)))


def discounted(amount: float, percent: Decimal, currency: str) -> int:
    """Returns an amount in major units less so many percent of it, in minor units.

    Rounded half up, and never below zero.
    """
    scaled = Decimal(repr(amount)).scaleb(digits_of(currency))
    left = scaled * (_WHOLE - percent) / _WHOLE
    return max(0, int(left.quantize(Decimal(1), ROUND_HALF_UP)))
