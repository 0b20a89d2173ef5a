"""What is asked of a plan: the traffic, the target, and how much is to spare."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Quantisation = Literal["none", "int8", "binary"]


@dataclass(frozen=True, slots=True)
class Prices:
    """What a month is counted with. The defaults are assumptions, of the order of list prices."""

    vcpu_hour: float = 0.04
    gib_hour: float = 0.005
    gpu_hour: float = 2.5
    gb_month: float = 0.10
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class Policy:
    """How much is to spare, and what a machine is like."""

    headroom: float = 0.3
    """Share of every processor that is left free while all zones work."""
    zones: int = 3
    """Availability zones; one may be lost without losing searches."""
    shard_copies: int = 2
    """Least copies of every shard."""
    quantisation: Quantisation = "int8"
    most_shard_products: float = 0.0
    """Most products of a shard; 0: the largest size measured, 1 million at least."""
    asked_share: float = 1.0
    """Share of the shards that a search asks: less than all where they are cut by category."""
    node_cores: int = 8
    """Processors of a node of Qdrant and of a replica of Triton."""
    node_gib: float = 128.0
    """Most memory of a node of Qdrant."""
    hop_ms: float = 0.5
    """Round trip between two machines, on top of what was measured on one."""
    gpu_cores: float = 0.0
    """Processors whose work of Triton one GPU does; 0: Triton runs on processors."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What is to be answered."""

    products: float
    qps: float
    """Searches a second at the peak."""
    p99_ms: float
    """What 99 of 100 searches are to stay below, as the caller sees it."""
    reasons: Literal["auto", "model", "template", "off"] = "auto"
    """`auto`: the richest that meets the target."""
    page_size: int = 20
    chinese_share: float = 0.0
    cache_hits: float = 0.0
    """Share of the searches that were asked before, lately."""
    events: float = 0.0
    """User events a second."""
    event_days: float = 30.0
    """How long they are kept in Redis."""
    policy: Policy = field(default_factory=Policy)
    prices: Prices = field(default_factory=Prices)


class PlanInfeasibleError(Exception):
    """No number of machines meets the target.

    Args:
        message: Why.
        remedies: What would.
    """

    def __init__(self, message: str, remedies: list[str]) -> None:
        super().__init__(message)
        self.remedies = remedies
