"""The rules in force: read at the start and again whenever their file changes.

A file that is wrong is refused as a whole: the rules before it stay in force, and every answer says
so until the file is mended.
"""

import asyncio
import hashlib
from pathlib import Path
from typing import Final

import structlog

from services.orchestrator.merchandising.occasions import Occasion, RuleIndex
from services.orchestrator.merchandising.rule_file import RuleFileError, read_rules
from services.orchestrator.merchandising.rules import Rule
from shared.degradation import degradation
from shared.watched_file import Look, WatchedFile
from wherefore.common.v1.diagnostics_pb2 import DEGRADATION_CAUSE_ERROR, Degradation

STAGE: Final = "merchandising"
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class RuleBook:
    """Keeps the rules of a file.

    Args:
        path: The file; None for no rules at all.
        poll_seconds: Pause between looks at it.
    """

    def __init__(self, path: Path | None, poll_seconds: float = 1.0) -> None:
        self._path = path
        self._poll_seconds = poll_seconds
        self._file = WatchedFile(path, _read, RuleFileError)
        self._index = RuleIndex(())
        self.version = ""
        """Digest of the rules in force; empty without any."""
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
        match await asyncio.to_thread(self._file.look):
            case Look.READ:
                self._index, self.version = self._file.value or (RuleIndex(()), "")
                self._problem = None
                _log.info("rules", file=str(self._path), rules=self._index.count)
            case Look.REFUSED:
                before = "no rules" if self._file.value is None else "the rules before"
                self._problem = degradation(
                    STAGE, DEGRADATION_CAUSE_ERROR, fallback=before, detail=self._file.problem
                )
            case Look.SAME:
                pass

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._poll_seconds)
            try:
                await self.look()
            except Exception:
                _log.exception("rules_watch_failed")


def _read(path: Path) -> tuple[RuleIndex, str]:
    rules = read_rules(path)
    return RuleIndex(rules), hashlib.blake2b(repr(rules).encode(), digest_size=16).hexdigest()
