"""Sends a file of events, with its progress."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc.aio

from shared.cli import failures
from shared.cli.event_file import read_events
from shared.cli.sent_rows import SentRows
from wherefore.common.v1.user_event_pb2 import UserEvent
from wherefore.orchestrator.v1.user_event_service_pb2 import (
    ImportWithProgressRequest,
    UserEventServiceImportResponse,
)
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

BATCH = 500
_TOLD_ROWS = 50_000


async def import_events(
    channel: grpc.aio.Channel,
    file: Path,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> UserEventServiceImportResponse:
    """Import a file; rows of errors are lines of it.

    An event that has a time and no id gets one made of its line, so that the same file can be sent
    again after it broke off.

    Raises:
        grpc.aio.AioRpcError: The call failed; what was acknowledged until then is durable.
        OSError: The file cannot be read.
    """
    sent = SentRows()
    response = UserEventServiceImportResponse()
    told = 0
    stub = UserEventServiceStub(channel)
    async for progress in stub.ImportWithProgress(_requests(file, sent), timeout=timeout):
        response.imported_count = progress.imported_count
        response.duplicate_count = progress.duplicate_count
        response.failed_count = progress.failed_count
        response.errors.extend(progress.errors)
        if progress.acknowledged_row >= told + _TOLD_ROWS:
            told = progress.acknowledged_row
            failures.say(f"{told:,} events are durable")
    sent.tell_by_lines(response)
    return response


async def _requests(file: Path, sent: SentRows) -> AsyncIterator[ImportWithProgressRequest]:
    for batch in sent.batches(_rows(file), BATCH):
        yield ImportWithProgressRequest(events=batch)


def _rows(file: Path) -> Iterator[tuple[int, UserEvent | None, str]]:
    for row in read_events(file):
        if row.event is not None and row.event.HasField("event_time") and not row.event.id:
            row.event.id = _id_of(row.line, row.event)
        yield row.line, row.event, row.error


def _id_of(line: int, event: UserEvent) -> str:
    content = str(line).encode() + b"\x00" + event.SerializeToString(deterministic=True)
    return f"line-{hashlib.blake2b(content, digest_size=16).hexdigest()}"
