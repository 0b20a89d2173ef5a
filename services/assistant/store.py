"""Where what was learnt is kept: an SQLite file whose writes are on disk before they are told.

One process has it at a time; what a crash leaves half written SQLite's log takes back.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from services.assistant.learnt import Learnt, Source
from shared.durable_sqlite import make_durable
from shared.errors import ResourceExhaustedError, UnavailableError
from shared.folder_lock import FolderLock

FILE: Final = "learnt.sqlite"
_COLUMNS: Final = "key, question, language, intent, answer_id, answer, source"
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS learnt (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    question TEXT NOT NULL,
    language TEXT NOT NULL,
    intent TEXT NOT NULL,
    answer_id TEXT NOT NULL,
    answer TEXT NOT NULL,
    source TEXT NOT NULL
)
"""
_WRITE: Final = f"""
INSERT INTO learnt ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET question = excluded.question, intent = excluded.intent,
    answer_id = excluded.answer_id, answer = excluded.answer, source = excluded.source
"""  # noqa: S608 - names of ours


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

    def open(self) -> list[Learnt]:
        """Opens the file and returns what is in it, oldest first.

        Raises:
            FolderInUseError: Another process has it.
            UnavailableError: It is damaged, or cannot be read.
        """
        self._lock.acquire()
        try:
            connection = sqlite3.connect(self._folder / FILE, check_same_thread=False, timeout=10)
            self._connection = connection
            make_durable(connection)
            connection.execute(_TABLE)
            connection.commit()
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM learnt ORDER BY number"  # noqa: S608 - names of ours
            ).fetchall()
        except sqlite3.Error as error:
            self.close()
            raise UnavailableError(f"what was learnt cannot be read: {error}") from error
        return [_learnt(row) for row in rows]

    def write(self, examples: Sequence[Learnt]) -> int:
        """Writes examples, all or none; durable when it returns.

        Returns:
            How many of them are new or changed; the others stood there already.

        Raises:
            ResourceExhaustedError: There are too many.
            UnavailableError: They cannot be written.
        """
        connection = self._connection
        if connection is None:
            raise UnavailableError("what was learnt is being opened")
        try:
            with connection:
                changed = [each for each in examples if self._read(connection, each.key) != each]
                connection.executemany(
                    _WRITE,
                    [
                        (e.key, e.question, e.language, e.intent, e.answer_id, e.answer, e.source)
                        for e in changed
                    ],
                )
                (count,) = connection.execute("SELECT count(*) FROM learnt").fetchone()
                if count > self._most:
                    raise ResourceExhaustedError(
                        f"at most {self._most:,} examples are kept", retry_after_seconds=3600
                    )
        except sqlite3.Error as error:
            raise UnavailableError(f"what was learnt cannot be written: {error}") from error
        return len(changed)

    def close(self) -> None:
        """Closes the file; does nothing where it is closed."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._lock.release()

    @staticmethod
    def _read(connection: sqlite3.Connection, key: str) -> Learnt | None:
        row = connection.execute(
            f"SELECT {_COLUMNS} FROM learnt WHERE key = ?",  # noqa: S608 - names of ours
            (key,),
        ).fetchone()
        return _learnt(row) if row else None


def _learnt(row: tuple[Any, ...]) -> Learnt:
    key, question, language, intent, answer_id, answer, source = row
    return Learnt(key, question, language, intent, answer_id, answer, Source(source))
