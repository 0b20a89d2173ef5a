"""A network that loses packets, and one that is cut: answers are poorer for a while, in time."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio

from tests.chaos.caller import write_request
from tests.chaos.lossy_link import CLEAR, CUT, Island, Weather
from tests.services.orchestrator.conftest import serve
from wherefore.common.v1.diagnostics_pb2 import (
    DEGRADATION_CAUSE_CIRCUIT_OPEN as CIRCUIT_OPEN,
)
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchResponse
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
PORT = 7703
DEADLINE = 3.0
SLACK = 2.0
"""Seconds past its deadline within which a call has ended, on a machine with more to do."""
HEALING = 60.0
"""Seconds; TCP itself waits longer from try to try."""
BAD = Weather(loss=0.05, delay_seconds=0.002, jitter_seconds=0.006)
WORSE = Weather(loss=0.2, delay_seconds=0.002, jitter_seconds=0.006)
_NUMBERS = count()


def environment(**settings: str) -> dict[str, str]:
    known = {key: value for key, value in os.environ.items() if "WHEREFORE" not in key}
    return known | settings


@pytest_asyncio.fixture
async def far_ranking(tmp_path: Path, island: Island) -> AsyncIterator[SimpleNamespace]:
    """An orchestrator whose ranking is a process on another network."""
    own = environment(WHEREFORE_RANKING_HOST=island.address, WHEREFORE_RANKING_PORT=str(PORT))
    process = await asyncio.create_subprocess_exec(
        *island.command(sys.executable, "-m", "services.ranking"),
        cwd=ROOT, env=own, stdout=DEVNULL, stderr=DEVNULL,
    )  # fmt: skip
    try:
        target = f"{island.address}:{PORT}"
        async with grpc.aio.insecure_channel(target) as channel:
            async with asyncio.timeout(60):
                await channel.channel_ready()
            async with serve(tmp_path, ranking_target=target) as running:
                yield running
    finally:
        process.kill()
        await process.wait()


async def search(running: SimpleNamespace) -> SearchResponse:
    """A page within its deadline, with all its results, that says what it goes without."""
    request = SearchRequest(query=f"cup {next(_NUMBERS)}")
    answer = await SearchServiceStub(running.channel).Search(request, timeout=DEADLINE)
    assert len(answer.results) == 20
    assert {d.stage for d in answer.degraded} <= {"ranking"}
    assert all(d.fallback for d in answer.degraded)
    return answer


async def until(running: SimpleNamespace, *, degraded: bool) -> SearchResponse:
    async with asyncio.timeout(HEALING):
        while True:
            answer = await search(running)
            if bool(answer.degraded) == degraded:
                return answer
            await asyncio.sleep(0.05)


async def test_a_cut_network_degrades_and_heals(far_ranking: SimpleNamespace, island: Island):
    await until(far_ranking, degraded=False)
    island.cable.weather = CUT
    await until(far_ranking, degraded=True)
    causes = set[int]()
    for _ in range(20):  # each within its deadline, though nobody says that the network is cut
        (lost,) = (await search(far_ranking)).degraded
        causes.add(lost.cause)
    assert CIRCUIT_OPEN in causes, "every call waited for what cannot be reached"
    island.cable.weather = CLEAR
    await until(far_ranking, degraded=False)


@pytest.mark.parametrize("weather", [BAD, WORSE], ids=["5 %", "20 %"])
async def test_lost_packets_cost_no_answer(
    far_ranking: SimpleNamespace, island: Island, weather: Weather
):
    await until(far_ranking, degraded=False)
    island.cable.packets.clear()
    island.cable.weather = weather
    for _ in range(40):
        await search(far_ranking)
    assert island.cable.packets["lost"]
    island.cable.weather = CLEAR
    await until(far_ranking, degraded=False)


class FarCaller:
    """A process on the island that calls an orchestrator on this side."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def call(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What became of an event that was written and of a search, in time in any case."""
        assert self._process.stdin
        self._process.stdin.write(f"e{next(_NUMBERS)}\n".encode())
        written, found = [await self._told() for _ in range(2)]
        return written, found

    async def _told(self) -> dict[str, Any]:
        assert self._process.stdout
        async with asyncio.timeout(DEADLINE + 5 * SLACK):
            told: dict[str, Any] = json.loads(await self._process.stdout.readline())
        assert told["seconds"] < DEADLINE + SLACK
        if told["code"] == "OK" and told["call"] == "search":
            assert told["results"] == 20
        assert told["code"] in {"OK", "DEADLINE_EXCEEDED", "UNAVAILABLE"}
        return told

    async def until_answered(self) -> None:
        """Calls until both are answered."""
        async with asyncio.timeout(HEALING):
            while {told["code"] for told in await self.call()} != {"OK"}:
                pass


@asynccontextmanager
async def calling(island: Island, port: int) -> AsyncIterator[FarCaller]:
    process = await asyncio.create_subprocess_exec(
        *island.command(sys.executable, "-m", "tests.chaos.caller"),
        f"{island.home}:{port}", str(DEADLINE),
        cwd=ROOT, env=environment(PYTHONPATH=str(ROOT)), stdin=PIPE, stdout=PIPE,
    )  # fmt: skip
    try:
        yield FarCaller(process)
    finally:
        process.kill()
        await process.wait()


async def test_who_calls_over_a_bad_network(tmp_path: Path, island: Island):
    acknowledged: list[str] = []
    async with serve(tmp_path, host=island.home) as running:
        async with calling(island, running.server.port) as caller:

            async def calls(number: int) -> list[str]:
                codes: list[str] = []
                for _ in range(number):
                    written, found = await caller.call()
                    if written["code"] == "OK":
                        acknowledged.append(written["id"])
                    codes += [written["code"], found["code"]]
                return codes

            await caller.until_answered()
            island.cable.weather = BAD
            codes = await calls(30)
            assert island.cable.packets["lost"]
            assert codes.count("OK") >= 0.95 * len(codes)
            island.cable.weather = CUT
            assert "OK" not in await calls(2)
            island.cable.weather = CLEAR
            await caller.until_answered()
            assert set(await calls(5)) == {"OK"}
        # What was acknowledged over it is kept.
        async with grpc.aio.insecure_channel(f"{island.home}:{running.server.port}") as channel:
            events = UserEventServiceStub(channel)
            for event_id in acknowledged:
                assert (await events.Write(write_request(event_id), timeout=5)).duplicate
