"""A file of JSON lines, each bound to the one before by a hash, so that a change shows.

The last field of each line is `hash`: SHA-256, or HMAC-SHA-256 with a key, over the hash before
and the line without it. Whoever has no key cannot make a line that fits. Lines cut off at the end
leave a chain that is right: keep the last hash elsewhere (`verify` tells it) to notice that.
"""

import fcntl
import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from shared.durable_file import sync_folder

Entry = dict[str, Any]
START: Final = "0" * 64
_TORN: Final = "torn_sha256"
_TAIL_BYTES: Final = 1 << 20
"""What is read to find the last line; no entry is so long."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A chain that holds."""

    entries: int
    head: str
    """Hash of the last entry."""


class ChainError(Exception):
    """The chain is broken; the text names the line."""


class ChainedFile:
    """Appends to a file, opened at the first entry; processes may take turns at one file.

    A line that a crash cut short stays where it is, and the next entry says so.

    Args:
        path: The file, made where there is none.
        key: Of the HMAC; empty for a plain hash.
    """

    def __init__(self, path: Path, key: bytes = b"") -> None:
        self._path = path
        self._key = key
        self._file: int | None = None
        self._size = 0
        self._head = START
        self._count = 0

    def append(self, entry: Entry) -> None:
        """Writes one entry; it is on disk when this returns.

        Raises:
            OSError: It could not be written.
        """
        file = self._open()
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            if os.fstat(file).st_size != self._size:
                self._catch_up(file)
            self._write(file, entry)
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> int:
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            self._size = 0
            sync_folder(self._path.parent)
        return self._file

    def _catch_up(self, file: int) -> None:
        """Finds the end of the chain, and ends a line that was cut short."""
        size = os.fstat(file).st_size
        start = max(0, size - _TAIL_BYTES)
        *whole, torn = os.pread(file, size - start, start).split(b"\n")
        for line in reversed([*whole, torn]):
            if (last := _parsed(line)) is not None:
                self._head, self._count = str(last["hash"]), int(last["number"])
                break
        self._size = size
        if torn:
            self._put(file, b"\n")
            if _parsed(torn) is None:
                self._write(file, {_TORN: hashlib.sha256(torn).hexdigest()})

    def _write(self, file: int, entry: Entry) -> None:
        line = _line({"number": self._count + 1, **entry})
        head = _link(self._key, self._head, line)
        self._put(file, f'{line[:-1]},"hash":"{head}"}}\n'.encode())
        self._head, self._count = head, self._count + 1

    def _put(self, file: int, data: bytes) -> None:
        written = os.write(file, data)
        os.fsync(file)
        if written != len(data):  # the size does not fit, so that the next entry looks again
            raise OSError("the disk is full")
        self._size += written


def verify(path: Path, key: bytes = b"") -> Verified:
    """Checks a whole file.

    Raises:
        OSError: It cannot be read.
        ChainError: A line does not fit to the one before.
    """
    *whole, torn = path.read_bytes().split(b"\n")
    if torn:
        raise ChainError("the last line is cut short: the process died while it wrote it")
    head, count, damaged = START, 0, ""
    for number, line in enumerate(whole, start=1):
        entry = _parsed(line)
        if entry is None:
            if damaged:
                raise ChainError(f"line {number} is no entry")
            damaged = hashlib.sha256(line).hexdigest()
            continue
        if damaged and entry.get(_TORN) != damaged:
            raise ChainError(f"line {number - 1} is no entry")
        damaged = ""
        shown = str(entry.pop("hash", ""))
        if not hmac.compare_digest(shown, _link(key, head, _line(entry))):
            raise ChainError(f"line {number} was changed, or does not follow the one before")
        count += 1
        if entry.get("number") != count:
            raise ChainError(f"line {number} has another number than its place")
        head = shown
    if damaged:
        raise ChainError(f"line {len(whole)} is no entry")
    return Verified(count, head)


def _parsed(line: bytes) -> Entry | None:
    try:
        entry: Any = json.loads(line)
    except ValueError:
        return None
    return cast("Entry", entry) if isinstance(entry, dict) and "hash" in entry else None


def _line(entry: Entry) -> str:
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":"))


def _link(key: bytes, head: str, line: str) -> str:
    data = f"{head}\n{line}".encode()
    if key:
        return hmac.new(key, data, "sha256").hexdigest()
    return hashlib.sha256(data).hexdigest()
