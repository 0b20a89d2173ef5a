"""SQLite files with sealed rows: how they are opened, and how what is deleted leaves no trace."""

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from shared.durable_sqlite import empty_log, make_durable, overwrite_deleted
from shared.privacy.sealed_rows import SealedRows
from shared.privacy.sealing import KeyRing

_T = TypeVar("_T")


def open_sealed(
    connection: sqlite3.Connection,
    schema: str,
    keys: Callable[[], KeyRing],
    *,
    upgrade: Callable[[sqlite3.Connection], None] | None = None,
) -> SealedRows:
    """Makes tables where they are not there, and returns what seals their rows.

    Args:
        connection: To the file; no transaction is open.
        schema: Of the tables.
        keys: Reads the key file.
        upgrade: Brings tables of before up to date.

    Raises:
        ValueError: The key file does not open the file's keys.
        sqlite3.Error: It is no SQLite file, or is damaged.
    """
    make_durable(connection)
    overwrite_deleted(connection)
    connection.executescript(schema)
    if upgrade is not None:
        upgrade(connection)
    sealed = SealedRows(connection, keys())
    empty_log(connection)  # a process that died may have left there what it erased
    return sealed


def change(
    connection: sqlite3.Connection,
    sealed: SealedRows,
    job: Callable[[sqlite3.Connection, SealedRows], _T],
    *,
    wiped: bool = False,
) -> _T:
    """Does something in one transaction.

    Args:
        connection: To the file.
        sealed: What seals its rows.
        job: Is given both.
        wiped: Whether what it deletes is to be gone from the file's log as well.

    Raises:
        sqlite3.Error: It cannot be done; then nothing is.
    """
    before = connection.total_changes
    with connection:
        found = job(connection, sealed)
    if wiped and connection.total_changes > before:
        empty_log(connection)
    return found
