"""Conversations on disk, sealed: an SQLite file whose writes are there before they are told."""

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TypeVar

import structlog

from services.assistant.conversation import Conversation
from services.assistant.records import from_bytes, to_bytes
from shared.errors import UnavailableError
from shared.privacy.sealed_file import change, open_sealed
from shared.privacy.sealed_rows import SealedRows
from shared.privacy.sealing import KeyRing, UnsealError

FILE: Final = "conversations.sqlite"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS conversations (
    place BLOB NOT NULL UNIQUE, who BLOB NOT NULL, touched REAL NOT NULL, sealed BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS conversations_by_who ON conversations (who);
CREATE INDEX IF NOT EXISTS conversations_by_time ON conversations (touched);
"""
_WRITE: Final = """
INSERT INTO conversations VALUES (?, ?, ?, ?) ON CONFLICT (place) DO UPDATE
    SET who = excluded.who, touched = excluded.touched, sealed = excluded.sealed
"""
_T = TypeVar("_T")
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Archive:
    """The file. Not for two threads at once.

    Args:
        folder: Where it is; another lock holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._connection: sqlite3.Connection | None = None
        self._sealed: SealedRows | None = None

    def open(self, ring: KeyRing) -> None:
        """Opens the file, made where it is not there; does nothing where it is open.

        Raises:
            UnavailableError: It is damaged, or cannot be read.
            ValueError: The keys are not those that it was written with.
        """
        if self._connection is not None:
            return
        connection = sqlite3.connect(self._path, check_same_thread=False, timeout=10)
        try:
            self._sealed = open_sealed(connection, _SCHEMA, lambda: ring)
        except sqlite3.Error as error:
            connection.close()
            raise UnavailableError(f"conversations cannot be read: {error}") from error
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def since(self, at: float, most: int) -> list[Conversation]:
        """Returns conversations touched since a time, the last so many, oldest first.

        Those that are damaged are left out.

        Raises:
            UnavailableError: The file cannot be read.
        """
        return self._do(
            lambda connection, sealed: _opened(
                sealed,
                connection.execute(
                    "SELECT place, sealed FROM (SELECT * FROM conversations WHERE touched >= ?"
                    " ORDER BY touched DESC LIMIT ?) ORDER BY touched",
                    (at, most),
                ).fetchall(),
            )
        )

    def write(self, conversation: Conversation) -> None:
        """Writes a conversation as it is now; durable when it returns.

        Raises:
            UnavailableError: It cannot be written.
        """

        def write(connection: sqlite3.Connection, sealed: SealedRows) -> None:
            place = _place(sealed, conversation.user_id, conversation.conversation_id)
            who = sealed.digest("actor", conversation.actor)
            text = sealed.seal(to_bytes(conversation), place)
            connection.execute(_WRITE, (place, who, conversation.touched, text))

        self._do(write)

    def of(self, actors: Iterable[str], after: int, limit: int) -> tuple[list[Conversation], int]:
        """Returns conversations of users and visitors behind a row, and the last row of these.

        Args:
            actors: As by `actor_of`.
            after: Row; 0 for the first.
            limit: Most rows.

        Returns:
            What can be read of them, and the row; 0 where there are none behind `after`.

        Raises:
            UnavailableError: The file cannot be read.
        """

        def of(
            connection: sqlite3.Connection, sealed: SealedRows
        ) -> tuple[list[Conversation], int]:
            rows: list[tuple[int, bytes, bytes]] = []
            for who in [sealed.digest("actor", actor) for actor in actors]:
                rows += connection.execute(
                    "SELECT rowid, place, sealed FROM conversations WHERE who = ? AND rowid > ?"
                    " ORDER BY rowid LIMIT ?",
                    (who, after, limit),
                ).fetchall()
            page = sorted(rows)[:limit]
            found = _opened(sealed, [(place, text) for _, place, text in page])
            return found, page[-1][0] if page else 0

        return self._do(of)

    def delete(self, user_id: str, conversation_id: str) -> bool:
        """Deletes a conversation; gone from disk when it returns. Returns whether there was one.

        Raises:
            UnavailableError: The file cannot be written.
        """

        def delete(connection: sqlite3.Connection, sealed: SealedRows) -> int:
            place = _place(sealed, user_id, conversation_id)
            return connection.execute(
                "DELETE FROM conversations WHERE place = ?", (place,)
            ).rowcount

        return self._do(delete, wiped=True) > 0

    def forget(self, actors: Iterable[str]) -> int:
        """Deletes conversations of users and visitors; as `delete`. Returns how many."""
        who = list(actors)

        def forget(connection: sqlite3.Connection, sealed: SealedRows) -> int:
            rows = [(sealed.digest("actor", actor),) for actor in who]
            return connection.executemany("DELETE FROM conversations WHERE who = ?", rows).rowcount

        return self._do(forget, wiped=True)

    def prune(self, before: float, most: int) -> int:
        """Deletes what was last touched before a time, and what is too much; as `forget`.

        Args:
            before: In seconds since 1970.
            most: Conversations that stay; those touched last do.
        """

        def prune(connection: sqlite3.Connection, _: SealedRows) -> int:
            return connection.execute(
                "DELETE FROM conversations WHERE touched < ? OR rowid IN"
                " (SELECT rowid FROM conversations ORDER BY touched DESC LIMIT -1 OFFSET ?)",
                (before, most),
            ).rowcount

        gone = self._do(prune, wiped=True)
        if self._sealed is not None:
            self._sealed.renew()
        return gone

    def close(self) -> None:
        """Closes the file; does nothing where it is closed."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _do(
        self, job: Callable[[sqlite3.Connection, SealedRows], _T], *, wiped: bool = False
    ) -> _T:
        """Does something in one transaction; see `change`."""
        connection, sealed = self._connection, self._sealed
        if connection is None or sealed is None:
            raise UnavailableError("conversations are being opened")
        try:
            return change(connection, sealed, job, wiped=wiped)
        except sqlite3.Error as error:
            raise UnavailableError(f"conversations cannot be kept: {error}") from error


def _place(sealed: SealedRows, user_id: str, conversation_id: str) -> bytes:
    return sealed.digest("conversation", user_id, conversation_id)


def _opened(sealed: SealedRows, rows: Iterable[tuple[bytes, bytes]]) -> list[Conversation]:
    found: list[Conversation] = []
    for place, text in rows:
        try:
            found.append(from_bytes(sealed.open(text, place)))
        except (UnsealError, ValueError):
            _log.warning("conversation_unreadable")
    return found
