"""What share of negatives was to be expected of the points of a series, and how far it strays.

The forecast of a point comes from what was written before it, as where surges are looked for: the
discounted share of the series, with that of all series as its prior. Around it lies what as many
texts as the point has would stray in 95 of 100 cases, were the share beta distributed with the
forecast's weight (the standard deviation of a beta-binomial share, and the normal distribution).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from services.insight.domain import ALL, Cell, Counts, Series
from services.insight.forecast import ForecastSettings, share_of
from services.insight.windows import HOUR_MS, Windows, by_series

_Z: Final = 1.96
_EVERYTHING: Final = Series(ALL, "")
Stretch = tuple[int, int | None]
"""From when to when an alert was open, in milliseconds; None for one that is."""


@dataclass(frozen=True, slots=True)
class Band:
    """Expected share of negatives, and the interval around it; 0 to 1."""

    share: float
    low: float
    high: float


@dataclass(slots=True)
class _Share:
    """Texts and negatives so far, discounted up to a time."""

    half_life_ms: float
    at_ms: int = 0
    texts: float = 0.0
    negatives: float = 0.0

    def up_to(self, at_ms: int) -> tuple[float, float]:
        left = 0.5 ** ((at_ms - self.at_ms) / self.half_life_ms)
        self.at_ms = at_ms
        self.texts *= left
        self.negatives *= left
        return self.texts, self.negatives

    def learn(self, counts: Counts) -> None:
        self.texts += counts.total
        self.negatives += counts.negative


@dataclass(slots=True)
class Surges:
    """When alerts of each series were open."""

    by_series: Mapping[Series, Sequence[Stretch]] = field(
        default_factory=dict[Series, Sequence[Stretch]]
    )

    def holds(self, series: Series, start_ms: int, end_ms: int) -> bool:
        """Whether one was open at some time in [start_ms, end_ms)."""
        return any(
            begin < end_ms and (end is None or start_ms < end)
            for begin, end in self.by_series.get(series, ())
        )


def share_bands(
    windows: Windows,
    wanted: Collection[Series],
    surges: Surges,
    settings: ForecastSettings,
    *,
    start_ms: int,
    end_ms: int,
    step_ms: int,
) -> dict[Series, dict[int, Band]]:
    """Returns the bands of all points that have texts, by the time at which a point begins.

    Args:
        windows: Where texts are counted, also those before the points.
        wanted: The series.
        surges: The forecast of a series does not learn from points of these.
        settings: How fast it follows.
        start_ms: Begin, a multiple of the step.
        end_ms: End, exclusive.
        step_ms: Length of a point.
    """
    half_life = settings.share_hours * HOUR_MS
    learnt = {series: _Share(half_life) for series in wanted}
    everywhere = _Share(half_life)
    found: dict[Series, dict[int, Band]] = {series: {} for series in wanted}
    for begin, length, counted in _pieces(windows, end_ms, step_ms):
        known_of_all = everywhere.up_to(begin)
        for series, share in learnt.items():
            known = share.up_to(begin)
            counts = counted.get(series)
            if counts is None:
                continue
            if begin >= start_ms and length == step_ms:
                found[series][begin] = _band(
                    *share_of(known, known_of_all, settings.prior_texts), counts.total
                )
            if not surges.holds(series, begin, begin + length):
                share.learn(counts)
        everywhere.learn(counted.get(_EVERYTHING, Counts()))
    return found


def _band(share: float, weight: float, texts: int) -> Band:
    spread = (share * (1 - share) * (weight + texts) / (texts * (weight + 1))) ** 0.5
    return Band(share, max(0.0, share - _Z * spread), min(1.0, share + _Z * spread))


def _pieces(
    windows: Windows, end_ms: int, step_ms: int
) -> Iterator[tuple[int, int, dict[Series, Counts]]]:
    """Gives begin, length and counts of all that is kept: points, and before short ones hours."""
    if step_ms >= HOUR_MS:
        yield from _points(windows.hourly(0, end_ms), step_ms)
        return
    fine_from = windows.fine_from_ms // HOUR_MS * HOUR_MS
    yield from _points(windows.hourly(0, fine_from), HOUR_MS)
    yield from _points(windows.fine(fine_from, end_ms), step_ms)


def _points(
    counted: Iterator[tuple[int, Mapping[Cell, Counts]]], step_ms: int
) -> Iterator[tuple[int, int, dict[Series, Counts]]]:
    for begin, parts in groupby(counted, lambda part: part[0] - part[0] % step_ms):
        whole: dict[Cell, Counts] = {}
        for _, cells in parts:
            for cell, counts in cells.items():
                whole.setdefault(cell, Counts()).add(counts)
        yield begin, step_ms, by_series(whole)
