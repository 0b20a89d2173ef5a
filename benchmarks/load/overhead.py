"""What an answer takes beyond its stages: the orchestrator's own work and the way to the client."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import grpc.aio
import numpy as np

from wherefore.common.v1.diagnostics_pb2 import StageTiming
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

WHOLE: Final = "total"
"""The stage that holds all others, as the orchestrator times it."""
WANTED_MS: Final = 4.0


@dataclass(slots=True)
class Overhead:
    """Milliseconds of every answer of one client."""

    whole: list[float] = field(default_factory=list[float])
    """As the client sees it."""
    orchestrator: list[float] = field(default_factory=list[float])
    """In the orchestrator, while none of the stages was under way."""
    beyond: list[float] = field(default_factory=list[float])
    """All that the client sees beyond the stages: that, and the way there and back."""

    def add(self, seconds: float, timings: Sequence[StageTiming]) -> None:
        """Counts one answer, with the timings that it came with."""
        within = next(t.duration_nanos for t in timings if t.stage == WHOLE) / 1e6
        staged = covered_nanos(t for t in timings if t.stage != WHOLE) / 1e6
        self.whole.append(seconds * 1e3)
        self.orchestrator.append(within - staged)
        self.beyond.append(seconds * 1e3 - staged)

    def milliseconds(self, what: str, percentile: float) -> float:
        """Returns a percentile of "whole", "orchestrator" or "beyond"."""
        return float(np.percentile(getattr(self, what), percentile))


def covered_nanos(timings: Iterable[StageTiming]) -> int:
    """Returns the nanoseconds during which at least one of the stages was under way."""
    spans = sorted((t.start_offset_nanos, t.start_offset_nanos + t.duration_nanos) for t in timings)
    total = reached = 0
    for start, end in spans:
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total


async def measure(target: str, queries: Iterable[str], warm_up: int) -> Overhead:
    """Searches one query after the other.

    Args:
        target: HOST:PORT of the orchestrator.
        queries: What to search for.
        warm_up: The first so many are not counted.
    """
    found = Overhead()
    async with grpc.aio.insecure_channel(target) as channel:
        stub = SearchServiceStub(channel)
        for number, query in enumerate(queries):
            begun = time.perf_counter()
            response = await stub.Search(SearchRequest(query=query), timeout=10)
            if number >= warm_up:
                found.add(time.perf_counter() - begun, response.timings)
    return found
