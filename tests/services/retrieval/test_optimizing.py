"""When the graph is brought up to date, with a store that only counts."""

import asyncio
import contextlib

import pytest

from services.retrieval import optimizing
from services.retrieval.optimizing import Optimizing

PAUSE = 0.1


class Index:
    """Counts what is written and what the graph lacks."""

    def __init__(self) -> None:
        self.products = self.waiting = self.failures = 0
        self.built: list[int] = []
        self.may_build = asyncio.Event()
        self.may_build.set()
        self.optimizing = Optimizing(
            lambda: self.waiting,
            self._count,
            self._optimize,
            after=10,
            share=0.3,
            pause_seconds=PAUSE,
        )

    async def _count(self) -> int:
        return self.products

    async def _optimize(self) -> None:
        size, waiting = self.products, self.waiting
        await self.may_build.wait()
        if self.failures:
            self.failures -= 1
            raise RuntimeError("no room")
        self.built.append(size)
        self.waiting -= waiting

    async def write(self, products: int) -> None:
        self.products += products
        self.waiting += products
        self.optimizing.wrote()
        await asyncio.sleep(0)

    async def settled(self) -> None:
        async with asyncio.timeout(10):
            while self.waiting >= 10:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)


async def test_the_first_import_is_built_at_once_and_a_few_writes_never() -> None:
    index = Index()
    await index.write(100)
    await asyncio.sleep(PAUSE / 4)
    assert index.built == [100]
    await index.write(9)
    await asyncio.sleep(3 * PAUSE)
    assert index.built == [100]
    await index.optimizing.stop()


async def test_an_import_in_many_calls_is_built_a_few_times_and_to_its_end() -> None:
    index = Index()
    for _ in range(100):
        await index.write(100)
        await asyncio.sleep(0.001)
    await index.settled()
    await index.optimizing.stop()
    assert len(index.built) < 25
    assert index.built[-1] == 10_000


async def test_what_comes_while_it_is_built_is_built_afterwards_without_another_write() -> None:
    index = Index()
    index.may_build.clear()
    await index.write(100)
    await index.write(20)
    index.may_build.set()
    await index.settled()
    await index.optimizing.stop()
    assert index.built == [100, 120]


async def test_a_long_stream_is_no_pause() -> None:
    index = Index()
    await index.write(100)
    await index.settled()
    with index.optimizing.writing():
        await index.write(20)  # what another caller wrote meanwhile
        await asyncio.sleep(3 * PAUSE)
        assert index.built == [100]
    await index.settled()
    await index.optimizing.stop()
    assert index.built == [100, 120]


async def test_a_stream_that_breaks_off_counts_as_written() -> None:
    index = Index()
    with contextlib.suppress(ConnectionError), index.optimizing.writing():
        index.products = index.waiting = 50
        raise ConnectionError
    await index.settled()
    await index.optimizing.stop()
    assert index.built == [50]


async def test_what_failed_is_tried_again_without_a_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimizing, "_RETRY_SECONDS", 2 * PAUSE)
    index = Index()
    index.failures = 1
    await index.write(100)
    await index.settled()
    await index.optimizing.stop()
    assert index.built == [100]


async def test_what_failed_is_tried_at_the_next_write() -> None:
    index = Index()
    index.failures = 1
    await index.write(100)
    await asyncio.sleep(3 * PAUSE)
    assert index.built == []
    await index.write(1)
    await index.settled()
    await index.optimizing.stop()
    assert index.built == [101]


async def test_the_end_is_not_waited_for_by_a_pause() -> None:
    index = Index()
    await index.write(1_000)
    await index.settled()
    await index.write(10)
    async with asyncio.timeout(PAUSE / 2):
        await index.optimizing.stop()
    assert index.built == [1_000]
