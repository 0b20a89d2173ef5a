"""Seals data at rest: AES-256-GCM (NIST SP 800-38D) under keys from a file that can be rotated.

A key file has one key a line, `ID BASE64`, the current key first. Sealing uses the first; opening
takes the key that the sealed text names, so that a file may hold old keys until all is sealed anew.
"""

import base64
import binascii
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.durable_file import make_durably, write_durably

KEY_BYTES: Final = 32
_ID_BYTES: Final = 8
_NONCE_BYTES: Final = 12
_ID: Final = re.compile(r"[0-9a-f]{16}")
_MODE: Final = 0o600


class UnsealError(Exception):
    """A sealed text cannot be opened: another key, other associated data, or damage."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key with the name that sealed texts carry, 16 hexadecimal digits."""

    id: str
    secret: bytes


class DataKey:
    """One key for many texts, such as all of one user.

    Nonces are random, 96 bits: good for 2^32 texts under one key (SP 800-38D, 8.3).

    Args:
        secret: 32 bytes.
    """

    __slots__ = ("_cipher",)

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(secret)

    def seal(self, text: bytes, associated: bytes) -> bytes:
        """Returns nonce, ciphertext and tag: 28 bytes more than the text.

        Args:
            text: What to hide.
            associated: What the text belongs to; it opens with the same alone.
        """
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text, associated)

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """Returns what was sealed.

        Raises:
            UnsealError: It was not sealed by this key for the same, or was altered.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], associated)
        except (InvalidTag, ValueError) as error:
            raise UnsealError("the sealed text does not open") from error


class KeyRing:
    """Keys of a file.

    Args:
        keys: The current one first; at least one.
    """

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = {key.id: DataKey(key.secret) for key in keys}
        if not self._keys:
            raise ValueError("a key ring needs a key")
        self.current = next(iter(self._keys))
        """Id of the key that seals."""

    def seal(self, text: bytes, associated: bytes) -> bytes:
        """Seals under the current key; see `DataKey.seal`."""
        sealed = self._keys[self.current].seal(text, associated)
        return bytes.fromhex(self.current) + sealed

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """Opens by the key that the sealed text names.

        Raises:
            UnsealError: See `DataKey.open`; or the file no longer holds that key.
        """
        key = self._keys.get(key_id_of(sealed))
        if key is None:
            raise UnsealError(f"key {key_id_of(sealed)!r} is not in the key file")
        return key.open(sealed[_ID_BYTES:], associated)

    def is_current(self, sealed: bytes) -> bool:
        """Whether a text is sealed under the current key."""
        return key_id_of(sealed) == self.current


def key_id_of(sealed: bytes) -> str:
    """Returns the id of the key that a text is sealed under."""
    return sealed[:_ID_BYTES].hex()


def read_keys(path: Path) -> KeyRing:
    """Reads a key file; blank lines and lines that begin with # are passed over.

    Raises:
        OSError: It cannot be read.
        ValueError: A line is no key, or there is none. The message holds no secret.
    """
    keys: dict[str, Key] = {}
    for number, line in enumerate(path.read_text("ascii").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, coded = line.strip().partition(" ")
        try:
            secret = base64.b64decode(coded, validate=True)
        except (binascii.Error, ValueError):
            secret = b""
        if not _ID.fullmatch(name) or len(secret) != KEY_BYTES or name in keys:
            raise ValueError(
                f"{path}:{number}: a key is 16 hexadecimal digits that no other line has,"
                " a blank and 32 bytes in base64"
            )
        keys[name] = Key(name, secret)
    if not keys:
        raise ValueError(f"{path}: holds no key")
    return KeyRing(keys.values())


def add_key(path: Path) -> str:
    """Puts a new key first in a file, made with mode 0600 where it is not there; returns its id.

    Raises:
        OSError: It cannot be written; what was there before stays.
        ValueError: What is there is no key file.
    """
    before = ""
    if path.exists():
        read_keys(path)
        before = path.read_text("ascii")
    line = _new_line()
    write_durably(path, (line + before).encode("ascii"), mode=_MODE)
    return line.split(" ", maxsplit=1)[0]


def read_or_make_keys(path: Path) -> KeyRing:
    """Reads a key file, made with one key on first use.

    Raises:
        OSError: It can neither be read nor made.
        ValueError: See `read_keys`.
    """
    make_durably(path, _new_line().encode("ascii"), mode=_MODE)
    return read_keys(path)


def passing_keys() -> KeyRing:
    """Returns a ring of one new key, for what goes with this process."""
    return KeyRing([Key(secrets.token_hex(_ID_BYTES), secrets.token_bytes(KEY_BYTES))])


def _new_line() -> str:
    secret = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")
    return f"{secrets.token_hex(_ID_BYTES)} {secret}\n"
