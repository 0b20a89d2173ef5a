"""Checks of what is stated of a product though nobody asked."""

from collections.abc import Callable
from typing import Final

from services.reason.facts import Fact, Scene


def _price(fact: Fact, scene: Scene) -> bool:
    amount, _, currency = fact.value.partition(" ")
    price = scene.product.price
    return (
        fact.source == "price.amount"
        and price.amount == float(amount) > 0
        and price.currency_code == currency
    )


def _brand(fact: Fact, scene: Scene) -> bool:
    return fact.source == "brand" and fact.value == scene.product.brand != ""


def _attribute(fact: Fact, scene: Scene) -> bool:
    """The attribute is one text, or one number with its unit, and is what the fact says."""
    prefix, _, key = fact.source.partition(".")
    if prefix != "attributes" or key not in scene.product.attributes:
        return False
    attribute = scene.product.attributes[key]
    if list(attribute.texts) == [fact.value]:
        return fact.value != ""
    told, _, unit = fact.value.partition(" ")
    return (
        not attribute.texts
        and len(attribute.numbers) == 1
        and abs(float(told.replace(",", "")) - attribute.numbers[0]) <= 0.005  # noqa: PLR2004
        and unit == attribute.unit
    )


OWN_RECHECKS: Final[dict[str, Callable[[Fact, Scene], bool]]] = {
    "stated_price": _price,
    "stated_brand": _brand,
    "stated_attribute": _attribute,
}
"""By code."""
