"""Writes that arrive while one is under way go together in the next one: they share its fsync.

Single items go first: a user waits for each, an import for a hundred.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

_ItemT = TypeVar("_ItemT")
_ResultT = TypeVar("_ResultT")


class WriteQueue(Generic[_ItemT, _ResultT]):
    """Groups of items on their way to a log. For one event loop.

    Args:
        write: Writes groups, in order, and returns the results of each; an error is told to all
            that wait for this write.
        most: Items in one write, beyond which the next group waits; one group may have more. What
            waits behind a write waits for all of it.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Sequence[_ItemT]]], Awaitable[Sequence[list[_ResultT]]]],
        most: int = 250,
    ) -> None:
        self._write = write
        self._most = most
        self._waiting: list[tuple[Sequence[_ItemT], asyncio.Future[list[_ResultT]]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def put(self, items: Sequence[_ItemT]) -> list[_ResultT]:
        """Writes items; returns what became of them. Written too if the caller goes away."""
        future: asyncio.Future[list[_ResultT]] = asyncio.get_running_loop().create_future()
        self._waiting.append((items, future))
        if self._flushing is None or self._flushing.done():
            # A context of its own: the deadline of whoever came first is not that of all.
            self._flushing = asyncio.create_task(self._flush(), context=contextvars.Context())
        return await future

    async def close(self) -> None:
        """Waits for what is under way."""
        if self._flushing:
            await asyncio.wait({self._flushing})

    async def _flush(self) -> None:
        while self._waiting:
            batch = self._take()
            try:
                written = await self._write([items for items, _ in batch])
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), results in zip(batch, written, strict=True):
                if not future.done():  # its caller may have gone away; the items are written
                    future.set_result(results)

    def _take(self) -> list[tuple[Sequence[_ItemT], asyncio.Future[list[_ResultT]]]]:
        self._waiting.sort(key=lambda each: len(each[0]) > 1)  # in the order of arrival otherwise
        count = size = 0
        for items, _ in self._waiting:
            if count and size + len(items) > self._most:
                break
            count, size = count + 1, size + len(items)
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch
