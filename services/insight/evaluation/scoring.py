"""Alerts held against the surges that were put in."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from services.insight.domain import BRAND, PRODUCT, TOPIC, Series
from services.insight.evaluation.stream import MINUTE, Stream, Surge
from services.insight.mentions import MentionStore
from services.insight.monitor import Alert, Change, Monitor
from services.insight.timeline import DetectionSettings
from services.insight.windows import MS, WindowSettings

WANTED_MINUTES: Final = 2.0
_BATCH_MS: Final = 5_000
_TAIL: Final = 5 * MINUTE
"""An alert may be told so long after a surge ended."""


@dataclass(frozen=True, slots=True)
class Told:
    """An alert, as a score sees it.

    Attributes:
        at_ms: Event time of the newest text as it was told.
        opened_ms: End of the window that opened it.
        series: All that it shows in.
        phrases: What is said to drive it.
    """

    at_ms: int
    opened_ms: int
    series: tuple[Series, ...]
    phrases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """How well alerts fit surges.

    Attributes:
        surges: Put in.
        alerts: Told.
        found: Surges that an alert was told of.
        delays: Of each that was found, minutes of event time from its start to the alert.
        phrases: Part of the found ones whose phrases hold a word of the surge's topic.
    """

    surges: int
    alerts: int
    found: int
    delays: tuple[float, ...]
    phrases: float = 0.0

    @property
    def recall(self) -> float:
        """Part of the surges that were found."""
        return self.found / self.surges if self.surges else 0.0

    @property
    def precision(self) -> float:
        """Part of the alerts that are of a surge, each surge once."""
        return self.found / self.alerts if self.alerts else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        both = self.surges + self.alerts
        return 2 * self.found / both if both else 0.0

    def delay(self, percent: float) -> float:
        """Returns a percentile of the delays, in minutes; not a number where none was found."""
        return float(np.percentile(self.delays, percent)) if self.delays else math.nan

    def as_json(self) -> dict[str, object]:
        """Returns the figures."""
        late = [delay for delay in self.delays if delay >= WANTED_MINUTES]
        figures: dict[str, object] = asdict(self)
        del figures["delays"]
        return figures | {
            "recall": self.recall,
            "precision": self.precision,
            "f1": self.f1,
            "delay_minutes": {
                "p50": self.delay(50) if self.delays else None,
                "p95": self.delay(95) if self.delays else None,
                "max": max(self.delays, default=None),
            },
            "late": len(late),
        }


def together(scores: Sequence[Score]) -> Score:
    """Returns the score of several streams as one."""
    found = sum(score.found for score in scores)
    said = sum(score.phrases * score.found for score in scores)
    return Score(
        sum(score.surges for score in scores),
        sum(score.alerts for score in scores),
        found,
        tuple(delay for score in scores for delay in score.delays),
        said / found if found else 0.0,
    )


def replay(
    stream: Stream,
    windows: WindowSettings,
    detection: DetectionSettings,
    on_texts: Callable[[int], None] = lambda _: None,
) -> list[Told]:
    """Plays a stream into a monitor, texts as they arrive, and returns its alerts.

    An alert that is withdrawn later was told all the same, and counts.
    """
    store = MentionStore(None)
    monitor = Monitor(windows, detection, store)
    told: dict[str, Told] = {}
    last: dict[str, Alert] = {}
    arrivals = stream.arrivals
    at = 0
    while at < len(arrivals):
        until = arrivals[at][0] + _BATCH_MS
        end = at
        while end < len(arrivals) and arrivals[end][0] < until:
            end += 1
        monitor.take([mention for _, mention in arrivals[at:end]])
        _note(monitor, told, last, settle=False)
        on_texts(end - at)
        at = end
    _note(monitor, told, last, settle=True)
    store.close()
    return [_with_all(each, last[name]) for name, each in told.items()]


def _note(monitor: Monitor, told: dict[str, Told], last: dict[str, Alert], *, settle: bool) -> None:
    for notice in monitor.notices(settle=settle):
        incident = notice.alert.incident
        last[incident.id] = notice.alert
        if notice.change is Change.REVISED:  # nobody was told twice
            told[incident.id] = told.pop(notice.replaces)
        if notice.change is Change.OPENED:
            now = monitor.windows.newest_ms or 0
            told.setdefault(incident.id, Told(now, notice.alert.opened_ms, incident.members))


def _with_all(told: Told, last: Alert) -> Told:
    phrases = tuple(phrase.text for phrase in last.phrases)
    return Told(told.at_ms, told.opened_ms, last.incident.members, phrases)


def score(
    alerts: Sequence[Told],
    surges: Sequence[Surge],
    topic_words: Callable[[str, str], bool] = lambda _topic, _text: False,
) -> Score:
    """Holds alerts against surges.

    An alert is of a surge that shows in one of its series (its product, its brand or its topic) and
    that lasts, or has just ended, as it opens. Each surge is found once: what else is told of it is
    false, as is what fits none.

    Args:
        alerts: As they were told.
        surges: Put in.
        topic_words: Whether a phrase speaks of a topic.
    """
    found: dict[Surge, Told] = {}
    for alert in sorted(alerts, key=lambda each: (each.at_ms, each.opened_ms)):
        fitting = [surge for surge in surges if surge not in found and _fits(alert, surge)]
        if fitting:
            found[max(fitting, key=lambda surge: _likeness(alert, surge))] = alert
    said = sum(
        any(topic_words(surge.topic, phrase) for phrase in alert.phrases)
        for surge, alert in found.items()
    )
    delays = tuple((alert.at_ms - surge.start_ms) / MINUTE for surge, alert in found.items())
    return Score(len(surges), len(alerts), len(found), delays, said / len(found) if found else 0.0)


def _fits(alert: Told, surge: Surge) -> bool:
    in_time = surge.start_ms < alert.opened_ms and alert.opened_ms - MS < surge.end_ms + _TAIL
    return in_time and any(series in _series(surge) for series in alert.series)


def _likeness(alert: Told, surge: Surge) -> tuple[int, int]:
    """Prefers the surge that shows in more of the alert's series, then the one that began last."""
    return sum(series in _series(surge) for series in alert.series), surge.start_ms


def _series(surge: Surge) -> tuple[Series, ...]:
    return (
        Series(PRODUCT, surge.product_id),
        Series(BRAND, surge.brand),
        Series(TOPIC, surge.topic),
    )
