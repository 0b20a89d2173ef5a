"""What searches cost: latency by stage of one caller, processor time by process of several."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

import grpc.aio
import numpy as np

from benchmarks import cost_curve, report
from benchmarks.chinese_queries import read_queries
from benchmarks.data import icecat, subset
from benchmarks.load.overhead import WHOLE, covered_nanos
from benchmarks.load.queries import cold, judged, warm
from benchmarks.plan_busy import CLIENTS, DEADLINE, ask_together, calls_of
from benchmarks.plan_meter import CLIENT, Meter
from shared.cli.catalogue_import import import_whole
from shared.cli.connection import connect
from shared.cli.private_suite import PrivateSuite, private_suite
from shared.planning.costs import (
    STAGES,
    Language,
    Provenance,
    Reasons,
    SearchCosts,
    Searches,
)
from shared.planning.demand import PAGE, SMALL_PAGE
from shared.planning.distribution import PROBABILITIES
from wherefore.common.v1.diagnostics_pb2 import StageTiming
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.retrieval.v1 import retrieval_service_pb2 as retrieval_pb
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

_LEGS: Final = ("retrieval.dense", "retrieval.sparse")
WARM_UP: Final = 12
BUSY_SECONDS: Final = 10.0
TOGETHER: Final = 1_000
"""Queries for several callers: more than they can ask in that time."""
_IDLE_SECONDS: Final = 5.0
_IDLE_WINDOWS: Final = 40
_IDLE_CORES: Final = 0.05
"""Below which a suite is idle."""
_SEED: Final = 101
"""Of the queries that costs are measured with; what is checked is asked others."""
WHOLE_ANSWERS: Final = {
    # A slow machine is to be measured doing all of the work, not leaving it out.
    "WHEREFORE_ORCHESTRATOR_BROWN_OUT__REASONS": "0",
    "WHEREFORE_ORCHESTRATOR_LATENCY_TARGET_SECONDS": "0",
    "WHEREFORE_ORCHESTRATOR_BUDGETS__REASON__SECONDS": "4",
    "WHEREFORE_ORCHESTRATOR_BUDGETS__REASON__RESERVE": "0.01",
    "WHEREFORE_REASON_MODEL_SECONDS": "3",
}
TEMPLATES: Final = WHOLE_ANSWERS | {"WHEREFORE_REASON_MODEL": ""}


async def idle_cores(suite: PrivateSuite) -> dict[str, float]:
    """Returns the processors that each process keeps busy while nobody asks.

    What a start leaves to be done (an index, a graph) is waited for first.
    """
    found: dict[str, float] = {}
    for _ in range(_IDLE_WINDOWS):
        meter = Meter(suite)
        meter.start()
        await asyncio.sleep(_IDLE_SECONDS)
        spent = meter.per_call(1)
        found = {n: ms / 1e3 / _IDLE_SECONDS for n, ms in spent.items() if n != CLIENT}
        if sum(found.values()) < _IDLE_CORES:
            break
    return found


@asynccontextmanager
async def filled(
    home: Path, products: int, variables: Mapping[str, str]
) -> AsyncGenerator[PrivateSuite]:
    """A suite whose catalogue is icecat's first products; imported where they are not there.

    The graph of their vectors is built: a suite that ends before would begin with it at each start.
    """
    data = icecat()
    async with private_suite(home, variables=variables) as suite:
        if await product_count(suite) < products:
            path = subset(data, products, home)
            async with connect(suite.targets.orchestrator, retry=False) as channel:
                await import_whole(channel, path, "icecat", target=suite.targets.orchestrator)
        await settled(suite)
        yield suite


async def settled(suite: PrivateSuite) -> int:
    """Waits until the graph of vectors is built; returns the number of products."""
    while not (stats := await _stats(suite)).optimized:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(1)
    return int(stats.product_count)


async def product_count(suite: PrivateSuite) -> int:
    """Returns how many products the suite holds."""
    return int((await _stats(suite)).product_count)


async def _stats(suite: PrivateSuite) -> retrieval_pb.StatsResponse:
    async with grpc.aio.insecure_channel(suite.targets.retrieval) as channel:
        return await RetrievalServiceStub(channel).Stats(retrieval_pb.StatsRequest(), timeout=60)


async def searches(home: Path, products: int, calls: int, command: str) -> Searches:
    """Measures every kind of search, one caller at a time."""
    load = os.getloadavg()[0]
    kinds: list[SearchCosts] = []
    asked = Asked(iter(cold(judged(), _SEED)), _chinese())
    async with filled(home, products, WHOLE_ANSWERS) as suite:
        await ask_few(suite)
        meter = Meter(suite, await idle_cores(suite))
        for reasons in ("off", "model"):
            kinds += await _kinds(suite, meter, reasons, asked, calls)
        idle, held = dict(meter.idle), await product_count(suite)
    async with filled(home, products, TEMPLATES) as suite:
        await ask_few(suite)
        meter = Meter(suite, await idle_cores(suite))
        kinds += await _kinds(suite, meter, "template", asked, calls)
    told = f"icecat, {held:,} products, {CLIENTS} clients, latencies of one"
    return Searches(
        provenance=provenance(command, told, load),
        products=held,
        cores=len(os.sched_getaffinity(0)),
        idle_cores=idle,
        kinds=kinds,
    )


async def ask_few(suite: PrivateSuite) -> None:
    """Asks the warm queries once, with reasons, so that all that is loaded late is there."""
    async with grpc.aio.insecure_channel(suite.targets.orchestrator) as channel:
        for query in warm(judged()):
            await SearchServiceStub(channel).Search(SearchRequest(query=query), timeout=20)


@dataclass(frozen=True, slots=True)
class Asked:
    """Queries that were not asked yet: what one kind of search had kept would help the next."""

    english: Iterator[str]
    chinese: Iterator[str]

    def some(self, language: Language, count: int) -> list[str]:
        """Returns so many more."""
        return list(islice(self.english if language == "en" else self.chinese, count))


async def _kinds(
    suite: PrivateSuite, meter: Meter, reasons: Reasons, asked: Asked, calls: int
) -> list[SearchCosts]:
    found: list[SearchCosts] = []
    kinds: list[tuple[Language, int, bool]] = [
        ("en", PAGE, False), ("zh", PAGE, False), ("en", SMALL_PAGE, False), ("en", PAGE, True),
    ]  # fmt: skip
    few = warm(judged())
    target = suite.targets.orchestrator
    for language, page, repeated in kinds:
        # The few were asked before, so that all is kept that is kept at all.
        alone = few if repeated else asked.some(language, WARM_UP + calls)
        together = few if repeated else asked.some(language, TOGETHER)
        whole, stages = await _ask_one_by_one(target, alone, reasons, page)
        cpu, run = await ask_together(
            target, meter, together, BUSY_SECONDS, reasons=reasons, page_size=page
        )
        found.append(
            SearchCosts(
                reasons=reasons,
                language=language,
                page_size=page,
                repeated=repeated,
                calls=len(alone) - WARM_UP,
                whole_share=whole,
                clients=CLIENTS,
                cpu_ms=cpu,
                rate=run.goodput,
                latency_ms={name: quantiles(values) for name, values in stages.items()},
            )
        )
        cost_curve.say(f"{reasons}, {language}, {page}, repeated {repeated}: {_told(found[-1])}")
    return found


async def _ask_one_by_one(
    target: str, queries: Sequence[str], reasons: Reasons, page_size: int
) -> tuple[float, dict[str, list[float]]]:
    """Returns the share of whole answers, and milliseconds by stage of each after the first few."""
    stages: dict[str, list[float]] = {name: [] for name in (*STAGES, "whole")}
    whole = 0
    async with grpc.aio.insecure_channel(target) as channel:
        for number, send in zip(
            range(len(queries)), calls_of(queries, reasons, page_size), strict=False
        ):
            begun = time.perf_counter()
            response = await send(channel, DEADLINE)
            took = 1e3 * (time.perf_counter() - begun)
            if number >= WARM_UP:
                whole += not response.degraded
                for name, value in stage_times(took, response.timings).items():
                    stages[name].append(value)
    return whole / (len(queries) - WARM_UP), stages


def stage_times(whole: float, timings: Sequence[StageTiming]) -> dict[str, float]:
    """Returns the milliseconds of STAGES and of the whole, which the caller saw."""
    took: dict[str, float] = {}
    for timing in timings:
        took[timing.stage] = took.get(timing.stage, 0.0) + timing.duration_nanos / 1e6
    engine = max(took.get(leg, 0.0) for leg in _LEGS)
    staged = covered_nanos(t for t in timings if t.stage != WHOLE) / 1e6
    return {
        "whole": whole,
        "own": max(0.0, whole - staged),
        "nlu": took.get("nlu", 0.0),
        "retrieval": max(0.0, took.get("retrieval", 0.0) - engine),
        "engine": engine,
        "ranking": took.get("ranking", 0.0),
        "products": took.get("retrieval.products", 0.0),
        "reason": took.get("reason", 0.0),
    }


def _chinese() -> Iterator[str]:
    """Yields judged queries in Chinese, and then with a price, no two the same."""
    queries = list(dict.fromkeys(read_queries().values()))
    yield from queries
    prices = np.random.default_rng(_SEED).permutation(np.arange(3, 3_000)) * 10
    for price in prices:
        yield from (f"{query} {price}元以下" for query in queries)


def _told(kind: SearchCosts) -> str:
    """One kind in a line."""
    return (
        f"{sum(kind.cpu_ms.values()):.1f} ms of processors, {kind.rate:.1f} a second, p50 "
        f"{kind.latency_ms['whole'][PROBABILITIES.index(0.5)]:.1f} ms, {kind.whole_share:.0%} whole"
    )


def quantiles(values: Sequence[float]) -> list[float]:
    """Returns what is kept of a distribution."""
    return [round(float(value), 4) for value in np.quantile(values, PROBABILITIES)]


def provenance(command: str, data: str, load_average: float) -> Provenance:
    """How figures come about that are measured now.

    Args:
        command: What measures them.
        data: What is measured.
        load_average: Of the minute before, `os.getloadavg`.
    """
    return Provenance(
        command=command,
        data=data,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        revision=report.revision(),
        machine=report.machine(),
        load_average=load_average,
    )
