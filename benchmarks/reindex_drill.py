"""Re-indexing and backing up under search traffic: `python -m benchmarks.reindex_drill`.

icecat is imported into a suite of its own. Two clients search in a closed loop, one more writes
products, while the index is built anew (once with the same settings, once quantised to 8 bits) and
while a backup is made. The last is restored into an empty folder, and a suite over that is asked
the same queries again.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import grpc.aio
import numpy as np

from benchmarks import report
from benchmarks.data import icecat, subset
from benchmarks.plan_searches import settled
from shared.backup.create import BackupPlan, create
from shared.backup.restore import restore
from shared.cli.catalogue_import import import_whole
from shared.cli.connection import connect
from shared.cli.private_suite import PrivateSuite, private_suite
from shared.evaluation.judgments import read_judgments
from wherefore.common.v1.product_pb2 import Product
from wherefore.orchestrator.v1.product_service_pb2 import (
    ProductServiceGetRequest,
    ProductServiceUpdateRequest,
)
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.retrieval.v1.index_admin_service_pb2 import ReindexRequest
from wherefore.retrieval.v1.index_admin_service_pb2_grpc import IndexAdminServiceStub

COMMAND: Final = "python -m benchmarks.reindex_drill"
CLIENTS: Final = 2
_CALL_SECONDS: Final = 30.0
_LONG_SECONDS: Final = 3_600.0
_TRIES: Final = 10
_WRITE_PAUSE: Final = 0.2

Pages = dict[str, list[str]]


@dataclass(slots=True)
class Window:
    """What happened while something went on."""

    what: str
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list[float])
    """Of searches that were answered, in seconds."""
    failed: int = 0
    written: list[str] = field(default_factory=list[str])
    """Products whose write was acknowledged."""
    refused: int = 0
    """Writes that were not acknowledged."""
    lost: int = 0
    same: float = 1.0
    """Share of the first ten that are the same as at first."""


@dataclass(slots=True)
class Drill:
    """All of it."""

    products: int
    windows: list[Window] = field(default_factory=list[Window])
    archive_bytes: int = 0
    content_bytes: int = 0
    restore_seconds: float = 0.0
    restored_same: float = 0.0
    restored_lost: int = 0


class Shop:
    """What clients ask through the public contract."""

    def __init__(self, channel: grpc.aio.Channel, queries: Sequence[str]) -> None:
        self._search = SearchServiceStub(channel).Search
        self._products = ProductServiceStub(channel)
        self._queries = queries

    async def first_ten(self, query: str, *, tries: int = 1) -> list[str]:
        """Returns the ids of a page; of a whole answer, where one of the tries has one."""
        request = SearchRequest(query=query, page_size=10)
        for _ in range(tries):
            answer = await self._search(request, timeout=_CALL_SECONDS)
            if not answer.degraded:
                break
        return [result.product.id for result in answer.results]

    async def pages(self) -> Pages:
        """Returns the pages of all queries, whole ones: another order for want of time is none."""
        return {query: await self.first_ten(query, tries=_TRIES) for query in self._queries}

    async def missing(self, product_ids: Sequence[str]) -> int:
        """Returns how many products cannot be read."""
        missing = 0
        for each in product_ids:
            request = ProductServiceGetRequest(product_id=each)
            try:
                await self._products.Get(request, timeout=_CALL_SECONDS)
            except grpc.aio.AioRpcError:
                missing += 1
        return missing

    @asynccontextmanager
    async def traffic(self, what: str) -> AsyncGenerator[Window]:
        """Searches and writes while the block runs."""
        window = Window(what)
        begun = time.perf_counter()
        tasks = [asyncio.create_task(self._searching(window, n)) for n in range(CLIENTS)]
        tasks.append(asyncio.create_task(self._writing(window)))
        try:
            yield window
        finally:
            window.seconds = time.perf_counter() - begun
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _searching(self, window: Window, first: int) -> None:
        number = first
        while True:
            # Each query in a form of its own: kept answers would tell nothing of the index.
            query = f"{self._queries[number % len(self._queries)]} {number % 9 + 1}"
            number += CLIENTS
            begun = time.perf_counter()
            try:
                await self.first_ten(query)
            except grpc.aio.AioRpcError:
                window.failed += 1
            else:
                window.latencies.append(time.perf_counter() - begun)

    async def _writing(self, window: Window) -> None:
        while True:
            product = Product(id=f"drill-{time.time_ns()}", titles={"en": "Zyxquor theremin"})
            request = ProductServiceUpdateRequest(product=product, allow_missing=True)
            try:
                await self._products.Update(request, timeout=_CALL_SECONDS)
            except grpc.aio.AioRpcError:
                window.refused += 1
            else:
                window.written.append(product.id)
            await asyncio.sleep(_WRITE_PAUSE)


async def measure(catalogue: Path, queries: Sequence[str], quiet_seconds: float) -> Drill:
    """Runs the drill.

    Args:
        catalogue: File of icecat.
        queries: What is searched for.
        quiet_seconds: Length of the window in which nothing else goes on.
    """
    with tempfile.TemporaryDirectory(prefix="wherefore-drill-") as folder:
        home, again, archive = (Path(folder) / name for name in ("home", "again", "drill.tar.gz"))
        async with private_suite(home) as suite, connect(suite.targets.orchestrator) as channel:
            target = suite.targets.orchestrator
            await import_whole(channel, catalogue, "icecat", target=target)
            drill = Drill(await settled(suite))
            shop = Shop(channel, queries)
            before = await shop.pages()
            async with shop.traffic("searches and writes alone") as window:
                await asyncio.sleep(quiet_seconds)
            await _judge(drill, window, shop, before)
            async with shop.traffic("re-indexing, same settings") as window:
                await _reindex(suite)
            await _judge(drill, window, shop, before)
            async with shop.traffic("backing up") as window:
                await _back_up(drill, suite, home, archive)
            await _judge(drill, window, shop, before)
        drill.archive_bytes = (await asyncio.to_thread(archive.stat)).st_size
        begun = time.perf_counter()
        restore(archive, again, again / "security", force=False)
        drill.restore_seconds = time.perf_counter() - begun
        variables = {"WHEREFORE_RETRIEVAL_QUANTISATION": "int8"}
        acknowledged = [each for window in drill.windows[:-1] for each in window.written]
        async with (
            private_suite(again, variables=variables) as suite,
            connect(suite.targets.orchestrator) as channel,
        ):
            shop = Shop(channel, queries)
            drill.restored_same = _same(before, await shop.pages())
            drill.restored_lost = await shop.missing(acknowledged)
            async with shop.traffic("re-indexing to 8 bits") as window:
                await _reindex(suite)
            await _judge(drill, window, shop, before)
    return drill


async def _reindex(suite: PrivateSuite) -> None:
    async with connect(suite.targets.retrieval) as channel:
        call = IndexAdminServiceStub(channel).Reindex(ReindexRequest(), timeout=_LONG_SECONDS)
        async for _ in call:
            pass


async def _back_up(drill: Drill, suite: PrivateSuite, home: Path, archive: Path) -> None:
    plan = BackupPlan(home, home / "security", archive, "benchmark", with_keys=True)
    async with connect(suite.targets.retrieval) as channel:
        manifest = await create(plan, channel, lambda _: None)
    drill.content_bytes = manifest.size_bytes


async def _judge(drill: Drill, window: Window, shop: Shop, before: Pages) -> None:
    window.lost = await shop.missing(window.written)
    window.same = _same(before, await shop.pages())
    drill.windows.append(window)


def _same(before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]]) -> float:
    total = sum(map(len, before.values()))
    return sum(len(set(before[q]) & set(after[q])) for q in before) / total if total else 1.0


def section(drill: Drill) -> str:
    """The section of RESULTS.md."""
    rows = [
        [
            window.what,
            f"{window.seconds:.1f}",
            f"{len(window.latencies):,}",
            str(window.failed),
            *(f"{np.percentile(window.latencies, q) * 1e3:.0f}" for q in (50, 99)),
            f"{len(window.written)}",
            str(window.refused),
            str(window.lost),
            f"{window.same:.1%}",
        ]
        for window in drill.windows
    ]
    headings = (
        "while", "seconds", "searches", "failed", "p50 ms", "p99 ms",
        "writes acknowledged", "refused", "lost", "same first ten",
    )  # fmt: skip
    return "\n\n".join(
        [
            "## Re-indexing and backing up under traffic",
            report.provenance(COMMAND, f"icecat, {drill.products:,} products"),
            f"{CLIENTS} clients search in a closed loop, pages of 10 with reasons, one more writes"
            f" a product every {_WRITE_PAUSE} s, on the same machine as the suite. The time of"
            " re-indexing includes the 10 s for which the old index is kept. The first ten are"
            " compared after each, without traffic, with those of the beginning.",
            report.table(headings, rows),
            f"The backup, keys included: {drill.content_bytes / 1e6:.0f} MB in an archive of"
            f" {drill.archive_bytes / 1e6:.0f} MB. Restored in {drill.restore_seconds:.1f} s into"
            f" an empty folder, a suite over it shows {drill.restored_same:.1%} of the first ten,"
            f" and {drill.restored_lost} of the products acknowledged before the backup are lost.",
        ]
    )


def main() -> int:
    """Runs the drill; returns 1 where a search failed or a write was lost."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--products", type=int, help="trial run on so many products, not written")
    parser.add_argument("--quiet-seconds", type=float, default=60.0, help="of traffic alone")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    data = icecat()
    queries = list(read_judgments(data.judgments))
    with tempfile.TemporaryDirectory() as folder:
        catalogue = data.catalogue
        if options.products:
            catalogue = subset(data, options.products, Path(folder))
        drill = asyncio.run(measure(catalogue, queries, options.quiet_seconds))
    body = section(drill)
    print(body)
    if not (options.no_write or options.products):
        report.update_section("reindex_drill", body)
    bad = sum(window.failed + window.lost for window in drill.windows) + drill.restored_lost
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
