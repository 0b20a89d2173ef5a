"""Deletes what is kept in a Redis under one prefix."""

from contextlib import suppress
from typing import Any, Final

from shared.errors import UnavailableError

_SECONDS: Final = 5.0
_SCAN: Final = 1_000


async def delete_keys(url: str, prefix: str) -> None:
    """Deletes all keys that begin with a prefix, whatever it takes; none may be written meanwhile.

    Args:
        url: redis://, rediss:// (TLS) or unix:// with what is needed to log in (extra `redis`).
        prefix: Not empty.

    Raises:
        UnavailableError: Redis cannot be reached: something may be left.
        ValueError: There is no prefix.
    """
    from redis.asyncio import Redis
    from redis.exceptions import RedisError, ResponseError

    if not prefix:
        raise ValueError("no prefix: these would be all keys there are")
    # Its types are of both its clients at once, of which one is not asynchronous.
    connect: Any = Redis
    redis: Any = connect.from_url(url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS)
    # Each byte is meant as it is, "*" and "[" too.
    pattern = b"".join(b"\\" + bytes([each]) for each in prefix.encode()) + b"*"
    found = False
    cursor = 0
    try:
        while True:
            cursor, keys = await redis.scan(cursor, match=pattern, count=_SCAN)
            if keys:
                await redis.unlink(*keys)
                found = True
            if not cursor:
                break
        if found:
            # What stands in the append-only file is gone with its next rewrite.
            with suppress(ResponseError):  # one is under way, or this user may not ask
                await redis.bgrewriteaof()
    except (RedisError, OSError, TimeoutError) as error:
        raise UnavailableError("what Redis keeps cannot be deleted: it is lost") from error
    finally:
        await redis.aclose()
