"""The index over shards: how large a shard may be, how long it takes, what a node holds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from shared.planning.distribution import Array, Grid, mean, slowest, spectrum, total, variability
from shared.planning.pools import Load, Pool, sized
from shared.planning.queueing import Wait
from shared.planning.shard_curve import ShardCurve
from shared.planning.workload import Workload

_LARGEST_UNMEASURED: Final = 1e6
"""A shard may be that large even where no such store was measured; it is told."""
_HELD: Final = 0.5
"""Share of a node's memory that shards may take, so that one lost elsewhere finds room."""
_DISK_COPIES: Final = 2.0
"""An optimisation builds a copy beside what it replaces."""
_MOST_SHARDS: Final = 4096
_MIB: Final = 2**20
_NODES: Final = tuple(
    (m, cores) for cores in (2, 4, 8, 16, 32, 64) for m in (1, 2, 4, 8) if m <= cores
)
"""Shards of a node and its processors."""
_FACTORS: Final = (1, 1.5, 2, 3, 4, 6, 8, 12, 16)
"""Of the fewest shards."""


@dataclass(frozen=True, slots=True)
class Index:
    """A layout of the index: `groups` of nodes, each with the same shards on each of its nodes."""

    shards: int
    shards_per_node: int
    asked: int
    """Groups that one search asks."""
    pool: Pool
    """The nodes of one group; each is a replica."""
    quantiles: tuple[float, ...]
    """Of one shard's search, milliseconds."""
    width: float
    """Processors that work on it at once."""
    shard_mib: float
    shard_disk_mib: float
    build_hours: float
    """Of one processor, to write and index one shard."""

    @property
    def groups(self) -> int:
        """Groups of nodes."""
        return math.ceil(self.shards / self.shards_per_node)

    @property
    def copies(self) -> int:
        """Copies of every shard."""
        return self.pool.replicas

    @property
    def nodes(self) -> int:
        """Nodes of all groups."""
        return self.groups * self.copies

    @property
    def node_gib(self) -> float:
        """Memory of a node."""
        return self.shards_per_node * self.shard_mib / _HELD / 1024

    @property
    def node_disk_gb(self) -> float:
        """Disk of a node."""
        return self.shards_per_node * self.shard_disk_mib * _DISK_COPIES * _MIB / 1e9

    def latency(self, grid: Grid, node_wait: Wait) -> Array:
        """Returns the probabilities of the slowest node's answer, waits included."""
        node = slowest(grid.measured(self.quantiles), self.shards_per_node)
        waited = total([spectrum(grid.waiting(node_wait)), spectrum(node)])
        return slowest(waited, self.asked)


def layouts(workload: Workload, curve: ShardCurve, busy_most: float) -> Iterator[Index]:
    """Yields layouts of the index that a node's memory and the largest shard allow.

    A node works on its shards' parts of a search side by side. For its queue a search is one call
    that keeps as many processors as it has shards until the slowest of them is done.
    """
    policy = workload.policy
    largest = policy.most_shard_products or max(
        _LARGEST_UNMEASURED, *(one.products for one in curve.measured)
    )
    fewest = max(1, math.ceil(workload.products / largest))
    for factor in _FACTORS:
        shards = math.ceil(fewest * factor)
        if shards > _MOST_SHARDS:
            return
        products = workload.products / shards
        quantiles = curve.quantiles(products)
        width = curve.width(products)
        shard_mib = curve.shard_mib(products, policy.quantisation)
        for together, cores in _NODES:
            held = together * shard_mib / _HELD / 1024
            if cores > policy.node_cores or together > shards or held > policy.node_gib:
                continue
            groups = math.ceil(shards / together)
            asked = max(1, math.ceil(groups * policy.asked_share))
            load = Load(
                "qdrant",
                workload.qps * asked / groups,
                _slowest_mean(quantiles, together),
                variability(quantiles) / together,
                together * width,
            )
            if cores < load.width:
                continue
            pool = sized(load, cores, busy_most, policy.zones, policy.shard_copies)
            yield Index(
                shards,
                together,
                asked,
                pool,
                quantiles,
                width,
                shard_mib,
                curve.disk_mib.at(products),
                curve.build_cpu_seconds.at(products) / 3600,
            )


@lru_cache(maxsize=256)
def _slowest_mean(quantiles: tuple[float, ...], calls: int) -> float:
    if calls == 1:
        return mean(quantiles)
    grid = Grid(quantiles[-1] * 1.05)
    found = slowest(grid.measured(quantiles), calls)
    return float(found @ np.arange(len(found))) * grid.step
