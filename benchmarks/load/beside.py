"""What is measured beside a load, so that what a call takes can be told from how it is measured.

A generator on the machine that it loads waits for processors as well, and so does whatever answers
it. A health check passes none of a service's layers: what a refusal takes beyond one, at the same
time, is what refusing costs; the rest is the way there and back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from benchmarks.load.measured import Measured

_EVERY_SECONDS: Final = 0.05
"""Between health checks: few beside the calls of a load."""
_TICK_SECONDS: Final = 0.005
_pb2: Any = health_pb2
_HealthStub: Any = health_pb2_grpc.HealthStub


@asynccontextmanager
async def watched(
    channel: grpc.aio.Channel, deadline: float, into: Measured
) -> AsyncGenerator[None]:
    """Times health checks and the generator's own loop until the end of the block.

    Args:
        channel: One of its own, to what is loaded.
        deadline: Of each check, in seconds; one that misses it counts as that.
        into: Where they are counted.
    """
    tasks = [
        asyncio.create_task(_health(_HealthStub(channel), deadline, into)),
        asyncio.create_task(_loop(into)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _health(stub: Any, deadline: float, into: Measured) -> None:
    while True:
        begun = time.perf_counter()
        with suppress(grpc.aio.AioRpcError):  # also a server that has none answers, and as soon
            await stub.Check(_pb2.HealthCheckRequest(), timeout=deadline)
        into.health.add(time.perf_counter() - begun)
        await asyncio.sleep(_EVERY_SECONDS)


async def _loop(into: Measured) -> None:
    while True:
        begun = time.perf_counter()
        await asyncio.sleep(_TICK_SECONDS)
        into.own_lag.add(time.perf_counter() - begun - _TICK_SECONDS)
