"""Where what was learnt is kept: an SQLite file whose writes are on disk before they are told.

One process has it at a time; what a crash leaves half written SQLite's log takes back. Whose
questions they were stands there as keyed hashes, to find them by when a user is to be erased.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from services.assistant.learnt import Learnt, Source
from shared.errors import ResourceExhaustedError, UnavailableError
from shared.folder_lock import FolderLock
from shared.privacy.sealed_file import change, open_sealed
from shared.privacy.sealed_rows import SealedRows
from shared.privacy.sealing import KeyRing

FILE: Final = "learnt.sqlite"
_COLUMNS: Final = "key, question, language, intent, answer_id, answer, source, learnt_ms, learnt_by"
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS learnt (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    question TEXT NOT NULL,
    language TEXT NOT NULL,
    intent TEXT NOT NULL,
    answer_id TEXT NOT NULL,
    answer TEXT NOT NULL,
    source TEXT NOT NULL,
    learnt_ms INTEGER NOT NULL DEFAULT 0,
    learnt_by TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS asked_by (
    who BLOB NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (who, key)
) WITHOUT ROWID;
"""
_ADDED: Final = {
    "learnt_ms": "INTEGER NOT NULL DEFAULT 0",
    "learnt_by": "TEXT NOT NULL DEFAULT ''",
}
"""Columns that files of before do not have."""
_WRITE: Final = f"""
INSERT INTO learnt ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET question = excluded.question, intent = excluded.intent,
    answer_id = excluded.answer_id, answer = excluded.answer, source = excluded.source,
    learnt_ms = excluded.learnt_ms, learnt_by = excluded.learnt_by
"""  # noqa: S608 - names of ours
_T = TypeVar("_T")


