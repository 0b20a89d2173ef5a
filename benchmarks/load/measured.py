"""What a load measured: latencies in HDR histograms, and what became of the calls."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Literal

from hdrh.histogram import HdrHistogram

Outcome = Literal["whole", "degraded", "shed", "late", "failed"]
"""Whole: an answer with nothing left out, within the deadline. Degraded: one that says what it left
out, likewise. Shed: RESOURCE_EXHAUSTED. Late: no answer within the deadline, or one after it.
Failed: any other error."""

_MICROS: Final = 1e6
_LOWEST, _HIGHEST, _DIGITS = 1, 300_000_000, 3
"""One microsecond to five minutes, to 0.1 % (http://hdrhistogram.org)."""


class Latencies:
    """Latencies of calls. Memory does not grow with their number."""

    def __init__(self) -> None:
        self._histogram = HdrHistogram(_LOWEST, _HIGHEST, _DIGITS)

    def add(self, seconds: float) -> None:
        """Counts one call."""
        self._histogram.record_value(max(_LOWEST, min(_HIGHEST, round(seconds * _MICROS))))

    def __len__(self) -> int:
        return int(self._histogram.get_total_count())

    def milliseconds(self, percentile: float) -> float:
        """Returns a percentile, 0 to 100, in milliseconds; NaN of no calls."""
        if not len(self):
            return float("nan")
        return self._histogram.get_value_at_percentile(percentile) / 1e3


@dataclass(slots=True)
class Measured:
    """One stretch of load."""

    offered: float
    """Calls a second that were to be sent; of a closed loop, the number of clients."""
    seconds: float = 0.0
    """From the first start to the last end, or the length of the schedule if that is longer."""
    outcomes: Counter[Outcome] = field(default_factory=Counter[Outcome])
    codes: Counter[str] = field(default_factory=Counter[str])
    without: Counter[str] = field(default_factory=Counter[str])
    """Answers by the part that they went without, as their `degraded` names it."""
    answered: Latencies = field(default_factory=Latencies)
    """Of answers within the deadline, from the moment that each call was due."""
    admitted: Latencies = field(default_factory=Latencies)
    """Of all that were not refused, from then as well: what was late counts as the deadline at
    least, so that a percentile cannot look better for the calls that never were answered."""
    shed: Latencies = field(default_factory=Latencies)
    """Of refusals, from the moment that each call was sent."""
    sent_late: Latencies = field(default_factory=Latencies)
    """How long after it was due each call was sent: what the generator itself adds."""
    health: Latencies = field(default_factory=Latencies)
    """Of health checks beside the calls of an open loop."""
    own_lag: Latencies = field(default_factory=Latencies)
    """How late the generator's own loop came round meanwhile."""

    @property
    def calls(self) -> int:
        """All calls."""
        return self.outcomes.total()

    @property
    def goodput(self) -> float:
        """Answers within the deadline a second, whole or saying what they go without."""
        return (self.outcomes["whole"] + self.outcomes["degraded"]) / self.seconds

    @property
    def whole(self) -> float:
        """Whole answers within the deadline, a second."""
        return self.outcomes["whole"] / self.seconds

    def share(self, outcome: Outcome) -> float:
        """Returns the share of calls with an outcome."""
        return self.outcomes[outcome] / self.calls if self.calls else 0.0
