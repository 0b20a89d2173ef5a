"""What a search costs while the machine is busy: processor time and answers of several callers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Final

from benchmarks.load.calls import Send
from benchmarks.load.loops import closed_loop
from benchmarks.load.measured import Measured
from benchmarks.plan_meter import Meter
from shared.planning.costs import Reasons
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

CLIENTS: Final = 4
"""Callers at a time; what is checked is asked by others."""
DEADLINE: Final = 20.0


def calls_of(queries: Sequence[str], reasons: Reasons, page_size: int) -> Iterator[Send]:
    """Yields searches, over and over."""
    for query in cycle(queries):
        request = SearchRequest(query=query, page_size=page_size, skip_reasons=reasons == "off")
        yield lambda channel, timeout, request=request: SearchServiceStub(channel).Search(
            request, timeout=timeout
        )


async def ask_together(
    target: str,
    meter: Meter,
    queries: Sequence[str],
    seconds: float,
    *,
    reasons: Reasons,
    page_size: int,
    clients: int = CLIENTS,
) -> tuple[dict[str, float], Measured]:
    """Returns the processor time of a call by process, milliseconds, and what callers saw."""
    meter.start()
    run = await closed_loop(
        target,
        calls_of(queries, reasons, page_size),
        clients=clients,
        seconds=seconds,
        deadline=DEADLINE,
    )
    return meter.per_call(max(1, run.calls)), run