class LearntStore:
    """What was learnt, in a folder. Not for two threads at once.

    Args:
        folder: Made when it is not there.
        most: Examples kept; further ones are refused.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self._folder = folder
        self._most = most
        self._lock = FolderLock(folder, "what the assistant learnt")
        self._connection: sqlite3.Connection | None = None
        self._sealed: SealedRows | None = None

    def open(self, keys: Callable[[], KeyRing]) -> list[Learnt]:
        """Opens the file and returns what is in it, oldest first.

        Args:
            keys: Reads the key file, once the folder is this process's.

        Raises:
            FolderInUseError: Another process has it.
            UnavailableError: It is damaged, or cannot be read.
            ValueError: The key file is not the one that it was written with, or is none.
        """
        self._lock.acquire()
        try:
            connection = sqlite3.connect(self._folder / FILE, check_same_thread=False, timeout=10)
            self._connection = connection
            self._sealed = open_sealed(connection, _TABLES, keys, upgrade=_add_columns)
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM learnt ORDER BY number"  # noqa: S608 - names of ours
            ).fetchall()
        except sqlite3.Error as error:
            self.close()
            raise UnavailableError(f"what was learnt cannot be read: {error}") from error
        except BaseException:
            self.close()
            raise
        return [_learnt(row) for row in rows]

    def write(self, examples: Sequence[Learnt]) -> int:
        """Writes examples, all or none; durable when it returns.

        Returns:
            How many of them are new or changed; the others stood there already.

        Raises:
            ResourceExhaustedError: There are too many.
            UnavailableError: They cannot be written.
        """

        def write(connection: sqlite3.Connection, sealed: SealedRows) -> int:
            changed = [each for each in examples if self._read(connection, each.key) != each]
            connection.executemany(_WRITE, [_row(each) for each in changed])
            connection.executemany(
                "INSERT OR IGNORE INTO asked_by VALUES (?, ?)",
                [(_who(sealed, each.asker), each.key) for each in examples if each.asker],
            )
            (count,) = connection.execute("SELECT count(*) FROM learnt").fetchone()
            if count > self._most:
                raise ResourceExhaustedError(
                    f"at most {self._most:,} examples are kept", retry_after_seconds=3600
                )
            return len(changed)

        return self._change(write)

    def delete(self, keys: Iterable[str]) -> list[str]:
        """Deletes examples, all of those that are there; gone from disk when it returns.

        Returns:
            The keys of those that were there.

        Raises:
            UnavailableError: The file cannot be written.
        """
        wanted = [(key,) for key in dict.fromkeys(keys)]

        def delete(connection: sqlite3.Connection, _: SealedRows) -> list[str]:
            find = "SELECT key FROM learnt WHERE key = ?"
            found = [each for each in wanted if connection.execute(find, each).fetchone()]
            connection.executemany("DELETE FROM learnt WHERE key = ?", found)
            connection.executemany("DELETE FROM asked_by WHERE key = ?", found)
            return [key for (key,) in found]

        return self._change(delete, wiped=True)

    def asked(self, actors: Iterable[str]) -> list[str]:
        """Returns the keys of what was learnt from questions of some users or visitors.

        Args:
            actors: As by `actor_of`.

        Raises:
            UnavailableError: The file cannot be read.
        """
        return self._change(lambda connection, sealed: _asked(connection, sealed, actors))

    def forget(self, actors: Iterable[str]) -> list[str]:
        """Erases users and visitors, and what was learnt from questions of nobody else.

        Args:
            actors: As by `actor_of`.

        Returns:
            The keys of what was deleted.

        Raises:
            UnavailableError: The file cannot be written.
        """
        who = list(actors)

        def forget(connection: sqlite3.Connection, sealed: SealedRows) -> list[str]:
            theirs = _asked(connection, sealed, who)
            digests = [(_who(sealed, actor),) for actor in who]
            connection.executemany("DELETE FROM asked_by WHERE who = ?", digests)
            others = "SELECT 1 FROM asked_by WHERE key = ?"
            gone = [(key,) for key in theirs if not connection.execute(others, (key,)).fetchone()]
            connection.executemany("DELETE FROM learnt WHERE key = ?", gone)
            return [key for (key,) in gone]

        return self._change(forget, wiped=True)

    def close(self) -> None:
        """Closes the file; does nothing where it is closed."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._lock.release()

    def _change(
        self, job: Callable[[sqlite3.Connection, SealedRows], _T], *, wiped: bool = False
    ) -> _T:
        """Does something in one transaction; see `change`."""
        connection, sealed = self._connection, self._sealed
        if connection is None or sealed is None:
            raise UnavailableError("what was learnt is being opened")
        try:
            return change(connection, sealed, job, wiped=wiped)
        except sqlite3.Error as error:
            raise UnavailableError(f"what was learnt cannot be written: {error}") from error

    @staticmethod
    def _read(connection: sqlite3.Connection, key: str) -> Learnt | None:
        row = connection.execute(
            f"SELECT {_COLUMNS} FROM learnt WHERE key = ?",  # noqa: S608 - names of ours
            (key,),
        ).fetchone()
        return _learnt(row) if row else None


def _add_columns(connection: sqlite3.Connection) -> None:
    known = {row[1] for row in connection.execute("PRAGMA table_info(learnt)").fetchall()}
    with connection:
        for name, kind in _ADDED.items():
            if name not in known:
                connection.execute(f"ALTER TABLE learnt ADD COLUMN {name} {kind}")


def _asked(connection: sqlite3.Connection, sealed: SealedRows, actors: Iterable[str]) -> list[str]:
    found: dict[str, None] = {}
    for actor in actors:
        rows = connection.execute(
            "SELECT key FROM asked_by WHERE who = ?", (_who(sealed, actor),)
        ).fetchall()
        found |= dict.fromkeys(key for (key,) in rows)
    return list(found)


def _who(sealed: SealedRows, actor: str) -> bytes:
    return sealed.digest("actor", actor)


def _row(e: Learnt) -> tuple[Any, ...]:
    said = (e.question, e.language, e.intent, e.answer_id, e.answer)
    return (e.key, *said, e.source, e.learnt_ms, e.learnt_by)


def _learnt(row: tuple[Any, ...]) -> Learnt:
    key, question, language, intent, answer_id, answer, source, learnt_ms, learnt_by = row
    return Learnt(
        key, question, language, intent, answer_id, answer, Source(source), learnt_ms, learnt_by
    )
