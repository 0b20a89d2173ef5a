"""UserEventService: translates."""

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from services.orchestrator.events import EventLog
from shared.errors import FieldViolation, InvalidArgumentError
from wherefore.common.v1.diagnostics_pb2 import RowError
from wherefore.common.v1.user_event_pb2 import UserEvent
from wherefore.orchestrator.v1 import user_event_service_pb2 as pb
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceServicer

MAX_BATCH = 1_000
MAX_ERRORS = 1_000
_Context = grpc.aio.ServicerContext[Any, Any]


class UserEventServer(UserEventServiceServicer):
    """Takes user events."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def Write(  # noqa: N802 # the contract's name
        self, request: pb.UserEventServiceWriteRequest, context: _Context | None = None
    ) -> pb.UserEventServiceWriteResponse:
        """See the contract."""
        if violations := self._log.check(request.event):
            raise InvalidArgumentError(
                *(FieldViolation(f"event.{v.field}", v.description) for v in violations)
            )
        (stored,) = await self._log.write([request.event])
        return pb.UserEventServiceWriteResponse(event=stored.event, duplicate=stored.duplicate)

    async def Import(  # noqa: N802 # the contract's name
        self, request_iterator: AsyncIterator[pb.UserEventServiceImportRequest], context: _Context
    ) -> pb.UserEventServiceImportResponse:
        """See the contract."""
        response = pb.UserEventServiceImportResponse()
        row = 0
        async for request in request_iterator:
            if len(request.events) > MAX_BATCH:
                raise InvalidArgumentError.of(
                    "events", f"at most {MAX_BATCH} a message, not {len(request.events)}"
                )
            good: list[UserEvent] = []
            for event in request.events:
                row += 1
                if not (violations := self._log.check(event)):
                    good.append(event)
                    continue
                response.failed_count += 1
                if len(response.errors) < MAX_ERRORS:
                    response.errors.append(_row_error(row, event, violations[0]))
            for stored in await self._log.write(good) if good else ():
                if stored.duplicate:
                    response.duplicate_count += 1
                else:
                    response.imported_count += 1
        return response


def _row_error(row: int, event: UserEvent, violation: FieldViolation) -> RowError:
    return RowError(row=row, id=event.id[:128], field=violation.field, reason=violation.description)
