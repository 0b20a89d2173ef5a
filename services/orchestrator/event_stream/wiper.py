"""Has Redis write its file anew after an erasure: until then it holds what is gone, sealed."""

import asyncio
from typing import Final

import structlog

from services.orchestrator.event_stream.link import RedisLink
from shared.errors import UnavailableError

_PAUSE_SECONDS: Final = 1.0
_BUSY: Final = "in progress"
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Wiper:
    """Asks for BGREWRITEAOF; erasures that come close together share one.

    Args:
        link: To Redis.
    """

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._wanted = asyncio.Event()

    def want(self) -> None:
        """Asks for it, soon."""
        self._wanted.set()

    async def run(self) -> None:
        """Works until cancelled."""
        from redis.exceptions import ResponseError

        while True:
            await self._wanted.wait()
            await asyncio.sleep(_PAUSE_SECONDS)
            self._wanted.clear()
            try:
                await self._link.ask(self._link.redis.bgrewriteaof, self._link.write_seconds)
            except UnavailableError as error:
                if isinstance(error.__cause__, ResponseError) and _BUSY not in error.message:
                    _log.warning("events_not_wiped", reason=error.message)
                else:  # one that is under way began before
                    self._wanted.set()
