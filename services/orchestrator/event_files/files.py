"""The two SQLite files of the log: sealed events, and the keys that open them.

They are two so that they can be kept apart in backups: an old backup of the events cannot be read
once the keys of its users are gone.
"""

import sqlite3
from pathlib import Path
from typing import Final

from shared.durable_sqlite import empty_log, make_durable, overwrite_deleted

_EVENTS: Final = """
CREATE TABLE IF NOT EXISTS sealed_events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    subject INTEGER NOT NULL,
    at REAL NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS sealed_by_subject ON sealed_events (subject, at, id);
CREATE INDEX IF NOT EXISTS sealed_by_time ON sealed_events (at, id);
CREATE TABLE IF NOT EXISTS forgotten (
    sequence INTEGER PRIMARY KEY,
    alias BLOB NOT NULL,
    is_user INTEGER NOT NULL,
    purposes INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS log (id TEXT NOT NULL);
"""
_KEYS: Final = """
CREATE TABLE IF NOT EXISTS keys.subjects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    alias BLOB NOT NULL UNIQUE,
    sealed BLOB NOT NULL,
    refused INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS keys.secrets (name TEXT PRIMARY KEY, sealed BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS keys.erased (
    who BLOB PRIMARY KEY,
    at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys.unfinished (
    subject INTEGER PRIMARY KEY,
    alias BLOB NOT NULL,
    is_user INTEGER NOT NULL
);
"""


def keys_path(path: Path) -> Path:
    """Returns the file of the keys that belongs to a file of events."""
    return path.with_suffix(f".keys{path.suffix}")


def connect(path: Path) -> sqlite3.Connection:
    """Opens both files, made where they are not there.

    Raises:
        sqlite3.Error: One of them is no SQLite file, or is damaged.
    """
    connection = sqlite3.connect(path, check_same_thread=False, timeout=10)
    try:
        connection.execute("ATTACH DATABASE ? AS keys", (str(keys_path(path)),))
        for schema in ("main", "keys"):
            make_durable(connection, schema)
            overwrite_deleted(connection, schema)
        connection.executescript(_KEYS + _EVENTS)
    except BaseException:
        connection.close()
        raise
    return connection


def wipe_traces(connection: sqlite3.Connection) -> bool:
    """Empties the write-ahead logs into the files: they may hold what is erased.

    Returns:
        Whether nobody was reading, so that nothing of them is left.
    """
    emptied = [empty_log(connection, schema) for schema in ("main", "keys")]
    return all(emptied)
