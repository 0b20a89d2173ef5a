"""What days of cover do to a product's place."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.orchestrator.stock.settings import StockSettings
from shared.demand.forecast import Forecast
from wherefore.common.v1.product_pb2 import AVAILABILITY_IN_STOCK, Product
from wherefore.orchestrator.v1 import stock_pressure_pb2 as pb

LONGEST_COVER: Final = 9_999.0
"""Days told where nothing is expected to be sold."""


@dataclass(frozen=True, slots=True)
class Pressure:
    """What stock does to one product.

    Attributes:
        kind: What is done.
        quantity: Units on hand.
        daily_demand: Units expected to be sold a day.
        days_of_cover: Days that the units suffice for.
        push: Of the whole strength, -1 to 1.
    """

    kind: "pb.StockPressureKind.ValueType"
    quantity: int
    daily_demand: float
    days_of_cover: float
    push: float

    def message(self, boost: float) -> pb.StockPressure:
        """Returns what the answer tells; `boost` is what it added to the score."""
        return pb.StockPressure(
            kind=self.kind,
            quantity=self.quantity,
            daily_demand=self.daily_demand,
            days_of_cover=self.days_of_cover,
            boost=boost,
        )


def pressure_of(
    product: Product, forecasts: Mapping[str, Forecast], settings: StockSettings
) -> Pressure | None:
    """Returns what stock does to a product.

    None where it does nothing: between both limits, and where stock or demand are not known. A
    product that cannot be bought now is no case for it: `stock` is a feature of ranking.
    """
    stock = product.stock
    forecast = forecasts.get(product.id)
    if forecast is None or not stock.HasField("quantity"):
        return None
    if stock.availability != AVAILABILITY_IN_STOCK or stock.quantity <= 0:
        return None
    daily = forecast.total / len(forecast.daily)
    cover = stock.quantity / daily if daily > 0.0 else math.inf
    told = min(cover, LONGEST_COVER)
    if cover < settings.hold_back_days:
        held = pb.STOCK_PRESSURE_KIND_HELD_BACK
        return Pressure(held, stock.quantity, daily, told, -1.0)
    if cover < settings.low_days:
        push = cover / settings.low_days - 1.0
        return Pressure(pb.STOCK_PRESSURE_KIND_RUNNING_LOW, stock.quantity, daily, told, push)
    if cover > settings.overstock_days:
        # Nothing at the limit, half at twice the limit: more than all of it there never is.
        push = 1.0 - settings.overstock_days / cover
        return Pressure(pb.STOCK_PRESSURE_KIND_OVERSTOCK, stock.quantity, daily, told, push)
    return None
