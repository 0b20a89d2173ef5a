"""The connections to Redis: scripts with deadlines, and errors as the suite knows them.

While Redis is away a breaker fails calls at once, so that answers that do without are not late.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from services.orchestrator.event_stream.scripts import script
from shared.breaker import BreakerState, CircuitBreaker
from shared.deadline import current_deadline
from shared.errors import CircuitOpenError, UnavailableError

_CONNECTIONS: Final = 16
_RESET_SECONDS: Final = 0.5
_OF_ANSWERS: Final = frozenset({"recent", "locate"})
"""Scripts that answers wait for; others read whole pieces of the log, for who is not in a hurry."""
_LOST: Final = "the log of events in Redis is away"
_log: structlog.stdlib.BoundLogger = structlog.get_logger()

Bytes = bytes | str | int
"""What a script takes as an argument."""


class RedisLink:
    """Connections to the Redis that has a log.

    Args:
        url: redis://, rediss:// (TLS) or unix:// with what is needed to log in.
        prefix: Of the keys of this log. In braces, so that a cluster keeps them together.
        read_seconds: Longest wait for what is known of one user.
        write_seconds: Longest wait for a write, its fsync included, or for a piece of the log.
    """

    def __init__(self, url: str, prefix: str, read_seconds: float, write_seconds: float) -> None:
        from redis.asyncio import BlockingConnectionPool, Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        # Its types are of both its clients at once, of which one is not asynchronous.
        pool: Any = BlockingConnectionPool
        client: Any = Redis
        # A connection that broke while nobody used it is made anew once; scripts may be sent twice.
        self.redis: Any = client.from_pool(
            pool.from_url(
                url,
                max_connections=_CONNECTIONS,
                timeout=read_seconds,
                socket_connect_timeout=read_seconds,
                retry=Retry(NoBackoff(), 1),
            )
        )
        self.prefix = prefix
        self.read_seconds = read_seconds
        self.write_seconds = write_seconds
        self._breaker = CircuitBreaker(
            "events.redis", failure_threshold=3, reset_seconds=_RESET_SECONDS
        )

    def key(self, name: str) -> str:
        """Returns the whole name of a key of the log."""
        return f"{self.prefix}:{name}"

    async def read(self, name: str, *arguments: Bytes) -> list[Any]:
        """Runs a script that changes nothing.

        Raises:
            UnavailableError: Redis is away, or late.
        """
        seconds = self.read_seconds if name in _OF_ANSWERS else self.write_seconds
        return await self.ask(lambda: self._run(name, arguments), seconds)

    async def write(self, name: str, *arguments: Bytes, copies: int = 0) -> list[Any]:
        """Runs a script that may be run twice; its effect is on disk when it returns.

        Args:
            name: Of the script.
            arguments: Of it.
            copies: Replicas of Redis that must have it too.

        Raises:
            UnavailableError: Redis is away, or late: it may be done or not. Or it is done, and too
                few replicas have it.
        """
        run = self._copied(name, arguments, copies) if copies else None
        return await self.ask(run or (lambda: self._run(name, arguments)), self.write_seconds)

    async def ask(self, ask: Callable[[], Awaitable[Any]], seconds: float) -> Any:
        """Asks, within so many seconds and the deadline of the request.

        Raises:
            UnavailableError: See `read`.
        """
        from redis.exceptions import RedisError, ResponseError

        if not self._breaker.allow():
            raise CircuitOpenError(_LOST, _RESET_SECONDS)
        allowed = current_deadline().stage_timeout(seconds)
        try:
            async with asyncio.timeout(allowed):
                answer = await ask()
        # Of uvloop, a connection that closed in the midst of a write is a RuntimeError.
        except (RedisError, OSError, TimeoutError, RuntimeError) as error:
            # A request that had no time left says nothing of Redis.
            if allowed >= seconds or not isinstance(error, TimeoutError):
                self._breaker.record_failure()
            said = str(error) if isinstance(error, ResponseError) else type(error).__name__
            _log.debug("events_redis_failed", reason=said)
            raise UnavailableError(f"{_LOST}: {said}") from error
        self._breaker.record_success()
        return answer

    @property
    def away(self) -> bool:
        """Whether Redis failed of late."""
        return self._breaker.state is not BreakerState.CLOSED

    async def close(self) -> None:
        """Closes all connections."""
        await self.redis.aclose()

    async def _run(self, name: str, arguments: tuple[Bytes, ...]) -> list[Any]:
        from redis.exceptions import NoScriptError

        known = script(name)
        try:
            return await self.redis.evalsha(known.digest, 1, self.prefix, *arguments)
        except NoScriptError:  # a Redis that was started anew
            return await self.redis.eval(known.text, 1, self.prefix, *arguments)

    def _copied(
        self, name: str, arguments: tuple[Bytes, ...], copies: int
    ) -> Callable[[], Awaitable[list[Any]]]:
        async def run() -> list[Any]:
            from redis.exceptions import NoScriptError

            known = script(name)
            milliseconds = max(1, round(self.write_seconds * 800))  # within the wait for all

            async def both() -> list[Any]:
                # One connection for both: WAIT is for what its own connection wrote.
                async with self.redis.pipeline(transaction=False) as pipe:
                    pipe.evalsha(known.digest, 1, self.prefix, *arguments)
                    pipe.execute_command("WAIT", copies, milliseconds)
                    return await pipe.execute()

            try:
                answer, reached = await both()
            except NoScriptError:
                await self.redis.script_load(known.text)
                answer, reached = await both()
            if reached < copies:
                raise UnavailableError(
                    f"the event is written, but {reached} of {copies} replicas of Redis have it"
                )
            return answer

        return run
