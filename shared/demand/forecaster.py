"""One product's forecast: the method with the least error on held-out weeks makes it.

A product has few weeks to hold out, and the least of eight errors is partly luck. So its own errors
are read together with those of all products, as a prior (empirical Bayes, Robbins 1956): a method
is chosen against what serves most products only where the product's own weeks say so clearly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from shared.demand.forecast import Forecast
from shared.demand.intervals import (
    USUAL_DISPERSION,
    dispersion,
    dispersion_of_all,
    quantiles,
)
from shared.demand.methods import CANDIDATES, SHORT_OF_DATA, forecast

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

WINDOWS: Final = 3
"""Held-out windows, each as long as the horizon, at the end of the history."""
LEAST_DAYS: Final = 28
"""History that a method is given at least."""
SAMPLE: Final = 200
"""Products that tell how methods do on all."""
_FIELD_WEIGHT: Final = 2.0
"""Of the errors over all products, beside those of the product itself."""


@dataclass(frozen=True, slots=True)
class Field:
    """How forecasts do over many products: the prior of a single one."""

    shares: Mapping[str, float]
    """By method: its error as a share of the mean of all methods' errors."""
    dispersion: float
    """The d of the variance m + d m^2 of what is sold where a method forecasts m."""


UNKNOWN: Final = Field({}, USUAL_DISPERSION)
"""Where no product has a history that is long enough."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """How methods did on windows that they did not see; all is empty for a short history."""

    sold: tuple[float, ...]
    """Units of each window."""
    expected: Mapping[str, tuple[float, ...]]
    """What each method had forecast for it."""
    errors: Mapping[str, float]
    """Mean squared error a day of each method."""

    def shares(self) -> Mapping[str, float]:
        """Returns each error as a share of their mean; nothing where there is none."""
        mean = sum(self.errors.values()) / len(self.errors) if self.errors else 0.0
        return {name: error / mean for name, error in self.errors.items()} if mean > 0 else {}

    def best(self, field: Field) -> str:
        """Returns the method with the least error, read together with those of the field."""
        own = self.shares()
        if not own:
            return min(field.shares, key=field.shares.__getitem__, default=SHORT_OF_DATA)
        return min(own, key=lambda name: own[name] + _FIELD_WEIGHT * field.shares.get(name, 1.0))

    def spread(self, method: str, field: Field) -> float:
        """Returns d of the variance m + d m^2 of what is sold, where a method forecasts m."""
        return dispersion(self.sold, self.expected.get(method, ()), field.dispersion)


def backtest(units: Floats, horizon: int) -> Backtest:
    """Forecasts each window from what was before it (rolling origin, Tashman 2000).

    Args:
        units: (days,) sold, oldest first.
        horizon: Days of a window.
    """
    ends = [units.size - horizon * back for back in range(WINDOWS, 0, -1)]
    ends = [end for end in ends if end >= LEAST_DAYS]
    windows = [units[end : end + horizon] for end in ends]
    expected: dict[str, tuple[float, ...]] = {}
    errors: dict[str, float] = {}
    for name in CANDIDATES if ends else ():
        said = [forecast(name, units[:end], horizon) for end in ends]
        expected[name] = tuple(float(daily.sum()) for daily in said)
        squares = [np.square(a - b).mean() for a, b in zip(windows, said, strict=True)]
        errors[name] = float(np.mean(squares))
    return Backtest(tuple(float(window.sum()) for window in windows), expected, errors)


def field_of(units: Mapping[str, Floats], horizon: int) -> Field:
    """Returns how methods do over all products, by the same sample of them each time."""
    drawn = sorted(units, key=lambda each: hashlib.blake2b(each.encode()).digest())[:SAMPLE]
    tried = [found for each in drawn if (found := backtest(units[each], horizon)).shares()]
    if not tried:
        return UNKNOWN
    shares = [each.shares() for each in tried]
    means = {name: float(np.mean([each[name] for each in shares])) for name in CANDIDATES}
    usual = min(means, key=means.__getitem__)
    sold = [units for each in tried for units in each.sold]
    expected = [units for each in tried for units in each.expected[usual]]
    return Field(means, dispersion_of_all(sold, expected))


def forecast_product(product_id: str, units: Floats, horizon: int, field: Field) -> Forecast:
    """Forecasts one product.

    Args:
        product_id: Its id.
        units: (days,) sold, oldest first; at least `LEAST_DAYS`.
        horizon: Days ahead, 1 to `LONGEST_HORIZON`.
        field: How methods do over all products.

    Raises:
        ValueError: The history is shorter than that.
    """
    if units.size < LEAST_DAYS:
        raise ValueError(f"{product_id}: {units.size} days of history, {LEAST_DAYS} are needed")
    tried = backtest(units, horizon)
    method = tried.best(field)
    daily = forecast(method, units, horizon)
    total = float(daily.sum())
    return Forecast(
        product_id,
        method,
        tuple(float(value) for value in daily),
        total,
        quantiles(total, tried.spread(method, field)),
        int(units.size),
    )
