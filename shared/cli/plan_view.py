"""How a plan looks in a terminal: what to deploy, what it promises, what it takes for granted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.table import Table

from shared.cli import output

if TYPE_CHECKING:
    from rich.console import Console

    from shared.planning.costs import Costs
    from shared.planning.plan import Plan
    from shared.planning.simulation import Simulated

_BUSY: Final = 0.8
_SAID: Final = {"model": "the model's", "template": "templates'", "off": "none"}
_HEADINGS: Final = (
    "replicas", "vCPU each", "GiB each", "disk GB each", "GPU each", "busy", "wait ms", "a month",
)  # fmt: skip


def show(console: Console, plan: Plan, costs: Costs, *, explain: bool) -> None:
    """Print a plan."""
    workload = plan.workload
    console.print(
        f"{workload.products:,.0f} products, {workload.qps:,.0f} searches/s at the peak, "
        f"pages of {workload.page_size}, reasons: {_SAID[plan.reasons]}"
    )
    console.print(_table(plan))
    met = "green" if plan.p99_ms <= workload.p99_ms else "red"
    console.print(
        output.text(
            f"p99 {plan.p99_ms:.0f} ms (wanted {workload.p99_ms:g}), p50 {plan.p50_ms:.0f} ms; "
            f"where nobody waits p99 {plan.idle_p99_ms:.0f} ms",
            met,
        )
    )
    if workload.policy.zones > 1:
        console.print(
            f"With one of {workload.policy.zones} zones lost, at the peak: "
            f"p99 {plan.p99_zone_lost_ms:.0f} ms"
        )
    index = plan.deployment.index
    console.print(
        f"Index: {index.shards} shards of {workload.products / index.shards:,.0f} products, "
        f"{index.copies} copies, on {index.nodes} nodes; a new one is built in "
        f"{index.build_hours:.1f} processor-hours a shard"
    )
    for line in plan.warnings:
        console.print(output.text(f"! {line}", "yellow"))
    if explain:
        _explain(console, plan)
    console.print(
        output.text(f"Costs: {costs.searches.provenance}; shards: {costs.shards.provenance}", "dim")
    )
    if not explain:
        console.print(output.text("--explain tells how each number came about.", "dim"))


def _table(plan: Plan) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("what")
    for heading in _HEADINGS:
        table.add_column(heading, justify="right")
    prices = plan.workload.prices
    for row in plan.rows:
        each = row.each
        table.add_row(
            row.name,
            f"{row.replicas:,}",
            f"{each.vcpu:g}",
            f"{each.gib:.1f}",
            f"{each.disk_gb:,.0f}" if each.disk_gb else "",
            f"{each.gpu:g}" if each.gpu else "",
            output.text(f"{row.busy:.0%}", "yellow" if row.busy > _BUSY else ""),
            f"{row.wait_ms:.1f}",
            f"{row.amounts.month(prices):,.0f}",
        )
    table.add_section()
    whole = plan.amounts
    table.add_row(
        "all together",
        f"{sum(row.replicas for row in plan.rows):,}",
        f"{whole.vcpu:,.0f}",
        f"{whole.gib:,.0f}",
        f"{whole.disk_gb:,.0f}",
        f"{whole.gpu:,.0f}" if whole.gpu else "",
        "",
        "",
        f"{plan.month:,.0f} {output.clean(prices.currency)}",
    )
    return table


def _explain(console: Console, plan: Plan) -> None:
    console.print("\nHow each number came about")
    table = Table(box=None, pad_edge=False, show_header=False)
    for row in plan.rows:
        table.add_row(row.name, output.text(row.why))
    console.print(table)
    console.print("\nWhere the figures come from")
    for source in dict.fromkeys(row.source for row in plan.rows):
        names = ", ".join(row.name for row in plan.rows if row.source == source)
        console.print(output.text(f"  {names}: {source}"))
    console.print("\nAssumed")
    for line in plan.assumptions:
        console.print(output.text(f"  - {line}"))


def show_simulated(console: Console, plan: Plan, found: Simulated) -> None:
    """Print what a simulation found beside what was promised."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(f"{found.searches:,} searches simulated")
    table.add_column("promised", justify="right")
    table.add_column("simulated", justify="right")
    for name, promised, percent in (("p50 ms", plan.p50_ms, 50), ("p99 ms", plan.p99_ms, 99)):
        table.add_row(name, f"{promised:.0f}", f"{found.percentile(percent):.0f}")
    for row in plan.rows:
        if row.name in found.busy:
            table.add_row(f"{row.name}, busy", f"{row.busy:.0%}", f"{found.busy[row.name]:.0%}")
    console.print(table)
    kept = found.percentile(99) <= plan.workload.p99_ms
    console.print(
        output.text(
            f"The target of {plan.workload.p99_ms:g} ms is {'kept' if kept else 'missed'} in the "
            f"simulation: p99 {found.percentile(99):.0f} ms",
            "green" if kept else "red",
        )
    )


def document(plan: Plan, found: Simulated | None) -> dict[str, Any]:
    """Returns a plan for --json."""
    from dataclasses import asdict

    index = plan.deployment.index
    told: dict[str, Any] = {
        "workload": asdict(plan.workload),
        "reasons": plan.reasons,
        "rows": [
            asdict(row) | {"month": row.amounts.month(plan.workload.prices)} for row in plan.rows
        ],
        "index": {
            "shards": index.shards,
            "copies": index.copies,
            "shards_per_node": index.shards_per_node,
            "nodes": index.nodes,
            "products_per_shard": plan.workload.products / index.shards,
            "build_cpu_hours_per_shard": index.build_hours,
        },
        "latency_ms": {
            "p50": plan.p50_ms,
            "p99": plan.p99_ms,
            "p99_zone_lost": _finite(plan.p99_zone_lost_ms),
            "p99_idle": plan.idle_p99_ms,
        },
        "all": asdict(plan.amounts),
        "month": plan.month,
        "assumptions": plan.assumptions,
        "warnings": plan.warnings,
    }
    if found:
        told["simulated"] = {
            "searches": found.searches,
            "p50": found.percentile(50),
            "p99": found.percentile(99),
            "busy": found.busy,
        }
    return told


def _finite(value: float) -> float | None:
    return value if value < float("inf") else None
