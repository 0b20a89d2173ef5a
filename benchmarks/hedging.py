"""What hedged reads do to the slowest of a hundred calls, and what they cost.

Two replicas on real ports answer in some milliseconds; now and then one of them stands still, as
for a collection of garbage or a busy disk. The same calls are sent with and without hedges, when
they are due whatever becomes of those before them.

    python -m benchmarks.hedging
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import random
import time

from benchmarks.load.loops import arrival_times
from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.dependency import Dependency
from services.orchestrator.stage_budgets import StageBudget
from shared.logging import configure_logging
from shared.metrics import HEDGES
from shared.server import RunningServer, start_server
from shared.settings import ServiceSettings
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest, ParseResponse
from wherefore.nlu.v1.nlu_service_pb2_grpc import (
    NluServiceServicer,
    NluServiceStub,
    add_NluServiceServicer_to_server,
)

SERVICE = "wherefore.nlu.v1.NluService"
WORK_SECONDS = 0.005
STALL_SECONDS = 0.5
BUDGET = StageBudget(seconds=5, reserve=0)


class Replica(NluServiceServicer):
    """Answers after a while; stands still for a share of the calls."""

    service_names = (SERVICE,)

    def __init__(self, stalls: float, seed: int) -> None:
        self._stalls = stalls
        self._chance = random.Random(seed)  # noqa: S311 - stalls, not secrets
        self.calls = 0

    def register(self, server) -> None:
        """Adds the servicer."""
        add_NluServiceServicer_to_server(self, server)

    async def start(self) -> None:
        """Needs nothing."""

    async def check_ready(self) -> None:
        """Is ready at once."""

    async def close(self) -> None:
        """Holds nothing."""

    async def Parse(self, request, context):  # noqa: N802
        """Answers, sooner or later."""
        self.calls += 1
        await asyncio.sleep(STALL_SECONDS if self._chance.random() < self._stalls else WORK_SECONDS)
        return ParseResponse()


async def run(share: float, stalls: float, rate: float, seconds: float) -> str:
    """Sends the calls; returns a row of the table."""
    replicas = [Replica(stalls, seed) for seed in (1, 2)]
    servers: list[RunningServer] = []
    for replica in replicas:
        servers.append(await start_server(replica, ServiceSettings(port=0, log_level="error")))
        await servers[-1].wait_ready()
    target = "ipv4:" + ",".join(f"127.0.0.1:{server.port}" for server in servers)
    dependency = Dependency(
        f"hedge-{share}", SERVICE, target, OrchestratorSettings(hedge_share=share)
    )
    parse = NluServiceStub(dependency.channel).Parse
    await dependency.wait_reachable(10)
    times: list[float] = []

    async def one() -> None:
        begun = time.perf_counter()
        await dependency.call(parse, ParseRequest(), 5.0, BUDGET)
        times.append(time.perf_counter() - begun)

    tasks: list[asyncio.Task[None]] = []
    begun = time.perf_counter()
    for at in arrival_times(rate, seconds, "poisson", seed=3):
        await asyncio.sleep(begun + at - time.perf_counter())
        tasks.append(asyncio.create_task(one()))
    await asyncio.gather(*tasks)
    await dependency.close()
    for server in servers:
        await server.stop()
    times.sort()
    won = HEDGES.labels(f"hedge-{share}", "won")._value.get()
    sent = sum(replica.calls for replica in replicas)
    at = {q: times[int(q * len(times))] * 1e3 for q in (0.5, 0.95, 0.99, 0.999)}
    marks = " | ".join(f"{value:.0f} ms" for value in at.values())
    return f"| {share:.0%} | {marks} | {sent / len(times) - 1:.1%} | {won:.0f} |"


def main() -> None:
    """Measures without and with hedges."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stalls", type=float, default=0.02, help="share of calls that stall")
    parser.add_argument("--rate", type=float, default=100.0, help="calls a second")
    parser.add_argument("--seconds", type=float, default=40.0)
    arguments = parser.parse_args()
    configure_logging("error", "console")
    print(
        f"{platform.machine()}, {arguments.rate:.0f} calls a second for {arguments.seconds:.0f} s,"
        f" {arguments.stalls:.0%} of them stall {STALL_SECONDS * 1e3:.0f} ms\n"
    )
    print("| hedge share | p50 | p95 | p99 | p99.9 | extra calls | hedges that won |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for share in (0.0, 0.05):
        print(
            asyncio.run(run(share, arguments.stalls, arguments.rate, arguments.seconds)), flush=True
        )


if __name__ == "__main__":
    main()
