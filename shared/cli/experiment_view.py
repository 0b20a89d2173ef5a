"""How reports on experiments look in a terminal: a table, and how each comparison went."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import TYPE_CHECKING, Final

from rich.table import Table

from shared.cli import output

if TYPE_CHECKING:
    from rich.console import Console

    from wherefore.orchestrator.v1.experiment_service_pb2 import (
        ArmReport,
        ExperimentReport,
        ExperimentServiceReportResponse,
        MetricReport,
        ReportPoint,
    )

MISMATCHED: Final = 1_000.0
"""E-value of the numbers of users beyond which arms were not drawn as they should be."""
_LEAST_LIFT, _MOST_LIFT, _COLUMNS = 0.5, 2.0, 61
_LINES: Final = 8
_FAR: Final = 1e6
"""Lift beyond which none is told."""


def show(console: Console, response: ExperimentServiceReportResponse) -> None:
    """Print reports."""
    if response.problem:
        console.print(output.text(f"The file is refused: {response.problem}", "red"))
    if not response.reports:
        console.print("No experiments.")
    for report in response.reports:
        _show(console, report)


def _show(console: Console, report: ExperimentReport) -> None:
    table = Table(title=f"{output.clean(report.experiment)}, revision {report.revision}")
    table.add_column("arm")
    table.add_column("metric")
    for heading in ("users", "converted", "lift", "95 % at all times", "p"):
        table.add_column(heading, justify="right")
    control = report.arms[0].arm if report.arms else ""
    for arm in report.arms:
        for metric in arm.metrics:
            told = (f"{metric.lift:.3f}", _interval(metric), f"{_p_value(metric):.4f}")
            table.add_row(
                output.text(arm.arm),
                metric.metric,
                f"{arm.users:,}",
                f"{metric.converted_users:,}",
                *(("", "", "") if arm.arm == control else told),
            )
    console.print(table)
    for arm in report.arms:
        _remark(console, arm)
        for metric in arm.metrics:
            if metric.points:
                _plot(console, arm.arm, metric)


def _remark(console: Console, arm: ArmReport) -> None:
    if arm.HasField("roll_back"):
        why = arm.roll_back
        console.print(
            output.text(
                f"{arm.arm} was taken back at {why.time.ToDatetime():%Y-%m-%d %H:%M} UTC:"
                f" {why.metric} at {why.lift:.3f} of control's, at most {why.lift_high:.3f}",
                "red",
            )
        )
    if arm.mismatch_e_value > MISMATCHED:
        console.print(
            output.text(
                f"{arm.arm}: its users are not as many as its share says; trust nothing above",
                "red",
            )
        )


def _plot(console: Console, arm: str, metric: MetricReport) -> None:
    """Draws the interval of the lift as it narrowed, one line a look, oldest first."""
    title = f"{arm}, {metric.metric}: lift from {_LEAST_LIFT:g} to {_MOST_LIFT:g}, | is no change"
    console.print(output.text(title, "dim"))
    for point in _spread(metric.points):
        console.print(f"{point.converted_users:>8,} {_line(point)}")


def _spread(points: Sequence[ReportPoint]) -> list[ReportPoint]:
    last = len(points) - 1
    wanted = {round(last * number / (_LINES - 1)) for number in range(_LINES)} if last else {0}
    return [points[at] for at in sorted(wanted)]


def _line(point: ReportPoint) -> str:
    low, at, high = (_column(value) for value in (point.lift_low, point.lift, point.lift_high))
    cells = ["-" if low <= column <= high else " " for column in range(_COLUMNS)]
    cells[_column(1.0)] = "|"
    cells[at] = "o"
    return "".join(cells)


def _column(lift: float) -> int:
    """Returns the column of a lift, on a scale on which halving and doubling are as wide."""
    share = log(min(max(lift, _LEAST_LIFT), _MOST_LIFT) / _LEAST_LIFT)
    return round(share / log(_MOST_LIFT / _LEAST_LIFT) * (_COLUMNS - 1))


def _interval(metric: MetricReport) -> str:
    high = f"{metric.lift_high:.3f}" if metric.lift_high < _FAR else "any"
    return f"{metric.lift_low:.3f} to {high}"


def _p_value(metric: MetricReport) -> float:
    return min(1.0, 1.0 / metric.e_value) if metric.e_value > 0 else 1.0
