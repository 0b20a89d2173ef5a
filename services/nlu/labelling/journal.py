"""An append-only file of JSON lines: what was acknowledged is on the disk."""

import contextlib
import fcntl
import json
import os
from pathlib import Path
from typing import Any

from shared.durable_file import sync_folder

Record = dict[str, Any]


class JournalError(Exception):
    """The file is not one of ours, or another process writes it."""


class Journal:
    """JSON objects, one a line, written with fsync and read back when opened.

    A line that a crash cut short was never acknowledged: it is dropped when the file is opened.

    Args:
        path: The file; made, with its folder, where it is not there.

    Raises:
        JournalError: Another process has it open, or a whole line in it is no JSON object.
        OSError: It cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        is_new = not path.exists()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._lock()
            self.records = self._read()
            if is_new:
                sync_folder(path.parent)
        except BaseException:
            os.close(self._file)
            raise

    def append(self, *records: Record) -> None:
        """Writes records; they survive a crash once this returns.

        Raises:
            OSError: They could not be written; none of them counts then.
        """
        if not records:
            return
        data = b"".join(
            json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            for record in records
        )
        end = os.lseek(self._file, 0, os.SEEK_END)
        try:
            written = 0
            while written < len(data):
                written += os.write(self._file, data[written:])
            os.fsync(self._file)
        except OSError:
            # Half a line must not stand in front of the next one.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, end)
            raise
        self.records.extend(records)

    def close(self) -> None:
        """Closes the file and lets others open it."""
        os.close(self._file)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise JournalError(f"{self._path} is in use by another process") from error

    def _read(self) -> list[Record]:
        data = self._path.read_bytes()
        whole = data.rfind(b"\n") + 1
        records: list[Record] = []
        for number, line in enumerate(data[:whole].splitlines(), start=1):
            try:
                record = json.loads(line)
            except ValueError as error:
                raise JournalError(f"{self._path}, line {number}: no JSON: {error}") from error
            if not isinstance(record, dict):
                raise JournalError(f"{self._path}, line {number}: no JSON object")
            records.append(record)  # pyright: ignore[reportUnknownArgumentType] # JSON has string keys
        if whole < len(data):
            os.ftruncate(self._file, whole)
            os.fsync(self._file)
        return records
