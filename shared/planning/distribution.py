"""Latencies as probabilities on an even grid: sums, the slowest of several, mixtures, percentiles.

Stages that follow each other add up, which is a convolution of independent latencies; a fan-out
waits for the slowest of its calls, whose distribution function is the product of theirs. Calls of a
fan-out that wait in queues fed by the same searches are positively associated, so the product is an
upper bound (Nelson and Tantawi, "Approximate analysis of fork/join synchronization in parallel
queues", IEEE Trans. Computers 37(6), 1988).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.planning.queueing import Wait

POINTS: Final = 4096
"""Places of a grid; latencies beyond the last are counted there."""
PROBABILITIES: Final = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 1.0)
"""Where the distribution of measured latencies is kept."""

_BEYOND: Final = 0.001
Array = NDArray[np.float64]
Spectrum = NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class Grid:
    """Places of latencies.

    A latency counts at the place that is nearest to it, so that sums have no bias.
    """

    most: float
    """The largest latency, milliseconds."""

    @property
    def step(self) -> float:
        """Milliseconds between two places."""
        return self.most / POINTS

    def measured(self, quantiles: Sequence[float]) -> Array:
        """Returns the probabilities of measured latencies, straight lines between quantiles.

        Args:
            quantiles: Milliseconds at PROBABILITIES.
        """
        values = np.maximum.accumulate(np.asarray(quantiles, dtype=np.float64))
        # Equal quantiles would leave np.interp to choose; the last of them is right.
        values = values + np.arange(len(values)) * 1e-9
        edges = (np.arange(POINTS) + 0.5) * self.step
        below = np.interp(edges, values, PROBABILITIES, left=0.0, right=1.0)
        return _probabilities(below)

    def waiting(self, wait: Wait) -> Array:
        """Returns the probabilities of a wait: none, or an exponential one (see `queueing`)."""
        edges = (np.arange(POINTS) + 0.5) * self.step
        if wait.probability <= 0 or wait.mean_ms <= 0:
            return _probabilities(np.ones(POINTS))
        return _probabilities(1 - wait.probability * np.exp(-edges / wait.mean_if_any_ms))

    def holds(self, wait: Wait) -> bool:
        """Whether all but one wait in a thousand end on the grid."""
        if wait.probability <= 0:
            return True
        return wait.probability * math.exp(-self.most / wait.mean_if_any_ms) < _BEYOND

    def percentile(self, probabilities: Array, percent: float) -> float:
        """Returns a percentile, 0 to 100, in milliseconds; infinite beyond the grid."""
        place = int(np.searchsorted(np.cumsum(probabilities), percent / 100))
        return float("inf") if place >= POINTS - 1 else place * self.step


def spectrum(one: Array) -> Spectrum:
    """Returns the Fourier transform, in which a sum of latencies is a product."""
    return np.fft.rfft(one, 2 * POINTS)


@lru_cache(maxsize=512)
def measured_spectrum(grid: Grid, quantiles: tuple[float, ...]) -> Spectrum:
    """Returns the transform of measured latencies, which many plans share."""
    return spectrum(grid.measured(quantiles))


def total(parts: Iterable[Spectrum]) -> Array:
    """Returns the probabilities of a sum of independent latencies, given by their transforms."""
    found = np.fft.irfft(reduce(np.multiply, parts), 2 * POINTS)
    whole = np.maximum(found, 0.0)
    kept = whole[:POINTS].copy()
    kept[-1] += whole[POINTS:].sum()
    return kept


def slowest(one: Array, calls: int) -> Array:
    """Returns the probabilities of the slowest of so many independent latencies."""
    return _probabilities(np.minimum(np.cumsum(one), 1.0) ** calls)


def mixture(parts: Sequence[tuple[float, Array]]) -> Array:
    """Returns the probabilities of one of several kinds of call, by the share of each."""
    found = np.zeros(POINTS)
    for weight, part in parts:
        found += weight * part
    return found / found.sum()


def mean(quantiles: Sequence[float]) -> float:
    """Returns the mean of measured latencies, milliseconds."""
    values = np.asarray(quantiles, dtype=np.float64)
    return float(np.sum(np.diff(PROBABILITIES) * (values[1:] + values[:-1]) / 2))


def variability(quantiles: Sequence[float]) -> float:
    """Returns the squared coefficient of variation of measured latencies."""
    low, high = np.asarray(quantiles[:-1]), np.asarray(quantiles[1:])
    # The second moment of a uniform stretch between two quantiles.
    square = float(np.sum(np.diff(PROBABILITIES) * (low**2 + low * high + high**2) / 3))
    first = mean(quantiles)
    return max(0.0, square / first**2 - 1) if first > 0 else 0.0


def _probabilities(below: Array) -> Array:
    found = np.diff(below, prepend=0.0)
    found[-1] += 1.0 - below[-1]
    return found
