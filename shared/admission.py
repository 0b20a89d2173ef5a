"""Admission: how many calls are worked on at once, how many may wait, and what the rest is told.

A queue without a bound turns overload into latency for everybody; a bounded one turns it into quick
refusals that say when to come back.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from shared.errors import ResourceExhaustedError

MIN_RETRY_SECONDS = 0.1
MAX_RETRY_SECONDS = 1.0
_SMOOTHING = 0.1

_queue_nanos: ContextVar[int] = ContextVar("queue_nanos", default=0)


def current_queue_nanos() -> int:
    """Returns the nanoseconds that the current request waited for admission."""
    return _queue_nanos.get()


class Admission:
    """A semaphore with a bounded queue.

    Args:
        max_concurrency: Calls worked on at once.
        max_queue: Calls that may wait beyond those.
    """

    def __init__(self, max_concurrency: int, max_queue: int) -> None:
        self._slots = asyncio.Semaphore(max_concurrency)
        self._max_concurrency = max_concurrency
        self._max_queue = max_queue
        self._waiting = 0
        self._mean_seconds = 0.0

    @property
    def waiting(self) -> int:
        """Calls that wait now."""
        return self._waiting

    @asynccontextmanager
    async def admit(self) -> AsyncGenerator[int, None]:
        """Holds a place while the block runs; yields the nanoseconds waited for it.

        Raises:
            ResourceExhaustedError: `max_queue` calls are waiting already.
        """
        queued_at = time.perf_counter_ns()
        await self._acquire()
        admitted_at = time.perf_counter_ns()
        waited = admitted_at - queued_at
        _queue_nanos.set(waited)
        try:
            yield waited
        finally:
            self._slots.release()
            seconds = (time.perf_counter_ns() - admitted_at) / 1e9
            self._mean_seconds += _SMOOTHING * (seconds - self._mean_seconds)

    async def _acquire(self) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
        if self._waiting >= self._max_queue:
            raise ResourceExhaustedError("too many requests at once", self._retry_seconds())
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1

    def _retry_seconds(self) -> float:
        """Returns about how long the present queue takes to clear, within sane bounds."""
        clears_in = self._mean_seconds * (self._waiting + 1) / self._max_concurrency
        return min(MAX_RETRY_SECONDS, max(MIN_RETRY_SECONDS, clears_in))
