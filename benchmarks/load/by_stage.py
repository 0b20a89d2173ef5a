"""Closed-loop load: each client sends its next query when the answer to the last one is there."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc.aio
import numpy as np

BEYOND = "rest"
"""What the stages do not account for: the service itself and the network to it."""

Ask = Callable[[str], Awaitable[Any]]
"""Sends one query; the response has `timings` and `degraded`."""


@dataclass(slots=True)
class Load:
    """What one number of clients measured."""

    clients: int
    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list[float])
    stages: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    degraded: Counter[str] = field(default_factory=Counter[str])
    errors: Counter[str] = field(default_factory=Counter[str])

    def percentile(self, q: float) -> float:
        """Percentile of the latency as the client sees it, milliseconds."""
        return float(np.percentile(self.milliseconds, q)) if self.milliseconds else float("nan")

    @property
    def throughput(self) -> float:
        """Answers a second."""
        return len(self.milliseconds) / self.seconds


async def run_load(
    target: str,
    clients: int,
    queries: Sequence[str],
    asker: Callable[[grpc.aio.Channel], Ask],
    top_stages: Sequence[str],
) -> Load:
    """Send the queries from so many clients, each with a channel of its own.

    Args:
        target: HOST:PORT of the service.
        clients: How many.
        queries: All that are sent, by whichever client is free.
        asker: Makes of a channel what sends a query on it.
        top_stages: Stages that do not overlap; what they leave of the latency is BEYOND.
    """
    load = Load(clients)
    pending = iter(queries)
    channels = [grpc.aio.insecure_channel(target) for _ in range(clients)]

    async def client(channel: grpc.aio.Channel) -> None:
        ask = asker(channel)
        for query in pending:
            begun = time.perf_counter()
            try:
                response = await ask(query)
            except grpc.aio.AioRpcError as error:
                load.errors[error.code().name] += 1
                continue
            elapsed = (time.perf_counter() - begun) * 1e3
            load.milliseconds.append(elapsed)
            durations = {item.stage: item.duration_nanos / 1e6 for item in response.timings}
            for stage, value in durations.items():
                load.stages[stage].append(value)
            load.stages[BEYOND].append(
                elapsed - sum(durations.get(stage, 0.0) for stage in top_stages)
            )
            load.degraded.update({item.stage for item in response.degraded})

    begun = time.perf_counter()
    try:
        await asyncio.gather(*map(client, channels))
    finally:
        load.seconds = time.perf_counter() - begun
        for channel in channels:
            await channel.close()
    return load
