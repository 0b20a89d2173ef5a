"""A suite under an even load for a long time: does its memory grow?"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from benchmarks.load.calls import Material, calls
from benchmarks.load.loops import open_loop
from benchmarks.load.measured import Measured

MIX: Final = {"search": 6.0, "recommend": 2.0, "event": 3.0, "completion": 2.0}
WARM_UP_SHARE: Final = 0.3
"""What caches may take to fill, as a share of the soak."""
_WINDOW_SHARE: Final = 0.2
"""Of the soak: what is compared is the median of so much after the warm-up with that of the end."""
GROWTH: Final = 0.02
"""Most that may be told from a leak."""
SUM: Final = "all"


class SoakCutShortError(Exception):
    """What was to be measured is gone."""


@dataclass(slots=True)
class Soak:
    """What it came to."""

    seconds: float
    load: Measured
    at: list[float] = field(default_factory=list[float])
    """When memory was read, in seconds from the start."""
    memory: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    """Resident MiB by process, and of all, at those times."""

    def growth(self, process: str) -> float:
        """Returns how much a process grew from the warm-up to the end, as a share."""
        before, after = self.windows(process)
        return after / before - 1

    def windows(self, process: str) -> tuple[float, float]:
        """Returns the median MiB after the warm-up and at the end."""
        begin = WARM_UP_SHARE * self.seconds
        length = _WINDOW_SHARE * self.seconds
        values = self.memory[process]
        pairs = list(zip(self.at, values, strict=True))
        before = [mib for at, mib in pairs if begin <= at < begin + length]
        after = [mib for at, mib in pairs if at >= self.seconds - length]
        return statistics.median(before or values), statistics.median(after or values)

    @property
    def leaks(self) -> list[str]:
        """The processes that grew by more than GROWTH."""
        return [name for name in self.memory if self.growth(name) > GROWTH]


async def soak(
    target: str,
    resident_mib: Callable[[], Mapping[str, float]],
    material: Material,
    *,
    rate: float,
    seconds: float,
    deadline: float,
    every: float,
) -> Soak:
    """Puts a suite under a mix of calls and reads the memory of its processes meanwhile.

    Args:
        target: HOST:PORT of the orchestrator.
        resident_mib: Reads resident MiB by process.
        material: What calls are made of.
        rate: Calls a second.
        seconds: How long.
        deadline: Of each call, in seconds.
        every: Seconds between readings.

    Raises:
        SoakCutShortError: A process of the suite ended.
    """
    found = Soak(seconds, Measured(rate))
    begun = time.perf_counter()

    async def watch() -> None:
        while True:
            read = dict(await asyncio.to_thread(resident_mib))
            if gone := found.memory.keys() - read.keys() - {SUM}:
                raise SoakCutShortError(f"{', '.join(sorted(gone))} ended: nothing was measured")
            read[SUM] = sum(read.values())
            found.at.append(time.perf_counter() - begun)
            for name, mib in read.items():
                found.memory.setdefault(name, []).append(mib)
            await asyncio.sleep(every)

    watching = asyncio.create_task(watch())
    loading = asyncio.create_task(
        open_loop(target, calls(MIX, material, 1), rate=rate, seconds=seconds, deadline=deadline)
    )
    try:
        await asyncio.wait((loading, watching), return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            watching.result()
        found.load = await loading
    finally:
        loading.cancel()
        watching.cancel()
        await asyncio.gather(loading, watching, return_exceptions=True)
    return found
