"""What answers about all users have cost of their privacy, kept on disk; refuses when it is spent.

Losses add up over all answers (basic composition: Dwork et al., "Our data, ourselves", EUROCRYPT
2006), counted in whole billionths, so that nothing is lost to rounding.
"""

import json
import os
import threading
import time
from pathlib import Path
from typing import Any, Final, cast

from shared.durable_file import sync_folder
from shared.errors import FailedPreconditionError

UNIT: Final = 1_000_000_000
"""Parts of one epsilon, or delta, that are counted. Delta is counted in the square of it."""
_DELTA_UNIT: Final = UNIT * UNIT


class EpsilonLedger:
    """A budget and what is spent of it. Safe to use from several threads.

    Args:
        path: The file: one JSON object for each answer.
        epsilon: Budget in all.
        delta: Likewise.
    """

    def __init__(self, path: Path, epsilon: float, delta: float) -> None:
        self._path = path
        self._epsilon = round(epsilon * UNIT)
        self._delta = round(delta * _DELTA_UNIT)
        self._spent: tuple[int, int] | None = None
        self._lock = threading.Lock()

    def spent(self) -> tuple[float, float]:
        """Returns epsilon and delta spent so far.

        Raises:
            FailedPreconditionError: The file is damaged.
            OSError: It cannot be read.
        """
        with self._lock:
            epsilon, delta = self._read()
        return epsilon / UNIT, delta / _DELTA_UNIT

    def spend(self, epsilon: float, delta: float, what: str) -> None:
        """Books a cost. Durable when it returns: what it is for may be told only then.

        Raises:
            FailedPreconditionError: It is more than is left; or the file is damaged, so that
                nobody knows what is left.
            OSError: It cannot be written; then it may count as spent.
        """
        cost = round(epsilon * UNIT), round(delta * _DELTA_UNIT)
        with self._lock:
            before = self._read()
            after = before[0] + cost[0], before[1] + cost[1]
            if after[0] > self._epsilon or after[1] > self._delta:
                left = max(0, self._epsilon - before[0]) / UNIT
                raise FailedPreconditionError(
                    f"the budget does not hold it: epsilon {left:g} is left"
                    f" of {self._epsilon / UNIT:g}"
                )
            self._spent = None  # until it is known to be on disk, the disk is asked again
            entry = {"epsilon": cost[0], "delta": cost[1], "what": what, "at": time.time()}
            self._append(json.dumps(entry))
            self._spent = after

    def _read(self) -> tuple[int, int]:
        if self._spent is None:
            whole, torn = self._lines()
            entries = [self._entry(line) for line in whole]
            if torn:  # a crash while booking: nothing was told for it
                self._cut(len(b"".join(whole)))
            self._spent = sum(e for e, _ in entries), sum(d for _, d in entries)
        return self._spent

    def _lines(self) -> tuple[list[bytes], bytes]:
        if not self._path.exists():
            return [], b""
        lines = self._path.read_bytes().splitlines(keepends=True)
        torn = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        return lines, torn

    def _entry(self, line: bytes) -> tuple[int, int]:
        try:
            entry = cast("dict[str, Any]", json.loads(line))
            epsilon, delta = int(entry["epsilon"]), int(entry["delta"])
        except (ValueError, KeyError, TypeError) as error:
            raise FailedPreconditionError(
                "the ledger of aggregates is damaged: nobody knows what is left of the budget"
            ) from error
        return max(0, epsilon), max(0, delta)

    def _append(self, line: str) -> None:
        fresh = not self._path.exists()
        with self._path.open("ab") as file:
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if fresh:
            sync_folder(self._path.parent)

    def _cut(self, size: int) -> None:
        with self._path.open("r+b") as file:
            file.truncate(size)
            os.fsync(file.fileno())
