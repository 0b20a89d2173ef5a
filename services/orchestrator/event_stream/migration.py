"""Copies a log in files to Redis as it is: nothing is unsealed, followers need not learn anew."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from services.orchestrator.event_files.files import keys_path
from services.orchestrator.event_stream.link import RedisLink
from shared.errors import FailedPreconditionError

_CHUNK: Final = 1_000
_SUBJECTS: Final = "SELECT id, alias, sealed, refused FROM keys.subjects"


async def copy_log(path: Path, link: RedisLink) -> int:
    """Copies the files of a log that nobody has open; returns how many events it has.

    A copy that was broken off is begun anew: until its last step there is no log in Redis.

    Args:
        path: File of the events; that of their keys lies beside it.
        link: To Redis, which has no log under the prefix yet.

    Raises:
        FailedPreconditionError: There is one; or the files hold erasures that are not finished, or
            events of before they were sealed: a start of the orchestrator settles those.
        OSError: The files are not there.
        sqlite3.Error: They are damaged.
        redis.RedisError: Redis is away, or refuses a write.
    """
    for file in (path, keys_path(path)):
        if not file.exists():
            raise FileNotFoundError(f"{file}: no log of events")
    redis: Any = link.redis
    if await redis.exists(link.key("log")):
        raise FailedPreconditionError(f"there is a log under {link.prefix} in Redis already")
    async for key in redis.scan_iter(match=f"{link.key('*')}", count=_CHUNK):
        await redis.delete(key)
    # Read-write, as what a crash left in the write-ahead log is to be read too.
    with closing(sqlite3.connect(path)) as files:
        files.execute("ATTACH DATABASE ? AS keys", (str(keys_path(path)),))
        _check(files)
        count = 0
        for rows in _rows(
            files,
            "SELECT sequence, id, subject, at, payload FROM sealed_events"
            " UNION ALL SELECT sequence, NULL, is_user, purposes, alias"
            " FROM forgotten ORDER BY 1",
        ):
            count += await _copy_entries(link, rows)
        for rows in _rows(files, _SUBJECTS):
            await _copy_subjects(link, rows)
        await _finish(link, files)
    return count


def _check(files: sqlite3.Connection) -> None:
    plain = files.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone()
    if plain or files.execute("SELECT 1 FROM keys.unfinished").fetchone():
        raise FailedPreconditionError("start the orchestrator over these files once, then stop it")


def _rows(files: sqlite3.Connection, query: str) -> Iterator[list[tuple[Any, ...]]]:
    cursor = files.execute(query)
    while rows := cursor.fetchmany(_CHUNK):
        yield rows


async def _copy_entries(link: RedisLink, rows: list[tuple[Any, ...]]) -> int:
    count = 0
    async with link.redis.pipeline(transaction=False) as pipe:
        for sequence, digest, subject, at, payload in rows:
            place, member = f"{sequence}-0", f"{sequence:016d}"
            if digest is None:
                told = {"a": payload, "u": int(subject), "m": int(at)}
                pipe.xadd(link.key("stream"), told, id=place)
                pipe.rpush(link.key("forgotten"), sequence)
                continue
            count += 1
            pipe.xadd(link.key("stream"), {"s": subject}, id=place)
            pipe.hset(link.key(f"texts:{subject}"), str(sequence), digest + payload)
            pipe.hset(link.key("ids"), digest, sequence)
            pipe.zadd(link.key("times"), {member: at})
            pipe.zadd(link.key(f"of:{subject}"), {member: at})
        await pipe.execute()
    return count


async def _copy_subjects(link: RedisLink, rows: list[tuple[Any, ...]]) -> None:
    async with link.redis.pipeline(transaction=False) as pipe:
        for number, alias, sealed, refused in rows:
            pipe.hset(link.key("subjects"), str(number), sealed)
            pipe.hset(link.key("aliases"), alias, number)
            if refused:
                pipe.hset(link.key("refused"), str(number), refused)
        await pipe.execute()


async def _finish(link: RedisLink, files: sqlite3.Connection) -> None:
    """Copies the rest, and last of all the id of the log, by which there is one."""
    last: dict[str, int] = dict(
        files.execute(
            "SELECT name, seq FROM main.sqlite_sequence UNION ALL"
            " SELECT name, seq FROM keys.sqlite_sequence"
        ).fetchall()
    )
    (log_id,) = files.execute("SELECT id FROM log").fetchone()
    async with link.redis.pipeline(transaction=True) as pipe:
        for name, sealed in files.execute("SELECT name, sealed FROM keys.secrets"):
            pipe.hset(link.key("secrets"), name, sealed)
        for who, at in files.execute("SELECT who, at FROM keys.erased"):
            pipe.hset(link.key("erased"), who, repr(at))
        pipe.set(link.key("sequence"), last.get("sealed_events", 0))
        pipe.set(link.key("subject"), last.get("subjects", 0))
        pipe.set(link.key("log"), log_id)
        await pipe.execute()
