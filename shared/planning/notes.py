"""What a plan takes for granted, and what its reader should know."""

from __future__ import annotations

from typing import Final

from shared.planning.costs import Costs
from shared.planning.demand import WRITING
from shared.planning.plan import Deployment
from shared.planning.rows import REDIS, memory_gib
from shared.planning.workload import Workload

_LARGE_GIB: Final = 32.0
_LARGE_REDIS_GIB: Final = 64.0
_QUIET: Final = 0.5
"""Load of a processor up to which a machine is quiet."""
_FAR: Final = 1.5
"""A size beyond the largest measured by more than this factor is an extrapolation worth telling."""


def assumptions(workload: Workload, costs: Costs, deployment: Deployment) -> tuple[str, ...]:
    """Returns what the plan takes for granted."""
    policy, prices = workload.policy, workload.prices
    found = [
        "Searches arrive as a Poisson process at the rate of the peak; services take turns "
        "(round robin), so that each replica has a queue of its own.",
        f"A processor does what one of {costs.searches.provenance.machine} did.",
        f"A replica of a Python service has one processor; a round trip between machines takes "
        f"{policy.hop_ms:g} ms more than on one machine.",
        "A shard of a Qdrant server costs what the embedded engine, which has the same core, was "
        "measured to cost; no Qdrant server was measured.",
        f"{policy.headroom:.0%} of every processor stay free; with one of {policy.zones} zones "
        "lost the rest are at most 90 % busy."
        if policy.zones > 1
        else f"{policy.headroom:.0%} of every processor stay free.",
        "Triton's batches, which make a call cheaper under load, are left out.",
        f"Prices: {prices.vcpu_hour:g} a vCPU-hour, {prices.gib_hour:g} a GiB-hour, "
        f"{prices.gpu_hour:g} a GPU-hour, {prices.gb_month:g} a GB-month of disk "
        f"({prices.currency}); network, load balancers, backups and people are not counted.",
    ]
    if policy.quantisation != "none":
        found.append(
            f"{policy.quantisation} vectors: what they save of memory is computed from their size."
        )
    if policy.gpu_cores:
        found.append(
            f"One GPU does the models' work of {policy.gpu_cores:g} processors: as given, no GPU "
            "was measured."
        )
    if workload.cache_hits:
        found.append("A search that was asked before costs what 40 queries over and over cost.")
    if workload.chinese_share:
        found.append("Chinese searches cost what the judged queries in Chinese cost.")
    return tuple(found)


def warnings(workload: Workload, costs: Costs, deployment: Deployment) -> tuple[str, ...]:
    """Returns what the reader should know before money is spent."""
    found: list[str] = []
    index = deployment.index
    searches = costs.searches
    load = searches.provenance.load_average
    if load > _QUIET * searches.cores:
        found.append(
            f"The costs were measured beside other work (load {load:.1f} on {searches.cores} "
            "processors): latencies are higher than on a quiet machine. Measure them anew."
        )
    shard = workload.products / index.shards
    if shard > _FAR * costs.shards.largest:
        found.append(
            f"A shard of {shard:,.0f} products was not measured: the largest was "
            f"{costs.shards.largest:,}, the rest is extrapolated."
        )
    measured = max(one.products for one in costs.memory.sizes)
    held = {name: memory_gib(costs, name, workload.products) for name in deployment.pools}
    large = {name: gib for name, gib in held.items() if gib > _LARGE_GIB}
    if large:
        told = ", ".join(f"{name} {gib:,.0f} GiB" for name, gib in large.items())
        found.append(
            f"Memory of each replica: {told}. They keep something of every product (extrapolated "
            f"from {measured:,}): cut the catalogue by tenant or category."
        )
    if workload.policy.quantisation == "binary":
        found.append("Binary vectors find 84 % of the true first ten at most: no choice here.")
    if WRITING in deployment.pools and not workload.policy.gpu_cores:
        found.append("The model of reasons runs on processors; --gpu-cores plans it for GPUs.")
    each = costs.events.redis_bytes
    gib = workload.events * 86_400 * workload.event_days * each / 2**30
    busy = workload.events * costs.events.cpu_ms.get(REDIS, 0.0) / 1e3
    if gib > _LARGE_REDIS_GIB or busy > 1 - workload.policy.headroom:
        found.append(
            f"The log of events needs {gib:,.0f} GiB and {busy:.1f} processors of one Redis: the "
            "suite has one log (no Redis Cluster). Keep events for fewer days, or cut by tenant."
        )
    return tuple(found)
