"""Copies SQLite files that belong together as they are at one moment, while others write."""

import sqlite3
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

_LOCK_SECONDS: Final = 60.0


def copy_databases(copies: Mapping[Path, Path]) -> None:
    """Copies files at one moment.

    Writers wait for the moment in which the read transactions begin, and not for the copying.

    Args:
        copies: Where each file is copied to.

    Raises:
        sqlite3.Error: One is no SQLite file, or is damaged, or stays locked.
        OSError: A copy cannot be written.
    """
    with ExitStack() as stack:

        def opened(path: Path) -> sqlite3.Connection:
            connection = sqlite3.connect(path, timeout=_LOCK_SECONDS, isolation_level=None)
            return stack.enter_context(closing(connection))

        first, *others = copies
        gate = opened(first)
        for number, path in enumerate(others):
            gate.execute(f"ATTACH DATABASE ? AS other{number}", (str(path),))
        readers = {path: opened(path) for path in copies}
        gate.execute("BEGIN IMMEDIATE")  # in all of them: nobody is half way through a write
        try:
            for reader in readers.values():
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
        finally:
            gate.execute("ROLLBACK")
        for path, reader in readers.items():
            copy = opened(copies[path])
            reader.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without another beside it


def last_sequences(path: Path) -> dict[str, int]:
    """Returns the last number that each table of a copy has given."""
    with closing(sqlite3.connect(path)) as connection:
        tables = "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"
        if connection.execute(tables).fetchone() is None:
            return {}
        return dict(connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
