"""Starts a training, as the operator set it, when shoppers have changed."""

import asyncio
import os
import shlex
import time
from collections.abc import Callable
from typing import Final

import structlog

from services.ranking.online.metrics import RETRAININGS

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
_LONGEST_TOLD: Final = 500
_STOP_SECONDS: Final = 5.0


class Retraining:
    """Runs a command at most once at a time, and at most once in a while.

    Args:
        command: Program and arguments, as a shell would split them; no shell runs it. Empty for
            none.
        pause_seconds: Least time between two beginnings.
        clock: Seconds, for tests.
    """

    def __init__(
        self, command: str, pause_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._arguments = shlex.split(command)
        self._pause = pause_seconds
        self._clock = clock
        self._begun: float | None = None
        self._running: asyncio.Task[None] | None = None

    def request(self, signal: str) -> bool:
        """Begins a training unless one runs or ran of late; returns whether it did.

        Args:
            signal: What showed the drift; the command finds it in WHEREFORE_DRIFT_SIGNAL.
        """
        now = self._clock()
        busy = self._running is not None and not self._running.done()
        recent = self._begun is not None and now - self._begun < self._pause
        if not self._arguments or busy or recent:
            return False
        self._begun = now
        self._running = asyncio.create_task(self._run(signal), name="retraining")
        return True

    async def finished(self) -> None:
        """Returns when no training runs."""
        if self._running is not None:
            await asyncio.wait({self._running})

    async def close(self) -> None:
        """Stops a training that runs."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self, signal: str) -> None:
        _log.info("retraining", signal=signal, command=self._arguments[0])
        try:
            process = await asyncio.create_subprocess_exec(
                *self._arguments,
                env={**os.environ, "WHEREFORE_DRIFT_SIGNAL": signal},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            RETRAININGS.labels("failed").inc()
            _log.error("retraining failed", reason=str(error))
            return
        try:
            _, told = await process.communicate()
        except asyncio.CancelledError:
            await _stop(process)
            RETRAININGS.labels("stopped").inc()
            raise
        outcome = "failed" if process.returncode else "done"
        RETRAININGS.labels(outcome).inc()
        said = told.decode(errors="replace")[-_LONGEST_TOLD:]
        if process.returncode:
            _log.error("retraining failed", code=process.returncode, said=said)
        else:
            _log.info("retraining done", signal=signal)


async def _stop(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
