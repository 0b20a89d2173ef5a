"""Surges of several series with one cause, told once.

A fault of one product is a surge of the product, of its brand and of a topic. A series that surges
joins an incident where negatives that it shares with a series of it make up most of its excess.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from services.insight.domain import DIMENSIONS, Series
from services.insight.surge import Run, SeriesState
from services.insight.windows import Windows


@dataclass(frozen=True, slots=True)
class Incident:
    """A surge, whoever shows it.

    Attributes:
        id: The same whenever the same texts are read.
        series: The one that it is told of: the first, of several the narrowest.
        also: Others that it shows in, in the order in which they joined.
        run: Of `series`: when it set in and opened, and its counts, as they last were while open.
        closed: The window at whose end all of them had closed; None while one is open.
        peak: Most evidence of `series`.
        last: The last window in which `series` was open.
    """

    id: str
    series: Series
    also: tuple[Series, ...]
    run: Run
    closed: int | None
    peak: float
    last: int

    @property
    def members(self) -> tuple[Series, ...]:
        """All series that it shows in."""
        return (self.series, *self.also)


@dataclass(frozen=True, slots=True)
class IncidentSettings:
    """When surges are one.

    Attributes:
        shared: Part of its excess that a series has to share.
        quiet_minutes: A series that surges again so soon after goes on with the incident of before.
    """

    shared: float = 0.5
    quiet_minutes: float = 15.0


class Incidents:
    """Makes incidents of surges, window by window."""

    def __init__(self, settings: IncidentSettings, windows: Windows, kept_windows: int) -> None:
        self._settings = settings
        self._windows = windows
        self._quiet = round(settings.quiet_minutes * 60_000 / windows.length_ms)
        self._kept = max(kept_windows, self._quiet) + 1

    def step(
        self,
        before: Mapping[str, Incident],
        states: Mapping[Series, SeriesState],
        changed: Iterable[Series],
        index: int,
    ) -> dict[str, Incident]:
        """Returns the incidents after a window.

        Args:
            before: Those that were open, or closed not long ago, by id.
            states: Series after the window.
            changed: Series that opened in it.
            index: The window.
        """
        after = {
            each.id: each
            for each in (_renewed(incident, states, index) for incident in before.values())
            if each.closed is None or index - each.closed <= self._kept
        }
        for series in sorted(changed, key=lambda s: _order(s, states)):
            run = states[series].run
            if run is not None:
                incident = self._incident(series, run, after, states, index)
                after[incident.id] = incident
        return after

    def _incident(
        self,
        series: Series,
        run: Run,
        known: Mapping[str, Incident],
        states: Mapping[Series, SeriesState],
        index: int,
    ) -> Incident:
        for each in known.values():
            if series in each.members and (
                each.closed is None or index - each.closed <= self._quiet
            ):
                return replace(each, closed=None)
        for each in known.values():
            if each.closed is None and self._one_cause(series, run, each, states, index):
                return replace(each, also=(*each.also, series))
        name = f"{series.dimension}\n{series.value}\n{run.first}\n{self._windows.length_ms}"
        made = hashlib.sha256(name.encode()).hexdigest()[:20]
        return Incident(made, series, (), run, None, run.evidence, index)

    def _one_cause(
        self,
        series: Series,
        run: Run,
        incident: Incident,
        states: Mapping[Series, SeriesState],
        index: int,
    ) -> bool:
        """Whether a series surges for what an incident tells already.

        It does where a narrower series of the incident explains it. A wider one explains it too,
        unless the incident is told of another of its kind already, such as one product, and one of
        the two is what the wider one surges by now.
        """
        open_ones = [each for each in incident.members if _is_open(states.get(each))]
        alike = [each for each in incident.members if each.dimension == series.dimension]
        for other in open_ones:
            explained = self._common(series, other, run.first, index)
            if explained < max(1.0, self._settings.shared * run.excess):
                continue
            if not alike or _breadth(other) <= _breadth(series):
                return True
            whole = self._windows.counts(other, run.first, index)
            theirs = states[other].run or run
            excess = whole.negative - theirs.expected / max(theirs.texts, 1) * whole.total
            if not any(
                self._common(each, other, run.first, index) >= self._settings.shared * excess
                for each in (*alike, series)
            ):
                return True
        return False

    def _common(self, one: Series, other: Series, first: int, last: int) -> int:
        return self._windows.counts(one, first, last, beside=other).negative


def _breadth(series: Series) -> int:
    return DIMENSIONS.index(series.dimension)


def _renewed(incident: Incident, states: Mapping[Series, SeriesState], index: int) -> Incident:
    if incident.closed is not None:
        return incident
    if not any(_is_open(states.get(series)) for series in incident.members):
        return replace(incident, closed=index)
    state = states.get(incident.series)
    if state is None or state.run is None or state.run.opened is None:
        return incident
    peak = max(incident.peak, state.run.evidence)
    return replace(incident, run=state.run, peak=peak, last=index)


def _is_open(state: SeriesState | None) -> bool:
    return state is not None and state.run is not None and state.run.opened is not None


def _order(series: Series, states: Mapping[Series, SeriesState]) -> tuple[int, float, str]:
    run = states[series].run
    return _breadth(series), -(run.evidence if run else 0.0), series.value


def as_json(incident: Incident) -> str:
    """Returns an incident as one JSON object."""
    return json.dumps(asdict(incident), ensure_ascii=False)


def from_json(text: str) -> Incident:
    """Returns the incident that `as_json` wrote."""
    fields = cast("dict[str, Any]", json.loads(text))
    return Incident(
        id=fields["id"],
        series=Series(*fields["series"]),
        also=tuple(Series(*each) for each in fields["also"]),
        run=Run(**fields["run"]),
        closed=fields["closed"],
        peak=fields["peak"],
        last=fields["last"],
    )
