"""A shop served by a suite of its own: products imported, events written, the graph built."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import grpc.aio

from shared.channel import open_channel
from shared.cli.private_suite import private_suite
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_event_pb2 import UserEvent
from wherefore.orchestrator.v1.product_service_pb2 import ProductServiceImportRequest
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceImportRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub
from wherefore.recommend.v1.recommend_service_pb2 import STRATEGY_COMPLEMENTS, CandidatesRequest
from wherefore.recommend.v1.recommend_service_pb2_grpc import RecommendServiceStub
from wherefore.retrieval.v1.retrieval_service_pb2 import StatsRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

T = TypeVar("T")

_BATCH = 100
_IMPORT_SECONDS = 600.0
_ANSWER_SECONDS = 10.0
_GRAPH_SECONDS = 120.0


class ServedShopError(RuntimeError):
    """The suite does not serve the shop as it should; what it says would measure something else."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of recommendations."""

    results: Sequence[Result]
    """Best first."""
    serving_config: str
    """The one that answered."""


class ServedShop:
    """Answers through the public contract."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = RecommendationServiceStub(channel)

    async def recommend(self, product_id: str, config: str, page_size: int) -> Answer:
        """Ask for what goes beside one product.

        Raises:
            ServedShopError: The answer is degraded.
            grpc.aio.AioRpcError: There is none.
        """
        request = RecommendRequest(
            product_ids=[product_id], serving_config=config, page_size=page_size, skip_reasons=True
        )
        response = await self._stub.Recommend(request, timeout=_ANSWER_SECONDS)
        if response.degraded:
            raise ServedShopError(f"{config} is degraded: {response.degraded[0].stage}")
        return Answer(response.results, response.serving_config)


@asynccontextmanager
async def served_shop(
    products: Sequence[Product], events: Sequence[UserEvent]
) -> AsyncGenerator[ServedShop]:
    """Start a suite with a shop in it, and stop it at the end.

    Args:
        products: The whole catalogue.
        events: What users did, known before the catalogue so that the graph learns from all of it.

    Raises:
        ServedShopError: Something was refused, or the graph was not built.
    """
    async with private_suite() as suite:
        channels = [
            open_channel(target)
            for target in (
                suite.targets.orchestrator, suite.targets.retrieval, suite.recommend_target,
            )
        ]  # fmt: skip
        try:
            await _write(channels[0], events)
            await _import(channels[0], products)
            await _wait(channels[1], channels[2])
            yield ServedShop(channels[0])
        finally:
            for channel in channels:
                await channel.close()


async def _write(channel: grpc.aio.Channel, events: Sequence[UserEvent]) -> None:
    requests = (UserEventServiceImportRequest(events=part) for part in _parts(events))
    response = await UserEventServiceStub(channel).Import(requests, timeout=_IMPORT_SECONDS)
    if response.imported_count != len(events):
        raise ServedShopError(f"{response.imported_count} of {len(events)} events were written")


async def _import(channel: grpc.aio.Channel, products: Sequence[Product]) -> None:
    requests = (ProductServiceImportRequest(products=part) for part in _parts(products))
    imported = 0
    async for response in ProductServiceStub(channel).Import(requests, timeout=_IMPORT_SECONDS):
        imported = response.imported_count
    if imported != len(products):
        raise ServedShopError(f"{imported} of {len(products)} products were imported")


def _parts(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    return (rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH))


async def _wait(retrieval: grpc.aio.Channel, recommend: grpc.aio.Channel) -> None:
    """Wait until the graph is that of the whole catalogue."""
    stats = await RetrievalServiceStub(retrieval).Stats(StatsRequest(), timeout=_ANSWER_SECONDS)
    stub = RecommendServiceStub(recommend)
    request = CandidatesRequest(strategy=STRATEGY_COMPLEMENTS, product_ids=["none"])
    until = time.monotonic() + _GRAPH_SECONDS
    while time.monotonic() < until:
        response = await stub.Candidates(request, timeout=_ANSWER_SECONDS)
        if response.index_version == stats.index_version:
            return
        await asyncio.sleep(0.5)
    raise ServedShopError("the knowledge graph was not built in time")
