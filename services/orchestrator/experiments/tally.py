"""What users of every arm did, counted from the events that name their arm."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from services.orchestrator.experiments.experiment_file import METRICS, Experiment
from services.orchestrator.experiments.sequential import Verdict, compare
from wherefore.common.v1 import user_event_pb2 as pb

MAX_UNITS: Final = 500_000
"""Users of one experiment that are counted, about 150 bytes each."""
_MAX_POINTS: Final = 64
_OF_EVENT: Final[Mapping["pb.UserEventType.ValueType", str]] = {
    pb.USER_EVENT_TYPE_CLICK: "click",
    pb.USER_EVENT_TYPE_CART: "cart",
    pb.USER_EVENT_TYPE_PURCHASE: "purchase",
}


@dataclass(slots=True)
class _Unit:
    arm: str
    since: float
    done: int = 0
    """Metrics that it has converted for, as bits in the order of METRICS."""


@dataclass(slots=True)
class Course:
    """How a comparison went, in points that are thinned as it goes on."""

    points: list[tuple[int, Verdict]] = field(default_factory=list[tuple[int, Verdict]])
    """Converted users of both arms, and the verdict then."""
    every: int = 1

    def add(self, converted: int, verdict: Verdict) -> None:
        """Adds a point, if it is time for one."""
        if converted % self.every:
            return
        self.points.append((converted, verdict))
        if len(self.points) > _MAX_POINTS:
            self.every *= 2
            self.points = [each for each in self.points if not each[0] % self.every]


class Tally:
    """Counts one revision of an experiment. Not thread-safe.

    Args:
        experiment: As the file says; the first arm is control.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self._buckets = {arm.name: arm.buckets for arm in experiment.arms}
        self._units: dict[str, _Unit] = {}
        self.converted = {metric: dict.fromkeys(self._buckets, 0) for metric in METRICS}
        """Users by metric and arm."""
        self.users = dict.fromkeys(self._buckets, 0)
        """Users by arm of whom any event came."""
        self.courses: dict[tuple[str, str], Course] = {}
        """By metric and treatment."""

    @property
    def control(self) -> str:
        """Name of the arm that others are compared with."""
        return self.experiment.arms[0].name

    @property
    def treatments(self) -> list[str]:
        """Names of the other arms."""
        return [arm.name for arm in self.experiment.arms[1:]]

    def count(self, unit: str, arm: str, event: pb.UserEvent, at: float) -> str:
        """Counts an event of a unit; returns the metric that it converted for, "" for none.

        Args:
            unit: Pseudonym of the user.
            arm: That the event names.
            event: What happened.
            at: When, in seconds since 1970.
        """
        if arm not in self._buckets:
            return ""
        known = self._units.get(unit)
        if known is None:
            if len(self._units) >= MAX_UNITS:
                return ""
            known = self._units[unit] = _Unit(arm, at)
            self.users[arm] += 1
        metric = _OF_EVENT.get(event.type, "")
        late = at - known.since > self.experiment.window_hours * 3600.0
        # A unit is of the arm that it was first seen in: a new salt must not count it twice.
        if not metric or late or known.arm != arm:
            return ""
        bit = 1 << METRICS.index(metric)
        if known.done & bit:
            return ""
        known.done |= bit
        self.converted[metric][arm] += 1
        for treatment in self.treatments if arm == self.control else [arm]:
            counts = self.converted[metric]
            together = counts[treatment] + counts[self.control]
            course = self.courses.setdefault((metric, treatment), Course())
            if not together % course.every:
                course.add(together, self.verdict(metric, treatment, 0.05))
        return metric

    def forget(self, unit: str) -> None:
        """Takes a unit out of all counts, as a log without its events would have them."""
        known = self._units.pop(unit, None)
        if known is None:
            return
        self.users[known.arm] -= 1
        for place, metric in enumerate(METRICS):
            if known.done & 1 << place:
                self.converted[metric][known.arm] -= 1

    def verdict(self, metric: str, treatment: str, alpha: float) -> Verdict:
        """Compares a treatment with control by what is counted so far."""
        counts = self.converted[metric]
        return compare(counts[treatment], counts[self.control], self._share(treatment), alpha)

    def mismatch(self, treatment: str) -> Verdict:
        """Compares users themselves: an e-value that is large says that arms were not drawn."""
        users = self.users
        return compare(users[treatment], users[self.control], self._share(treatment), 0.05)

    def _share(self, treatment: str) -> float:
        own, controls = self._buckets[treatment], self._buckets[self.control]
        return own / (own + controls)
