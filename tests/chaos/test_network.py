"""A network that loses packets, and one that is cut: answers are poorer for a while, in time."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import grpc
import grpc.aio
import pytest
import pytest_asyncio

from tests.chaos.conftest import Island
from tests.services.orchestrator.conftest import serve
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchResponse
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
PORT = 7703
DEADLINE = 3.0
HEALING = 60.0
"""Seconds; TCP itself waits longer from try to try."""
_NUMBERS = count()


@pytest_asyncio.fixture
async def far_ranking(tmp_path: Path, island: Island) -> AsyncIterator[SimpleNamespace]:
    """An orchestrator whose ranking is a process on another network."""
    environment = {key: value for key, value in os.environ.items() if "WHEREFORE" not in key}
    environment |= {"WHEREFORE_RANKING_HOST": "0.0.0.0", "WHEREFORE_RANKING_PORT": str(PORT)}  # noqa: S104 - of a network of its own
    process = await asyncio.create_subprocess_exec(
        *island.command(sys.executable, "-m", "services.ranking"),
        cwd=ROOT, env=environment, stdout=DEVNULL, stderr=DEVNULL,
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
    request = SearchRequest(query=f"cup {next(_NUMBERS)}")
    return await SearchServiceStub(running.channel).Search(request, timeout=DEADLINE)


async def until(running: SimpleNamespace, *, degraded: bool) -> SearchResponse:
    async with asyncio.timeout(HEALING):
        while True:
            answer = await search(running)
            assert len(answer.results) == 20
            assert {d.stage for d in answer.degraded} <= {"ranking"}
            if bool(answer.degraded) == degraded:
                return answer
            await asyncio.sleep(0.05)


async def test_a_cut_network_degrades_and_heals(far_ranking: SimpleNamespace, island: Island):
    await until(far_ranking, degraded=False)
    island.cut()
    answer = await until(far_ranking, degraded=True)
    assert answer.degraded[0].fallback
    for _ in range(5):  # each within its deadline, though nobody says that the network is cut
        assert [d.stage for d in (await search(far_ranking)).degraded] == ["ranking"]
    island.mend()
    await until(far_ranking, degraded=False)


async def test_lost_packets_cost_no_answer(far_ranking: SimpleNamespace, island: Island):
    await until(far_ranking, degraded=False)
    if problem := island.lose(20):
        pytest.skip(f"packets cannot be lost here: {problem}")
    for _ in range(20):
        answer = await search(far_ranking)
        assert len(answer.results) == 20
        assert {d.stage for d in answer.degraded} <= {"ranking"}
    island.lose(0)
    await until(far_ranking, degraded=False)
