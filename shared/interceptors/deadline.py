"""Gives every call its deadline."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from shared.deadline import Deadline, set_current_deadline
from shared.errors import DeadlineExceededError, UnavailableError
from shared.interceptors.pipeline import Call, Context, Layer

# gRPC reports "no deadline" as None or as the end of time, depending on the version.
_FOREVER_SECONDS = 10 * 365 * 24 * 3600.0

# Clients round a timeout of nothing up to a moment. Nobody receives an answer that is due within a
# millisecond, so it is not worked on.
MIN_USEFUL_SECONDS = 0.001


class DeadlineLayer(Layer):
    """Publishes the client's deadline as `current_deadline()` and refuses calls that come too late.

    gRPC itself cancels a call whose client deadline passes. A call without one gets the default,
    which is enforced here; one that streams requests gets none, for an import may take an hour.

    Args:
        default_seconds: Deadline of a call whose client set none.
    """

    def __init__(self, default_seconds: float) -> None:
        self._default_seconds = default_seconds

    @asynccontextmanager
    async def around(self, call: Call, context: Context) -> AsyncGenerator[None, None]:
        """See `Layer.around`."""
        remaining: Any = context.time_remaining()
        if remaining is not None and remaining < _FOREVER_SECONDS:
            call.deadline_seconds = max(0.0, remaining)
            set_current_deadline(Deadline.after(remaining))
            if remaining < MIN_USEFUL_SECONDS:
                raise DeadlineExceededError("the deadline had passed when the call arrived")
            try:
                yield
            except UnavailableError as error:
                # Nobody is away: there was no time to ask. Asking again at once would do.
                left: Any = context.time_remaining()
                if left > 0:
                    raise
                raise DeadlineExceededError(error.message) from error
        elif call.request_streaming:
            set_current_deadline(Deadline.unlimited())
            yield
        else:
            set_current_deadline(Deadline.after(self._default_seconds))
            scope = asyncio.timeout(self._default_seconds)
            try:
                async with scope:
                    yield
            except TimeoutError as error:
                if not scope.expired():
                    raise
                raise DeadlineExceededError(
                    f"no answer within {self._default_seconds:g} s, the default deadline"
                ) from error
