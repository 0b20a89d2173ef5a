"""A plan: what is to be deployed, what it costs and what it promises."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.planning.costs import Reasons
from shared.planning.demand import Demand
from shared.planning.distribution import (
    Array,
    Grid,
    Spectrum,
    measured_spectrum,
    mixture,
    spectrum,
    total,
)
from shared.planning.index import Index
from shared.planning.pools import Pool, left
from shared.planning.queueing import NO_WAIT
from shared.planning.workload import Prices, Workload

HOURS: Final = 730.0
"""Of a month."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """What is rented."""

    vcpu: float = 0.0
    gib: float = 0.0
    gpu: float = 0.0
    disk_gb: float = 0.0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(
            self.vcpu + other.vcpu,
            self.gib + other.gib,
            self.gpu + other.gpu,
            self.disk_gb + other.disk_gb,
        )

    def times(self, count: float) -> Amounts:
        """Returns so many of them."""
        return Amounts(self.vcpu * count, self.gib * count, self.gpu * count, self.disk_gb * count)

    def month(self, prices: Prices) -> float:
        """Returns what a month costs."""
        hourly = (
            self.vcpu * prices.vcpu_hour + self.gib * prices.gib_hour + self.gpu * prices.gpu_hour
        )
        return HOURS * hourly + self.disk_gb * prices.gb_month


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a plan: replicas of one thing."""

    name: str
    replicas: int
    each: Amounts
    busy: float
    wait_ms: float
    """Mean wait of a call."""
    why: str
    """How the number came about, in one line."""
    source: str
    """Where the measured figures come from."""

    @property
    def amounts(self) -> Amounts:
        """Of all replicas."""
        return self.each.times(self.replicas)


@dataclass(frozen=True, slots=True)
class Deployment:
    """The queues of a plan."""

    demand: Demand
    pools: dict[str, Pool]
    """All but the index."""
    index: Index

    def percentiles(self, grid: Grid, percents: tuple[float, ...], zones: int = 1) -> list[float]:
        """Returns percentiles of the latency of searches, milliseconds.

        Args:
            grid: Where latencies are counted.
            percents: Which, 0 to 100.
            zones: With more than one, a zone of so many is lost.
        """
        waits = {name: p.wait(left(p.replicas, zones)) for name, p in self.pools.items()}
        node = self.index.pool.wait(left(self.index.pool.replicas, zones))
        if not all(grid.holds(one) for one in (node, *waits.values())):
            return [math.inf for _ in percents]
        waited = {name: spectrum(grid.waiting(one)) for name, one in waits.items()}
        found = self._mixed(grid, self.index.latency(grid, node), waited)
        return [grid.percentile(found, percent) for percent in percents]

    def idle_p99(self, grid: Grid) -> float:
        """Returns the 99th percentile where nobody waits: no number of machines goes below it."""
        return grid.percentile(self._mixed(grid, self.index.latency(grid, NO_WAIT), {}), 99)

    def _mixed(self, grid: Grid, engine: Array, waited: Mapping[str, Spectrum]) -> Array:
        kinds: list[tuple[float, Array]] = []
        for kind in self.demand.kinds:
            parts = [spectrum(engine)]
            for leg in kind.legs:
                parts.append(measured_spectrum(grid, leg.quantiles))
                parts += [waited[v.pool] for v in leg.visits if v.pool in waited]
            kinds.append((kind.share, total(parts)))
        return mixture(kinds)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be deployed for a workload."""

    workload: Workload
    reasons: Reasons
    rows: tuple[Row, ...]
    deployment: Deployment
    p50_ms: float
    p99_ms: float
    p99_zone_lost_ms: float
    idle_p99_ms: float
    busy_most: float
    """Utilisation below which every pool is kept."""
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def amounts(self) -> Amounts:
        """Of everything."""
        found = Amounts()
        for row in self.rows:
            found += row.amounts
        return found

    @property
    def month(self) -> float:
        """What a month costs, in the workload's currency."""
        return self.amounts.month(self.workload.prices)
