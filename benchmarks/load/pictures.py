"""Plots of loads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks import plots, report
from benchmarks.load.measured import Measured
from benchmarks.load.overload import Overload
from benchmarks.load.soak import Soak


def clients(runs: Mapping[str, Sequence[Measured]]) -> None:
    """Latency by number of clients."""
    plots.lines(
        {
            f"{name}, p{q:g}": (
                [load.offered for load in loads],
                [load.answered.milliseconds(q) for load in loads],
            )
            for name, loads in runs.items()
            for q in (50.0, 99.0)
        },
        ("clients", "milliseconds"),
        report.PLOTS / "load_clients.svg",
    )


def overload(runs: Mapping[str, Overload]) -> None:
    """Goodput by load."""
    plots.lines(
        {
            name: (
                [load.offered for load in run.loads.values()],
                [load.goodput for load in run.loads.values()],
            )
            for name, run in runs.items()
        },
        ("searches offered a second", "answers within the deadline, a second"),
        report.PLOTS / "load_overload.svg",
    )


def soak(run: Soak) -> None:
    """Memory by time."""
    minutes = [at / 60 for at in run.at]
    plots.lines(
        {name: (minutes, values) for name, values in run.memory.items()},
        ("minutes", "resident MiB"),
        report.PLOTS / "load_soak.svg",
    )
