"""A folder that one process uses at a time; a second one stands by and takes over.

The lock is the kernel's (flock), so it goes with its process however that ends.
"""

import os
from pathlib import Path

from shared.errors import UnavailableError


class FolderInUseError(UnavailableError):
    """Another process has the folder; whoever wants it next stands by."""


class FolderLock:
    """The lock on one folder.

    Args:
        folder: Made when it is not there; the file "lock" in it is the lock.
        holder: What is locked, for the error.
    """

    def __init__(self, folder: Path, holder: str) -> None:
        self._folder = folder
        self._holder = holder
        self._file: int | None = None

    @property
    def held(self) -> bool:
        """Whether this process has it."""
        return self._file is not None

    def acquire(self) -> None:
        """Takes the lock; does nothing where it is held already.

        Raises:
            FolderInUseError: Another process has it.
        """
        import fcntl  # absent on Windows, where embedded stores are too

        if self._file is not None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        file = os.open(self._folder / "lock", os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(file)
            raise FolderInUseError(f"another process has {self._holder} open") from error
        self._file = file

    def release(self) -> None:
        """Lets the next process have it; does nothing where it is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
