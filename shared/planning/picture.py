"""The picture of plans over searches a second: replicas of every pool, and what a month costs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from shared.planning.costs import Costs
from shared.planning.plan import Plan
from shared.planning.planner import plan
from shared.planning.workload import PlanInfeasibleError, Workload

FACTORS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Of the peak, for which plans are made."""


def plans(workload: Workload, costs: Costs, tell: Callable[[], None] = lambda: None) -> list[Plan]:
    """Returns plans for parts and multiples of the peak; events grow alike.

    Args:
        workload: The peak itself.
        costs: As measured.
        tell: Told of every plan that is made.
    """
    found: list[Plan] = []
    for factor in FACTORS:
        at = replace(workload, qps=workload.qps * factor, events=workload.events * factor)
        with suppress(PlanInfeasibleError):  # a gap in the line says so
            found.append(plan(at, costs))
        tell()
    return found


def plot(path: Path, found: list[Plan]) -> None:
    """Writes an SVG; needs the library matplotlib."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasSVG(figure)
    left, right = figure.subplots(1, 2)
    names = dict.fromkeys(row.name for one in found for row in one.rows)
    for name in names:
        points = [
            (one.workload.qps, row.replicas)
            for one in found
            for row in one.rows
            if row.name == name
        ]
        left.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
    left.set(xscale="log", yscale="log", xlabel="searches a second", ylabel="replicas")
    left.legend(fontsize=7)
    rates = [one.workload.qps for one in found]
    right.plot(rates, [one.month for one in found], marker="o", markersize=3, color="black")
    currency = found[0].workload.prices.currency
    right.set(xscale="log", yscale="log", xlabel="searches a second", ylabel=f"{currency} a month")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    first = found[0].workload
    figure.suptitle(f"{first.products:,.0f} products, p99 below {first.p99_ms:g} ms", fontsize=10)
    figure.savefig(path, metadata={"Date": None})
