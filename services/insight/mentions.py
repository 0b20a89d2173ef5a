"""Texts on disk: acknowledged when SQLite has them there, read again when the service starts.

Also what was last told of each alert, and the notices in the order in which they were told, so that
a restart tells nothing twice and whoever was away can go on where they stopped.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from services.insight.domain import BRAND, PRODUCT, TOPIC, Cell, Mention, Mood, Series
from shared.durable_sqlite import make_durable

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS mentions (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL,
    topics TEXT NOT NULL, product TEXT NOT NULL, brand TEXT NOT NULL,
    mood TEXT NOT NULL, score REAL NOT NULL, language TEXT NOT NULL, text TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS mentions_at ON mentions (at);
CREATE TABLE IF NOT EXISTS alerts (id TEXT PRIMARY KEY, told TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS notices (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, alert TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS places (name TEXT PRIMARY KEY, sequence INTEGER NOT NULL);
"""
_COLUMNS: Final = "id, at, topics, product, brand, mood, score, language, text"
_INSERT: Final = (
    f"INSERT INTO mentions ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - columns
    " ON CONFLICT (id) DO NOTHING"
)
_SELECT: Final = f"SELECT {_COLUMNS} FROM mentions"  # noqa: S608 - no value from outside
_BEHIND: Final = (
    f"SELECT sequence, {_COLUMNS} FROM mentions"  # noqa: S608 - likewise
    " WHERE sequence > ? ORDER BY sequence LIMIT ?"
)
_BETWEEN_TIMES: Final = f"{_SELECT} WHERE at >= ? AND at < ? AND mood = ?"
_BETWEEN: Final = "|"


class MentionStore:
    """The file. Used by one thread at a time.

    Args:
        path: The file; None keeps all in memory.

    Raises:
        OSError: Its folder cannot be made.
        sqlite3.Error: It is no such file, or cannot be opened.
    """

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path or ":memory:", check_same_thread=False)
        make_durable(self._connection)
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def append(self, mentions: Sequence[Mention]) -> list[bool]:
        """Keeps texts; all are on disk when it returns.

        Returns:
            Whether each was new; a text whose id is known is not kept again.

        Raises:
            sqlite3.Error: They cannot be written; then none is.
        """
        new: list[bool] = []
        with self._connection:
            for each in mentions:
                row = self._connection.execute(_INSERT, _row(each))
                new.append(row.rowcount == 1)
        return new

    def replay(self, size: int = 2_000) -> Iterator[list[Mention]]:
        """Gives all texts in the order in which they came."""
        after = 0
        while True:
            rows = self._connection.execute(_BEHIND, (after, size)).fetchall()
            if not rows:
                return
            after = rows[-1][0]
            yield [_mention(row[1:]) for row in rows]

    def negatives(self, series: Series, first_ms: int, end_ms: int, limit: int) -> list[Mention]:
        """Returns negative texts of a series that were written in [first_ms, end_ms).

        Args:
            series: Whose.
            first_ms: Milliseconds since 1970.
            end_ms: Likewise.
            limit: Most texts; the newest are taken.
        """
        where, value = _condition(series)
        rows = self._connection.execute(
            f"{_BETWEEN_TIMES}{where} ORDER BY at DESC, id LIMIT ?",
            (first_ms, end_ms, Mood.NEGATIVE.value, *value, limit),
        ).fetchall()
        return [_mention(row) for row in rows]

    def drop_before(self, at_ms: int) -> int:
        """Deletes texts that were written before a time; returns how many."""
        with self._connection:
            done = self._connection.execute("DELETE FROM mentions WHERE at < ?", (at_ms,))
        return done.rowcount

    def told(self) -> dict[str, str]:
        """Returns what was last told of each alert, by its id."""
        return dict(self._connection.execute("SELECT id, told FROM alerts").fetchall())

    def tell(
        self, notices: Sequence[tuple[str, str | None, bytes]], gone: Sequence[str] = ()
    ) -> list[int]:
        """Keeps what is told of alerts.

        Args:
            notices: Of each the alert's id, what is compared with next time (None where the alert
                is withdrawn), and the notice as it is sent.
            gone: Ids under which some of them were told before.

        Returns:
            The place of each notice; places rise.
        """
        places: list[int] = []
        with self._connection:
            self._connection.executemany("DELETE FROM alerts WHERE id = ?", [(n,) for n in gone])
            for alert, told, body in notices:
                if told is None:
                    self._connection.execute("DELETE FROM alerts WHERE id = ?", (alert,))
                else:
                    self._connection.execute(
                        "INSERT INTO alerts VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET told = ?",
                        (alert, told, told),
                    )
                row = self._connection.execute(
                    "INSERT INTO notices (alert, body) VALUES (?, ?)", (alert, body)
                )
                places.append(row.lastrowid or 0)
        return places

    def notices(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Returns notices behind a place, oldest first."""
        return self._connection.execute(
            "SELECT sequence, body FROM notices WHERE sequence > ? ORDER BY sequence LIMIT ?",
            (after, limit),
        ).fetchall()

    def last_notice(self) -> int:
        """Returns the place of the newest notice; 0 for none."""
        row = self._connection.execute("SELECT MAX(sequence) FROM notices").fetchone()
        return row[0] or 0

    def place(self, name: str) -> int | None:
        """Returns how far a reader of notices is; None where it is not known."""
        row = self._connection.execute(
            "SELECT sequence FROM places WHERE name = ?", (name,)
        ).fetchone()
        return row[0] if row else None

    def set_place(self, name: str, sequence: int) -> None:
        """Keeps how far a reader of notices is."""
        with self._connection:
            self._connection.execute(
                "INSERT INTO places VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET sequence = ?",
                (name, sequence, sequence),
            )


def _row(each: Mention) -> tuple[object, ...]:
    cell = each.cell
    topics = "".join(f"{_BETWEEN}{topic}" for topic in cell.topics) + _BETWEEN
    about = (topics, cell.product_id, cell.brand)
    return (each.id, each.at_ms, *about, each.mood.value, each.score, each.language, each.text)


def _mention(row: Sequence[object]) -> Mention:
    name, at, topics, product, brand, mood, score, language, text = row
    cell = Cell(tuple(t for t in str(topics).split(_BETWEEN) if t), str(product), str(brand))
    read = float(score) if isinstance(score, int | float) else 0.0
    when = int(at) if isinstance(at, int) else 0
    return Mention(str(name), when, str(text), cell, Mood(mood), read, str(language))


def _condition(series: Series) -> tuple[str, tuple[str, ...]]:
    if series.dimension == TOPIC:
        return " AND instr(topics, ?) > 0", (f"{_BETWEEN}{series.value}{_BETWEEN}",)
    column = {PRODUCT: "product", BRAND: "brand"}.get(series.dimension)
    return (f" AND {column} = ?", (series.value,)) if column else ("", ())
