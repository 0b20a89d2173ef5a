"""EventLogService: sends the log of events to those who learn from it."""

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from services.orchestrator.event_store import EventStore, Piece
from services.orchestrator.purposes import PURPOSES, refuses
from shared.errors import InvalidArgumentError
from wherefore.common.v1.user_event_pb2 import DATA_PURPOSE_UNSPECIFIED, DataPurpose
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.event_log_service_pb2 import FollowRequest, FollowResponse
from wherefore.orchestrator.v1.event_log_service_pb2_grpc import EventLogServiceServicer

BATCH = 500


class EventLogServer(EventLogServiceServicer):
    """Serves the log."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    async def Follow(  # noqa: N802 # the contract's name
        self, request: FollowRequest, context: "grpc.aio.ServicerContext[Any, Any]"
    ) -> AsyncIterator[FollowResponse]:
        """See the contract."""
        place = request.after_sequence
        if place < 0:
            raise InvalidArgumentError.of("after_sequence", "must not be negative")
        if request.purpose not in (DATA_PURPOSE_UNSPECIFIED, *PURPOSES):
            raise InvalidArgumentError.of("purpose", "is none of the contract's")
        log_id = self._store.log_id
        piece = await self._store.after(place, BATCH)
        yield self._response(piece, request.purpose)
        while not self._store.place.waits_ended:
            await self._store.place.wait_past(piece.sequence)
            before = piece.sequence
            piece = await self._store.after(before, BATCH)
            # Another log, even a shorter one, is told of at once: who follows begins anew.
            if piece.sequence > before or self._store.log_id != log_id:
                log_id = self._store.log_id
                yield self._response(piece, request.purpose)

    def _response(self, piece: Piece, purpose: "DataPurpose.ValueType") -> FollowResponse:
        response = FollowResponse(
            sequence=piece.sequence,
            log_id=self._store.log_id,
            last_sequence=max(piece.sequence, self._store.place.last_sequence),
            erased=[
                UserContext(user_id=each.alias)
                if each.is_user
                else UserContext(session_id=each.alias)
                for each in piece.forgotten
                if not each.purposes or refuses(each.purposes, purpose)
            ],
        )
        for stored in piece.events:
            if not refuses(stored.refused, purpose):
                event = response.events.add()
                event.CopyFrom(stored.event)
                alias = self._store.alias(
                    UserContext(user_id=event.user_id, session_id=event.session_id)
                )
                event.user_id, event.session_id = alias.user_id, alias.session_id
        return response
