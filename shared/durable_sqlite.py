"""SQLite files whose commits outlast a crash."""

import sqlite3


def make_durable(connection: sqlite3.Connection, schema: str = "main") -> None:
    """Has a commit be on disk when it returns (https://sqlite.org/wal.html).

    Args:
        connection: To the file.
        schema: Of the file, where several are attached.

    Raises:
        sqlite3.Error: It is no SQLite file, or is damaged.
    """
    connection.execute(f"PRAGMA {schema}.journal_mode = WAL")
    connection.execute(f"PRAGMA {schema}.synchronous = FULL")
