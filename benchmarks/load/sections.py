"""Sections of RESULTS.md about load."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks import report
from benchmarks.load.measured import Latencies, Measured
from benchmarks.load.overhead import WANTED_MS, Overhead
from benchmarks.load.overload import Overload
from benchmarks.load.soak import GROWTH, MIX, SUM, WARM_UP_SHARE, Soak

PERCENTILES: Final = (50.0, 90.0, 99.0, 99.9)
_HEADINGS: Final = (
    "whole/s",
    "answers/s",
    *(f"p{q:g} ms" for q in PERCENTILES),
    "degraded",
    "shed",
    "late",
)
SHED_MS: Final = 10.0
GOODPUT_SHARE: Final = 0.85


def figures(measured: Measured) -> list[str]:
    """The columns of a row that every table has; percentiles are of all calls not refused."""
    failed = [f"{n} {code}" for code, n in measured.codes.items() if code != "OK"]
    return [
        f"{measured.whole:.1f}",
        f"{measured.goodput:.1f}",
        *(_ms(measured.admitted.milliseconds(q)) for q in PERCENTILES),
        *(f"{measured.share(what):.1%}" for what in ("degraded", "shed", "late")),
        ", ".join(failed) or "0",
    ]


def table(first: str, rows: Mapping[str, Measured]) -> str:
    """A table of loads, one a row, the first column naming them."""
    body = [[name, *figures(measured)] for name, measured in rows.items()]
    return report.table((first, *_HEADINGS, "other than OK"), body)


def clients_section(
    command: str, data: str, runs: Mapping[str, Sequence[Measured]], deadline: float
) -> str:
    """Search from more and more clients, by what the caches hold."""
    seconds = min(load.seconds for loads in runs.values() for load in loads)
    lines = [
        "## Search from 1 to 64 clients",
        "",
        report.provenance(command, data),
        f"Closed loop: each client sends its next query when the last one is answered, for "
        f"{seconds:.0f} s a row; pages of 20 with reasons, {deadline:g} s of deadline; clients and "
        "suite on the same machine. Whole is an answer that leaves nothing out. A call without an "
        "answer in time counts in the percentiles as the deadline.",
    ]
    for name, loads in runs.items():
        rows = {f"{load.offered:.0f}": load for load in loads}
        best = max(loads, key=lambda load: load.goodput)
        lines += [
            "",
            f"### {name[0].upper()}{name[1:]}",
            "",
            table("clients", rows),
            "",
            f"Sustained at most: {best.goodput:.1f} answers a second, "
            f"from {best.offered:.0f} clients.",
        ]
    return "\n".join([*lines, "", "![Latency by clients](plots/load_clients.svg)"])


def overhead_section(command: str, data: str, found: Overhead) -> str:
    """What an answer takes beyond its stages."""
    rows = {
        "the whole, as the client sees it": "whole",
        "in the orchestrator, while no stage is under way": "orchestrator",
        "all beyond the stages: that, and the way to the client and back": "beyond",
    }
    median = found.milliseconds("orchestrator", 50)
    return "\n".join(
        [
            "## What orchestration costs",
            "",
            report.provenance(command, data),
            f"{len(found.whole)} searches, one after the other, every query new; pages of 20 with "
            "reasons. A stage is a call of another service, as the orchestrator times it, "
            "encoding and the network included; where two are under way at once their time "
            "counts once.",
            "",
            report.table(
                ("milliseconds", "p50", "p90", "p99"),
                [
                    [name, *(f"{found.milliseconds(key, q):.1f}" for q in (50, 90, 99))]
                    for name, key in rows.items()
                ],
            ),
            "",
            f"The whole path minus the stages, in the orchestrator: {median:.1f} ms at p50 "
            f"(wanted: below {WANTED_MS:g} ms).",
        ]
    )


def overload_section(command: str, data: str, runs: Mapping[str, Overload]) -> str:
    """The suite below and beyond what it can do, by how it limits itself."""
    first = next(iter(runs.values()))
    lines = [
        "## Overload",
        "",
        report.provenance(command, data),
        f"Open loop: searches arrive as a Poisson process for {first.seconds:g} s a row, none "
        "waits for another, and latency counts from when each was due, so that nothing is left "
        "out (no coordinated omission). All queries differ; the deadline is "
        f"{first.deadline:g} s. A call that misses it counts at the deadline in the percentiles, "
        "which are of all calls that were not refused, and is no goodput. Under pressure answers "
        "go without parts in a fixed order, and say so, before calls are refused. The generator "
        "runs on the same machine.",
    ]
    for name, run in runs.items():
        lines += ["", f"### {name[0].upper()}{name[1:]}", "", *_overloaded(run)]
    return "\n".join([*lines, "", "![Goodput by load](plots/load_overload.svg)"])


def _overloaded(run: Overload) -> list[str]:
    rows = {f"{factor:g}× ({load.offered:.0f}/s)": load for factor, load in run.loads.items()}
    factor = max(run.loads)
    most = run.loads[factor]
    kept = most.goodput / run.peak if run.peak else math.nan
    p99 = most.admitted.milliseconds(99)
    verdict = "inside" if p99 < run.deadline * 1e3 else "beyond"
    return [
        f"1× is what {run.clients} clients in a closed loop got: {run.capacity:.1f} answers a "
        "second.",
        "",
        table("offered", rows),
        "",
        f"- Goodput (answers within the deadline, whole or saying what they go without) at "
        f"{factor:g}×: "
        f"{most.goodput:.1f}/s, {kept:.0%} of the peak of {run.peak:.1f}/s "
        f"(wanted: {GOODPUT_SHARE:.0%}). Whole are {most.whole:.1f}/s; the others go without "
        f"{_parts(most)}.",
        f"- p99 of admitted calls: {_ms(p99)} ms, {verdict} the deadline.",
        f"- Refusals at {factor:g}×, as a client beside the load sees them that does nothing "
        f"else: {_spread(run.seen_beside)} (wanted: below {SHED_MS:g} ms); as the generator sees "
        f"them: {_spread(most.shed)}.",
        f"- Health checks beside them, which pass none of the layers that refuse: "
        f"{_spread(most.health)}. What a refusal takes beyond one is what refusing costs; the rest "
        "is the way there and back, between processes that wait for the same cores.",
        f"- The generator sent calls {_ms(most.sent_late.milliseconds(99))} ms late at p99; its "
        f"own loop came round late by {_spread(most.own_lag)}.",
    ]


def _parts(load: Measured) -> str:
    answers = load.outcomes["degraded"] or 1
    named = (f"{part} ({count / answers:.0%})" for part, count in load.without.most_common())
    return ", ".join(named) or "nothing"


def mix_section(command: str, data: str, mix: Mapping[str, float], load: Measured) -> str:
    """One mix of calls."""
    shares = ", ".join(f"{name} {weight:g}" for name, weight in mix.items())
    return "\n".join(
        [
            "## A mix of calls",
            "",
            report.provenance(command, data),
            f"{load.seconds:.0f} s; {shares}.",
            "",
            table("offered", {f"{load.offered:g}": load}),
        ]
    )


def soak_section(command: str, data: str, run: Soak) -> str:
    """Memory under an even load."""
    shares = ", ".join(f"{name} {weight:g}" for name, weight in MIX.items())
    rows = [
        [name, *(f"{mib:.1f}" for mib in run.windows(name)), f"{run.growth(name):+.2%}"]
        for name in run.memory
    ]
    flat = run.growth(SUM) <= GROWTH
    return "\n".join(
        [
            "## Soak",
            "",
            report.provenance(command, data),
            f"{run.seconds / 60:g} minutes at {run.load.offered:g} calls a second ({shares}), an "
            f"open loop; resident memory of every process read {len(run.at)} times. Compared are "
            f"medians of a fifth of the time: after a warm-up of {WARM_UP_SHARE:.0%}, in which "
            "caches fill, and at the end.",
            "",
            report.table(("process", "MiB after warm-up", "MiB at the end", "growth"), rows),
            "",
            f"All processes together grew by {run.growth(SUM):+.2%} (wanted: below {GROWTH:.0%}): "
            f"{'flat' if flat else 'not flat'}. Beyond that by themselves: "
            f"{', '.join(name for name in run.leaks if name != SUM) or 'none'}.",
            "",
            table("offered", {f"{run.load.offered:g}/s": run.load}),
            "",
            "![Memory by time](plots/load_soak.svg)",
        ]
    )


def _spread(latencies: Latencies) -> str:
    return ", ".join(f"p{q:g} {_ms(latencies.milliseconds(q))} ms" for q in (50, 90, 99))


def _ms(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.1f}" if value < 100 else f"{value:.0f}"
