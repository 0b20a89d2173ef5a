"""Windows read in the order of event time, and read anew where a late text changed one.

What is known after a window is a value that nobody changes: a window that changed is read again
from the value before it. So in the end it makes no difference in which order texts came, or how
often, as long as they came before their window was final.

After a long silence all begins anew, so that years between two texts are not read window by window.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.insight.domain import ALL, PRODUCT, Counts, Series
from services.insight.domain import BRAND as BRAND_DIMENSION
from services.insight.domain import TOPIC as TOPIC_DIMENSION
from services.insight.forecast import Climate, Forecast, ForecastSettings
from services.insight.incidents import Incident, Incidents, IncidentSettings
from services.insight.surge import SeriesState, SurgeDetector, SurgeSettings
from services.insight.windows import Windows, by_series


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """How surges are found.

    Attributes:
        forecast: What is expected.
        surge: How far from it is a surge.
        incidents: Which surges are one.
        dimensions: Of which series surges are looked for.
    """

    forecast: ForecastSettings = field(default_factory=ForecastSettings)
    surge: SurgeSettings = field(default_factory=SurgeSettings)
    incidents: IncidentSettings = field(default_factory=IncidentSettings)
    dimensions: tuple[str, ...] = (PRODUCT, BRAND_DIMENSION, TOPIC_DIMENSION)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known after a window.

    Attributes:
        climate: Of all series.
        states: Of each.
        active: Series with evidence: they are looked at in windows without texts too.
        incidents: Open ones, and those that closed not long ago, by id.
    """

    climate: Climate = field(default_factory=Climate)
    states: dict[Series, SeriesState] = field(default_factory=dict[Series, SeriesState])
    active: frozenset[Series] = frozenset()
    incidents: dict[str, Incident] = field(default_factory=dict[str, Incident])

    @property
    def at_rest(self) -> bool:
        """Whether windows without texts change nothing."""
        return not (self.climate.started or self.active or self.incidents)


class Timeline:
    """Reads closed windows.

    Args:
        windows: Where texts are counted.
        settings: How surges are found.
    """

    def __init__(self, windows: Windows, settings: DetectionSettings) -> None:
        self._windows = windows
        self._settings = settings
        seconds = windows.settings.seconds
        self._forecast = Forecast(settings.forecast, seconds)
        self._detector = SurgeDetector(settings.surge, self._forecast, seconds)
        kept = (windows.settings.lateness_seconds + windows.settings.disorder_seconds) // seconds
        self._incidents = Incidents(settings.incidents, windows, kept + 1)
        self._warm = settings.surge.warm_hours * 3_600 / seconds
        self._after: dict[int, Known] = {}

    @property
    def head(self) -> int | None:
        """The last window that was read; None before the first."""
        return max(self._after) if self._after else None

    def read(self, last: int) -> Sequence[Incident]:
        """Reads windows up to `last`, and again those that changed.

        Returns:
            The incidents that are open or closed not long ago, and those that no longer are.
        """
        windows = self._windows
        if windows.newest_ms is None:
            return ()
        if not self._after:
            self._after[windows.origin] = Known()
        head = max(self._after)
        start = head if windows.dirty is None else min(head, windows.dirty - 1)
        known = self._after[start]
        found: dict[str, Incident] = {}
        index, end, final = start, max(last, head), windows.final
        while index < end:
            found |= known.incidents
            # What is not final is read window by window: late texts are read from any of them.
            leap = min(windows.filled_after(index) - 1, final, end) if known.at_rest else index
            if leap > index:
                index = leap
            else:
                index += 1
                known = self._step(known, index)
            if index >= min(final, end):
                self._after[index] = known
        windows.clean()
        self._forget(final)
        now = self._after[max(self._after)].incidents
        settled = [
            each
            for each in found.values()
            if each.id not in now and each.closed is not None and each.closed <= final
        ]
        return (*settled, *now.values())

    def known(self) -> Known:
        """Returns what is known after the last window that was read."""
        return self._after[max(self._after)] if self._after else Known()

    def _step(self, before: Known, index: int) -> Known:
        counted = by_series(self._windows.cells(index))
        whole = counted.pop(Series(ALL, ""), None) or Counts()
        if ALL in self._settings.dimensions:
            counted[Series(ALL, "")] = whole
        looked_at = before.active.union(
            series for series in counted if series.dimension in self._settings.dimensions
        )
        climate = self._forecast.pass_window(before.climate, index, whole.total, whole.negative)
        if not looked_at:
            incidents = self._incidents.step(before.incidents, before.states, (), index)
            if self._forecast.is_over(climate) and not incidents:
                return Known()
            return Known(climate, before.states, before.active, incidents)
        armed = before.climate.windows >= self._warm
        states = dict(before.states)
        opened: list[Series] = []
        nothing = Counts()
        for series in looked_at:
            counts = counted.get(series, nothing)
            state = states[series] = self._detector.step(
                before.states.get(series),
                before.climate,
                index,
                texts=counts.total,
                negatives=counts.negative,
                armed=armed,
            )
            if state.run is not None and state.run.opened == index:
                opened.append(series)
        active = frozenset(s for s in looked_at if states[s].run is not None)
        incidents = self._incidents.step(before.incidents, states, opened, index)
        return Known(climate, states, active, incidents)

    def _forget(self, final: int) -> None:
        """Forgets what is known after windows before the last final one: none is read again."""
        head = max(self._after)
        for index in [index for index in self._after if index < min(final, head)]:
            del self._after[index]
