"""Lines through what was measured at a few sizes of a catalogue."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Affine:
    """base + each * products: what a process keeps of every product, and what it needs anyway."""

    base: float
    each: float

    def at(self, products: float) -> float:
        """Returns the value at a size."""
        return self.base + self.each * products


@dataclass(frozen=True, slots=True)
class Power:
    """factor * products ^ exponent; the factor by its logarithm, which a steep line needs."""

    log_factor: float
    exponent: float

    def at(self, products: float) -> float:
        """Returns the value at a size; infinity where no float holds it."""
        try:
            return math.exp(self.log_factor + self.exponent * math.log(products))
        except OverflowError:
            return math.inf


def affine(values: Mapping[int, float]) -> Affine:
    """Returns the least-squares line, relative errors weighing alike; never one that falls.

    Args:
        values: By number of products; one alone is taken to hold at every size.
    """
    sizes = np.array(list(values), dtype=np.float64)
    found = np.array(list(values.values()), dtype=np.float64)
    if len(values) == 1:
        return Affine(float(found[0]), 0.0)
    each, base = np.polyfit(sizes, found, 1, w=1 / np.maximum(found, 1e-9))
    if each < 0:
        return Affine(float(found.mean()), 0.0)
    if base < 0:
        return Affine(0.0, float(np.mean(found / sizes)))
    return Affine(float(base), float(each))


def power(values: Mapping[int, float]) -> Power:
    """Returns the least-squares line through the logarithms; never one that falls.

    Args:
        values: By number of products; one alone is taken to hold at every size.
    """
    sizes = np.log(np.array(list(values), dtype=np.float64))
    found = np.log(np.maximum(np.array(list(values.values()), dtype=np.float64), 1e-9))
    if len(values) == 1:
        return Power(float(found[0]), 0.0)
    exponent, offset = np.polyfit(sizes, found, 1)
    if exponent < 0:
        return Power(float(found.mean()), 0.0)
    return Power(float(offset), float(exponent))
