"""A file that people edit while a service runs: read again when it changes, refused while wrong."""

import time
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import Final, Generic, TypeVar

import structlog

LONGEST_REASON: Final = 500
"""Characters of a problem that are kept: answers carry it."""
_Stamp = tuple[int, int, int]
_ValueT = TypeVar("_ValueT")
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Look(Enum):
    """What a look at the file found."""

    SAME = "same"
    READ = "read"
    REFUSED = "refused"


class WatchedFile(Generic[_ValueT]):
    """A file, what it held when it was last right, and what is wrong with it now.

    Attributes:
        value: What was last read; None before.
        problem: Why the file as it is now is refused; empty while it is right.

    Args:
        path: The file; None for none.
        read: Reads it.
        refusals: The errors by which `read` refuses it.
        beside: Files that `read` reads too: a change of any is a change.
    """

    def __init__(
        self,
        path: Path | None,
        read: Callable[[Path], _ValueT],
        *refusals: type[Exception],
        beside: Sequence[Path] = (),
    ) -> None:
        self.value: _ValueT | None = None
        self.problem = ""
        self._path = path
        self._read = read
        self._refusals = refusals
        self._beside = beside
        self._stamp: list[_Stamp | None] = []
        self._looked = False
        self._look_again_at = 0.0

    def look_every(self, seconds: float) -> Look:
        """As `look`, and SAME without one where the last was less than `seconds` ago."""
        now = time.monotonic()
        if now < self._look_again_at:
            return Look.SAME
        self._look_again_at = now + seconds
        return self.look()

    def look(self) -> Look:
        """Reads the file if it is not as it was at the last look."""
        if self._path is None:
            return Look.SAME
        stamp = [_stamp(path) for path in (self._path, *self._beside)]
        if self._looked and stamp == self._stamp:
            return Look.SAME
        try:
            self.value, self.problem = self._read(self._path), ""
        except self._refusals as error:
            self.problem = str(error)[:LONGEST_REASON]
            _log.error("file_refused", file=str(self._path), reason=self.problem)
            found = Look.REFUSED
        else:
            _log.info("file_read", file=str(self._path))
            found = Look.READ
        # Not before: what fails for another reason is tried again at the next look.
        self._looked, self._stamp = True, stamp
        return found


def _stamp(path: Path) -> _Stamp | None:
    """Returns what changes with the file: also when it is another by a link, as in Kubernetes."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
