"""A suite below, at and beyond what it can do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Final

from benchmarks.load.bystander import refusals_seen
from benchmarks.load.calls import Material, calls
from benchmarks.load.loops import closed_loop, open_loop
from benchmarks.load.measured import Latencies, Measured
from benchmarks.load.queries import cold

FACTORS: Final = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)
CLIENTS: Final = 8
SEARCH: Final = {"search": 1.0}


@dataclass(slots=True)
class Overload:
    """What it did at multiples of its capacity."""

    clients: int
    capacity: float
    """Answers a second of a closed loop."""
    deadline: float
    seconds: float
    loads: dict[float, Measured] = field(default_factory=dict[float, Measured])
    """By multiple of the capacity."""
    seen_beside: Latencies = field(default_factory=Latencies)
    """Of refusals at the highest load, as a client beside it saw them."""

    @property
    def peak(self) -> float:
        """The best goodput at any load, a second."""
        return max(load.goodput for load in self.loads.values())


async def overload(
    target: str,
    queries: Sequence[str],
    *,
    seconds: float,
    deadline: float,
    factors: Sequence[float] = FACTORS,
    tell: Callable[[str], None],
) -> Overload:
    """Measures the capacity, then every multiple of it in an open loop.

    Args:
        target: HOST:PORT of the orchestrator.
        queries: Judged ones; what is sent are variations of them, no two the same.
        seconds: Of each load.
        deadline: Seconds within which each answer is wanted.
        factors: Multiples of the capacity.
        tell: Told of progress.
    """

    def searches(seed: int) -> Material:
        return Material(cold(queries, seed), ())

    await closed_loop(target, calls(SEARCH, searches(1), 1), clients=2, seconds=5.0, deadline=10.0)
    closed = await closed_loop(
        target, calls(SEARCH, searches(2), 2), clients=CLIENTS, seconds=seconds, deadline=10.0
    )
    run = Overload(CLIENTS, closed.goodput, deadline, seconds)
    tell(f"capacity: {run.capacity:.1f} answers a second")
    for number, factor in enumerate(factors):
        rate = factor * run.capacity
        most = factor == max(factors)
        async with refusals_seen(target, run.seen_beside) if most else nullcontext():
            run.loads[factor] = await open_loop(
                target,
                calls(SEARCH, searches(number + 3), number),
                rate=rate,
                seconds=seconds,
                deadline=deadline,
                seed=number,
            )
        load = run.loads[factor]
        got = f"{load.goodput:.1f}/s in time, {load.whole:.1f}/s whole"
        tell(f"{factor:g}x: {rate:.1f}/s offered, {got}")
    return run
