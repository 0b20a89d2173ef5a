"""Two ways to put a suite under load.

An open loop sends calls when they are due, as people do who do not know of each other: what is slow
does not make them come less often. A closed loop has so many clients, each of which waits for its
answer before it goes on: it finds what a suite can do at most.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Literal

import grpc.aio

from benchmarks.load.beside import watched
from benchmarks.load.calls import Send
from benchmarks.load.measured import Measured
from benchmarks.load.one_call import send

Arrivals = Literal["poisson", "fixed"]
CHANNELS = 8
_SEPARATE = (("grpc.use_local_subchannel_pool", 1),)
"""Each channel has a connection of its own, as separate callers have."""


def arrival_times(rate: float, seconds: float, arrivals: Arrivals, seed: int) -> Iterator[float]:
    """Yields when calls are due, in seconds from the start.

    Args:
        rate: Calls a second, on average.
        seconds: How long.
        arrivals: "poisson" for independent callers, "fixed" for equal gaps.
        seed: Of the Poisson process.
    """
    chance = random.Random(seed)  # noqa: S311 - load, not secrets
    at = 0.0
    for number in count(1):
        at = number / rate if arrivals == "fixed" else at + chance.expovariate(rate)
        if at >= seconds:
            return
        yield at


async def open_loop(
    target: str,
    calls: Iterator[Send],
    *,
    rate: float,
    seconds: float,
    deadline: float,
    arrivals: Arrivals = "poisson",
    seed: int = 1,
) -> Measured:
    """Sends calls at a rate, whatever becomes of them, and waits for the last.

    Args:
        target: HOST:PORT of the orchestrator.
        calls: What to send.
        rate: Calls a second.
        seconds: How long.
        deadline: Seconds within which each answer is wanted.
        arrivals: How the calls are spread.
        seed: Of the spreading.
    """
    measured = Measured(rate)
    channels = [grpc.aio.insecure_channel(target, options=_SEPARATE) for _ in range(CHANNELS + 1)]
    try:
        await _connected(channels)
        tasks: set[asyncio.Task[None]] = set()
        begun = time.perf_counter()
        async with watched(channels[CHANNELS], deadline, measured):
            for number, at in enumerate(arrival_times(rate, seconds, arrivals, seed)):
                due = begun + at
                if (pause := due - time.perf_counter()) > 0:
                    await asyncio.sleep(pause)
                channel = channels[number % CHANNELS]
                task = asyncio.create_task(send(next(calls), channel, due, deadline, measured))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            while tasks:
                await asyncio.wait(tasks)
        measured.seconds = max(seconds, time.perf_counter() - begun)
    finally:
        for channel in channels:
            await channel.close()
    return measured


async def closed_loop(
    target: str, calls: Iterator[Send], *, clients: int, seconds: float, deadline: float
) -> Measured:
    """Has so many clients send calls for a while, each one after the other.

    Args:
        target: HOST:PORT of the orchestrator.
        calls: What to send, by whichever client is free.
        clients: How many.
        seconds: How long; calls under way then are waited for and counted.
        deadline: Seconds within which each answer is wanted.
    """
    measured = Measured(clients)
    channels = [grpc.aio.insecure_channel(target, options=_SEPARATE) for _ in range(clients)]

    async def client(channel: grpc.aio.Channel) -> None:
        while time.perf_counter() < until:
            await send(next(calls), channel, time.perf_counter(), deadline, measured)

    try:
        await _connected(channels)
        begun = time.perf_counter()
        until = begun + seconds
        await asyncio.gather(*map(client, channels))
        measured.seconds = time.perf_counter() - begun
    finally:
        for channel in channels:
            await channel.close()
    return measured


async def _connected(channels: Sequence[grpc.aio.Channel]) -> None:
    await asyncio.gather(*(channel.channel_ready() for channel in channels))
