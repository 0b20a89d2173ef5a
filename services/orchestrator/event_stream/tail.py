"""Hears of what is written to the log, by whomever, as it comes: XREAD that blocks, no polling."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from prometheus_client import Gauge

from services.orchestrator.event_stream.session import LogSession
from shared.errors import UnavailableError

FOLLOWED: Final = Gauge(
    "wherefore_event_log_followed",
    "1 while a shared log of events is followed, 0 while it is away.",
)
_BLOCK_SECONDS: Final = 1.0
"""After which a silent log is asked again, so that a connection that is dead is noticed."""
_PAUSE_SECONDS: Final = 0.2
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Tail:
    """Follows the end of a log.

    Args:
        session: Of the log.
        caught: Called after the log was lost and found again, before it is trusted; may raise
            ValueError where it is no longer fit, and UnavailableError where it is lost again.
    """

    def __init__(self, session: LogSession, caught: Callable[[], Awaitable[None]]) -> None:
        self._session = session
        self._caught = caught
        self.problem = ""
        """Why nothing may be written, and what is known may be old; empty while all is well."""

    async def run(self) -> None:
        """Follows until cancelled."""
        FOLLOWED.set(1)
        while True:
            try:
                if self.problem:
                    await self._caught()
                await self._session.look()
                self._found()
                await self._wait()
            except ValueError as error:  # it is there, and must not be trusted
                if str(error) != self.problem:
                    _log.error("events_unfit", reason=str(error))
                self._lost(str(error))
                await asyncio.sleep(_PAUSE_SECONDS)
            except UnavailableError as error:
                self._lost(str(error))
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _wait(self) -> None:
        """Returns when something was written, or after a while.

        Raises:
            UnavailableError: Redis is away.
        """
        from redis.exceptions import RedisError

        session = self._session
        stream = session.link.key("stream")
        place = f"{session.place.last_sequence}-0"
        try:
            async with asyncio.timeout(_BLOCK_SECONDS + session.link.read_seconds):
                await session.link.redis.xread(
                    {stream: place}, count=1, block=round(_BLOCK_SECONDS * 1000)
                )
        except (RedisError, OSError, TimeoutError, RuntimeError) as error:
            raise UnavailableError(f"the log of events is away: {type(error).__name__}") from error

    def _lost(self, problem: str) -> None:
        if not self.problem:
            _log.warning("events_lost", reason=problem)
        self.problem = problem
        FOLLOWED.set(0)

    def _found(self) -> None:
        if self.problem:
            _log.info("events_found_again")
        self.problem = ""
        FOLLOWED.set(1)
