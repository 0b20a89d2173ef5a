"""The experiments in force: who is in them, what is counted, and what was taken back."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from prometheus_client import Counter, Gauge

from services.orchestrator.event_store import actor_of, event_seconds
from services.orchestrator.experiments.assignment import arm_of
from services.orchestrator.experiments.decisions import Decisions, RollBack
from services.orchestrator.experiments.experiment_file import (
    ExperimentFile,
    read_experiments,
)
from services.orchestrator.experiments.tally import Tally
from services.orchestrator.tokens import Attribution
from shared.watched_file import Look, WatchedFile
from shared.yaml_file import YamlFileError
from wherefore.common.v1 import user_event_pb2 as pb
from wherefore.common.v1.shown_page_pb2 import ExperimentArm
from wherefore.common.v1.user_profile_pb2 import UserContext

ROLLBACKS: Final = Counter(
    "wherefore_experiment_rollbacks_total",
    "Arms that were taken back because a guard metric fell.",
    ("experiment", "arm"),
)
SERVED: Final = Gauge(
    "wherefore_experiment_arm_served",
    "1 while an arm is served, 0 when it was taken back.",
    ("experiment", "arm"),
)
REFUSED: Final = Gauge(
    "wherefore_experiment_file_refused", "1 while the file of experiments is refused, else 0."
)
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Assigned:
    """The arms of one request."""

    arms: tuple[tuple[str, str], ...] = ()
    """Keys of experiments, and the arm in each."""
    unit: str = ""
    """Pseudonym of who was drawn; empty where there are no arms."""
    ranking_model: str = ""
    """Model that is to rank; as ranking is set when empty."""

    def told(self) -> list[ExperimentArm]:
        """Returns the arms as answers and events say them."""
        return told(self.arms)


class Experiments:
    """Assigns, counts and takes back. Not thread-safe: use it from one event loop.

    Args:
        path: File of experiments; None for none.
        poll_seconds: Least time between looks at it.
        decisions_path: File of what was taken back.
        pseudonym: Makes of a user what tells them apart and says nothing of who they are.
    """

    def __init__(
        self,
        path: Path | None,
        poll_seconds: float,
        decisions_path: Path,
        pseudonym: Callable[[str], str],
    ) -> None:
        self._file = WatchedFile(path, read_experiments, YamlFileError)
        self._poll_seconds = poll_seconds
        self._decisions = Decisions(decisions_path)
        self._pseudonym = pseudonym
        self._tallies: dict[str, Tally] = {}

    def load(self) -> None:
        """Reads what was taken back, and the file.

        Raises:
            ValueError: What was taken back cannot be read.
            OSError: Likewise.
        """
        self._decisions.load()
        self._look()

    @property
    def problem(self) -> str:
        """Why the file as it is now is refused; empty while it is right."""
        return self._file.problem

    def assign(self, user: UserContext, surface: str) -> Assigned:
        """Returns the arms of a user on a surface, "search" or "recommend"."""
        actor = actor_of(user.user_id, user.session_id)
        layers = self._look().layers
        if not actor or not layers:
            return Assigned()
        arms: list[tuple[str, str]] = []
        model = ""
        for layer in layers:
            found = arm_of(layer, actor)
            if found is None or surface not in found[0].surfaces:
                continue
            experiment, arm = found
            if arm.name in self._decisions.of(experiment.key):
                continue
            arms.append((experiment.key, arm.name))
            model = model or arm.ranking_model
        return Assigned(tuple(arms), self._pseudonym(actor) if arms else "", model)

    def count(self, event: pb.UserEvent, attribution: Attribution) -> None:
        """Counts an event by the arms that its token names, and takes back what fell."""
        for key, arm in attribution.arms:
            tally = self._tallies.get(key)
            if tally is None:
                continue
            metric = tally.count(attribution.unit, arm, event, event_seconds(event))
            if metric:
                self._guard(tally, metric)

    def begin_anew(self) -> None:
        """Forgets all counts: they are about to be counted once more."""
        self._tallies = {key: Tally(each.experiment) for key, each in self._tallies.items()}

    def forget(self, actor: str) -> None:
        """Takes a user, or a visit, out of all counts."""
        for tally in self._tallies.values():
            tally.forget(self._pseudonym(actor))

    def tallies(self) -> Iterable[tuple[Tally, dict[str, RollBack]]]:
        """Returns what is counted of the experiments of the file, and what was taken back."""
        self._look()
        return [(tally, dict(self._decisions.of(key))) for key, tally in self._tallies.items()]

    def _guard(self, tally: Tally, metric: str) -> None:
        experiment = tally.experiment
        guard = experiment.guard
        if guard is None or metric not in guard.metrics:
            return
        # Every metric of every arm is looked at: together they may be wrong with alpha.
        alpha = guard.alpha / (len(guard.metrics) * len(tally.treatments))
        for arm in tally.treatments:
            if arm in self._decisions.of(experiment.key):
                continue
            verdict = tally.verdict(metric, arm, alpha)
            if verdict.high >= 1.0:
                continue
            counts = tally.converted[metric]
            why = RollBack(
                metric=metric,
                lift=verdict.lift,
                high=verdict.high,
                treated=counts[arm],
                controls=counts[tally.control],
                at=time.time(),
            )
            self._decisions.take_back(experiment.key, arm, why)
            ROLLBACKS.labels(experiment.id, arm).inc()
            SERVED.labels(experiment.id, arm).set(0)
            _log.error("experiment rolled back", experiment=experiment.key, arm=arm, **dict(why))

    def _look(self) -> ExperimentFile:
        look = self._file.look_every(self._poll_seconds)
        found = self._file.value or ExperimentFile()
        REFUSED.set(bool(self._file.problem))
        if look is Look.READ:
            wanted = {each.key: each for layer in found.layers for each in layer.experiments}
            for key in set(self._tallies) - set(wanted):
                del self._tallies[key]
            for key, experiment in wanted.items():
                if key not in self._tallies or self._tallies[key].experiment != experiment:
                    self._tallies[key] = Tally(experiment)
                for arm in experiment.arms:
                    served = arm.name not in self._decisions.of(key)
                    SERVED.labels(experiment.id, arm.name).set(served)
        return found


def told(arms: Sequence[tuple[str, str]]) -> list[ExperimentArm]:
    """Returns arms by keys of experiments as answers and events say them."""
    return [ExperimentArm(experiment=key.partition("@")[0], arm=arm) for key, arm in arms]
