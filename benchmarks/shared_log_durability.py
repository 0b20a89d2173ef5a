"""Whether events in Redis survive kill -9: `python -m benchmarks.shared_log_durability`.

Two orchestrators over one log in Redis take events of many writers; one of the two, or Redis, is
killed at random points of the run and started again. Writers go to the other orchestrator with what
was not acknowledged, under the same id, as behind a balancer. At the end the log is read whole at
each of the two: every acknowledged id must be there once, as it was sent.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import shutil
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import numpy as np
from tqdm import tqdm

from benchmarks import report
from benchmarks.event_durability import (
    CALL_SECONDS,
    FOR_NOW,
    PAUSE_SECONDS,
    Run,
    events,
    opened,
    read_log,
)
from benchmarks.event_victim import Victim
from benchmarks.kill_options import figures, measured, provenance, read_options, tell
from shared.channel import open_channel
from wherefore.common.v1.user_event_pb2 import UserEvent
from wherefore.orchestrator.v1.event_log_service_pb2_grpc import EventLogServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

PARTS = ("first orchestrator", "second orchestrator", "Redis")


class DurableRedis:
    """Redis as a process over one folder and one port."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._folder = folder
        self._process: Process | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    async def start(self) -> None:
        """Starts it; whoever asks it before it listens is refused."""
        self._process = await asyncio.create_subprocess_exec(
            "redis-server", "--port", str(self._port), "--bind", "127.0.0.1", "--save", "",
            "--dir", str(self._folder), "--appendonly", "yes", "--appendfsync", "always",
            stdout=DEVNULL, stderr=DEVNULL,
        )  # fmt: skip

    async def kill(self) -> None:
        """SIGKILL: nothing of it runs any more when this returns."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()


async def measure(count: int, kills: int, writers: int, seed: int, folder: Path) -> list[Run]:
    """Writes `count` events, killing a part `kills` times; returns a run for each orchestrator."""
    redis = DurableRedis(folder)
    settings = {
        "EVENTS__REDIS_URL": redis.url,
        "PRIVACY__KEY_FILE": str(folder / "events.key"),
    }
    victims = [Victim(folder / name, settings) for name in ("one", "other")]
    parts = [*victims, redis]
    run = Run()
    chance = np.random.default_rng(seed + 1)
    points = sorted(int(n) for n in chance.choice(np.arange(1, count), kills, replace=False))
    # Each part as often as the others, in an order of chance.
    order = chance.permutation([number % len(parts) for number in range(kills)])
    source = events(count, seed)
    await redis.start()
    await victims[0].start()
    await victims[1].start()
    began = time.perf_counter()
    try:
        with tqdm(total=count, unit="event", mininterval=5) as bar:
            async with AsyncExitStack() as stack:
                stubs = [
                    UserEventServiceStub(await stack.enter_async_context(open_channel(v.target)))
                    for v in victims
                ]
                for stub in stubs:
                    await opened(stub)
                work = [
                    asyncio.create_task(
                        _write([*stubs[n % 2 :], *stubs[: n % 2]], source, run, bar)
                    )
                    for n in range(writers)
                ]
                for point, which in zip(points, order, strict=True):
                    await run.reaches(point)
                    await parts[which].kill()
                    run.kills.append(len(run.acknowledged))
                    # While one orchestrator is away the other works on.
                    await asyncio.sleep(0.2)
                    since = time.perf_counter()
                    await parts[which].start()
                    # The other may have taken the last of them meanwhile.
                    await run.reaches(min(count, len(run.acknowledged) + 1))
                    run.restart_seconds.append(time.perf_counter() - since)
                await asyncio.gather(*work)
        run.seconds = time.perf_counter() - began
        # Once more, so that what is read comes from the disk alone.
        for part in parts:
            await part.kill()
        await redis.start()
        return [await _read_at(victim, run) for victim in victims]
    finally:
        for part in parts:
            await part.kill()


async def _read_at(victim: Victim, run: Run) -> Run:
    """Returns the run with what the log holds, as one orchestrator reads it."""
    await victim.start()
    found = Run(
        acknowledged=run.acknowledged,
        users=run.users,
        repeats=run.repeats,
        kills=run.kills,
        restart_seconds=run.restart_seconds,
        seconds=run.seconds,
    )
    async with open_channel(victim.target) as channel:
        await opened(UserEventServiceStub(channel))
        await read_log(EventLogServiceStub(channel), found)
    return found


async def _write(
    stubs: Sequence[UserEventServiceStub], source: Iterator[UserEvent], run: Run, bar: tqdm[None]
) -> None:
    for event in source:
        request = UserEventServiceWriteRequest(event=event)
        for attempt in itertools.count():
            try:
                answer = await stubs[attempt % len(stubs)].Write(request, timeout=CALL_SECONDS)
            except grpc.aio.AioRpcError as error:
                if error.code() not in FOR_NOW:
                    raise
                await asyncio.sleep(PAUSE_SECONDS * min(attempt + 1, 10))
                continue
            run.acknowledge(answer)
            bar.update()
            break


def section(runs: Sequence[Run], arguments: argparse.Namespace) -> str:
    """The section of RESULTS.md."""
    rows = figures(runs, "kill -9, of two orchestrators and Redis in turn")
    return (
        "## Events in Redis under kill -9\n\n"
        f"{provenance('shared_log_durability', arguments)}\n\n"
        f"{report.table(['', 'figure'], rows)}\n\n"
        "Two orchestrators share one log in Redis (`appendonly yes`, `appendfsync always`). One of"
        " the three is killed at random points of a run of single writes and started again; writers"
        " send what was not acknowledged to the other orchestrator, under the same id. The log is"
        " read at both after one more kill of all, and compared event by event."
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the measurement; returns 1 where an event was lost, doubled or altered."""
    arguments = read_options(
        argv,
        __doc__,
        "python -m benchmarks.shared_log_durability --events 3000 --dry-run",
        events=30_000,
        kills=18,
    )
    if not shutil.which("redis-server"):
        raise SystemExit("redis-server is not installed (apt: redis-server)")
    runs = measured(measure, arguments)
    return tell(runs, "shared-log-durability", section(runs, arguments), arguments)


if __name__ == "__main__":
    sys.exit(main())
