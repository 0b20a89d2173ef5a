"""How far an average over queries can be trusted: intervals and paired tests.

Sources: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, for the percentile
interval and, in its chapter 16, the test on values shifted to the null hypothesis; Sakai,
"Evaluating evaluation metrics based on the bootstrap", SIGIR 2006, for its use on paired queries;
Smucker, Allan and Carterette, "A comparison of statistical significance tests for information
retrieval evaluation", CIKM 2007, for the paired randomisation test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

SIGNIFICANT: Final = 0.05
RESAMPLES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with the ends of its confidence interval."""

    mean: float
    low: float
    high: float


def bootstrap_interval(
    values: Sequence[float], *, confidence: float = 0.95, resamples: int = RESAMPLES, seed: int = 1
) -> Interval:
    """Percentile bootstrap interval of the mean over queries.

    Args:
        values: One value per query, at least one.
        confidence: Coverage, above 0 and below 1.
        resamples: How many times the queries are drawn again with replacement.
        seed: The same seed gives the same interval.

    Raises:
        ValueError: No values, or a confidence out of range.
    """
    if not values:
        raise ValueError("an interval needs at least one value")
    if not 0 < confidence < 1:
        raise ValueError("confidence must lie between 0 and 1")
    sample = np.asarray(values, dtype=np.float64)
    means = resampled_means(sample, resamples=resamples, seed=seed)
    return percentile_interval(float(sample.mean()), means, confidence=confidence)


def resampled_means(
    values: NDArray[np.float64], *, resamples: int = RESAMPLES, seed: int = 1
) -> NDArray[np.float64]:
    """Means of values, (queries,), drawn again with replacement; (resamples,)."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(values), size=(resamples, len(values)))
    return values[drawn].mean(axis=1)


def percentile_interval(
    value: float, resampled: NDArray[np.float64], *, confidence: float = 0.95
) -> Interval:
    """A value with the percentiles of what resamples gave in its place, (resamples,)."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return Interval(value, float(low), float(high))


@dataclass(frozen=True, slots=True)
class Difference:
    """How far one system is above another, by the paired bootstrap over queries."""

    interval: Interval
    """Of the mean of first - second."""
    p: float
    """Two-sided, that the mean difference is 0."""

    @property
    def better(self) -> bool:
        """Whether the first is above the second, and that is no accident."""
        return self.interval.mean > 0 and self.p < SIGNIFICANT

    @property
    def worse(self) -> bool:
        """Whether the first is below the second, and that is no accident."""
        return self.interval.mean < 0 and self.p < SIGNIFICANT


def paired_bootstrap(
    first: Sequence[float],
    second: Sequence[float],
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 1,
) -> Difference:
    """Interval and p-value of the difference of two systems, by drawing queries again.

    Args:
        first: One value per query.
        second: The other system's values, in the same order of queries.
        confidence: Coverage, above 0 and below 1.
        resamples: How many times the queries are drawn again with replacement.
        seed: The same seed gives the same values.

    Returns:
        The percentile interval; p is the share of resamples whose mean lies at least as far from
        the mean seen as that lies from 0, the one seen counted among them.

    Raises:
        ValueError: No values, not as many of one as of the other, or a confidence out of range.
    """
    _check_paired(first, second)
    if not 0 < confidence < 1:
        raise ValueError("confidence must lie between 0 and 1")
    differences = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    means = resampled_means(differences, resamples=resamples, seed=seed)
    seen = float(differences.mean())
    as_far = int(np.count_nonzero(np.abs(means - seen) >= abs(seen) - 1e-12))
    interval = percentile_interval(seen, means, confidence=confidence)
    return Difference(interval, (as_far + 1) / (resamples + 1))


def paired_randomisation(
    first: Sequence[float], second: Sequence[float], *, permutations: int = 10_000, seed: int = 1
) -> float:
    """Two-sided p-value that two systems are alike, by swapping their scores query by query.

    Args:
        first: One value per query.
        second: The other system's values, in the same order of queries.
        permutations: Random swaps to draw.
        seed: The same seed gives the same value.

    Returns:
        Share of swaps with a difference of means at least as large as the one seen, the seen one
        counted among them so that the value is never 0.

    Raises:
        ValueError: No values, or not as many of one as of the other.
    """
    _check_paired(first, second)
    differences = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    rng = np.random.default_rng(seed)
    signs = rng.integers(0, 2, size=(permutations, len(differences))) * 2 - 1
    seen = abs(differences.mean())
    swapped = np.abs((signs * differences).mean(axis=1))
    # Sums in another order differ in the last bits; a tie must count as one.
    as_large = int(np.count_nonzero(swapped >= seen - 1e-12))
    return (as_large + 1) / (permutations + 1)


def _check_paired(first: Sequence[float], second: Sequence[float]) -> None:
    if not first or len(first) != len(second):
        raise ValueError("the paired test needs as many values of one system as of the other")
