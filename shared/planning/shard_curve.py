"""What one shard costs by its products, from the cost curve of one store."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from shared.planning.costs import Shards, ShardSize
from shared.planning.distribution import mean
from shared.planning.fits import Affine, Power, affine, power
from shared.planning.workload import Quantisation

COMPONENTS: Final = 384
_KEPT: Final[dict[Quantisation, float]] = {"none": 1.0, "int8": 0.25, "binary": 1 / 32}
"""Share of a vector's bytes that stays in memory."""
_BESIDE: Final = 0.8
"""Most of a search of the smallest store that may be the process's own work."""
_MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class ShardCurve:
    """What one shard costs by its products."""

    engine_ms: Power
    """Of the slower leg, by the clock."""
    work_ms: Power
    """Of all legs, of processors."""
    memory_mib: Affine
    disk_mib: Affine
    build_cpu_seconds: Power
    measured: tuple[ShardSize, ...]

    @classmethod
    def of(cls, shards: Shards) -> ShardCurve:
        """Fits what was measured."""
        sizes = sorted(shards.sizes, key=lambda one: one.products)
        # What the process does beside the engine does not grow with the products.
        smallest = sizes[0]
        beside = min(smallest.cpu_ms - mean(smallest.engine_ms), _BESIDE * smallest.cpu_ms)
        beside = max(0.0, beside)
        return cls(
            power({one.products: mean(one.engine_ms) for one in sizes}),
            power({one.products: one.cpu_ms - beside for one in sizes}),
            affine({one.products: one.resident_mib for one in sizes}),
            affine({one.products: one.disk_mib for one in sizes}),
            power({one.products: one.build_cpu_seconds for one in sizes}),
            tuple(sizes),
        )

    def quantiles(self, products: float) -> tuple[float, ...]:
        """Returns the engine's latency: the fitted mean, spread as at the nearest size measured."""
        near = min(self.measured, key=lambda one: abs(math.log(one.products / products)))
        factor = self.engine_ms.at(products) / mean(near.engine_ms)
        return tuple(value * factor for value in near.engine_ms)

    def width(self, products: float) -> float:
        """Returns the processors that work on one shard's search at once: its legs' own."""
        return max(1.0, self.work_ms.at(products) / self.engine_ms.at(products))

    def shard_mib(self, products: float, quantisation: Quantisation) -> float:
        """Returns the memory of a shard; what quantised vectors save is computed, not measured."""
        saved = products * COMPONENTS * 4 * (1 - _KEPT[quantisation]) / _MIB
        # A graph and payloads stay: never less than a quarter of what was measured.
        whole = self.memory_mib.at(products)
        return max(whole - saved, whole / 4)
