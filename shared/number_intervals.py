"""Intervals of numbers that read well and hold about as many products each."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from shared.filter_syntax import And, Operator, Restriction, Value, format_filter

_STEPS: Final = (1.0, 2.0, 5.0)
# Numbers past these are held by the open ends.
_LARGEST: Final = 1e12
_POWERS: Final = 8
# Of an even share: what an interval holds at least, and what must be left for the last one.
_NEARLY: Final = 0.75
_TOO_FEW: Final = 0.25


@dataclass(frozen=True, slots=True)
class Interval:
    """Numbers from `low`, inclusive, to `high`, exclusive; open ends are None."""

    low: float | None = None
    high: float | None = None


DEFAULT_INTERVALS: Final = 5
RATINGS: Final = tuple(Interval(low=float(stars)) for stars in (4, 3, 2, 1))
"""Stars as shops count them: so many and up."""


def balanced(total: int, count_below: Callable[[float], int], limit: int) -> list[Interval]:
    """Returns at most `limit` intervals that share the numbers evenly, lowest first.

    Their bounds are of the series 1, 2, 5, 10, 20, 50, the lowest and the highest end open.

    Args:
        total: How many numbers there are.
        count_below: Counts the numbers below a bound.
        limit: Intervals to make, at least 1.
    """
    ceiling = 1.0
    while ceiling < _LARGEST and count_below(ceiling) < total:
        ceiling *= 10
    bounds: list[tuple[float, int]] = []
    for bound in _descending(ceiling):
        below = count_below(bound)
        if not below:
            break
        bounds.append((bound, below))
    chosen: list[float] = []
    counted = 0
    for bound, below in reversed(bounds):
        # What is left is shared anew, so that one crowded interval does not starve the others.
        share = (total - counted) / (limit - len(chosen))
        enough = below - counted >= share * _NEARLY and total - below >= share * _TOO_FEW
        if enough and len(chosen) < limit - 1:
            chosen.append(bound)
            counted = below
    ends = [None, *chosen, None]
    return [Interval(low, high) for low, high in pairwise(ends)]


def condition_of(key: str, interval: Interval) -> str:
    """Returns the filter that selects the products whose number lies in an interval."""
    ends = ((Operator.GREATER_EQUAL, interval.low), (Operator.LESS, interval.high))
    parts = [
        Restriction(key, operator, (Value(f"{end:.15g}", quoted=False),))
        for operator, end in ends
        if end is not None
    ]
    if not parts:  # one interval holds all numbers
        parts = [Restriction(key, Operator.HAS, (Value("*", quoted=False),))]
    return format_filter(And(tuple(parts)) if len(parts) > 1 else parts[0])


def _descending(ceiling: float) -> list[float]:
    """Returns the bounds below a power of ten, largest first."""
    powers = [ceiling * 10.0**-n for n in range(1, _POWERS + 1)]
    # By way of text, as 3 * 0.1 is not 0.3.
    return [float(f"{step * power:.0e}") for power in powers for step in reversed(_STEPS)]
