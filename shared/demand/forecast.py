"""What is expected of a product. Who reads forecasts needs no library that makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LONGEST_HORIZON: Final = 90
"""Days."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected of a product."""

    product_id: str
    method: str
    """That made it."""
    daily: tuple[float, ...]
    """Units expected of each day of the horizon."""
    total: float
    """Their sum."""
    quantiles: dict[float, float]
    """Of the units in the whole horizon, by level."""
    history_days: int
    """Days of history that it was made of."""
