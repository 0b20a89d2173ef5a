"""A follower forgets whom the log tells it to forget, before it learns what came since."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest

from services.recommend.serving.learner import Learner
from shared.event_feed import EventFeed
from wherefore.common.v1 import user_event_pb2 as events_pb
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.event_log_service_pb2 import FollowRequest, FollowResponse
from wherefore.orchestrator.v1.event_log_service_pb2_grpc import (
    EventLogServiceServicer,
    add_EventLogServiceServicer_to_server,
)


def bought(user: str, *products: str) -> events_pb.UserEvent:
    event = events_pb.UserEvent(type=events_pb.USER_EVENT_TYPE_PURCHASE, user_id=user)
    event.event_time.GetCurrentTime()
    for product_id in products:
        event.products.add(product_id=product_id)
    return event


class Log(EventLogServiceServicer):
    """A log whose pieces are given out one by one."""

    def __init__(self) -> None:
        self.pieces: asyncio.Queue[FollowResponse] = asyncio.Queue()
        self.asked: list[FollowRequest] = []

    async def Follow(self, request, context) -> AsyncIterator[FollowResponse]:  # noqa: N802
        self.asked.append(request)
        while True:
            yield await self.pieces.get()


@pytest.fixture
async def followed():
    log, server = Log(), grpc.aio.server()
    add_EventLogServiceServicer_to_server(log, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        feed = EventFeed(
            channel,
            lambda: Learner(together_seconds=3_600, history_seconds=86_400),
            purpose=events_pb.DATA_PURPOSE_ANALYTICS,
        )
        task = asyncio.create_task(feed.run())
        yield log, feed
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await server.stop(None)


def piece(sequence: int, *events: events_pb.UserEvent, erased: str = "") -> FollowResponse:
    gone = [UserContext(user_id=erased)] if erased else []
    return FollowResponse(
        events=events, erased=gone, sequence=sequence, log_id="log", last_sequence=sequence
    )


async def test_who_is_erased_is_forgotten_and_what_they_do_since_is_learnt(followed) -> None:
    log, feed = followed
    learner = feed.learner
    log.pieces.put_nowait(piece(2, bought("ann", "a", "b"), bought("bob", "a", "b")))
    assert await feed.wait_for(2, 10)
    assert learner.baskets.together_with("a") == {"b": 2}
    assert learner.purchases.owns("u:ann", "a")
    log.pieces.put_nowait(piece(4, bought("ann", "c"), erased="ann"))
    assert await feed.wait_for(4, 10)
    assert feed.learner is learner
    assert learner.baskets.together_with("a") == {}
    assert [learner.baskets.actors(each) for each in "abc"] == [1, 1, 1]
    assert not learner.purchases.owns("u:ann", "a")
    assert learner.purchases.owns("u:ann", "c")
    assert log.asked[0].purpose == events_pb.DATA_PURPOSE_ANALYTICS
