"""UserEventService: translates."""

from collections.abc import AsyncIterator, Sequence
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
# Of a message that are worked on in one go: users' events and pages take turns with an import.
_SLICE = 100
_LATE = FieldViolation("event_time", "lies before the erasure of this user's data")
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
        if stored.erased:
            raise InvalidArgumentError(_LATE).below("event")
        return pb.UserEventServiceWriteResponse(event=stored.event, duplicate=stored.duplicate)

    async def Import(  # noqa: N802 # the contract's name
        self, request_iterator: AsyncIterator[pb.UserEventServiceImportRequest], context: _Context
    ) -> pb.UserEventServiceImportResponse:
        """See the contract."""
        tally = _Tally(self._log)
        errors: list[RowError] = []
        # Nothing is acknowledged before the end: small messages share a write, and the disk's sync.
        waiting: list[UserEvent] = []
        async for request in request_iterator:
            waiting += _checked(request.events)
            if len(waiting) >= _SLICE:
                errors += await tally.take(waiting)
                waiting = []
        errors += await tally.take(waiting)
        return pb.UserEventServiceImportResponse(
            imported_count=tally.imported,
            duplicate_count=tally.duplicates,
            failed_count=tally.failed,
            errors=errors,
        )

    async def ImportWithProgress(  # noqa: N802 # the contract's name
        self, request_iterator: AsyncIterator[pb.ImportWithProgressRequest], context: _Context
    ) -> AsyncIterator[pb.ImportWithProgressResponse]:
        """See the contract."""
        tally = _Tally(self._log)
        async for request in request_iterator:
            errors = await tally.take(_checked(request.events))
            yield pb.ImportWithProgressResponse(
                acknowledged_row=tally.rows,
                imported_count=tally.imported,
                duplicate_count=tally.duplicates,
                failed_count=tally.failed,
                errors=errors,
            )


class _Tally:
    """What became of the rows of a stream."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._told = 0
        self.rows = 0
        self.imported = 0
        self.duplicates = 0
        self.failed = 0

    async def take(self, events: Sequence[UserEvent]) -> list[RowError]:
        """Writes events; returns what is wrong with those refused, as far as it is still told."""
        errors: list[RowError] = []
        for start in range(0, len(events), _SLICE):
            errors += await self._take(events[start : start + _SLICE])
        return errors

    async def _take(self, events: Sequence[UserEvent]) -> list[RowError]:
        found = {row: self._log.check(event) for row, event in enumerate(events, self.rows + 1)}
        good = [row for row, violations in found.items() if not violations]
        written = await self._log.write([events[row - self.rows - 1] for row in good])
        for row, stored in zip(good, written, strict=True):
            if stored.erased:
                found[row] = [_LATE]
            elif stored.duplicate:
                self.duplicates += 1
            else:
                self.imported += 1
        bad = {row: violations[0] for row, violations in found.items() if violations}
        errors = [
            _row_error(row, events[row - self.rows - 1], violation)
            for row, violation in list(bad.items())[: MAX_ERRORS - self._told]
        ]
        self.failed += len(bad)
        self._told += len(errors)
        self.rows += len(events)
        return errors


def _checked(events: Sequence[UserEvent]) -> Sequence[UserEvent]:
    """Returns the events of a message.

    Raises:
        InvalidArgumentError: They are too many for one.
    """
    if len(events) > MAX_BATCH:
        raise InvalidArgumentError.of("events", f"at most {MAX_BATCH} a message, not {len(events)}")
    return events


def _row_error(row: int, event: UserEvent, violation: FieldViolation) -> RowError:
    return RowError(row=row, id=event.id[:128], field=violation.field, reason=violation.description)
