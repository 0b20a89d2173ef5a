"""What a file of the shop says, kept in force while the service runs.

A file that is wrong is refused as a whole: what it said before stays in force, and every answer
that goes by it says so until it is mended.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Generic, TypeVar

import structlog

from shared.degradation import degradation
from shared.watched_file import Look, WatchedFile
from wherefore.common.v1.diagnostics_pb2 import DEGRADATION_CAUSE_ERROR, Degradation

_ContentT = TypeVar("_ContentT")
_log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger()


class WatchedBook(Generic[_ContentT]):
    """Reads a file at the start and again whenever it changes.

    Args:
        path: The file; None for none.
        read: Reads it.
        refusal: The error by which `read` refuses it.
        poll_seconds: Pause between looks at it.
        stage: That answers name when it is wrong.
        what: What it holds, such as "rules".
        beside: Files that `read` reads too: a change of any is a change.
    """

    def __init__(
        self,
        path: Path | None,
        read: Callable[[Path], _ContentT],
        refusal: type[Exception],
        *,
        poll_seconds: float,
        stage: str,
        what: str,
        beside: Sequence[Path] = (),
    ) -> None:
        self._path = path
        self._file = WatchedFile(path, read, refusal, beside=beside)
        self._poll_seconds = poll_seconds
        self._stage = stage
        self._what = what
        self._problem: Degradation | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def content(self) -> _ContentT | None:
        """What is in force; None without a file that was ever right."""
        return self._file.value

    @property
    def problem(self) -> Degradation | None:
        """What is wrong with the file as it is now; None when nothing is."""
        return self._problem

    async def start(self) -> None:
        """Reads the file, and goes on watching it."""
        if self._path is not None:
            await self.look()
            self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Stops watching."""
        if self._watching:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def look(self) -> None:
        """Reads the file if it is not as it was."""
        match await asyncio.to_thread(self._file.look):
            case Look.READ:
                self._problem = None
            case Look.REFUSED:
                before = "no" if self._file.value is None else "the"
                after = "" if self._file.value is None else " before"
                self._problem = degradation(
                    self._stage,
                    DEGRADATION_CAUSE_ERROR,
                    fallback=f"{before} {self._what}{after}",
                    detail=self._file.problem,
                )
            case Look.SAME:
                pass

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._poll_seconds)
            try:
                await self.look()
            except Exception:
                _log.exception("watch_failed", file=str(self._path))
