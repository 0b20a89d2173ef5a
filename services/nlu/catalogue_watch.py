"""Keeps the catalogue's terms up to date: polls the index's version, reads terms when it is new."""

import asyncio
from collections.abc import Callable

import grpc.aio
import structlog

from services.nlu.catalogue_terms import CatalogueTerms
from shared.text.normalise import fold
from wherefore.retrieval.v1.retrieval_service_pb2 import StatsRequest, StatsResponse
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

_LOOK_TIMEOUT_SECONDS = 2.0
# A retrieval service that is away is normal (it may never come); looks grow rarer up to this.
_MAX_PAUSE_FACTOR = 6


class CatalogueWatch:
    """Polls `Stats` and hands over new terms.

    The dependency is optional: while retrieval does not answer, the last terms stay, or none.

    Args:
        channel: Channel to the retrieval service.
        on_change: Called with each new version of the terms; may block for some milliseconds, so
            it is called on a thread.
        poll_seconds: Pause between looks.
        timeout_seconds: Longest wait for the terms themselves.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        on_change: Callable[[CatalogueTerms], None],
        *,
        poll_seconds: float,
        timeout_seconds: float,
    ) -> None:
        self._stub = RetrievalServiceStub(channel)
        self._on_change = on_change
        self._poll_seconds = poll_seconds
        self._timeout_seconds = timeout_seconds
        self._version = -1

    async def run(self) -> None:
        """Polls until cancelled."""
        failures = 0
        while True:
            try:
                await self.look()
                failures = 0
            except grpc.aio.AioRpcError as error:
                failures += 1
                if failures == 1:
                    _log.info("catalogue terms unavailable", code=error.code().name)
            pause = self._poll_seconds * min(1 + failures, _MAX_PAUSE_FACTOR)
            await asyncio.sleep(pause)

    async def look(self) -> None:
        """Looks once; reads the terms when the version is new.

        Raises:
            grpc.aio.AioRpcError: Retrieval does not answer.
        """
        brief: StatsResponse = await self._stub.Stats(StatsRequest(), timeout=_LOOK_TIMEOUT_SECONDS)
        if brief.index_version == self._version:
            return
        full: StatsResponse = await self._stub.Stats(
            StatsRequest(include_terms=True), timeout=self._timeout_seconds
        )
        terms = to_terms(full)
        await asyncio.to_thread(self._on_change, terms)
        self._version = terms.version
        _log.info(
            "catalogue terms",
            version=terms.version,
            brands=len(terms.brands),
            product_types=len(terms.product_types),
            words=len(terms.vocabulary),
        )


def to_terms(stats: StatsResponse) -> CatalogueTerms:
    """Translates the answer of retrieval."""
    vocabulary: dict[str, int] = {}
    for item in stats.vocabulary:
        word = fold(item.term)
        vocabulary[word] = vocabulary.get(word, 0) + item.count
    return CatalogueTerms(
        version=stats.index_version,
        brands=tuple(item.term for item in stats.brands),
        product_types=tuple(item.term for item in stats.product_types),
        vocabulary=vocabulary,
    )
