"""A clock that jumps: answers keep coming, and what users did a moment ago still counts."""

import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytest_asyncio

from tests.services.orchestrator.conftest import serve
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_VIEW, ProductDetail, UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

pytestmark = pytest.mark.integration
HOUR = 3600.0
DAY = 24 * HOUR
TIMEOUT = 5.0


class Clock:
    """The module `time`, whose time of day can be set; the monotonic clocks do not jump."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def time(self) -> float:
        return time.time() + self.ahead

    def __getattr__(self, name: str) -> object:
        return getattr(time, name)


@pytest_asyncio.fixture
async def shop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[SimpleNamespace, Clock]]:
    clock = Clock()
    patient = {"seconds": 3, "reserve": 0}
    budgets = {"nlu": patient, "ranking": patient, "reason": patient}
    async with serve(tmp_path, budgets=budgets) as running:
        # Of the service alone: gRPC, on both ends of the wire, goes by the machine's.
        for name, module in list(sys.modules.items()):
            ours = name.startswith(("services.", "shared."))
            if ours and getattr(module, "time", None) is time:
                monkeypatch.setattr(module, "time", clock)
        yield running, clock


async def view(running: SimpleNamespace, user: str, product_id: str) -> None:
    event = UserEvent(
        type=USER_EVENT_TYPE_VIEW,
        user_id=user,
        products=[ProductDetail(product_id=product_id)],
    )
    request = UserEventServiceWriteRequest(event=event)
    assert not (
        await UserEventServiceStub(running.channel).Write(request, timeout=TIMEOUT)
    ).duplicate


async def for_you(running: SimpleNamespace, user: str) -> str:
    request = RecommendRequest(user=UserContext(user_id=user))
    answer = await RecommendationServiceStub(running.channel).Recommend(request, timeout=TIMEOUT)
    assert answer.results
    assert not answer.degraded
    return answer.serving_config


@pytest.mark.parametrize("jump", [DAY, -DAY, 400 * DAY, -HOUR])
async def test_events_before_and_after_a_jump(shop: tuple[SimpleNamespace, Clock], jump: float):
    running, clock = shop
    await view(running, "ann", "p01")
    first = await SearchServiceStub(running.channel).Search(
        SearchRequest(query="cup", page_size=5), timeout=TIMEOUT
    )
    clock.ahead = jump
    # What was done before the jump is known after it, even where it lies in the future now.
    assert await for_you(running, "ann") == "for-you"
    await view(running, "ben", "p02")
    assert await for_you(running, "ben") == "for-you"
    # Pages that were begun go on, and caches and breakers do not go by the time of day.
    following = SearchRequest(query="cup", page_size=5, page_token=first.next_page_token)
    second = await SearchServiceStub(running.channel).Search(following, timeout=TIMEOUT)
    assert not second.degraded
    assert {r.product.id for r in second.results}.isdisjoint(r.product.id for r in first.results)
    clock.ahead = 0.0
    assert await for_you(running, "ann") == await for_you(running, "ben") == "for-you"
