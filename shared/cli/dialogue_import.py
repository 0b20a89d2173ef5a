"""Sends a file of dialogues, with its progress."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc.aio

from shared.cli.dialogue_file import read_dialogues
from shared.cli.sent_rows import SentRows
from wherefore.assistant.v1.assistant_service_pb2 import (
    ImportDialoguesRequest,
    ImportDialoguesResponse,
)
from wherefore.assistant.v1.assistant_service_pb2_grpc import AssistantServiceStub

BATCH = 50


async def import_dialogues(
    channel: grpc.aio.Channel,
    file: Path,
    on_rows: Callable[[int], None],
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> ImportDialoguesResponse:
    """Import a file; rows of errors are lines of it. Sent again, it does no harm.

    Raises:
        grpc.aio.AioRpcError: The call failed; what was acknowledged until then is durable.
        OSError: The file cannot be read.
    """
    sent = SentRows()
    total = ImportDialoguesResponse()
    stub = AssistantServiceStub(channel)
    async for told in stub.ImportDialogues(_requests(file, sent), timeout=timeout):
        on_rows(told.acknowledged_row - total.acknowledged_row)
        errors = [*total.errors, *told.errors]
        total.CopyFrom(told)
        del total.errors[:]
        total.errors.extend(errors)
    sent.tell_by_lines(total)
    return total


async def _requests(file: Path, sent: SentRows) -> AsyncIterator[ImportDialoguesRequest]:
    rows = ((row.line, row.dialogue, row.error) for row in read_dialogues(file))
    for batch in sent.batches(rows, BATCH):
        yield ImportDialoguesRequest(dialogues=batch)
