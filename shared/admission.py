"""Admission: how many calls are worked on at once, how many may wait, and what the rest is told.

A queue without a bound turns overload into latency for everybody; a bounded one turns it into quick
refusals that say when to come back. A call that would be answered only after its deadline is
refused at once as well: work on it would be lost, and its caller could have asked elsewhere.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Final

from shared.concurrency_limit import ConcurrencyLimit
from shared.deadline import Clock, current_deadline
from shared.errors import DeadlineExceededError, ResourceExhaustedError

MIN_RETRY_SECONDS = 0.1
MAX_RETRY_SECONDS = 1.0
_SMOOTHING: Final = 0.1
_QUEUE_SHARE: Final = 0.4
"""What waiting and work may take of a deadline, as expected when a call comes. A queue that is as
long as the deadline allows adds nothing to what gets done: it only has to outlast the gaps between
calls. And half of them take longer than expected: at 0.8 one in ten was late under overload."""
_LEISURE: Final = 1 / 3
"""What work may take of that share before time is short: with ten seconds it does not matter that
all places are taken, with one it does, as soon as somebody waits."""
_HOPELESS: Final = 0.5
"""A call with less time left than this share of what it is expected to take is not worked on."""
_DOUBT: Final = 0.02
_BATCH_SHARE: Final = 0.5
"""What calls of jobs may take of the queue."""

_queue_nanos: ContextVar[int] = ContextVar("queue_nanos", default=0)


def current_queue_nanos() -> int:
    """Returns the nanoseconds that the current request waited for admission."""
    return _queue_nanos.get()


class ShedError(ResourceExhaustedError):
    """A call that is refused before any work.

    Args:
        cause: "queue_full", "too_late" (by what is ahead of it) or "hopeless" (by itself).
        retry_after_seconds: When to come back.
    """

    def __init__(self, cause: str, retry_after_seconds: float) -> None:
        super().__init__("too many requests at once", retry_after_seconds)
        self.cause = cause


class Admission:
    """Places under a limit, with a bounded queue: calls of people before calls of jobs.

    Args:
        limit: Calls worked on at once.
        max_queue: Calls that may wait beyond those.
        clock: Monotonic, in seconds.
    """

    def __init__(
        self, limit: ConcurrencyLimit, max_queue: int, clock: Clock = time.perf_counter
    ) -> None:
        self._limit = limit
        self._clock = clock
        self._max_queue = max_queue
        self._in_flight = 0
        self._people: deque[asyncio.Future[None]] = deque()
        self._jobs: deque[asyncio.Future[None]] = deque()
        self._mean_seconds: float | None = None
        self._seconds_by_method: dict[str, float] = {}

    @property
    def waiting(self) -> int:
        """Calls that wait now."""
        return len(self._people) + len(self._jobs)

    @property
    def limit(self) -> int:
        """Calls that may be worked on at once, now."""
        return self._limit.value

    @property
    def in_flight(self) -> int:
        """Calls that are worked on now."""
        return self._in_flight

    def pressure(self, method: str) -> float:
        """Returns how hard it is pressed at this moment, as a call of a method sees it.

        From 0, where it is alone, to 1, where those that come are refused: how full the queue is,
        by what wait its deadline leaves room for or by the number of calls that wait. Before
        anybody waits, up to a half by how many of the places others have, where time is short and
        they slow each other down.
        """
        return max(self._crowd(method), self._fullness(method))

    def _crowd(self, method: str) -> float:
        others = max(0, self._in_flight + self.waiting - 1)
        taken = min(1.0, others / self._limit.value)
        room = _QUEUE_SHARE * current_deadline().remaining()
        expected = self._expected(method)
        urgency = min(1.0, expected / (_LEISURE * room)) if room > 0 else 1.0
        return taken * urgency * self._limit.crowding(method, expected) / 2

    def _fullness(self, method: str) -> float:
        if self._in_flight < self._limit.value and not self.waiting:
            return 0.0
        room = _QUEUE_SHARE * current_deadline().remaining() - self._expected(method)
        by_time = self._wait_seconds(len(self._people)) / room if room > 0 else 1.0
        by_number = self.waiting / self._max_queue if self._max_queue else 1.0
        return min(1.0, max(by_time, by_number))

    @asynccontextmanager
    async def admit(self, method: str = "", *, batch: bool = False) -> AsyncGenerator[int, None]:
        """Holds a place while the block runs; yields the nanoseconds waited for it.

        Args:
            method: What is called; how long it takes is learnt for each.
            batch: Whether a job calls, which waits until no call of people does.

        Raises:
            ShedError: Too many wait already, or the call would be answered too late.
            DeadlineExceededError: It waited for longer than expected: too little time is left.
        """
        queued_at = self._clock()
        queued = await self._acquire(method, batch=batch)
        admitted_at = self._clock()
        waited = round((admitted_at - queued_at) * 1e9)
        _queue_nanos.set(waited)
        remaining = current_deadline().remaining()
        beside = self._in_flight - 1
        try:
            if queued and remaining < self._expected(method) * _HOPELESS:
                raise DeadlineExceededError("waited for too long: no answer in the time left")
            yield waited
            self._learn(method, admitted_at, remaining, beside)
        except asyncio.CancelledError:
            # The caller's deadline passed, or it went away: the call took so long at least.
            self._learn(method, admitted_at, remaining, beside)
            raise
        finally:
            self._in_flight -= 1
            self._wake()

    def _learn(self, method: str, admitted_at: float, remaining: float, beside: int) -> None:
        now = self._clock()
        seconds = now - admitted_at
        self._mean_seconds = _smoothed(self._mean_seconds, seconds)
        before = self._seconds_by_method.get(method)
        self._seconds_by_method[method] = _smoothed(before, seconds)
        self._limit.note(
            method,
            started=admitted_at,
            ended=now,
            remaining=remaining,
            beside=beside,
            alone=not beside and self._in_flight == 1,
        )

    async def _acquire(self, method: str, *, batch: bool) -> bool:
        """Takes a place; returns whether the call waited for it."""
        if self._in_flight < self._limit.value and not self.waiting:
            # At the edge alone, where calls of a method are alike: behind it jobs call with much
            # to do, and time for it, what a page calls with little of both.
            if self._in_flight and self._limit.follows and self._hopeless(method):
                raise ShedError("hopeless", MIN_RETRY_SECONDS)
            self._in_flight += 1
            return False
        room = math.ceil(self._max_queue * _BATCH_SHARE) if batch else self._max_queue
        ahead = self.waiting if batch else len(self._people)
        if self.waiting >= room:
            raise ShedError("queue_full", self._retry_seconds())
        if self._too_late(method, ahead):
            raise ShedError("too_late", self._retry_seconds())
        queue = self._jobs if batch else self._people
        place = asyncio.get_running_loop().create_future()
        queue.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._in_flight -= 1  # the place came as the caller left: the next one gets it
                self._wake()
            else:
                queue.remove(place)
            raise
        return True

    def _wake(self) -> None:
        while self._in_flight < self._limit.value and self.waiting:
            place = (self._people or self._jobs).popleft()
            self._in_flight += 1
            place.set_result(None)

    def _hopeless(self, method: str) -> bool:
        """Returns whether work on a call would be lost, as far as is known."""
        expected = self._expected(method)
        if current_deadline().remaining() >= expected * _HOPELESS:
            return False
        # What is never let in is never learnt of again: some time one is, to see.
        self._seconds_by_method[method] = expected * (1 - _DOUBT)
        return True

    def _too_late(self, method: str, ahead: int) -> bool:
        remaining = current_deadline().remaining()
        return self._wait_seconds(ahead) + self._expected(method) > _QUEUE_SHARE * remaining

    def _expected(self, method: str) -> float:
        return self._seconds_by_method.get(method, 0.0)

    def _wait_seconds(self, ahead: int) -> float:
        """Returns about how long it takes until so many who wait have a place, and one more."""
        return (self._mean_seconds or 0.0) * (ahead + 1) / self._limit.value

    def _retry_seconds(self) -> float:
        """Returns about how long the present queue takes to clear, within sane bounds."""
        return min(MAX_RETRY_SECONDS, max(MIN_RETRY_SECONDS, self._wait_seconds(self.waiting)))


def _smoothed(before: float | None, value: float) -> float:
    return value if before is None else before + _SMOOTHING * (value - before)
