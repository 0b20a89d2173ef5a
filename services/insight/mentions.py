"""Texts on disk, sealed: acknowledged when SQLite has them there, counted again at a start.

What is counted by (time, topics, product, brand, mood) stands in the clear; the text and its id are
sealed, and who wrote it is a keyed hash. An erased text leaves its counts behind, so that a restart
counts what was counted before.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import structlog

from services.insight.columns import joined, marked, to_cell
from services.insight.domain import BRAND, PRODUCT, TOPIC, Mention, Mood, Series, Whose
from services.insight.migration import seal_plain_texts
from services.insight.notice_book import SCHEMA as NOTICES
from services.insight.notice_book import NoticeBook
from shared.durable_sqlite import empty_log
from shared.privacy.sealed_file import open_sealed
from shared.privacy.sealing import UnsealError, passing_keys, read_or_make_keys

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS texts (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, at INTEGER NOT NULL,
    topics TEXT NOT NULL, product TEXT NOT NULL, brand TEXT NOT NULL, mood TEXT NOT NULL,
    writer BLOB, source BLOB, sealed BLOB);
CREATE INDEX IF NOT EXISTS texts_at ON texts (at);
CREATE INDEX IF NOT EXISTS texts_by_writer ON texts (writer) WHERE writer IS NOT NULL;
CREATE INDEX IF NOT EXISTS texts_by_source ON texts (source) WHERE source IS NOT NULL;
"""
_COUNTED: Final = "id, at, topics, product, brand, mood"
_INSERT: Final = (
    f"INSERT INTO texts ({_COUNTED}, writer, source, sealed)"  # noqa: S608 - columns
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
)
_SELECT: Final = f"SELECT sequence, sealed, {_COUNTED} FROM texts"  # noqa: S608 - likewise
_BETWEEN_TIMES: Final = f"{_SELECT} WHERE at >= ? AND at < ? AND mood = ? AND sealed IS NOT NULL"
_ERASE: Final = "UPDATE texts SET sealed = NULL, writer = NULL, source = NULL WHERE sequence = ?"
_FOUND: Final = (("id", "text"), ("writer", "user"), ("source", "source"))
"""Columns by which texts are found, and what their hashes are of."""
Rewrite = Callable[[bytes, Callable[[str, int], bool]], bytes | None]
"""Makes a notice anew without the examples of some ids and event times; None where it has none."""
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class MentionStore:
    """The file. Used by one thread at a time.

    Attributes:
        book: What was told of alerts.

    Args:
        path: The file; None keeps all in memory.
        key_file: Keys that seal it, made on first use; beside it where None.

    Raises:
        OSError: Its folder, or the key file, cannot be made.
        ValueError: The key file is not the one that it was written with, or is none.
        sqlite3.Error: It is no such file, or cannot be opened.
    """

    def __init__(self, path: Path | None, key_file: Path | None = None) -> None:
        ring = passing_keys()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            ring = read_or_make_keys(key_file or path.with_suffix(".key"))
        self._connection = sqlite3.connect(path or ":memory:", check_same_thread=False)
        self._sealed = open_sealed(self._connection, _SCHEMA + NOTICES, lambda: ring)
        self.book = NoticeBook(self._connection, self._sealed)
        seal_plain_texts(self._connection, self._insert, self.book.seal_plain)

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
        with self._connection:
            return [self._insert(each) for each in mentions]

    def replay(self, size: int = 2_000) -> Iterator[list[Mention]]:
        """Gives what is counted of all texts, in the order in which they came.

        Texts are not opened: ids are those of rows, and texts empty.
        """
        after = 0
        while True:
            rows = self._connection.execute(
                f"{_SELECT} WHERE sequence > ? ORDER BY sequence LIMIT ?", (after, size)
            ).fetchall()
            if not rows:
                return
            after = rows[-1][0]
            yield [_counted(row) for row in rows]

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
        found = [mention for _, mention in self._opened(rows)]
        return sorted(found, key=lambda each: (-each.at_ms, each.id))

    def find(self, whose: Whose, after: int, limit: int) -> list[tuple[int, Mention]]:
        """Returns texts behind a place that somebody wrote, in the order in which they came.

        Args:
            whose: Which.
            after: Place; 0 for the first.
            limit: Most texts.

        Returns:
            Each with its place.
        """
        rows = {row[0]: row for row in self._rows(whose, after, limit)}
        return list(self._opened([rows[place] for place in sorted(rows)][:limit]))

    def erase(self, whose: Whose, rewrite: Rewrite) -> int:
        """Erases texts, also from notices; gone from disk when it returns. Counts stay.

        Args:
            whose: Which.
            rewrite: Takes their examples out of a notice.

        Returns:
            How many.

        Raises:
            sqlite3.Error: They cannot be erased; then none is.
        """
        with self._connection:
            rows = {row[0]: row for row in self._rows(whose, 0, -1)}
            ids = {mention.id for _, mention in self._opened(list(rows.values()))}
            self._connection.executemany(_ERASE, [(place,) for place in rows])
            if rows:
                self.book.rewrite(lambda body: rewrite(body, lambda name, _: name in ids))
        if rows:
            empty_log(self._connection)
        return len(rows)

    def drop_before(self, at_ms: int, rewrite: Rewrite) -> int:
        """Deletes texts that were written before a time, as `erase`, and what they counted."""
        with self._connection:
            done = self._connection.execute("DELETE FROM texts WHERE at < ?", (at_ms,)).rowcount
            if done:
                self.book.rewrite(lambda body: rewrite(body, lambda _, at: at < at_ms))
        if done:
            empty_log(self._connection)
        self._sealed.renew()
        return done

    def _insert(self, each: Mention) -> bool:
        digest, cell = self._sealed.digest("text", each.id), each.cell
        topics = joined(cell.topics)
        text = json.dumps([each.id, each.text, each.score, each.language], ensure_ascii=False)
        row = self._connection.execute(
            _INSERT,
            (
                *(digest, each.at_ms, topics, cell.product_id, cell.brand, each.mood.value),
                self._sealed.digest("user", each.user_id) if each.user_id else None,
                self._sealed.digest("source", each.source_id) if each.source_id else None,
                self._sealed.seal(text.encode(), digest),
            ),
        )
        return row.rowcount == 1

    def _rows(self, whose: Whose, after: int, limit: int) -> Iterator[Sequence[Any]]:
        for (column, kind), names in zip(_FOUND, whose.by_kind(), strict=True):
            for name in names:
                yield from self._connection.execute(
                    f"{_SELECT} WHERE {column} = ? AND sealed IS NOT NULL AND sequence > ?"
                    " ORDER BY sequence LIMIT ?",
                    (self._sealed.digest(kind, name), after, limit),
                ).fetchall()

    def _opened(self, rows: Sequence[Sequence[Any]]) -> Iterator[tuple[int, Mention]]:
        for row in rows:
            sequence, sealed, digest, at, *_ = row
            try:
                name, text, score, language = json.loads(self._sealed.open(sealed, digest))
            except UnsealError:
                _log.warning("text_unreadable", sequence=sequence)
                continue
            counted = _counted(row)
            yield sequence, Mention(name, at, text, counted.cell, counted.mood, score, language)


def _counted(row: Sequence[Any]) -> Mention:
    _, _, digest, at, topics, product, brand, mood = row
    return Mention(digest.hex(), at, "", to_cell(topics, product, brand), Mood(mood))


def _condition(series: Series) -> tuple[str, tuple[str, ...]]:
    if series.dimension == TOPIC:
        return " AND instr(topics, ?) > 0", (marked(series.value),)
    column = {PRODUCT: "product", BRAND: "brand"}.get(series.dimension)
    return (f" AND {column} = ?", (series.value,)) if column else ("", ())
