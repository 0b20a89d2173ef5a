"""The status that a server ended a stream with, where gRPC's asyncio client hides it.

A message that is on its way when the server ends the stream cannot be written. The client then
reports INTERNAL for the failed write, before the server's status or over it, so that a refusal
reads like a fault of the client (`grpc.aio._call.StreamRequestMixin._write`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

import grpc
import grpc.aio

_T = TypeVar("_T")
_FAILED_WRITE: Final = (grpc.StatusCode.INTERNAL, "Internal error from Core")
_PATIENCE_SECONDS: Final = 5.0


class StreamStatus:
    """Watches one call for the server's status; to be made as soon as the call is."""

    def __init__(
        self, call: grpc.aio.StreamStreamCall[Any, Any] | grpc.aio.StreamUnaryCall[Any, Any]
    ) -> None:
        self._error: grpc.aio.AioRpcError | None = None
        self._known = asyncio.Event()
        call.add_done_callback(self._note)

    async def behind(self, error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
        """Returns the error with the server's status in place of a failed write's.

        The server's status may be OK, where it ended the stream before it had read everything.
        """
        if not _is_failed_write(error.code(), error.details()):
            return error
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._known.wait()
        except TimeoutError:
            return error
        return self._error or error

    def _note(self, call: Any) -> None:
        # Called once for each status that is set. It must be read here: a failed write may take
        # its place in the same turn of the loop.
        code, details = _now(call.code()), _now(call.details())
        if self._error is None and not _is_failed_write(code, details):
            initial, trailing = _now(call.initial_metadata()), _now(call.trailing_metadata())
            self._error = grpc.aio.AioRpcError(code, initial, trailing, details)
            self._known.set()


def _is_failed_write(code: grpc.StatusCode, details: str | None) -> bool:
    return (code, details) == _FAILED_WRITE


def _now(known: Coroutine[Any, Any, _T]) -> _T:
    """Returns the result of a coroutine that has nothing to wait for."""
    try:
        known.send(None)
    except StopIteration as done:
        return done.value
    known.close()
    raise RuntimeError("the call is not done")
