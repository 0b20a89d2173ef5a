"""EventLogService: sends the log of events to those who learn from it."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc.aio

from services.orchestrator.event_store import SqliteEventStore
from shared.errors import InvalidArgumentError
from wherefore.common.v1.user_event_pb2 import UserEvent
from wherefore.orchestrator.v1.event_log_service_pb2 import FollowRequest, FollowResponse
from wherefore.orchestrator.v1.event_log_service_pb2_grpc import EventLogServiceServicer

BATCH = 500


class EventLogServer(EventLogServiceServicer):
    """Serves the log."""

    def __init__(self, store: SqliteEventStore) -> None:
        self._store = store

    async def Follow(  # noqa: N802 # the contract's name
        self, request: FollowRequest, context: "grpc.aio.ServicerContext[Any, Any]"
    ) -> AsyncIterator[FollowResponse]:
        """See the contract."""
        place = request.after_sequence
        if place < 0:
            raise InvalidArgumentError.of("after_sequence", "must not be negative")
        events, place = await self._store.after(place, BATCH)
        yield self._response(events, place)
        while not self._store.waits_ended:
            await self._store.wait_past(place)
            events, place = await self._store.after(place, BATCH)
            if events:
                yield self._response(events, place)

    def _response(self, events: Sequence[UserEvent], place: int) -> FollowResponse:
        return FollowResponse(
            events=events,
            sequence=place,
            log_id=self._store.log_id,
            last_sequence=self._store.last_sequence,
        )
