"""Seals rows of an SQLite file, and hashes what they are found by, under keys that lie in the file.

Those keys are sealed under the first key of a key file, so that rotating it seals a few keys anew
and no row.
"""

import hmac
import secrets
import sqlite3
import struct
import time
from typing import Final

from shared.privacy.sealing import KEY_BYTES, DataKey, KeyRing, UnsealError

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS row_keys (
    number INTEGER PRIMARY KEY AUTOINCREMENT, purpose TEXT NOT NULL, made REAL NOT NULL,
    sealed BLOB NOT NULL)
"""
_ROWS, _DIGESTS = "rows", "digests"
_NUMBER: Final = struct.Struct(">I")
_MOST_ROWS: Final = 1 << 31
"""Rows under one key, half of what random nonces are good for (SP 800-38D, 8.3)."""
_MOST_SECONDS: Final = 7 * 86_400.0
_DIGEST_BYTES: Final = 16
"""128 bits: a billion ids collide with a chance of 10^-21."""


class SealedRows:
    """The keys of one file. For the thread that has its connection.

    Args:
        connection: To the file; no transaction is open.
        ring: Keys of the key file.

    Raises:
        ValueError: The key file does not open the keys.
        sqlite3.Error: They cannot be read or written.
    """

    def __init__(self, connection: sqlite3.Connection, ring: KeyRing) -> None:
        self._connection = connection
        self._ring = ring
        self._rows: dict[int, DataKey] = {}
        self._digests = b""
        self._current, self._made, self._sealed = 0, 0.0, 0
        connection.execute(_SCHEMA)
        connection.commit()
        self._load()
        if not self._digests:
            self._make(_DIGESTS)
        self.renew()

    def seal(self, text: bytes, associated: bytes) -> bytes:
        """Returns a text sealed.

        Args:
            text: What to hide.
            associated: What it belongs to; it opens with the same alone.
        """
        self._sealed += 1
        return _NUMBER.pack(self._current) + self._rows[self._current].seal(text, associated)

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """Returns what was sealed.

        Raises:
            UnsealError: It was sealed for something else, or was altered.
        """
        key = self._rows.get(int.from_bytes(sealed[: _NUMBER.size]))
        if key is None:
            raise UnsealError("the file does not have the key of this row")
        return key.open(sealed[_NUMBER.size :], associated)

    def digest(self, kind: str, *parts: str) -> bytes:
        """Returns what stands on disk for an id: HMAC-SHA256 (RFC 2104), cut to 128 bits.

        Args:
            kind: What the id is of; the same id of another kind has another digest.
            parts: The id.
        """
        text = "\0".join((kind, *parts))
        return hmac.digest(self._digests, text.encode(), "sha256")[:_DIGEST_BYTES]

    def renew(self) -> None:
        """Takes a new key where the current one has served its time. No transaction is open."""
        if self._sealed >= _MOST_ROWS or time.time() - self._made >= _MOST_SECONDS:
            self._make(_ROWS)

    def _load(self) -> None:
        stale: list[tuple[bytes, int]] = []
        for number, purpose, made, sealed in self._connection.execute(
            "SELECT number, purpose, made, sealed FROM row_keys ORDER BY number"
        ).fetchall():
            try:
                secret = self._ring.open(sealed, purpose.encode())
            except UnsealError as error:
                raise ValueError(
                    f"the key file does not open what is kept ({error}): give the file that it was"
                    " written with, all its lines included"
                ) from error
            if not self._ring.is_current(sealed):
                stale.append((self._ring.seal(secret, purpose.encode()), number))
            self._take(number, purpose, made, secret)
        with self._connection:
            self._connection.executemany("UPDATE row_keys SET sealed = ? WHERE number = ?", stale)

    def _make(self, purpose: str) -> None:
        secret, made = secrets.token_bytes(KEY_BYTES), time.time()
        with self._connection:
            row = self._connection.execute(
                "INSERT INTO row_keys (purpose, made, sealed) VALUES (?, ?, ?)",
                (purpose, made, self._ring.seal(secret, purpose.encode())),
            )
        self._take(row.lastrowid or 0, purpose, made, secret)

    def _take(self, number: int, purpose: str, made: float, secret: bytes) -> None:
        if purpose == _DIGESTS:
            self._digests = secret
            return
        self._rows[number] = DataKey(secret)
        self._current, self._made, self._sealed = number, made, 0
