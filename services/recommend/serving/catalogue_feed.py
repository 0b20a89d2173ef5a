"""Reads the catalogue from retrieval and keeps a snapshot of it up to date."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import grpc.aio
import structlog

from services.recommend.serving.co_occurrence import CoOccurrence
from services.recommend.serving.snapshot import FIELDS, Snapshot, take
from wherefore.common.v1.product_pb2 import Product
from wherefore.retrieval.v1.retrieval_service_pb2 import ListProductsRequest, StatsRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

_PAGE: Final = 500
_LOOK_TIMEOUT_SECONDS: Final = 2.0
# A catalogue that keeps changing is read at most this share of the time.
_LARGEST_SHARE: Final = 0.05
# Links that must be new before they are worth a new graph: so many, and this share of those known.
_NEW_LINKS, _NEW_SHARE = 20, 0.2


class CatalogueFeed:
    """Builds a new snapshot whenever the catalogue changes, or enough was bought together.

    Args:
        channel: Channel to retrieval.
        baskets: Returns what was bought together so far.
        poll_seconds: Pause between looks.
        timeout_seconds: Longest wait for one page.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        baskets: Callable[[], CoOccurrence],
        *,
        poll_seconds: float,
        timeout_seconds: float,
    ) -> None:
        self._stub = RetrievalServiceStub(channel)
        self._baskets = baskets
        self._poll_seconds = poll_seconds
        self._timeout_seconds = timeout_seconds
        self._links_used = 0
        self._last_seen = -1
        self._rest_until = 0.0
        self.snapshot: Snapshot | None = None

    async def run(self) -> None:
        """Looks until cancelled."""
        failing = False
        while True:
            try:
                await self.look()
                failing = False
            except grpc.aio.AioRpcError as error:
                if not failing:
                    _log.info("catalogue unavailable", code=error.code().name)
                failing = True
            except Exception:  # a catalogue that makes no graph must not end the looks at the next
                _log.exception("the knowledge graph could not be built")
                self._rest_until = asyncio.get_running_loop().time() + 12 * self._poll_seconds
            await asyncio.sleep(self._poll_seconds)

    async def look(self) -> None:
        """Looks once; reads and builds when it is time to.

        Raises:
            grpc.aio.AioRpcError: Retrieval does not answer.
        """
        loop = asyncio.get_running_loop()
        stats = await self._stub.Stats(StatsRequest(), timeout=_LOOK_TIMEOUT_SECONDS)
        version, baskets = stats.index_version, self._baskets()
        settled, self._last_seen = version == self._last_seen, version
        if not self._is_due(version, baskets.link_count, settled=settled):
            return
        started = loop.time()
        products = await self._read()
        links, self._links_used = baskets.links(), baskets.link_count
        snapshot = await asyncio.to_thread(take, products, links, version)
        self.snapshot = snapshot
        seconds = loop.time() - started
        self._rest_until = loop.time() + seconds / _LARGEST_SHARE
        _log.info(
            "knowledge graph",
            version=version,
            products=len(products),
            nodes=len(snapshot.graph),
            links=len(links),
            seconds=round(seconds, 2),
        )

    async def _read(self) -> list[Product]:
        products: list[Product] = []
        after = ""
        while True:
            request = ListProductsRequest(page_size=_PAGE, after_id=after)
            request.read_mask.paths.extend(FIELDS)
            page = await self._stub.ListProducts(request, timeout=self._timeout_seconds)
            products.extend(page.products)
            after = page.next_after_id
            if not after:
                return products

    def _is_due(self, version: int, links: int, *, settled: bool) -> bool:
        if self.snapshot is None:
            return True
        if asyncio.get_running_loop().time() < self._rest_until:
            return False
        new = links - self._links_used
        learnt = new >= max(_NEW_LINKS, _NEW_SHARE * self._links_used)
        # An import is let finish first.
        return learnt or (settled and version != self.snapshot.version)
