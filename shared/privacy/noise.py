"""Noise for counts that are given out: discrete Laplace, drawn exactly, without floating point.

Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy" (NeurIPS 2020),
algorithms 1 and 2. Floating-point noise leaks what it should hide (Mironov, CCS 2012).
"""

import math
import secrets
from fractions import Fraction


def discrete_laplace(scale: Fraction) -> int:
    """Draws an integer y with a probability in proportion to exp(-|y| / scale).

    Args:
        scale: Above 0.
    """
    while True:
        start = secrets.randbelow(scale.numerator)
        if not _happens_exp(Fraction(start, scale.numerator)):
            continue
        rounds = 0
        while _happens_exp(Fraction(1)):
            rounds += 1
        size = (start + scale.numerator * rounds) // scale.denominator
        negative = bool(secrets.randbelow(2))
        if negative and size == 0:  # else 0 would come twice as often
            continue
        return -size if negative else size


def release_threshold(scale: Fraction, contributions: int, delta: float) -> int:
    """Returns the least noisy count that may be told of a key that is not public.

    A key that one user alone has is told with a chance of at most `delta`, over all the keys that
    the user adds: P(1 + noise >= threshold) <= exp(-(threshold - 1) / scale) <= delta /
    contributions (Korolova et al., "Releasing search queries and clicks privately", WWW 2009).

    Args:
        scale: Of the noise.
        contributions: Most keys of one user.
        delta: Above 0, below 1.
    """
    return 1 + math.ceil(float(scale) * math.log(contributions / delta))


def _happens_exp(gamma: Fraction) -> bool:
    """Draws true with probability exp(-gamma), for gamma from 0 to 1."""
    factor = 1
    while secrets.randbelow(gamma.denominator * factor) < gamma.numerator:
        factor += 1
    return factor % 2 == 1
