"""What searches cost: processor time by process and latency by stage, one caller at a time."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import grpc.aio
import numpy as np

from benchmarks import cost_curve, report
from benchmarks.chinese_queries import read_queries
from benchmarks.data import icecat, subset
from benchmarks.load.overhead import WHOLE, covered_nanos
from benchmarks.load.queries import cold, judged, warm
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

CLIENT: Final = "client"
_LEGS: Final = ("retrieval.dense", "retrieval.sparse")
WARM_UP: Final = 12
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


@dataclass(slots=True)
class Meter:
    """Processor time of every process of a suite, and of this one."""

    suite: PrivateSuite
    idle: Mapping[str, float] = field(default_factory=dict[str, float])
    _begun: float = 0.0
    _before: dict[str, float] = field(default_factory=dict[str, float])

    def start(self) -> None:
        """Begins to count."""
        self._before = self._read()
        self._begun = time.perf_counter()

    def per_call(self, calls: int) -> dict[str, float]:
        """Returns milliseconds a call since the start, what is done idly taken off."""
        elapsed = time.perf_counter() - self._begun
        after = self._read()
        return {
            name: max(0.0, 1e3 * (after[name] - was - elapsed * self.idle.get(name, 0.0)) / calls)
            for name, was in self._before.items()
        }

    def _read(self) -> dict[str, float]:
        return self.suite.cpu_seconds() | {CLIENT: time.process_time()}


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
    async with filled(home, products, WHOLE_ANSWERS) as suite:
        await ask_few(suite)
        meter = Meter(suite, await idle_cores(suite))
        for reasons in ("off", "model"):
            kinds += await _kinds(suite, meter, reasons, calls)
        idle, held = dict(meter.idle), await product_count(suite)
    async with filled(home, products, TEMPLATES) as suite:
        await ask_few(suite)
        kinds += await _kinds(suite, Meter(suite, await idle_cores(suite)), "template", calls)
    return Searches(
        provenance=provenance(command, f"icecat, {held:,} products, one client", load),
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


async def _kinds(
    suite: PrivateSuite, meter: Meter, reasons: Reasons, calls: int
) -> list[SearchCosts]:
    english = cold(judged(), _SEED)
    chinese = list(dict.fromkeys(_chinese(calls + WARM_UP)))
    few = warm(judged())
    asked: list[tuple[Language, int, bool, Sequence[str]]] = [
        ("en", PAGE, False, english[: calls + WARM_UP]),
        ("zh", PAGE, False, chinese),
        ("en", SMALL_PAGE, False, english[calls + WARM_UP : 2 * (calls + WARM_UP)]),
        # Asked once before what is counted, so that all is kept that is kept at all.
        ("en", PAGE, True, [*few, *(few[n % len(few)] for n in range(calls))]),
    ]
    found: list[SearchCosts] = []
    for language, page, repeated, queries in asked:
        unmeasured = len(few) if repeated else WARM_UP
        found.append(
            await ask_one_by_one(
                suite.targets.orchestrator,
                meter,
                queries,
                unmeasured,
                reasons=reasons,
                language=language,
                page_size=page,
                repeated=repeated,
            )
        )
        cost_curve.say(f"{reasons}, {language}, {page}, repeated {repeated}: {told(found[-1])}")
    return found


async def ask_one_by_one(
    target: str,
    meter: Meter,
    queries: Sequence[str],
    unmeasured: int,
    *,
    reasons: Reasons,
    language: Language,
    page_size: int,
    repeated: bool,
) -> SearchCosts:
    """Searches one query after the other, and counts from the first that is measured."""
    stages: dict[str, list[float]] = {name: [] for name in (*STAGES, "whole")}
    whole = 0
    async with grpc.aio.insecure_channel(target) as channel:
        stub = SearchServiceStub(channel)
        for number, query in enumerate(queries):
            if number == unmeasured:
                meter.start()
            request = SearchRequest(query=query, page_size=page_size, skip_reasons=reasons == "off")
            begun = time.perf_counter()
            response = await stub.Search(request, timeout=20)
            took = 1e3 * (time.perf_counter() - begun)
            if number >= unmeasured:
                whole += not response.degraded
                for name, value in stage_times(took, response.timings).items():
                    stages[name].append(value)
    counted = len(queries) - unmeasured
    return SearchCosts(
        reasons=reasons,
        language=language,
        page_size=page_size,
        repeated=repeated,
        calls=counted,
        whole_share=whole / counted,
        cpu_ms=meter.per_call(counted),
        latency_ms={name: quantiles(values) for name, values in stages.items()},
    )


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


def _chinese(count: int) -> list[str]:
    """Judged queries in Chinese, with a price where they are asked again."""
    queries = list(read_queries().values())
    chance = np.random.default_rng(_SEED)
    more = [f"{queries[n % len(queries)]} {chance.integers(3, 300) * 10}元以下"
            for n in range(count)]  # fmt: skip
    return [*queries, *more][:count]


def told(kind: SearchCosts) -> str:
    """One kind in a line."""
    return (
        f"{sum(kind.cpu_ms.values()):.1f} ms of processors, p50 "
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
