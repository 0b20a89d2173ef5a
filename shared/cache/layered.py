"""A cache with single flight and stale-while-revalidate, and a second level that may be there.

- Who asks for what is being made waits for it: a burst of the same question is one question.
- What has grown stale is told once more while it is made anew in the background.
- Nothing is found by anything but its whole key (`cache_key`).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from cachetools import LRUCache

from shared.cache.second_level import SecondLevel
from shared.deadline import Deadline, set_current_deadline
from shared.errors import DeadlineExceededError, WhereforeError
from shared.metrics import count_cache_event, count_lookup

_RENEWAL_SECONDS: Final = 10.0
"""Deadline of what is made anew in the background."""


@dataclass(frozen=True, slots=True)
class Made:
    """An answer that was made, and whether to keep it: not what went without a part."""

    value: bytes
    keep: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """An answer.

    Attributes:
        value: Serialized.
        own: Whether it was made for this very request, and not kept or made for another.
    """

    value: bytes
    own: bool


Make = Callable[[], Awaitable[Made]]


@dataclass(slots=True)
class _Flight:
    task: asyncio.Task[Made]
    waiting: int = 0


class LayeredCache:
    """For one event loop.

    Args:
        name: In metrics, in dotted form.
        size: Answers kept in this process.
        fresh_seconds: How long an answer is told as it is; 0 turns the whole cache off.
        stale_seconds: How long after that it is still told, once more at a time, while it is made
            anew.
        second: What other processes share.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        name: str,
        *,
        size: int,
        fresh_seconds: float,
        stale_seconds: float = 0.0,
        second: SecondLevel | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._fresh = fresh_seconds
        self._stale = stale_seconds
        self._second = second
        self._clock = clock
        self._kept: LRUCache[bytes, tuple[bytes, float]] = LRUCache(size)
        self._flights: dict[bytes, _Flight] = {}
        self._renewals: dict[bytes, asyncio.Task[None]] = {}

    @property
    def on(self) -> bool:
        """Whether anything is kept."""
        return self._fresh > 0

    async def get(self, key: bytes, make: Make, *, shared: bool = True) -> Found:
        """Returns the answer of a key, made if there is none.

        Args:
            key: Of `cache_key`.
            make: Makes it; may be called after the request is over.
            shared: Whether other processes may have it: no for what is one user's.

        Raises:
            WhereforeError: As `make` does.
        """
        if not self.on:
            return Found((await make()).value, own=True)
        known = self._look(key)
        if known is None and shared and self._second is not None:
            known = await self._look_further(key)
        count_lookup(self._name, hit=known is not None)
        if known is None:
            return await self._made(key, make, shared=shared)
        value, age = known
        if age > self._fresh and key not in self._renewals:
            count_cache_event(self._name, "stale")
            renewal = asyncio.create_task(self._renew(key, make, shared=shared))
            self._renewals[key] = renewal
            renewal.add_done_callback(lambda _: self._renewals.pop(key, None))
        return Found(value, own=False)

    async def close(self) -> None:
        """Ends what is being made. The second level is closed by whoever opened it."""
        tasks: list[asyncio.Task[Any]] = [
            *self._renewals.values(),
            *(flight.task for flight in self._flights.values()),
        ]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _look(self, key: bytes) -> tuple[bytes, float] | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        value, at = kept
        age = self._clock() - at
        if age > self._fresh + self._stale:
            del self._kept[key]
            return None
        return value, age

    async def _look_further(self, key: bytes) -> tuple[bytes, float] | None:
        found = await self._second.get(key) if self._second is not None else None
        if found is None or found[1] > self._fresh + self._stale:
            return None
        value, age = found
        count_cache_event(self._name, "second_level")
        self._kept[key] = value, self._clock() - age
        return found

    async def _made(self, key: bytes, make: Make, *, shared: bool) -> Found:
        flight = self._flights.get(key)
        first = flight is None
        if flight is None:
            flight = _Flight(asyncio.create_task(self._make(key, make, shared=shared)))
            self._flights[key] = flight
            flight.task.add_done_callback(lambda _: self._land(key))
        else:
            count_cache_event(self._name, "joined")
        flight.waiting += 1
        try:
            made = await asyncio.shield(flight.task)
        except asyncio.CancelledError:
            # Its last caller takes the flight along; others fly on.
            if flight.waiting == 1:
                flight.task.cancel()
            raise
        except DeadlineExceededError:
            if first:
                raise
            # It was the time of whoever asked first that ran out.
            return Found((await self._make(key, make, shared=shared)).value, own=True)
        finally:
            flight.waiting -= 1
        return Found(made.value, own=first)

    def _land(self, key: bytes) -> None:
        flight = self._flights.pop(key, None)
        if flight is not None and not flight.task.cancelled():
            flight.task.exception()  # told to whoever waits; nobody may

    async def _make(self, key: bytes, make: Make, *, shared: bool) -> Made:
        made = await make()
        if made.keep:
            self._kept[key] = made.value, self._clock()
            if shared and self._second is not None:
                await self._second.set(key, made.value, self._fresh + self._stale)
        return made

    async def _renew(self, key: bytes, make: Make, *, shared: bool) -> None:
        # The request that it is made for is over soon, and its deadline with it.
        set_current_deadline(Deadline.after(_RENEWAL_SECONDS))
        try:
            await self._make(key, make, shared=shared)
        except WhereforeError:
            count_cache_event(self._name, "not_renewed")
        else:
            count_cache_event(self._name, "renewed")
