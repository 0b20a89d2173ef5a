"""Counts over event time, and what they say of trend and season."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.insight.domain import Counts, Series
from services.insight.windows import DAY_MS, HOUR_MS, Windows

HOURS: Final = 24
WEEK: Final = 7
_FEWEST: Final = 4


@dataclass(slots=True)
class Points:
    """A series over time: counts by the time in milliseconds at which a point begins."""

    total: Counts = field(default_factory=Counts)
    by_time: dict[int, Counts] = field(default_factory=dict[int, Counts])


@dataclass(frozen=True, slots=True)
class Direction:
    """Where a figure is going.

    Attributes:
        slope: A day.
        p: Probability of so clear a direction by chance.
        days: Days with texts.
    """

    slope: float
    p: float
    days: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """Trend and season of a series; see `outlook`."""

    total: Counts
    volume: Direction
    negative_share: Direction
    hour_of_day: tuple[float, ...]
    hour_strength: float
    day_of_week: tuple[float, ...]
    day_strength: float


def aggregate(
    windows: Windows,
    dimension: str,
    values: Collection[str],
    *,
    start_ms: int,
    end_ms: int,
    step_ms: int,
) -> dict[Series, Points]:
    """Counts the texts of a dimension by points of time.

    Args:
        windows: Where they are counted.
        dimension: What to count by.
        values: Which; all where empty.
        start_ms: Begin, a multiple of the step.
        end_ms: End, exclusive.
        step_ms: Length of a point; under an hour a multiple of the windows.
    """
    source = windows.fine if step_ms < HOUR_MS else windows.hourly
    wanted = frozenset(values)
    found: dict[Series, Points] = {}
    for at_ms, cells in source(start_ms, end_ms):
        point = at_ms - at_ms % step_ms
        for cell, counts in cells.items():
            for series in cell.series():
                if series.dimension == dimension and (not wanted or series.value in wanted):
                    points = found.setdefault(series, Points())
                    points.total.add(counts)
                    points.by_time.setdefault(point, Counts()).add(counts)
    return found


def outlook(hours: Mapping[int, Counts], first_ms: int, end_ms: int) -> Outlook:
    """Tells trend and season of a series.

    Trends are Theil-Sen slopes (Sen, JASA 1968) over days with the test of Mann and Kendall (1945);
    seasons are multiples of the mean, and their strength is the part of the variance that they
    explain (as in Wang, Smith and Hyndman, 2006).

    Args:
        hours: Counts by the time in milliseconds at which an hour begins.
        first_ms: Begin, inclusive.
        end_ms: End, exclusive; the day that it is in is left out of trends unless it is whole.
    """
    total = Counts()
    for counts in hours.values():
        total.add(counts)
    first_day, last_day = first_ms // DAY_MS, end_ms // DAY_MS
    days = [Counts() for _ in range(max(0, last_day - first_day))]
    for at, counts in hours.items():
        if 0 <= (place := at // DAY_MS - first_day) < len(days):
            days[place].add(counts)
    # Days before the first text are no days without texts.
    begin = next((at for at, day in enumerate(days) if day.total), len(days))
    volume = [(float(at), float(day.total)) for at, day in enumerate(days) if at >= begin]
    share = [(float(at), day.negative / day.total) for at, day in enumerate(days) if day.total]
    whole = [day.total for day in days[begin:]]
    hourly = np.zeros(0)
    if whole:
        start = (first_day + begin) * DAY_MS
        places = range(start, last_day * DAY_MS, HOUR_MS)
        hourly = np.array([hours[at].total if at in hours else 0 for at in places], dtype=float)
    by_hour, hour_strength = season(hourly, 0, HOURS)
    monday = (first_day + begin + 3) % WEEK  # 1970 began on a Thursday
    by_day, day_strength = season(np.array(whole, dtype=float), monday, WEEK)
    return Outlook(
        total,
        direction(volume),
        direction(share),
        by_hour,
        hour_strength,
        by_day,
        day_strength,
    )


def direction(points: Sequence[tuple[float, float]]) -> Direction:
    """Returns the slope through points (day, figure), and how sure its sign is."""
    if len(points) < _FEWEST:
        return Direction(0.0, 1.0, len(points))
    x, y = np.array(points).T
    first, second = np.triu_indices(len(points), k=1)
    rise, run = y[second] - y[first], x[second] - x[first]
    slope = float(np.median(rise / run))
    s = float(np.sign(rise).sum())
    n = len(points)
    ties = np.unique(y, return_counts=True)[1]
    variance = (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    if variance <= 0:
        return Direction(slope, 1.0, n)
    z = max(0.0, abs(s) - 1) / math.sqrt(variance)
    return Direction(slope, math.erfc(z / math.sqrt(2)), n)


def season(values: NDArray[np.float64], phase: int, period: int) -> tuple[tuple[float, ...], float]:
    """Returns multiples of the mean by place in the period, and what they explain.

    Args:
        values: In order of time.
        phase: Place of the first in the period.
        period: Places.
    """
    mean = float(values.mean()) if len(values) else 0.0
    if len(values) < 2 * period or mean <= 0:
        return (), 0.0
    places = (np.arange(len(values)) + phase) % period
    usual = np.bincount(places, values, minlength=period) / np.bincount(places, minlength=period)
    spread = float(values.var())
    left = float((values - usual[places]).var())
    strength = max(0.0, 1 - left / spread) if spread > 0 else 0.0
    return tuple(float(each) for each in usual / mean), strength
