"""Checks of prices: beside those of the page, and beside the list price."""

from collections.abc import Callable
from statistics import median
from typing import Final

from services.reason.facts import Fact, Scene


def priced(value: str) -> tuple[float, str]:
    """Reads amount and currency back."""
    amount, _, currency = value.partition(" ")
    return float(amount), currency


def is_price(scene: Scene, value: str) -> bool:
    """Whether a value is the price of the scene's product."""
    amount, currency = priced(value)
    price = scene.product.price
    return (
        scene.product.HasField("price")
        and amount == price.amount > 0
        and currency == price.currency_code
    )


def _lowest(fact: Fact, scene: Scene) -> bool:
    amount, currency = priced(fact.value)
    prices = scene.page.by_currency.get(currency, ())
    return (
        is_price(scene, fact.value)
        and len(prices) == int(fact.meets)
        and len(prices) > 1
        and sum(price <= amount for price in prices) == 1
    )


def _below_median(fact: Fact, scene: Scene) -> bool:
    percent, _, price = fact.value.partition(" ")
    amount, currency = priced(price)
    prices = scene.page.by_currency.get(currency, ())
    if not is_price(scene, price) or not prices or len(prices) != int(fact.meets):
        return False
    return _percent_below(percent, amount, median(prices))


def _discount(fact: Fact, scene: Scene) -> bool:
    price = scene.product.price
    return price.list_amount > price.amount > 0 and _percent_below(
        fact.value, price.amount, price.list_amount
    )


def _percent_below(percent: str, amount: float, reference: float) -> bool:
    """Whether the whole percentage is right, rounded down so that it never promises more."""
    exact = 100 * (reference - amount) / reference
    claimed = int(percent.removesuffix("%"))
    return percent.endswith("%") and 0 < claimed <= exact + 1e-6 and exact < claimed + 1 + 1e-6


PRICE_RECHECKS: Final[dict[str, Callable[[Fact, Scene], bool]]] = {
    "lowest_price_on_page": _lowest,
    "below_median_price": _below_median,
    "discount": _discount,
}
"""By code."""
