"""Keeps the head of the ranker up to date from the log of events, and what it learnt on disk."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc.aio
import structlog

from services.ranking.online.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from services.ranking.online.choice_model import ChoiceSettings, Floats
from services.ranking.online.drift import DriftWatch
from services.ranking.online.learner import Learnt, OnlineLearner, Outcome
from services.ranking.online.metrics import DRIFTS, EVENTS, GAIN, UPDATES
from services.ranking.online.retraining import Retraining
from services.ranking.weights import Weights
from shared.event_feed import EventFeed, Resumed
from wherefore.common.v1.user_event_pb2 import DATA_PURPOSE_TRAINING, UserEvent

CHECKPOINT: Final = "online.json"
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FollowSettings:
    """How to learn, and where to keep it."""

    choice: ChoiceSettings
    least_updates: int
    checkpoint_path: Path
    checkpoint_seconds: float
    drift: bool
    retrain_command: str
    retrain_pause_seconds: float


class _Student:
    """A learner whose progress is watched."""

    def __init__(
        self, learner: OnlineLearner, drift: DriftWatch | None, following: "OnlineHead"
    ) -> None:
        self.learner = learner
        self._drift = drift
        self._following = following

    def learn(self, event: UserEvent) -> None:
        """Takes one event in, counts it, and looks whether shoppers have changed."""
        learnt = self.learner.learn(event)
        EVENTS.labels(learnt.outcome).inc()
        if learnt.outcome is Outcome.LEARNT:
            self._tell(learnt)
        if self._drift is None:
            return
        for signal in self._drift.watch(event, learnt):
            self._following.drifted(signal)

    def _tell(self, learnt: Learnt) -> None:
        name = learnt.serving_config
        UPDATES.labels(name).set(self.learner.updates(name))
        GAIN.labels(name).set(self.learner.gain(name))


class OnlineHead:
    """What was learnt, for `Variants`; follows the log from `start` to `close`.

    Args:
        channel: Channel to the orchestrator.
        weights: The frozen ones.
        settings: How to learn, and where to keep it.
    """

    def __init__(
        self, channel: grpc.aio.Channel, weights: Weights, settings: FollowSettings
    ) -> None:
        self._weights = weights
        self._settings = settings
        self._retraining = Retraining(settings.retrain_command, settings.retrain_pause_seconds)
        self._feed = EventFeed(
            channel, self._new_student, self._resumed(), purpose=DATA_PURPOSE_TRAINING
        )
        self._kept = self._feed.sequence
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begins to follow."""
        self._tasks = [
            asyncio.create_task(self._feed.run(), name="online-events"),
            asyncio.create_task(self._keep(), name="online-checkpoint"),
        ]

    async def close(self) -> None:
        """Stops, and keeps what was learnt."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._retraining.close()
        await self._checkpoint()

    def deviation(self, serving_config: str) -> Floats | None:
        """See `Head.deviation`."""
        return self._feed.learner.learner.deviation(serving_config)

    def deviation_root(self, serving_config: str) -> Floats | None:
        """See `Head.deviation_root`."""
        return self._feed.learner.learner.deviation_root(serving_config)

    def updates(self, serving_config: str) -> int:
        """See `Head.updates`."""
        return self._feed.learner.learner.updates(serving_config)

    def drifted(self, signal: str) -> None:
        """Tells of a drift, and asks for a training; not for what happened before the start."""
        if self._feed.caught_up:
            DRIFTS.labels(signal).inc()
            _log.warning("drift", signal=signal)
            self._retraining.request(signal)

    def _new_student(self) -> _Student:
        settings = self._settings
        return self._student(OnlineLearner(self._weights, settings.choice, settings.least_updates))

    def _student(self, learner: OnlineLearner) -> _Student:
        return _Student(learner, DriftWatch() if self._settings.drift else None, self)

    def _resumed(self) -> Resumed[_Student] | None:
        settings = self._settings
        try:
            kept = read_checkpoint(settings.checkpoint_path)
            if kept is None:
                return None
            learner = OnlineLearner.restore(
                self._weights, settings.choice, settings.least_updates, kept.state
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            # The log has all of it: what cannot be read is learnt again.
            _log.warning("learning anew from the log", reason=str(error))
            return None
        return Resumed(self._student(learner), kept.log_id, kept.sequence)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._settings.checkpoint_seconds)
            await self._checkpoint()

    async def _checkpoint(self) -> None:
        feed = self._feed
        if feed.sequence == self._kept or not feed.log_id:
            return
        sequence = feed.sequence
        checkpoint = Checkpoint(feed.log_id, sequence, feed.learner.learner.state())
        try:
            await asyncio.to_thread(write_checkpoint, self._settings.checkpoint_path, checkpoint)
        except OSError as error:
            _log.error("what was learnt is not kept", reason=str(error))
        else:
            self._kept = sequence
