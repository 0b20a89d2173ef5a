"""Quantiles of how many units are sold in a horizon.

Counts of sales vary by more than a Poisson law says, and by a share of the mean as well: the
variance is taken to be m + d m^2, a negative binomial law, with d from the held-out windows of the
product itself. These are few, and the method was chosen on them, so that they count beside a prior:
the d of all products.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

LEVELS: Final = (0.1, 0.5, 0.9)
"""Of the quantiles that a forecast tells."""
USUAL_DISPERSION: Final = 0.15
"""Where no product has a held-out window."""
_PRIOR_WINDOWS: Final = 3.0
_LEAST_DISPERSION: Final = 0.01
"""Next to nothing over a Poisson law, which a forecast is never sure enough for."""


def dispersion(sold: Sequence[float], expected: Sequence[float], prior: float) -> float:
    """Returns d of the variance m + d m^2, by moments.

    Args:
        sold: Units in each held-out window.
        expected: Units that were forecast for it.
        prior: The d of all products, which counts as three windows.
    """
    squares = [mean * mean for mean in expected]
    typical = sum(squares) / len(squares) if squares else 0.0
    if typical <= 0.0:
        return max(prior, _LEAST_DISPERSION)
    extra = sum((s - m) ** 2 - m for s, m in zip(sold, expected, strict=True))
    weight = _PRIOR_WINDOWS * typical
    return max((extra + prior * weight) / (sum(squares) + weight), _LEAST_DISPERSION)


def dispersion_of_all(sold: Sequence[float], expected: Sequence[float]) -> float:
    """Returns the d that windows of many products have in common.

    Beyond a unit each counts by its mean and not by the square, else the few that sell most would
    decide; below it by the square, else those of which next to nothing was expected would.
    """
    pairs = list(zip(sold, expected, strict=True))
    whole = sum(m * m / (1.0 + m) for _, m in pairs)
    if whole <= 0.0:
        return USUAL_DISPERSION
    extra = sum(((s - m) ** 2 - m) / (1.0 + m) for s, m in pairs)
    return max(extra / whole, _LEAST_DISPERSION)


def quantiles(mean: float, spread: float) -> dict[float, float]:
    """Returns the units below which so large a share of outcomes lies, by level.

    Args:
        mean: Units expected.
        spread: d of the variance.
    """
    if mean <= 0.0:
        return dict.fromkeys(LEVELS, 0.0)
    from scipy.stats import nbinom

    size = 1.0 / spread
    law: Any = nbinom(size, size / (size + mean))  # scipy has no types
    return {level: float(law.ppf(level)) for level in LEVELS}
