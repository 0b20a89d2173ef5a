"""The rules in force: read at the start and again whenever their file changes.

A file that is wrong is refused as a whole: the rules before it stay in force, and every answer says
so until the file is mended.
"""

import asyncio
from pathlib import Path
from typing import Final

import structlog

from services.orchestrator.merchandising.occasions import Occasion, RuleIndex
from services.orchestrator.merchandising.rule_file import RuleFileError, read_rules
from services.orchestrator.merchandising.rules import Rule
from shared.metrics import count_degradation
from wherefore.common.v1.diagnostics_pb2 import DEGRADATION_CAUSE_ERROR, Degradation

STAGE: Final = "merchandising"
_log: structlog.stdlib.BoundLogger = structlog.get_logger()
_Stamp = tuple[int, int, int]


class RuleBook:
    """Keeps the rules of a file.

    Args:
        path: The file; None for no rules at all.
        poll_seconds: Pause between looks at it.
    """

    def __init__(self, path: Path | None, poll_seconds: float = 1.0) -> None:
        self._path = path
        self._poll_seconds = poll_seconds
        self._stamp: _Stamp | None = None
        self._index = RuleIndex(())
        self._loaded = False
        self._problem: Degradation | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there are no rules."""
        return not self._index.count

    @property
    def problem(self) -> Degradation | None:
        """What is wrong with the file as it is now; None when nothing is."""
        return self._problem

    def matching(self, occasion: Occasion) -> list[Rule]:
        """Returns the rules that apply, in the order of the file."""
        return self._index.matching(occasion)

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
        if self._path is None:
            return
        stamp = await asyncio.to_thread(_stamp, self._path)
        if stamp == self._stamp and (stamp is not None or self._problem):
            return
        try:
            index = await asyncio.to_thread(_read, self._path)
        except RuleFileError as error:
            self._refuse(str(error))
        else:
            self._index, self._loaded, self._problem = index, True, None
            _log.info("rules", file=str(self._path), rules=index.count)
        self._stamp = stamp

    def _refuse(self, detail: str) -> None:
        _log.error("rules_refused", file=str(self._path), reason=detail)
        count_degradation(STAGE, "error")
        self._problem = Degradation(
            stage=STAGE,
            cause=DEGRADATION_CAUSE_ERROR,
            fallback="the rules before" if self._loaded else "no rules",
            detail=detail[:500],
        )

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._poll_seconds)
            try:
                await self.look()
            except Exception:
                _log.exception("rules_watch_failed")


def _stamp(path: Path) -> _Stamp | None:
    """Returns what changes with the file: also when it is another by a link, as in Kubernetes."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _read(path: Path) -> RuleIndex:
    return RuleIndex(read_rules(path))
