"""The best neighbours of every item, counted by shards of users and merged by parts of items.

The same sums as `ItemKnn.fit`, in DuckDB, which spills to disk what memory does not hold. A pair's
weight is a sum over users, so that shards of users can be counted on different machines; a part of
items then adds up its own rows and keeps the best of each. No task needs all pairs at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from services.recommend.item_knn import ItemKnnSettings
from services.recommend.jobs.layout import JobError, JobFolder, Manifest, replacing

COLUMNS = ("user", "item", "time")
"""Of event files in parquet; anything that DuckDB can order is a time."""

_SEQUENCES = r"""
    SELECT words[1] AS user, unnest(words[2:]) AS item, generate_subscripts(words[2:], 1) AS time
    FROM (
        SELECT string_split_regex(trim(line), '\s+') AS words
        FROM read_csv(?, columns = {'line': 'VARCHAR'}, header = false, delim = '\0',
                      quote = '', escape = '', auto_detect = false)
        WHERE trim(line) <> ''
    )
"""
_EVENTS = """
    SELECT CAST("user" AS VARCHAR) AS user, CAST(item AS VARCHAR) AS item, time
    FROM read_parquet(?) WHERE "user" IS NOT NULL AND item IS NOT NULL
"""
_PLACED = """
    SELECT user, item, row_number() OVER (PARTITION BY user ORDER BY time, item) - 1 AS place,
           md5_number_lower(user) % {shards} AS shard
    FROM ({events})
"""
_PAIRS = """
    WITH lengths AS (SELECT user, count(*) AS length FROM read_parquet($file) GROUP BY user),
    ahead AS (
        SELECT a.item AS item, b.item AS other,
               length ** -CAST($user_power AS DOUBLE)
               * CAST($nearness AS DOUBLE) ** (b.place - a.place - 1) AS weight
        FROM read_parquet($file) a
        JOIN read_parquet($file) b
          ON a.user = b.user AND b.place > a.place AND b.place <= a.place + $window_size
        JOIN lengths ON lengths.user = a.user
        WHERE a.item <> b.item
    )
    SELECT item, other, sum(weight) AS weight, md5_number_lower(item) % $parts AS part
    FROM (
        SELECT * FROM ahead
        UNION ALL SELECT other, item, weight * CAST($backward AS DOUBLE) FROM ahead
    )
    GROUP BY item, other
    HAVING sum(weight) > 0
"""
_BEST = """
    WITH counted AS (SELECT item, sum(count) AS count FROM read_parquet($counts) GROUP BY item),
    summed AS (
        SELECT item, other, sum(weight) AS weight
        FROM read_parquet($pairs, hive_partitioning = false) GROUP BY item, other
    ),
    scored AS (
        SELECT summed.item, summed.other,
               weight * mine.count ** (CAST($power AS DOUBLE) - 1)
               * theirs.count ** -CAST($power AS DOUBLE) AS similarity
        FROM summed
        JOIN counted mine ON mine.item = summed.item
        JOIN counted theirs ON theirs.item = summed.other
    )
    SELECT item, row_number() OVER best AS rank, other, similarity FROM scored
    WINDOW best AS (PARTITION BY item ORDER BY similarity DESC, other)
    QUALIFY row_number() OVER best <= $top
    ORDER BY item, rank
