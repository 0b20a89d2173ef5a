"""What `wherefore plan` computes with beside searches: memory, events and shards."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc.aio
import numpy as np

from benchmarks import cost_curve, peers
from benchmarks.cost_curve_report import Size
from benchmarks.plan_meter import Meter
from benchmarks.plan_searches import (
    WARM_UP,
    WHOLE_ANSWERS,
    ask_few,
    filled,
    idle_cores,
    provenance,
    quantiles,
    stage_times,
)
from benchmarks.shared_log_durability import DurableRedis
from shared.cli.private_suite import PrivateSuite, private_suite
from shared.planning.costs import (
    Events,
    Memory,
    MemorySize,
    Shards,
    ShardSize,
)
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_VIEW, ProductDetail, UserEvent
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub
from wherefore.retrieval.v1 import retrieval_service_pb2 as retrieval_pb
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub


async def memory(sizes: Sequence[int], command: str) -> Memory:
    """Measures the memory of all processes at rest, after some searches, by size of catalogue."""
    load, found = os.getloadavg()[0], list[MemorySize]()
    with tempfile.TemporaryDirectory(prefix="wherefore-plan-") as folder:
        for size in sizes:
            async with filled(Path(folder), size, WHOLE_ANSWERS):
                pass  # what an import leaves in memory is not there when a suite starts
            async with filled(Path(folder), size, WHOLE_ANSWERS) as suite:
                found.append(MemorySize(products=size, resident_mib=await at_rest(suite)))
            cost_curve.say(f"{size:,} products: {sum(found[-1].resident_mib.values()):.0f} MiB")
    return Memory(
        provenance=provenance(command, "icecat's first products, after 40 searches", load),
        sizes=found,
    )


async def at_rest(suite: PrivateSuite) -> dict[str, float]:
    """Returns resident MiB by process after the warm queries were asked once, with reasons."""
    await idle_cores(suite)  # recommend builds its graph after a start
    await ask_few(suite)
    return suite.resident_mib()


async def events(calls: int, command: str) -> Events:
    """Measures what an event costs, with the log in Redis where one is installed."""
    load = os.getloadavg()[0]
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
        provenance=provenance(command, f"{calls:,} views by 500 users, 8 writers", load),
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
    queries = cost_curve.judged_queries(peers.sentence_encoder())
    load, found = os.getloadavg()[0], list[ShardSize]()
    for size in (Size(**raw) for raw in json.loads(ledger.read_text())):
        store = cost_curve.copy_of(home, size.products)
        async with private_suite(store, triton=False, services=("retrieval",)) as suite:
            cpu, legs = await _retrieve(suite, queries)
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
    return Shards(provenance=provenance(command, "products made of icecat's", load), sizes=found)


async def _retrieve(
    suite: PrivateSuite, queries: Sequence[QueryUnderstanding]
) -> tuple[float, list[float]]:
    """Returns milliseconds of a processor for one Retrieve, and the slower leg of each."""
    legs: list[float] = []
    before = 0.0
    async with grpc.aio.insecure_channel(suite.targets.retrieval) as channel:
        stub = RetrievalServiceStub(channel)
        for number, query in enumerate([*queries[:WARM_UP], *queries]):
            if number == WARM_UP:
                before = suite.cpu_seconds()["retrieval"]
            request = retrieval_pb.RetrieveRequest(query=query, limit=100)
            answer = await stub.Retrieve(request, timeout=60)
            if number >= WARM_UP:
                legs.append(stage_times(0.0, answer.timings)["engine"])
    return 1e3 * (suite.cpu_seconds()["retrieval"] - before) / len(queries), legs
