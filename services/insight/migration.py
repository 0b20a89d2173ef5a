"""Takes over a file of before texts were sealed: plain rows become sealed ones, then are wiped."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final

from services.insight.columns import to_cell
from services.insight.domain import Mention, Mood
from shared.durable_sqlite import empty_log

_CHUNK: Final = 2_000


def seal_plain_texts(
    connection: sqlite3.Connection,
    insert: Callable[[Mention], bool],
    seal_notices: Callable[[], None],
) -> int:
    """Seals what a file holds in the tables of before; returns how many texts it did.

    A process that dies on the way goes on where it stopped at the next start.

    Args:
        connection: To the file; no transaction is open.
        insert: Keeps a text, sealed, inside a transaction.
        seal_notices: Seals the notices, likewise.
    """
    if not _has_plain_texts(connection):
        return 0
    count = 0
    while rows := connection.execute(
        "SELECT sequence, id, at, topics, product, brand, mood, score, language, text"
        " FROM mentions ORDER BY sequence LIMIT ?",
        (_CHUNK,),
    ).fetchall():
        with connection:
            for row in rows:
                insert(_mention(row[1:]))
            connection.executemany("DELETE FROM mentions WHERE sequence = ?", [r[:1] for r in rows])
        count += len(rows)
    with connection:
        connection.execute("BEGIN")  # notices are sealed once: with the table goes the sign of it
        seal_notices()
        connection.execute("DROP TABLE mentions")
    connection.execute("VACUUM")
    empty_log(connection)
    return count


def _has_plain_texts(connection: sqlite3.Connection) -> bool:
    found = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'mentions'"
    ).fetchone()
    return found is not None


def _mention(row: Sequence[Any]) -> Mention:
    name, at, topics, product, brand, mood, score, language, text = row
    return Mention(name, at, text, to_cell(topics, product, brand), Mood(mood), score, language)
