"""How far forecasts are from what was sold.

MASE and RMSSE divide an error by that of the seasonal naive forecast within the history (Hyndman
and Koehler, 2006; Makridakis et al., 2022, for the squared one). The least absolute error is the
median's, which is 0 for most products that sell now and then; the least squared error is the
mean's, which is what stock is planned by. So forecasts are chosen by the squared one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shared.demand.methods import WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def absolute_scale(units: Floats) -> float:
    """Returns the mean absolute error of the seasonal naive forecast; 0 where it never errs."""
    return float(np.abs(units[WEEK:] - units[:-WEEK]).mean()) if units.size > WEEK else 0.0


def squared_scale(units: Floats) -> float:
    """Returns the mean squared error of the seasonal naive forecast; 0 where it never errs."""
    return float(np.square(units[WEEK:] - units[:-WEEK]).mean()) if units.size > WEEK else 0.0


def mase(actual: Floats, expected: Floats, history: Floats) -> float | None:
    """Returns the mean absolute scaled error; None without a scale."""
    scale = absolute_scale(history)
    return float(np.abs(actual - expected).mean()) / scale if scale > 0 else None


def rmsse(actual: Floats, expected: Floats, history: Floats) -> float | None:
    """Returns the root mean squared scaled error; None without a scale."""
    scale = squared_scale(history)
    return float(np.sqrt(np.square(actual - expected).mean() / scale)) if scale > 0 else None


def pinball(actual: float, quantile: float, level: float) -> float:
    """Returns the loss of a quantile of a level, 0 to 1 (Koenker and Bassett, 1978)."""
    over = actual - quantile
    return level * over if over >= 0 else (level - 1.0) * over
