"""Follows the orchestrator's log of events, for services that learn from it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar, runtime_checkable

import grpc.aio
import structlog

from wherefore.common.v1.user_event_pb2 import DATA_PURPOSE_UNSPECIFIED, DataPurpose, UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.event_log_service_pb2 import FollowRequest, FollowResponse
from wherefore.orchestrator.v1.event_log_service_pb2_grpc import EventLogServiceStub

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

# A call is begun anew now and then, so that a new address of the orchestrator is found.
_CALL_SECONDS: Final = 3600.0
_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 5.0


class EventLearner(Protocol):
    """Somebody who learns from events."""

    def learn(self, event: UserEvent) -> Any:
        """Takes one event in."""
        ...


@runtime_checkable
class Forgetful(Protocol):
    """A learner that keeps what single users did, and can forget it."""

    def forget(self, user: UserContext) -> Any:
        """Forgets all that a user's events, or those of a visit, taught until now."""
        ...


_LearnerT = TypeVar("_LearnerT", bound=EventLearner)


@dataclass(frozen=True, slots=True)
class Resumed(Generic[_LearnerT]):
    """A learner that knows a log up to a place."""

    learner: _LearnerT
    log_id: str
    sequence: int


class EventFeed(Generic[_LearnerT]):
    """Keeps a learner up to date.

    At the start the log is read from where the learner knows it, which is its start where nothing
    was kept, and from its start again when the log is another one. While the orchestrator is away,
    what was learnt stays.

    Args:
        channel: Channel to the orchestrator.
        new_learner: Makes a learner that knows nothing.
        resumed: What was kept, if anything was.
        purpose: What it learns for; events whose user refuses it do not come.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        new_learner: Callable[[], _LearnerT],
        resumed: Resumed[_LearnerT] | None = None,
        *,
        purpose: DataPurpose.ValueType = DATA_PURPOSE_UNSPECIFIED,
    ) -> None:
        self._purpose: DataPurpose.ValueType = purpose
        self._stub = EventLogServiceStub(channel)
        self._new_learner = new_learner
        self._arrival = asyncio.Event()
        self.learner = resumed.learner if resumed else new_learner()
        self.log_id: str = resumed.log_id if resumed else ""
        """Id of the log that is followed; empty before it was reached."""
        self.sequence = resumed.sequence if resumed else 0
        """Place in the log up to which the learner knows it."""
        self.caught_up = False
        """Whether the log was read to the end that it had when last heard of."""

    async def run(self) -> None:
        """Follows until cancelled."""
        pause = _FIRST_PAUSE_SECONDS
        failing = False
        while True:
            try:
                async for response in self._stub.Follow(
                    FollowRequest(after_sequence=self.sequence, purpose=self._purpose),
                    timeout=_CALL_SECONDS,
                ):
                    pause, failing = _FIRST_PAUSE_SECONDS, False
                    if not self._take(response):
                        break
                    # A long log must not keep answers waiting.
                    await asyncio.sleep(0)
            except grpc.aio.AioRpcError as error:
                if not failing and error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                    _log.info("events unavailable", code=error.code().name)
                failing = True
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def wait_for(self, sequence: int, seconds: float) -> bool:
        """Waits until events up to a place are known; returns whether they are."""
        try:
            async with asyncio.timeout(seconds):
                while self.sequence < sequence:
                    await self._arrival.wait()
        except TimeoutError:
            return False
        return True

    def _take(self, response: FollowResponse) -> bool:
        """Learns; returns False when the log is another one, and is to be read from its start."""
        # A log that was brought back from a copy may end before the place that is known.
        shorter = response.last_sequence < self.sequence
        if self.log_id and (shorter or response.log_id != self.log_id):
            _log.info("another log of events: learning anew")
            self.learner, self.sequence, self.log_id = self._new_learner(), 0, ""
            return False
        self.log_id = response.log_id
        if isinstance(self.learner, Forgetful):
            for user in response.erased:  # before what they did since
                self.learner.forget(user)
        for event in response.events:
            self.learner.learn(event)
        self.sequence = response.sequence
        self.caught_up = response.sequence >= response.last_sequence
        arrived, self._arrival = self._arrival, asyncio.Event()
        arrived.set()
        return True
