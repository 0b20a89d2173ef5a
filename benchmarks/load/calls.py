"""Calls that a load is mixed of."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import grpc.aio

from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_VIEW, ProductDetail, UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.completion_service_pb2 import CompleteRequest
from wherefore.orchestrator.v1.completion_service_pb2_grpc import CompletionServiceStub
from wherefore.orchestrator.v1.product_service_pb2 import ProductServiceListRequest
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

Send = Callable[[grpc.aio.Channel, float], Awaitable[Any]]
"""Sends one call over a channel with a timeout in seconds; the response may have `degraded`."""
KINDS: Final = ("search", "recommend", "event", "completion")
_USERS: Final = 500


@dataclass(frozen=True, slots=True)
class Material:
    """What calls are made of."""

    queries: Sequence[str]
    product_ids: Sequence[str]


async def material(target: str, queries: Sequence[str], count: int = 500) -> Material:
    """Returns queries, and the ids of products that the suite at `target` has."""
    async with grpc.aio.insecure_channel(target) as channel:
        request = ProductServiceListRequest(page_size=count, read_mask={"paths": ["id"]})
        page = await ProductServiceStub(channel).List(request, timeout=30)
    return Material(queries, [product.id for product in page.products])


def calls(mix: Mapping[str, float], material: Material, seed: int) -> Iterator[Send]:
    """Yields calls without end, the same ones for the same seed.

    Args:
        mix: Weight of each of KINDS.
        material: What they are made of; queries are used in turn.
        seed: Of all chance.

    Raises:
        ValueError: For a kind that there is not, or weights that are none.
    """
    unknown = sorted(set(mix) - set(KINDS))
    if unknown or not mix or min(mix.values()) < 0 or not sum(mix.values()):
        raise ValueError(f"a mix has weights of {', '.join(KINDS)}, not {dict(mix)}")
    chance = random.Random(seed)  # noqa: S311 - load, not secrets
    names, weights = list(mix), list(mix.values())
    count = 0
    while True:
        (kind,) = chance.choices(names, weights)
        user = f"load-{chance.randrange(_USERS)}"
        yield _make(kind, material, count, user, chance)
        count += 1


def _make(kind: str, material: Material, count: int, user: str, chance: random.Random) -> Send:
    query = material.queries[count % len(material.queries)]
    if kind == "search":
        search = SearchRequest(query=query)
        return lambda channel, timeout: SearchServiceStub(channel).Search(search, timeout=timeout)
    if kind == "completion":
        typed = CompleteRequest(prefix=query[: chance.randint(1, max(1, min(12, len(query))))])
        return lambda channel, timeout: CompletionServiceStub(channel).Complete(
            typed, timeout=timeout
        )
    product_id = chance.choice(material.product_ids)
    if kind == "event":
        event = UserEvent(
            type=USER_EVENT_TYPE_VIEW,
            user_id=user,
            products=[ProductDetail(product_id=product_id)],
        )
        write = UserEventServiceWriteRequest(event=event)
        return lambda channel, timeout: UserEventServiceStub(channel).Write(write, timeout=timeout)
    beside = [product_id] if chance.random() < 0.5 else []
    wanted = RecommendRequest(user=UserContext(user_id=user), product_ids=beside, page_size=10)
    return lambda channel, timeout: RecommendationServiceStub(channel).Recommend(
        wanted, timeout=timeout
    )
