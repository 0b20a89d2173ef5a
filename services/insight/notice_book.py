"""What was told of alerts, sealed: a restart tells nothing twice, and who was away goes on.

Notices hold example texts, so they are sealed as texts are.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import structlog

from shared.privacy.sealed_rows import SealedRows
from shared.privacy.sealing import UnsealError

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS alerts (id TEXT PRIMARY KEY, told TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS notices (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, alert TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS places (name TEXT PRIMARY KEY, sequence INTEGER NOT NULL);
"""
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class NoticeBook:
    """The tables of notices. Used by one thread at a time.

    Args:
        connection: To the file.
        sealed: Its keys.
    """

    def __init__(self, connection: sqlite3.Connection, sealed: SealedRows) -> None:
        self._connection = connection
        self._sealed = sealed

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
                    "INSERT INTO notices (alert, body) VALUES (?, ?)",
                    (alert, self._sealed.seal(body, _belongs(alert))),
                )
                places.append(row.lastrowid or 0)
        return places

    def after(self, place: int, limit: int) -> list[tuple[int, bytes]]:
        """Returns notices behind a place, oldest first; damaged ones are left out."""
        rows = self._connection.execute(
            "SELECT sequence, alert, body FROM notices WHERE sequence > ? ORDER BY sequence"
            " LIMIT ?",
            (place, limit),
        ).fetchall()
        return [(sequence, body) for sequence, _, body in self._opened(rows)]

    def last(self) -> int:
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

    def rewrite(self, change: Callable[[bytes], bytes | None]) -> None:
        """Changes notices, inside the caller's transaction.

        Args:
            change: Returns a notice as it is to be; None to leave it as it is.
        """
        rows = self._connection.execute("SELECT sequence, alert, body FROM notices").fetchall()
        for sequence, alert, body in self._opened(rows):
            if (changed := change(body)) is not None:
                self._put(sequence, alert, changed)

    def seal_plain(self) -> None:
        """Seals notices of before they were, inside the caller's transaction."""
        rows = self._connection.execute("SELECT sequence, alert, body FROM notices").fetchall()
        for sequence, alert, body in rows:
            self._put(sequence, alert, body)

    def _put(self, sequence: int, alert: str, body: bytes) -> None:
        sealed = self._sealed.seal(body, _belongs(alert))
        self._connection.execute(
            "UPDATE notices SET body = ? WHERE sequence = ?", (sealed, sequence)
        )

    def _opened(self, rows: Sequence[tuple[int, str, bytes]]) -> Iterator[tuple[int, str, bytes]]:
        for sequence, alert, body in rows:
            try:
                yield sequence, alert, self._sealed.open(body, _belongs(alert))
            except UnsealError:
                _log.warning("notice_unreadable", sequence=sequence)


def _belongs(alert: str) -> bytes:
    return f"notice of {alert}".encode()
