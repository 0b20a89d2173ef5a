"""Forecasting methods of statsforecast that compete for a product, and the baselines beside them.

For demand that comes now and then: Croston with the correction of Syntetos and Boylan (2005), TSB
(Teunter, Syntetos and Babai, 2011), which also lets demand die out, ADIDA (Nikolopoulos et al.,
2011) and IMAPA (Petropoulos and Kourentzes, 2015), which sum over time first. For demand of every
day: exponential smoothing, the same with a season of a week, and the dynamic optimised Theta method
(Fiorucci et al., 2016), which follows a trend.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

WEEK: Final = 7
_LEVEL_DAYS: Final = 28
_DEMAND_WEIGHT, _CHANCE_WEIGHT = 0.1, 0.1
"""Of the newest value in TSB's size of a demand, and in the chance that there is one."""
BASELINES: Final = ("naive", "seasonal_naive")
"""What every forecast is measured beside; they do not compete."""
CANDIDATES: Final = (
    "moving_average",
    "exponential_smoothing",
    "seasonal_smoothing",
    "theta",
    "croston_sba",
    "tsb",
    "adida",
    "imapa",
)
SHORT_OF_DATA: Final = "moving_average"
"""What forecasts a product of which too little is known to choose by."""


@cache
def _models() -> dict[str, Any]:
    """The library takes seconds to import, and whoever reads forecasts does without it."""
    from statsforecast import models

    return {
        "naive": models.Naive(),
        "seasonal_naive": models.SeasonalNaive(WEEK),
        "moving_average": models.WindowAverage(_LEVEL_DAYS),
        "exponential_smoothing": models.SimpleExponentialSmoothingOptimized(),
        "seasonal_smoothing": models.SeasonalExponentialSmoothingOptimized(WEEK),
        "theta": models.DynamicOptimizedTheta(WEEK),
        "croston_sba": models.CrostonSBA(),
        "tsb": models.TSB(_DEMAND_WEIGHT, _CHANCE_WEIGHT),
        "adida": models.ADIDA(),
        "imapa": models.IMAPA(),
    }


def forecast(method: str, units: Floats, horizon: int) -> Floats:
    """Returns (horizon,) units expected a day, at least 0.

    Args:
        method: One of CANDIDATES or BASELINES.
        units: (days,) sold, oldest first; at least two weeks.
        horizon: Days ahead, at least 1.
    """
    if np.ptp(units) == 0.0:  # the library looks for a season in what never changes
        return np.full(horizon, units[0])
    said = _models()[method].forecast(y=units, h=horizon)["mean"]
    return np.clip(np.nan_to_num(np.asarray(said, dtype=np.float64)), 0.0, None)
