"""Texts counted by windows of event time, with a watermark that says which windows are closed.

After Akidau et al., "The Dataflow Model" (VLDB 2015): the watermark is the newest event time less
the disorder that is expected of the stream. A window that it passed is closed, and read for surges;
a text that comes later still counts, and the window is read anew, until the window is final.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from services.insight.domain import Cell, Counts, Mention, Series

MS: Final = 1_000
HOUR_MS: Final = 3_600 * MS
DAY_MS: Final = 24 * HOUR_MS


class Taken(Enum):
    """What became of a text."""

    COUNTED = "counted"
    DUPLICATE = "duplicate"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """How event time is cut.

    Attributes:
        seconds: Length of a window.
        disorder_seconds: How far the newest text's event time runs before a window is closed.
        lateness_seconds: How much longer a text of a closed window still counts.
        fine_hours: How long windows are kept; hours behind them are kept as hours.
        hours: How long hours are kept.
    """

    seconds: int = 10
    disorder_seconds: int = 10
    lateness_seconds: int = 600
    fine_hours: int = 6
    hours: int = 24 * 92


@dataclass(slots=True)
class Bucket:
    """One window: counts by cell, and the ids of its texts."""

    cells: dict[Cell, Counts] = field(default_factory=dict[Cell, Counts])
    ids: set[str] = field(default_factory=set[str])


class Windows:
    """Windows of event time, and hours for the long run.

    Attributes:
        newest_ms: The newest event time so far; None before the first text.
        dirty: The oldest window that changed since `clean`; None for none.
    """

    def __init__(self, settings: WindowSettings) -> None:
        self.settings = settings
        self.length_ms = settings.seconds * MS
        self.newest_ms: int | None = None
        self.dirty: int | None = None
        self._buckets: dict[int, Bucket] = {}
        self._hours: dict[int, dict[Cell, Counts]] = {}
        self._pruned_at = 0
        self._origin: int | None = None

    def add(self, mention: Mention) -> Taken:
        """Counts a text in its window and its hour."""
        index = mention.at_ms // self.length_ms
        if self._origin is None:
            late = self.settings.disorder_seconds + self.settings.lateness_seconds
            self._origin = index - late // self.settings.seconds - 2
        if self.newest_ms is not None and index <= self.final:
            return Taken.LATE
        bucket = self._buckets.setdefault(index, Bucket())
        if mention.id in bucket.ids:
            return Taken.DUPLICATE
        bucket.ids.add(mention.id)
        bucket.cells.setdefault(mention.cell, Counts()).count(mention.mood)
        hour = self._hours.setdefault(mention.at_ms // HOUR_MS, {})
        hour.setdefault(mention.cell, Counts()).count(mention.mood)
        if self.newest_ms is None or mention.at_ms > self.newest_ms:
            self.newest_ms = mention.at_ms
        self.dirty = index if self.dirty is None else min(self.dirty, index)
        return Taken.COUNTED

    def takes(self, at_ms: int) -> bool:
        """Whether a text of this event time would still count."""
        return self.newest_ms is None or at_ms // self.length_ms > self.final

    def clean(self) -> None:
        """Forgets which windows changed, as they have been read, and what is kept no longer."""
        self.dirty = None
        self._prune()

    @property
    def origin(self) -> int:
        """A window before all that count, in whatever order texts come; 0 before the first."""
        return self._origin or 0

    @property
    def closed(self) -> int:
        """The last closed window; a text must have come before."""
        return self._behind(self.settings.disorder_seconds)

    @property
    def watermark_ms(self) -> int | None:
        """Event time up to which windows are closed; None before the first text."""
        return None if self.newest_ms is None else (self.closed + 1) * self.length_ms

    @property
    def final(self) -> int:
        """The last window that no text can change any more."""
        return self._behind(self.settings.disorder_seconds + self.settings.lateness_seconds)

    @property
    def newest(self) -> int:
        """The window of the newest text."""
        return (self.newest_ms or 0) // self.length_ms

    def filled_after(self, index: int) -> int:
        """Returns the next window that has texts; one behind the newest where none has."""
        return min((each for each in self._buckets if each > index), default=self.newest + 1)

    def cells(self, index: int) -> Mapping[Cell, Counts]:
        """Returns the counts of a window; nothing where it has no texts, or is not kept."""
        bucket = self._buckets.get(index)
        return bucket.cells if bucket else {}

    def counts(self, series: Series, first: int, last: int, beside: Series | None = None) -> Counts:
        """Adds up windows, both ends included, of a series or of what two have in common."""
        total = Counts()
        for index in range(first, last + 1):
            for cell, counts in self.cells(index).items():
                named = cell.series()
                if series in named and (beside is None or beside in named):
                    total.add(counts)
        return total

    def fine(self, first_ms: int, end_ms: int) -> Iterator[tuple[int, Mapping[Cell, Counts]]]:
        """Gives windows that begin in [first_ms, end_ms), by the time of their beginning."""
        for index in sorted(self._buckets):
            if first_ms <= index * self.length_ms < end_ms:
                yield index * self.length_ms, self._buckets[index].cells

    def hourly(self, first_ms: int, end_ms: int) -> Iterator[tuple[int, Mapping[Cell, Counts]]]:
        """Gives hours that begin in [first_ms, end_ms), by the time of their beginning."""
        for hour in sorted(self._hours):
            if first_ms <= hour * HOUR_MS < end_ms:
                yield hour * HOUR_MS, self._hours[hour]

    @property
    def fine_from_ms(self) -> int:
        """Since when windows are kept."""
        return max(0, (self.newest_ms or 0) - self.settings.fine_hours * HOUR_MS)

    def _behind(self, seconds: int) -> int:
        return ((self.newest_ms or 0) - seconds * MS) // self.length_ms - 1

    def _prune(self) -> None:
        newest = self.newest_ms or 0
        if newest // HOUR_MS == self._pruned_at:
            return
        self._pruned_at = newest // HOUR_MS
        _drop(self._buckets, self.fine_from_ms // self.length_ms)
        _drop(self._hours, newest // HOUR_MS - self.settings.hours)


def by_series(cells: Mapping[Cell, Counts]) -> dict[Series, Counts]:
    """Adds cells up by the series that they count in."""
    found: dict[Series, Counts] = {}
    for cell, counts in cells.items():
        for series in cell.series():
            found.setdefault(series, Counts()).add(counts)
    return found


def _drop(kept: dict[int, Bucket] | dict[int, dict[Cell, Counts]], before: int) -> None:
    gone: Iterable[int] = [index for index in kept if index < before]
    for index in gone:
        del kept[index]