"""


def divide(
    source: str, folder: JobFolder, manifest: Manifest, *, memory: str = "2GB", threads: int = 1
) -> None:
    """Divide events by users into shards, every user's in one of them and in order.

    Args:
        source: Lines of a user and items, the oldest first; or parquet files with `COLUMNS`, by a
            name or a pattern that ends in .parquet.
        folder: Of the job.
        manifest: How many shards and parts there are to be.
        memory: Beyond which DuckDB writes to disk.
        threads: Of computation.

    Raises:
        JobError: There are no such files, or they cannot be read as described.
    """
    events = _EVENTS if source.endswith(".parquet") else _SEQUENCES
    with _database(folder, memory, threads) as database:
        try:
            placed = _PLACED.format(events=events, shards=manifest.shards)
            database.execute(f"CREATE TEMP TABLE placed AS {placed}", [source])
        except database_error() as error:
            raise JobError(f"{source}: {error}") from error
        for shard in range(manifest.shards):
            with replacing(folder.events(shard)) as path:
                _copy(
                    database,
                    "SELECT user, place, item FROM placed WHERE shard = $shard ORDER BY ALL",
                    path,
                    {"shard": shard},
                )
    folder.write_manifest(manifest)


def count_pairs(
    folder: JobFolder,
    shard: int,
    settings: ItemKnnSettings,
    *,
    memory: str = "2GB",
    threads: int = 1,
) -> None:
    """Count what one shard of users says of pairs of items, and how often it had each.

    Raises:
        JobError: There is no such shard.
    """
    manifest = folder.manifest()
    file = folder.events(shard)
    if not file.is_file():
        raise JobError(f"there is no {file}; the job has {manifest.shards} shards, from 0")
    with _database(folder, memory, threads) as database:
        with replacing(folder.counts(shard)) as path:
            _copy(
                database,
                "SELECT item, count(*) AS count FROM read_parquet($file) GROUP BY item",
                path,
                {"file": str(file)},
            )
        with replacing(folder.pairs(shard)) as path:
            path.mkdir()  # also where there are no pairs: the shard is done
            values = {
                "file": str(file),
                "user_power": settings.user_power,
                "nearness": settings.nearness,
                "window_size": settings.window,
                "backward": settings.backward,
                "parts": manifest.parts,
            }
            _copy(database, _PAIRS, path, values, "PARTITION_BY (part), OVERWRITE_OR_IGNORE")


def rank_part(
    folder: JobFolder,
    part: int,
    settings: ItemKnnSettings,
    *,
    top: int = 100,
    memory: str = "2GB",
    threads: int = 1,
) -> None:
    """Keep the best neighbours of every item of one part.

    Raises:
        JobError: There is no such part, or a shard is not counted yet.
    """
    manifest = folder.manifest()
    if not 0 <= part < manifest.parts:
        raise JobError(f"there is no part {part}; the job has {manifest.parts}, from 0")
    shards = range(manifest.shards)
    waiting = [n for n in shards if not (folder.pairs(n).is_dir() and folder.counts(n).is_file())]
    if waiting:
        raise JobError(f"shards {waiting} are not counted yet")
    pairs = [str(f) for n in shards for f in folder.pairs(n).glob(f"part={part}/*.parquet")]
    with (
        _database(folder, memory, threads) as database,
        replacing(folder.candidates(part)) as path,
    ):
        if not pairs:
            nothing = (
                "SELECT '' AS item, 1::BIGINT AS rank, '' AS other, 0.0::DOUBLE AS similarity "
                "WHERE false"
            )
            _copy(database, nothing, path, {})
            return
        values = {
            "counts": [str(folder.counts(n)) for n in shards],
            "pairs": pairs,
            "power": settings.target_power,
            "top": top,
        }
        _copy(database, _BEST, path, values)


def read_candidates(folder: JobFolder) -> dict[str, list[tuple[str, float]]]:
    """All candidates, (other, similarity), the best first, by item; for tests and small jobs."""
    files = [str(folder.candidates(part)) for part in range(folder.manifest().parts)]
    found: dict[str, list[tuple[str, float]]] = {}
    with _database(folder, "1GB", 1) as database:
        rows: Sequence[tuple[str, str, float]] = database.execute(
            "SELECT item, other, similarity FROM read_parquet(?) ORDER BY item, rank", [files]
        ).fetchall()
    for item, other, similarity in rows:
        found.setdefault(item, []).append((other, similarity))
    return found


def database_error() -> type[Exception]:
    """What DuckDB raises."""
    error: type[Exception] = import_module("duckdb").Error
    return error


def _database(folder: JobFolder, memory: str, threads: int) -> Any:
    folder.root.mkdir(parents=True, exist_ok=True)
    return import_module("duckdb").connect(
        config={
            "memory_limit": memory,
            "threads": threads,
            "temp_directory": str(folder.root / "spill"),
            "preserve_insertion_order": False,
        }
    )


def _copy(
    database: Any, query: str, path: Path, values: Mapping[str, object], options: str = ""
) -> None:
    name = str(path).replace("'", "''")
    wanted = ", ".join(filter(None, ("FORMAT parquet", options)))
    database.execute(f"COPY ({query}) TO '{name}' ({wanted})", dict(values))
