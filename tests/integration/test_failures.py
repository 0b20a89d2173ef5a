"""Parts die while searches go on: answers still come, they say what is missing, and they heal."""

import asyncio

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from shared.inference.settings import QUERY_MODELS, REASON_MODEL
from shared.suite import Suite
from tests.fuzz.leaks import leaks
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchResponse
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

pytestmark = pytest.mark.suite
DEADLINE = 3.0
"""Deadline of every search, in seconds: generous, for a busy machine."""
HEALING = 30.0
"""How long a part that is back may take until answers are whole again, in seconds."""


class Shopper:
    """Searches without a pause, each query new so that no cache answers for a dead part."""

    def __init__(self, channel: grpc.aio.Channel, deadline: float = DEADLINE) -> None:
        self._search = SearchServiceStub(channel).Search
        self._deadline = deadline
        self._count = 0

    async def search(self) -> SearchResponse:
        self._count += 1
        return await self._search(
            SearchRequest(query=f"blue cup number {id(self)} {self._count}", page_size=5),
            timeout=self._deadline,
        )

    async def until(self, *, degraded: bool) -> list[SearchResponse]:
        """Search until an answer is (not) degraded; every answer on the way must be an answer."""
        answers: list[SearchResponse] = []
        async with asyncio.timeout(HEALING):
            while not answers or bool(answers[-1].degraded) != degraded:
                answers.append(await self.search())
                assert answers[-1].results
                await asyncio.sleep(0.02)
        return answers


@pytest.fixture
async def shopper(channel: grpc.aio.Channel, suite: Suite) -> Shopper:
    shopper = Shopper(channel)
    await shopper.until(degraded=False)
    return shopper


@pytest.mark.parametrize(
    ("part", "stage"),
    [
        ("nlu", "nlu"),
        ("ranking", "ranking"),
        ("reason", "reason"),
        ("triton", "nlu.embedding"),
    ],
)
async def test_a_lost_part_degrades_and_heals(
    suite: Suite, shopper: Shopper, part: str, stage: str
) -> None:
    if part == "triton" and not suite.has_triton:
        pytest.skip("Triton cannot start on this machine: the suite uses the in-process backend")
    searching = asyncio.create_task(shopper.until(degraded=True))
    await asyncio.to_thread(suite.kill, part)
    degraded = (await searching)[-1]
    # Triton carries the readers of queries and the model of reasons as well, where there are any.
    besides: set[str] = set()
    if part == "triton":
        besides |= {"nlu.reading"} if QUERY_MODELS else set()
        besides |= {"reason.model"} if REASON_MODEL else set()
    assert {d.stage for d in degraded.degraded} == {stage} | besides
    assert degraded.degraded[0].fallback
    assert not leaks(lost.detail for lost in degraded.degraded)
    for _ in range(20):  # with the breaker open as well
        answer = await shopper.search()
        assert answer.results
        assert stage in {d.stage for d in answer.degraded}
    if part == "reason":
        assert not any(r.HasField("reason") for r in degraded.results)
    else:
        assert all(r.reason.text for r in degraded.results)
    await asyncio.to_thread(suite.restart, part)
    assert not (await shopper.until(degraded=False))[-1].degraded


async def test_lost_retrieval_is_unavailable_with_retry_info_and_heals(
    suite: Suite, shopper: Shopper
) -> None:
    await asyncio.to_thread(suite.kill, "retrieval")
    for _ in range(10):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await shopper.search()
        assert error.value.code() == grpc.StatusCode.UNAVAILABLE
        status = rpc_status.from_call(error.value)  # type: ignore[arg-type]
        assert status is not None
        retry = error_details_pb2.RetryInfo()
        assert any(detail.Unpack(retry) for detail in status.details)
        assert retry.retry_delay.ToTimedelta().total_seconds() > 0
    await asyncio.to_thread(suite.restart, "retrieval")
    async with asyncio.timeout(HEALING):
        while True:
            try:
                answer = await shopper.search()
                break
            except grpc.aio.AioRpcError as failure:
                if failure.code() != grpc.StatusCode.UNAVAILABLE:
                    raise
                await asyncio.sleep(0.1)
    assert answer.results, "what was acknowledged is there after kill -9"
    assert not (await shopper.until(degraded=False))[-1].degraded


async def test_everything_but_retrieval_lost_at_once(suite: Suite, shopper: Shopper) -> None:
    parts = ["nlu", "ranking", "reason"]
    for part in parts:
        await asyncio.to_thread(suite.kill, part)
    answer = (await shopper.until(degraded=True))[-1]
    for _ in range(10):
        answer = await shopper.search()
    assert {d.stage for d in answer.degraded} == set(parts)
    for part in parts:
        await asyncio.to_thread(suite.restart, part)
    assert not (await shopper.until(degraded=False))[-1].degraded
