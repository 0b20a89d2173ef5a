"""Turns at a model that is too slow to be shared: what cannot be done in time is refused at once.

One reading keeps all cores of a CPU busy, so a second one beside it makes both late, and a model
goes on with what nobody waits for any more. Readings therefore wait for their turn here, and one
that would be late by what is ahead of it is told so before it has cost anything.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

from shared.errors import DeadlineExceededError, ResourceExhaustedError

_SMOOTHING: Final = 0.2
FIRST_GUESS: Final = 0.007
"""Seconds that a text takes with a cross-encoder and two free cores."""
_RETRY_SECONDS: Final = 1.0


class ReadingQueue:
    """Lets readings in by turns, first come, first served. For one event loop.

    Args:
        concurrency: Readings at once.
        clock: Seconds that only grow.
        first_guess: Seconds an item, until the first reading has told.
    """

    def __init__(
        self,
        concurrency: int,
        clock: Callable[[], float] = time.monotonic,
        first_guess: float = FIRST_GUESS,
    ) -> None:
        self._slots = asyncio.Semaphore(concurrency)
        self._concurrency = concurrency
        self._clock = clock
        self._ahead = 0
        self._reading: dict[object, tuple[float, int]] = {}
        self._seconds_each = first_guess

    def expected_seconds(self, items: int) -> float:
        """Returns how long so many items would take from now, those ahead of them included."""
        now = self._clock()
        # What is being read is partly done.
        done = sum(
            min(count * self._seconds_each, now - started)
            for started, count in self._reading.values()
        )
        ahead = self._ahead * self._seconds_each - done
        return ahead / self._concurrency + items * self._seconds_each

    @asynccontextmanager
    async def place(self, items: int, seconds: float) -> AsyncGenerator["Place"]:
        """Holds a place in the queue while the block runs.

        Args:
            items: How many will be read.
            seconds: That all of it may take, waiting included.

        Raises:
            ResourceExhaustedError: What is ahead leaves too little time. The first in the queue is
                always let in: its time tells how fast the model is now.
        """
        if self._ahead and self.expected_seconds(items) > seconds:
            raise ResourceExhaustedError(
                f"{self._ahead} items are ahead, too many for {seconds:.1f} s", _RETRY_SECONDS
            )
        self._ahead += items
        try:
            yield Place(self, items, self._clock() + seconds)
        finally:
            self._ahead -= items

    @asynccontextmanager
    async def turn(self, items: int, until: float) -> AsyncGenerator[float]:
        """Waits for a turn, and times the block; see `Place.turn`."""
        try:
            async with asyncio.timeout(max(0.0, until - self._clock())):
                await self._slots.acquire()
        except TimeoutError as error:
            raise DeadlineExceededError("its turn did not come in time") from error
        started = self._clock()
        reading = object()
        self._reading[reading] = (started, items)
        try:
            yield max(0.0, until - started)
        finally:
            self._slots.release()
            del self._reading[reading]
        # One that failed says little of how long one takes.
        each = (self._clock() - started) / items
        self._seconds_each += _SMOOTHING * (each - self._seconds_each)


class Place:
    """One reading's place in the queue."""

    def __init__(self, queue: ReadingQueue, items: int, until: float) -> None:
        self._queue = queue
        self._items = items
        self._until = until

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[float]:
        """Waits until it may read; yields the seconds that are left for it.

        Raises:
            DeadlineExceededError: Time ran out before.
        """
        async with self._queue.turn(self._items, self._until) as left:
            yield left
