"""Measures what `wherefore plan` computes with: processor time, latency and memory of a suite."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import grpc.aio
import numpy as np

from benchmarks import cost_curve, report
from benchmarks.chinese_queries import read_queries
from benchmarks.cost_curve_report import Size
from benchmarks.data import icecat, subset
from benchmarks.load.overhead import WHOLE, covered_nanos
from benchmarks.load.queries import cold, judged, warm
from benchmarks.shared_log_durability import DurableRedis
from shared.cli.catalogue_import import import_whole
from shared.cli.connection import connect
from shared.cli.private_suite import PrivateSuite, private_suite
from shared.planning.costs import (
    STAGES,
    Events,
    Language,
    Memory,
    MemorySize,
    Provenance,
    Reasons,
    SearchCosts,
    Searches,
    Shards,
    ShardSize,
)
from shared.planning.demand import PAGE, SMALL_PAGE
from shared.planning.distribution import PROBABILITIES
from wherefore.common.v1.diagnostics_pb2 import StageTiming
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_VIEW, ProductDetail, UserEvent
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub
from wherefore.retrieval.v1 import retrieval_service_pb2 as retrieval_pb
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

CLIENT: Final = "client"
_LEGS: Final = ("retrieval.dense", "retrieval.sparse")
_WARM_UP: Final = 12
_IDLE_SECONDS: Final = 10.0
_SEED: Final = 101
"""Of the queries that costs are measured with; what is checked is asked others."""
WHOLE_ANSWERS: Final = {
    # A slow machine is to be measured doing all of the work, not leaving it out.
    "WHEREFORE_ORCHESTRATOR_BROWN_OUT__REASONS": "0",
    "WHEREFORE_ORCHESTRATOR_LATENCY_TARGET_SECONDS": "0",
    "WHEREFORE_ORCHESTRATOR_BUDGETS__REASON__SECONDS": "4",
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


async def idle_cores(suite: PrivateSuite, seconds: float = _IDLE_SECONDS) -> dict[str, float]:
    """Returns the processors that each process keeps busy while nobody asks."""
    meter = Meter(suite)
    meter.start()
    await asyncio.sleep(seconds)
    return {name: ms / 1e3 / seconds for name, ms in meter.per_call(1).items() if name != CLIENT}


@asynccontextmanager
async def filled(
    home: Path, products: int, variables: Mapping[str, str]
) -> AsyncGenerator[PrivateSuite]:
    """A suite whose catalogue is icecat's first products; imported where they are not there."""
    data = icecat()
    async with private_suite(home, variables=variables) as suite:
        if await product_count(suite) < products:
            path = subset(data, products, home)
            async with connect(suite.targets.orchestrator, retry=False) as channel:
                await import_whole(channel, path, "icecat", target=suite.targets.orchestrator)
        yield suite


async def product_count(suite: PrivateSuite) -> int:
    """Returns how many products the suite holds."""
    async with grpc.aio.insecure_channel(suite.targets.retrieval) as channel:
        stats = await RetrievalServiceStub(channel).Stats(retrieval_pb.StatsRequest(), timeout=30)
    return int(stats.product_count)


async def searches(home: Path, products: int, calls: int, command: str) -> Searches:
    """Measures every kind of search, one caller at a time."""
    kinds: list[SearchCosts] = []
    async with filled(home, products, WHOLE_ANSWERS) as suite:
        meter = Meter(suite, await idle_cores(suite))
        for reasons in ("off", "model"):
            kinds += await _kinds(suite, meter, reasons, calls)
        idle, held = dict(meter.idle), await product_count(suite)
    async with filled(home, products, TEMPLATES) as suite:
        kinds += await _kinds(suite, Meter(suite, await idle_cores(suite)), "template", calls)
    return Searches(
        provenance=provenance(command, f"icecat, {held:,} products, one client"),
        products=held,
        cores=len(os.sched_getaffinity(0)),
        idle_cores=idle,
        kinds=kinds,
    )


async def _kinds(
    suite: PrivateSuite, meter: Meter, reasons: Reasons, calls: int
) -> list[SearchCosts]:
    english = cold(judged(), _SEED)
    chinese = list(dict.fromkeys(_chinese(calls + _WARM_UP)))
    few = warm(judged())
    asked: list[tuple[Language, int, bool, Sequence[str]]] = [
        ("en", PAGE, False, english[: calls + _WARM_UP]),
        ("zh", PAGE, False, chinese),
        ("en", SMALL_PAGE, False, english[calls + _WARM_UP : 2 * (calls + _WARM_UP)]),
        # Asked once before what is counted, so that all is kept that is kept at all.
        ("en", PAGE, True, [*few, *(few[n % len(few)] for n in range(calls))]),
    ]
    found: list[SearchCosts] = []
    for language, page, repeated, queries in asked:
        unmeasured = len(few) if repeated else _WARM_UP
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
                for name, value in _stages(took, response.timings).items():
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


def _stages(whole: float, timings: Sequence[StageTiming]) -> dict[str, float]:
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


async def memory(sizes: Sequence[int], command: str) -> Memory:
    """Measures the memory of all processes at rest, after some searches, by size of catalogue."""
    found: list[MemorySize] = []
    with tempfile.TemporaryDirectory(prefix="wherefore-plan-") as folder:
        for size in sizes:
            async with filled(Path(folder), size, WHOLE_ANSWERS):
                pass  # what an import leaves in memory is not there when a suite starts
            async with filled(Path(folder), size, WHOLE_ANSWERS) as suite:
                found.append(MemorySize(products=size, resident_mib=await at_rest(suite)))
            cost_curve.say(f"{size:,} products: {sum(found[-1].resident_mib.values()):.0f} MiB")
    return Memory(
        provenance=provenance(command, "icecat's first products, after 40 searches"), sizes=found
    )


