"""Checks of what the shop did to a product's place, and of how much there is left."""

from collections.abc import Callable
from typing import Final

from services.reason.facts import Fact, Scene
from wherefore.common.v1.product_pb2 import AVAILABILITY_IN_STOCK

LOW_DAYS: Final = 7
"""Days that the units on hand suffice for at most, for a product to be said to run low."""
LOW_UNITS: Final = 10
"""Units at most: "125 left" sounds like no hurry, however many are sold a day."""


def _sponsored(fact: Fact, scene: Scene) -> bool:
    told = scene.disclosure
    return told is not None and told.sponsored and fact.source == "disclosure.sponsored"


def _overstock(fact: Fact, scene: Scene) -> bool:
    told = scene.disclosure
    return told is not None and told.overstock and fact.source == "disclosure.overstock"


def _running_low(fact: Fact, scene: Scene) -> bool:
    told, stock = scene.disclosure, scene.product.stock
    return (
        fact.source == "stock.quantity"
        and told is not None
        and told.HasField("daily_demand")
        and stock.availability == AVAILABILITY_IN_STOCK
        and stock.HasField("quantity")
        and 0 < int(fact.value) == stock.quantity <= min(LOW_DAYS * told.daily_demand, LOW_UNITS)
    )


SHOP_RECHECKS: Final[dict[str, Callable[[Fact, Scene], bool]]] = {
    "sponsored": _sponsored,
    "overstock": _overstock,
    "running_low": _running_low,
}
"""By code."""
