"""A cache that processes share, behind each one's own: a port, and its adapter on Redis.

It is never needed. What it does not answer within some milliseconds is made as if it were not
there, and while it keeps failing it is left alone.
"""

import struct
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import structlog

from shared.breaker import CircuitBreaker
from shared.metrics import count_cache_event

_HEAD: Final = struct.Struct(">d")
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class SecondLevel(Protocol):
    """Keeps bytes by key. Never raises."""

    async def get(self, key: bytes) -> tuple[bytes, float] | None:
        """Returns a value and its age in seconds; None where there is none."""
        ...

    async def set(self, key: bytes, value: bytes, seconds: float) -> None:
        """Keeps a value for so long."""
        ...

    async def close(self) -> None:
        """Closes connections."""
        ...


class RedisLevel:
    """`SecondLevel` on Redis.

    Args:
        url: redis://, rediss:// (TLS) or unix:// with what is needed to log in.
        prefix: Of all keys.
        timeout_seconds: Longest wait for one answer.
        clock: Seconds since 1970; those of all processes must be about right.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "wherefore:",
        timeout_seconds: float = 0.02,
        clock: Callable[[], float] = time.time,
    ) -> None:
        from redis.asyncio import Redis

        # Its types are of both its clients at once, of which one is not asynchronous.
        connect: Any = Redis
        self._redis: Any = connect.from_url(
            url, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds
        )
        self._prefix = prefix.encode()
        self._clock = clock
        self._breaker = CircuitBreaker("cache.redis", failure_threshold=3, reset_seconds=2.0)

    async def get(self, key: bytes) -> tuple[bytes, float] | None:
        """See `SecondLevel.get`."""
        stored = await self._try(lambda: self._redis.get(self._prefix + key))
        if not isinstance(stored, bytes) or len(stored) < _HEAD.size:
            return None
        (at,) = _HEAD.unpack_from(stored)
        return stored[_HEAD.size :], max(0.0, self._clock() - at)

    async def set(self, key: bytes, value: bytes, seconds: float) -> None:
        """See `SecondLevel.set`."""
        stored = _HEAD.pack(self._clock()) + value
        milliseconds = max(1, round(seconds * 1000))
        await self._try(lambda: self._redis.set(self._prefix + key, stored, px=milliseconds))

    async def close(self) -> None:
        """See `SecondLevel.close`."""
        await self._redis.aclose()

    async def _try(self, ask: Callable[[], Awaitable[object]]) -> object:
        from redis.exceptions import RedisError

        if not self._breaker.allow():
            return None
        try:
            answer = await ask()
        except (RedisError, OSError, TimeoutError) as error:
            self._breaker.record_failure()
            count_cache_event("redis", "lost")
            _log.debug("cache.redis_lost", reason=type(error).__name__)
            return None
        self._breaker.record_success()
        return answer
