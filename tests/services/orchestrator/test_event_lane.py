"""Events are taken while pages are not: they have places of their own."""

import asyncio

import grpc
import pytest

from shared.errors import ResourceExhaustedError, error_from_rpc
from tests.services.orchestrator.conftest import serve
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_VIEW, ProductDetail, UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_event_does_not_wait_behind_pages(tmp_path) -> None:
    async with serve(tmp_path, max_concurrency=1, max_queue=1) as shop:
        ask = RecommendationServiceStub(shop.channel).Recommend
        write = UserEventServiceStub(shop.channel).Write
        page = RecommendRequest(user=UserContext(user_id="ann"), serving_config="for-you")
        shop.fake.slow.add("retrieval")
        # One is worked on and one waits: for a third page there is no place.
        held = [asyncio.ensure_future(ask(page, timeout=20)) for _ in range(2)]
        async with asyncio.timeout(10):
            while shop.server.in_flight < len(held):  # noqa: ASYNC110 - another end of a wire
                await asyncio.sleep(0.01)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ask(page, timeout=10)
        assert isinstance(error_from_rpc(refused.value), ResourceExhaustedError)

        event = UserEvent(
            id="seen",
            type=USER_EVENT_TYPE_VIEW,
            user_id="ann",
            products=[ProductDetail(product_id="p1")],
        )
        answer = await write(UserEventServiceWriteRequest(event=event), timeout=10)
        assert answer.event.id == "seen"
        assert not any(each.done() for each in held), "it was written beside them"
        assert (await shop.service._store.recent("u:ann", 10))[0].id == "seen"
        for each in held:
            each.cancel()
        await asyncio.gather(*held, return_exceptions=True)


async def test_events_are_refused_where_too_many_wait(tmp_path) -> None:
    async with serve(tmp_path, max_concurrency=1, max_queue=1) as shop:
        write = UserEventServiceStub(shop.channel).Write
        release = asyncio.Event()
        append = shop.service._store.append

        async def slow(events):
            await release.wait()
            return await append(events)

        shop.service._store.append = slow
        event = UserEvent(
            type=USER_EVENT_TYPE_VIEW, user_id="ann", products=[ProductDetail(product_id="p1")]
        )
        request = UserEventServiceWriteRequest(event=event)
        held = [asyncio.ensure_future(write(request, timeout=20)) for _ in range(2)]
        async with asyncio.timeout(10):
            while shop.server.in_flight < len(held):  # noqa: ASYNC110 - another end of a wire
                await asyncio.sleep(0.01)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await write(request, timeout=10)
        error = error_from_rpc(refused.value)
        assert isinstance(error, ResourceExhaustedError)
        assert error.retry_after_seconds
        release.set()
        await asyncio.gather(*held)
