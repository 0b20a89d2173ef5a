"""Sections of RESULTS.md about load."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks import report
from benchmarks.load.measured import Measured
from benchmarks.load.overload import Overload

PERCENTILES: Final = (50.0, 90.0, 99.0, 99.9)
_HEADINGS: Final = (
    "whole/s",
    "answers/s",
    *(f"p{q:g} ms" for q in PERCENTILES),
    "degraded",
    "shed",
)
SHED_MS: Final = 10.0
GOODPUT_SHARE: Final = 0.85


def figures(measured: Measured) -> list[str]:
    """The columns of a row that every table has."""
    failed = [f"{n} {code}" for code, n in measured.codes.items() if code != "OK"]
    return [
        f"{measured.goodput:.1f}",
        f"{measured.throughput:.1f}",
        *(_ms(measured.answered.milliseconds(q)) for q in PERCENTILES),
        f"{measured.share('degraded'):.1%}",
        f"{measured.share('shed'):.1%}",
        ", ".join(failed) or "0",
    ]


def table(first: str, rows: Mapping[str, Measured]) -> str:
    """A table of loads, one a row, the first column naming them."""
    body = [[name, *figures(measured)] for name, measured in rows.items()]
    return report.table((first, *_HEADINGS, "other than OK"), body)


def clients_section(
    command: str, data: str, runs: Mapping[str, Sequence[Measured]], seconds: float, deadline: float
) -> str:
    """Search from more and more clients, by what the caches hold."""
    lines = [
        "## Search from 1 to 64 clients",
        "",
        report.provenance(command, data),
        f"Closed loop: each client sends its next query when the last one is answered, for "
        f"{seconds:g} s a row; pages of 20 with reasons, {deadline:g} s of deadline; clients and "
        "suite on the same machine. Whole is an answer that leaves nothing out.",
    ]
    for name, loads in runs.items():
        rows = {f"{load.offered:.0f}": load for load in loads}
        lines += ["", f"### {name[0].upper()}{name[1:]}", "", table("clients", rows)]
    return "\n".join([*lines, "", "![Latency by clients](plots/load_clients.svg)"])


def overload_section(command: str, data: str, run: Overload) -> str:
    """The suite below and beyond what it can do."""
    rows = {f"{factor:g}× ({load.offered:.0f}/s)": load for factor, load in run.loads.items()}
    most = run.loads[max(run.loads)]
    kept = most.goodput / run.peak if run.peak else math.nan
    in_time = most.answered.milliseconds(99) <= run.deadline * 1e3
    return "\n".join(
        [
            "## Overload",
            "",
            report.provenance(command, data),
            f"Open loop: searches arrive as a Poisson process for {run.seconds:g} s a row, none "
            "waits for another, and latency counts from when each was due, so that nothing is left "
            "out (no coordinated omission). All queries differ; the deadline is "
            f"{run.deadline:g} s. "
            f"1× is what {run.clients} clients in a closed loop got: {run.capacity:.1f} answers a "
            "second. The generator runs on the same two cores.",
            "",
            table("offered", rows),
            "",
            f"- Goodput (whole answers within the deadline) at {max(run.loads):g}×: "
            f"{most.goodput:.1f}/s, {kept:.0%} of the peak of {run.peak:.1f}/s "
            f"(wanted: {GOODPUT_SHARE:.0%}).",
            f"- p99 of admitted calls: {_ms(most.answered.milliseconds(99))} ms, "
            f"{'inside' if in_time else 'beyond'} the deadline.",
            f"- Refusals at {max(run.loads):g}×, as the client sees them: p50 "
            f"{_ms(most.shed.milliseconds(50))} ms, p99 {_ms(most.shed.milliseconds(99))} ms "
            f"(wanted: below {SHED_MS:g} ms).",
            f"- The generator sent calls {_ms(most.sent_late.milliseconds(99))} ms late at p99.",
            "",
            "![Latency and goodput by load](plots/load_overload.svg)",
        ]
    )


def _ms(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.1f}" if value < 100 else f"{value:.0f}"
