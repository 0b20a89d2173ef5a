"""From a workload and measured costs to a plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, get_args

from shared.planning.costs import Costs, Reasons
from shared.planning.demand import demand
from shared.planning.distribution import Grid
from shared.planning.index import layouts
from shared.planning.notes import assumptions, warnings
from shared.planning.plan import Deployment, Plan
from shared.planning.pools import FOLLOWS_MOST, Load, Pool, loads, sized
from shared.planning.rows import month_of, rows, sizes_of
from shared.planning.shard_curve import ShardCurve
from shared.planning.workload import PlanInfeasibleError, Workload

_LADDER: Final = (0.85, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.12)
"""Utilisations that are tried, from the highest that the headroom allows."""
_LEAST_GRID_MS: Final = 1_000.0
_WIDE_GRID: Final = Grid(60_000)
"""For what is far beyond the target."""
_RICHEST: Final[tuple[Reasons, ...]] = ("model", "template")


def plan(workload: Workload, costs: Costs) -> Plan:
    """Returns the cheapest plan of those that are tried that meets the target.

    Tried are layouts of the index and, for each, utilisations from the highest that the headroom
    allows downwards: the first at which the 99th percentile meets the target is its own.

    Raises:
        PlanInfeasibleError: None meets it, or events are more than one process can follow.
        CostsError: A cost that is needed was not measured.
    """
    _check_events(workload, costs)
    wanted = _RICHEST if workload.reasons == "auto" else (workload.reasons,)
    floors: dict[Reasons, float] = {}
    for reasons in wanted:
        found, floors[reasons] = _cheapest(workload, costs, reasons)
        if found:
            return found
    raise _infeasible(workload, costs, floors)


def _cheapest(workload: Workload, costs: Costs, reasons: Reasons) -> tuple[Plan | None, float]:
    """Returns the cheapest plan, if any, and the best 99th percentile where nobody waits."""
    curve = ShardCurve.of(costs.shards)
    asked = demand(workload, costs, reasons)
    load = loads(asked, workload.qps, workload.events, costs.events.cpu_ms)
    grid = Grid(max(_LEAST_GRID_MS, 12 * workload.p99_ms))
    most = 1 - workload.policy.headroom
    ladder = [most, *(busy for busy in _LADDER if busy < most)]
    best: tuple[float, Deployment, float] | None = None
    idle: dict[tuple[int, int], float] = {}
    fanned_out: dict[tuple[int, int], Deployment] = {}
    seen: dict[tuple[int, int, float], float] = {}
    for busy in ladder:
        pools = _pools(workload, load, busy)
        for index in layouts(workload, curve, busy):
            layout = (index.shards, index.shards_per_node, index.pool.cores)
            if layout in seen and seen[layout] <= workload.p99_ms:
                continue
            deployment = Deployment(asked, pools, index)
            fanned = layout[:2]
            if fanned not in idle:
                fanned_out[fanned] = deployment
                idle[fanned] = deployment.idle_p99(grid)
            if idle[fanned] > workload.p99_ms:
                continue  # no utilisation helps
            month = month_of(workload, costs, deployment)
            if best is not None and month >= best[0]:
                continue
            (seen[layout],) = deployment.percentiles(grid, (99,))
            if seen[layout] <= workload.p99_ms:
                best = month, deployment, busy
    if not fanned_out:
        raise PlanInfeasibleError(
            "--node-memory, --node-cores: no node can hold a shard",
            ["a larger node, or smaller shards with --shard-products"],
        )
    if best is None:
        return None, min(one.idle_p99(_WIDE_GRID) for one in fanned_out.values())
    return _told(workload, costs, best[1], best[2], grid), best[1].idle_p99(grid)


def _pools(workload: Workload, load: dict[str, Load], busy: float) -> dict[str, Pool]:
    policy = workload.policy
    found: dict[str, Pool] = {}
    for name, one in load.items():
        ways = [
            sized(one, cores, busy, policy.zones, policy.zones)
            for cores in sizes_of(policy, name)
            if cores >= one.width or cores == sizes_of(policy, name)[-1]
        ]
        found[name] = min(ways, key=lambda pool: (pool.replicas * pool.cores, pool.replicas))
    return found


def _told(
    workload: Workload, costs: Costs, deployment: Deployment, busy: float, grid: Grid
) -> Plan:
    p50, p99 = deployment.percentiles(grid, (50, 99))
    lost = p99
    if workload.policy.zones > 1:
        (lost,) = deployment.percentiles(grid, (99,), workload.policy.zones)
    return Plan(
        workload,
        deployment.demand.reasons,
        rows(workload, costs, deployment),
        deployment,
        p50,
        p99,
        lost,
        deployment.idle_p99(grid),
        busy,
        assumptions(workload, costs, deployment),
        warnings(workload, costs, deployment),
    )


def _check_events(workload: Workload, costs: Costs) -> None:
    each = costs.events.cpu_ms.get("recommend", 0.0) / 1e3
    if workload.events * each > FOLLOWS_MOST:
        most = FOLLOWS_MOST / each
        raise PlanInfeasibleError(
            f"--events: every orchestrator and every recommend reads the whole log of events, and "
            f"half of a processor follows {most:,.0f} a second",
            [
                f"cut the shop by tenant or region into {workload.events / most:.1f} or more "
                "suites, each with a log of its own (docs/internet_scale.md)",
                "send fewer kinds of event, or a sample of them",
            ],
        )


def _infeasible(
    workload: Workload, costs: Costs, floors: dict[Reasons, float]
) -> PlanInfeasibleError:
    told = ", ".join(f"{floor:.0f} ms with {_said(kind)}" for kind, floor in floors.items())
    remedies: list[str] = []
    for reasons in get_args(Reasons):
        if reasons in floors:
            continue
        other, _ = _cheapest(replace(workload, reasons=reasons), costs, reasons)
        if other:
            remedies.append(f"--reasons {reasons} meets it: {other.p99_ms:.0f} ms")
    slower = max(workload.p99_ms, *floors.values()) * 1.3
    remedies.append(f"--p99 {slower:.0f}ms, or a higher --cache-hits")
    return PlanInfeasibleError(
        f"--p99: {workload.p99_ms:g} ms cannot be met by more machines: where nobody waits for "
        f"anybody the 99th percentile is {told}",
        remedies,
    )


def _said(reasons: Reasons) -> str:
    return {"model": "the model's reasons", "template": "templates", "off": "no reasons"}[reasons]
