"""The lines of a plan: replicas of every process, with processors, memory and disk."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from shared.planning.costs import Costs
from shared.planning.demand import ENGINE, POOLS, READING, WRITING
from shared.planning.fits import Affine, affine
from shared.planning.plan import Amounts, Deployment, Row
from shared.planning.pools import Pool
from shared.planning.workload import Policy, Workload

_SPARE_MEMORY: Final = 1.25
"""Memory that is asked for, of what was measured at rest."""
_LEAST_GIB: Final = 0.25
_REDIS_SPARE: Final = 1.5
_DAY: Final = 86_400
REDIS: Final = "redis"


def sizes_of(policy: Policy, pool: str) -> tuple[int, ...]:
    """Returns the processors that a replica may have: Python answers on one, Triton on several."""
    if pool in (READING, WRITING) and not policy.gpu_cores:
        return tuple(size for size in (2, 4, 8, 16, 32, 64) if size <= policy.node_cores)
    return (1,)


def memory_gib(costs: Costs, pool: str, products: float) -> float:
    """Returns the memory of a replica of a pool that is not the index.

    Args:
        costs: Memory at rest by size of the catalogue, as measured.
        pool: Its name.
        products: Of the whole catalogue: what a process keeps of it, it keeps of all.
    """
    process = "triton" if pool in (READING, WRITING) else pool
    line = _line(tuple((one.products, one.resident_mib[process]) for one in costs.memory.sizes))
    # With a Qdrant server the products are not in the process.
    mib = line.base if pool == "retrieval" else line.at(products)
    return max(_LEAST_GIB, mib * _SPARE_MEMORY / 1024)


@lru_cache(maxsize=64)
def _line(sizes: tuple[tuple[int, float], ...]) -> Affine:
    return affine(dict(sizes))


def rows(workload: Workload, costs: Costs, deployment: Deployment) -> tuple[Row, ...]:
    """Returns the lines of a plan in the order in which a search meets them."""
    found: list[Row] = []
    for name in POOLS:
        if name == ENGINE:
            found.append(_index(workload, costs, deployment))
        elif name in deployment.pools:
            found.append(_service(workload, costs, name, deployment.pools[name]))
    if workload.events > 0:
        found.append(_redis(workload, costs))
    return tuple(found)


def month_of(workload: Workload, costs: Costs, deployment: Deployment) -> float:
    """Returns what a month of a deployment costs."""
    total = Amounts()
    for row in rows(workload, costs, deployment):
        total += row.amounts
    return total.month(workload.prices)


def _service(workload: Workload, costs: Costs, name: str, pool: Pool) -> Row:
    policy = workload.policy
    gpu = 1.0 if name in (READING, WRITING) and policy.gpu_cores else 0.0
    load = pool.load
    follows = f", {load.follows:.0%} of each follows events" if load.follows else ""
    return Row(
        name,
        pool.replicas,
        Amounts(pool.cores, memory_gib(costs, name, workload.products), gpu),
        pool.busy,
        pool.wait().mean_ms,
        f"{load.rate:,.0f} calls/s x {load.service_ms:.2f} ms "
        f"over {pool.replicas} x {pool.servers} servers{follows}",
        str(costs.searches.provenance),
    )


def _index(workload: Workload, costs: Costs, deployment: Deployment) -> Row:
    index = deployment.index
    return Row(
        ENGINE,
        index.nodes,
        Amounts(index.pool.cores, index.node_gib, 0.0, index.node_disk_gb),
        index.pool.busy,
        index.pool.wait().mean_ms,
        f"{index.shards} shards of {workload.products / index.shards:,.0f} products x "
        f"{index.copies} copies, {index.shards_per_node} a node; {index.pool.load.rate:,.0f} "
        f"searches/s to each x {index.pool.load.service_ms:.2f} ms",
        str(costs.shards.provenance),
    )


def _redis(workload: Workload, costs: Costs) -> Row:
    each = costs.events.redis_bytes
    gib = workload.events * _DAY * workload.event_days * each * _REDIS_SPARE / 2**30
    cpu = costs.events.cpu_ms.get(REDIS, 0.0)
    busy = workload.events * cpu / 1e3
    copies = 2 if workload.policy.zones > 1 else 1
    return Row(
        REDIS,
        copies,
        Amounts(2.0, max(_LEAST_GIB, gib), 0.0, gib * 2 * 2**30 / 1e9),
        busy,
        0.0,
        f"{workload.events:,.0f} events/s kept for {workload.event_days:g} days "
        f"x {each:,.0f} bytes",
        str(costs.events.provenance),
    )
