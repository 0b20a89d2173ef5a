"""Follows the orchestrator's log of events and learns from it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import grpc.aio
import structlog

from services.recommend.serving.learner import Learner
from wherefore.orchestrator.v1.event_log_service_pb2 import FollowRequest, FollowResponse
from wherefore.orchestrator.v1.event_log_service_pb2_grpc import EventLogServiceStub

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

# A call is begun anew now and then, so that a new address of the orchestrator is found.
_CALL_SECONDS: Final = 3600.0
_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 5.0


class EventFeed:
    """Keeps a learner up to date.

    What is learnt lives in memory: at the start the whole log is read, and again when the log is
    another one. While the orchestrator is away, what was learnt stays.

    Args:
        channel: Channel to the orchestrator.
        new_learner: Makes a learner that knows nothing.
    """

    def __init__(self, channel: grpc.aio.Channel, new_learner: Callable[[], Learner]) -> None:
        self._stub = EventLogServiceStub(channel)
        self._new_learner = new_learner
        self._log_id: str = ""
        self._arrival = asyncio.Event()
        self.learner = new_learner()
        self.sequence = 0
        """Place in the log up to which the learner knows it."""

    async def run(self) -> None:
        """Follows until cancelled."""
        pause = _FIRST_PAUSE_SECONDS
        failing = False
        while True:
            try:
                async for response in self._stub.Follow(
                    FollowRequest(after_sequence=self.sequence), timeout=_CALL_SECONDS
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
        if self._log_id and response.log_id != self._log_id:
            _log.info("another log of events: learning anew")
            self.learner, self.sequence, self._log_id = self._new_learner(), 0, ""
            return False
        self._log_id = response.log_id
        for event in response.events:
            self.learner.learn(event)
        self.sequence = response.sequence
        arrived, self._arrival = self._arrival, asyncio.Event()
        arrived.set()
        return True
