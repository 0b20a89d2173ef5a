"""Keeps what a service knows of the catalogue's terms up to date.

Polls the version of the index, and reads the terms when it is new.
"""

import asyncio
import time
from collections.abc import Callable

import grpc.aio
import structlog

from wherefore.retrieval.v1.retrieval_service_pb2 import StatsRequest, StatsResponse
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

_LOOK_TIMEOUT_SECONDS = 2.0
# A retrieval service that is away is normal (it may never come); looks grow rarer up to this.
_MAX_PAUSE_FACTOR = 6
# Terms are gathered by a walk over the whole index, which takes retrieval seconds on a large one.
# So they may take up this share of its time at most, and a bulk import is let finish first, for
# so long.
_LARGEST_SHARE = 0.05
_LONGEST_WAIT_SECONDS = 60.0


class CatalogueWatch:
    """Polls `Stats` and hands over new terms.

    The dependency is optional: while retrieval does not answer, the last terms stay, or none.

    Args:
        channel: Channel to the retrieval service.
        on_change: Called with the description of each new version; may block for some
            milliseconds, so it is called on a thread.
        poll_seconds: Pause between looks.
        timeout_seconds: Longest wait for the terms themselves.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        on_change: Callable[[StatsResponse], None],
        *,
        poll_seconds: float,
        timeout_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stub = RetrievalServiceStub(channel)
        self._on_change = on_change
        self._poll_seconds = poll_seconds
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._version = -1
        self._last_seen = -1
        self._read_at = 0.0
        self._read_seconds = 0.0

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
        """Looks once; reads the terms when the version is new and it is time to.

        Raises:
            grpc.aio.AioRpcError: Retrieval does not answer.
        """
        brief: StatsResponse = await self._stub.Stats(StatsRequest(), timeout=_LOOK_TIMEOUT_SECONDS)
        if not self._is_due(brief.index_version):
            return
        started = self._clock()
        full: StatsResponse = await self._stub.Stats(
            StatsRequest(include_terms=True), timeout=self._timeout_seconds
        )
        self._read_at = self._clock()
        self._read_seconds = self._read_at - started
        await asyncio.to_thread(self._on_change, full)
        self._version = full.index_version
        _log.info(
            "catalogue terms",
            version=full.index_version,
            brands=len(full.brands),
            product_types=len(full.product_types),
            words=len(full.vocabulary),
        )

    def _is_due(self, version: int) -> bool:
        settled = version == self._last_seen
        self._last_seen = version
        if version == self._version:
            return False
        if self._version < 0:  # anything beats nothing
            return True
        age = self._clock() - self._read_at
        if age < self._read_seconds / _LARGEST_SHARE:
            return False
        return settled or age > _LONGEST_WAIT_SECONDS
