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


def overwrite_deleted(connection: sqlite3.Connection, schema: str = "main") -> None:
    """Has what is deleted from now on be overwritten with zeros.

    Args:
        connection: To the file.
        schema: Of the file, where several are attached.
    """
    connection.execute(f"PRAGMA {schema}.secure_delete = ON")


def empty_log(connection: sqlite3.Connection, schema: str = "main") -> bool:
    """Empties the write-ahead log into the file: it may hold what was deleted.

    Args:
        connection: To the file; no transaction is open.
        schema: Of the file, where several are attached.

    Returns:
        Whether nobody was reading, so that nothing of it is left.
    """
    return not connection.execute(f"PRAGMA {schema}.wal_checkpoint(TRUNCATE)").fetchone()[0]