async def at_rest(suite: PrivateSuite) -> dict[str, float]:
    """Returns resident MiB by process after the warm queries were asked once, with reasons."""
    async with grpc.aio.insecure_channel(suite.targets.orchestrator) as channel:
        for query in warm(judged()):
            await SearchServiceStub(channel).Search(SearchRequest(query=query), timeout=20)
    return suite.resident_mib()


async def events(calls: int, command: str) -> Events:
    """Measures what an event costs, with the log in Redis where one is installed."""
    with tempfile.TemporaryDirectory(prefix="wherefore-plan-") as folder:
        home = Path(folder)
        redis = DurableRedis(home) if shutil.which("redis-server") else None
        variables: dict[str, str] = {}
        if redis:
            await redis.start()
            variables = {
                "WHEREFORE_ORCHESTRATOR_EVENTS__REDIS_URL": redis.url,
                "WHEREFORE_ORCHESTRATOR_PRIVACY__KEY_FILE": str(home / "events.key"),
            }
        try:
            async with private_suite(home / "suite", triton=False, variables=variables) as suite:
                meter = Meter(suite, await idle_cores(suite))
                before = await _redis(redis)
                meter.start()
                await _write(suite.targets.orchestrator, calls)
                await asyncio.sleep(2)  # followers catch up
                after = await _redis(redis)
                cpu = meter.per_call(calls)
        finally:
            if redis:
                await redis.kill()
    return Events(
        provenance=provenance(command, f"{calls:,} views by 500 users, 8 writers"),
        calls=calls,
        cpu_ms=cpu | {"redis": 1e3 * (after[0] - before[0]) / calls},
        redis_bytes=(after[1] - before[1]) / calls,
    )


async def _write(target: str, calls: int) -> None:
    async with grpc.aio.insecure_channel(target) as channel:
        stub = UserEventServiceStub(channel)
        numbers = iter(range(calls))

        async def writer() -> None:
            for number in numbers:
                event = UserEvent(
                    type=USER_EVENT_TYPE_VIEW,
                    user_id=f"plan-{number % 500}",
                    products=[ProductDetail(product_id=f"product-{number * 7919 % 20_000}")],
                )
                await stub.Write(UserEventServiceWriteRequest(event=event), timeout=20)

        await asyncio.gather(*(writer() for _ in range(8)))


async def _redis(redis: DurableRedis | None) -> tuple[float, float]:
    """Processor seconds and bytes of a Redis; of none 0."""
    if redis is None:
        return 0.0, 0.0
    from redis.asyncio import Redis

    async with Redis.from_url(redis.url) as link:
        told: Any = await link.info()
    return told["used_cpu_user"] + told["used_cpu_sys"], float(told["used_memory"])


async def shards(home: Path, command: str) -> Shards:
    """Asks a copy of every store of the cost curve, for the processor time of a search.

    Raises:
        SystemExit: The cost curve was not run.
    """
    ledger = home / "sizes.json"
    if not ledger.exists():
        raise SystemExit(f"no {ledger}: run python -m benchmarks.cost_curve --home {home} first")
    maker, queries = cost_curve.material()
    found: list[ShardSize] = []
    for size in (Size(**raw) for raw in json.loads(ledger.read_text())):
        store = cost_curve.copy_of(home, size.products)
        async with cost_curve.serving(store, maker, queries) as curve:
            legs: list[float] = []
            asked = [*queries[:_WARM_UP], *queries]
            before = 0.0
            for number, query in enumerate(asked):
                if number == _WARM_UP:
                    before = curve.suite.cpu_seconds()["retrieval"]
                request = retrieval_pb.RetrieveRequest(query=query, limit=100)
                answer = await curve.stub.Retrieve(request, timeout=60)
                if number >= _WARM_UP:
                    legs.append(_stages(0.0, answer.timings)["engine"])
            cpu = 1e3 * (curve.suite.cpu_seconds()["retrieval"] - before) / len(queries)
        found.append(
            ShardSize(
                products=size.products,
                cpu_ms=cpu,
                engine_ms=quantiles(legs),
                resident_mib=size.resident_mib,
                disk_mib=size.disk_mib,
                build_cpu_seconds=size.cpu_seconds,
            )
        )
        cost_curve.say(f"{size.products:,}: {cpu:.1f} ms of a processor, leg {np.mean(legs):.1f}")
    return Shards(provenance=provenance(command, "products made of icecat's"), sizes=found)


def told(kind: SearchCosts) -> str:
    """One kind in a line."""
    return (
        f"{sum(kind.cpu_ms.values()):.1f} ms of processors, p50 "
        f"{kind.latency_ms['whole'][PROBABILITIES.index(0.5)]:.1f} ms, {kind.whole_share:.0%} whole"
    )


def quantiles(values: Sequence[float]) -> list[float]:
    """Returns what is kept of a distribution."""
    return [round(float(value), 4) for value in np.quantile(values, PROBABILITIES)]


def provenance(command: str, data: str) -> Provenance:
    """How figures come about that are measured now."""
    return Provenance(
        command=command,
        data=data,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        revision=report.revision(),
        machine=report.machine(),
    )
