"""When the graph of vectors is brought up to date: not with each call of an import, and not late.

The embedded engine builds the whole graph anew, so that an import in many calls would build it as
many times. What is not in the graph yet is searched exactly: it costs time, never results.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Final

import structlog

_RETRY_SECONDS: Final = 60.0
"""After a failure, such as a disk without room for the copy."""
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Optimizing:
    """Optimises when enough was written, or some was and no more comes. For one event loop.

    Args:
        waiting: Products written since the graph was brought up to date.
        count: All products.
        optimize: Brings it up to date.
        after: Writes that are worth it.
        share: Of all products, that must wait before it is begun in the midst of writes.
        pause_seconds: Without a write, after which fewer are enough.
    """

    def __init__(
        self,
        waiting: Callable[[], int],
        count: Callable[[], Awaitable[int]],
        optimize: Callable[[], Awaitable[None]],
        *,
        after: int,
        share: float,
        pause_seconds: float,
    ) -> None:
        self._waiting = waiting
        self._count = count
        self._optimize = optimize
        self._after = after
        self._share = share
        self._pause_seconds = pause_seconds
        self._written = asyncio.Event()
        self._ending = False
        self._streams = 0
        self._task: asyncio.Task[None] | None = None

    def wrote(self) -> None:
        """Takes note that something was written, or that there may be something to do."""
        self._written.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    @contextmanager
    def writing(self) -> Generator[None]:
        """Holds for the time of a stream of writes, in which there is no pause however long."""
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1
            self.wrote()

    async def stop(self) -> None:
        """Begins nothing more, and waits for what is under way."""
        self._ending = True
        self._written.set()
        if self._task:
            await self._task

    async def _run(self) -> None:
        while True:
            await self._written.wait()
            self._written.clear()
            if self._ending:
                return
            try:
                if await self._is_time():
                    await self._optimize()
                    self._written.set()  # more may have come meanwhile
            except Exception:
                # Searches go on exactly without the graph.
                _log.exception("optimize_failed")
                if await self._nothing_for(_RETRY_SECONDS):
                    self._written.set()

    async def _is_time(self) -> bool:
        if self._waiting() < self._after:
            return False
        if self._waiting() >= self._share * await self._count():
            return True
        # What is written meanwhile asks again, and so does the end of a stream.
        return await self._nothing_for(self._pause_seconds) and not self._streams

    async def _nothing_for(self, seconds: float) -> bool:
        """Waits for the next write; returns whether so many seconds went by without one."""
        try:
            async with asyncio.timeout(seconds):
                await self._written.wait()
        except TimeoutError:
            return True
        return False
