"""The secrets of a log: what its hashes are keyed with, sealed under the keys of the key file.

Three keys for HMAC-SHA256 (RFC 2104): of event ids and of erased users, which stay, and of aliases,
the pseudonyms under which users are known outside the log, which changes with every epoch.
"""

import hmac
import secrets
import sqlite3
import struct
import time
from collections.abc import Mapping
from typing import Final

from shared.privacy.sealing import KEY_BYTES, KeyRing, UnsealError

_STAYING: Final = ("event-ids", "erased")
ALIASES: Final = "aliases"
"""Name of the key of aliases."""
_HEADER: Final = struct.Struct(">Id")
DIGEST_BYTES: Final = 16
"""128 bits: a billion ids collide with a chance of 10^-21."""


class Vault:
    """The keys of hashes, once loaded.

    Args:
        ring: Keys of the key file.
    """

    def __init__(self, ring: KeyRing) -> None:
        self.ring = ring
        self.epoch = 0
        """Number of the alias key, from 1."""
        self.epoch_began = 0.0
        """Since when it is used, in seconds since 1970."""
        self._keys: dict[str, bytes] = {}

    def load(self, connection: sqlite3.Connection) -> None:
        """Reads the secrets, made on first use; those under an old key are sealed anew.

        Raises:
            ValueError: The key file does not open them.
        """
        rows = connection.execute("SELECT name, sealed FROM keys.secrets").fetchall()
        with connection:
            for name, sealed in self.take_in(dict(rows)).items():
                connection.execute(
                    "INSERT OR REPLACE INTO keys.secrets VALUES (?, ?)", (name, sealed)
                )

    def take_in(self, known: Mapping[str, bytes]) -> dict[str, bytes]:
        """Takes secrets into use, made where there are none.

        Args:
            known: Sealed, by name.

        Returns:
            What is to be kept instead: those that were made, or were under an old key.

        Raises:
            ValueError: The key file does not open them.
        """
        changed: dict[str, bytes] = {}
        for name in (*_STAYING, ALIASES):
            secret = self._opened(name, known[name]) if name in known else _made(name)
            if name not in known or not self.ring.is_current(known[name]):
                changed[name] = self.ring.seal(secret, name.encode())
            self._take(name, secret)
        return changed

    def event_digest(self, event_id: str) -> bytes:
        """Returns what stands on disk for the id of an event."""
        return self._digest("event-ids", event_id)

    def erased_digest(self, actor: str) -> bytes:
        """Returns what stands on disk for an actor who was erased."""
        return self._digest("erased", actor)

    def alias(self, actor: str) -> bytes:
        """Returns the pseudonym of an actor in this epoch; empty for nobody."""
        return self._digest(ALIASES, actor) if actor else b""

    def new_epoch(self) -> "Epoch":
        """Makes a new alias key, which is used once it is kept and begun."""
        secret = _HEADER.pack(self.epoch + 1, time.time()) + secrets.token_bytes(KEY_BYTES)
        return Epoch(self, secret)

    def use_aliases(self, secret: bytes) -> None:
        """Makes aliases with another key from now on."""
        self._take(ALIASES, secret)

    def _digest(self, name: str, text: str) -> bytes:
        return _hash(self._keys[name], text)

    def _opened(self, name: str, sealed: bytes) -> bytes:
        try:
            return self.ring.open(sealed, name.encode())
        except UnsealError as error:
            raise ValueError(
                f"the key file does not open the log of events ({error}): give the file that it"
                " was written with, all its lines included"
            ) from error

    def _take(self, name: str, secret: bytes) -> None:
        if name == ALIASES:
            self.epoch, self.epoch_began = _HEADER.unpack_from(secret)
            secret = secret[_HEADER.size :]
        self._keys[name] = secret


class Epoch:
    """An alias key that is about to be used."""

    def __init__(self, vault: Vault, secret: bytes) -> None:
        self._vault = vault
        self._secret = secret

    def alias(self, actor: str) -> bytes:
        """Returns the alias that an actor will have."""
        return _hash(self._secret[_HEADER.size :], actor)

    def keep(self, connection: sqlite3.Connection) -> None:
        """Writes the key, inside the caller's transaction."""
        connection.execute(
            "INSERT OR REPLACE INTO keys.secrets VALUES (?, ?)", (ALIASES, self.sealed())
        )

    def sealed(self) -> bytes:
        """Returns the key as it is kept."""
        return self._vault.ring.seal(self._secret, ALIASES.encode())

    def begin(self) -> None:
        """Takes it into use."""
        self._vault.use_aliases(self._secret)


def _hash(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")[:DIGEST_BYTES]


def _made(name: str) -> bytes:
    header = _HEADER.pack(1, time.time()) if name == ALIASES else b""
    return header + secrets.token_bytes(KEY_BYTES)
