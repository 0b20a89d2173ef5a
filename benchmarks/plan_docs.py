"""The figures of docs/internet_scale.md: the planner's own output for the costs as they are.

`python -m benchmarks.plan_docs` writes them between their markers, and the picture; a test holds
that they are what the planner says now.
"""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from typing import Final

from benchmarks import report
from shared.cli.app import main
from shared.planning.costs import Costs, read_costs
from shared.planning.demand import PAGE
from shared.planning.distribution import mean
from shared.planning.fits import affine
from shared.planning.pools import FOLLOWS_MOST
from shared.planning.shard_curve import ShardCurve

PAGE_PATH: Final = report.ROOT / "docs" / "internet_scale.md"
PICTURE: Final = report.ROOT / "docs" / "images" / "plan.svg"
TARGETS: Final = ("120ms", "250ms", "500ms", "1s", "5s")
"""Tried in turn until one can be met."""
_ASKED: Final = ("--products", "50M", "--qps", "20000", "--p99")


def example() -> str:
    """Returns the command of the issue with what it says; then with the next target, if refused."""
    told: list[str] = []
    for target in TARGETS:
        code, output = run([*_ASKED, target])
        if code and told:
            continue  # said once
        told += [f"$ wherefore plan {' '.join(_ASKED)} {target}", output.rstrip()]
        if code == 0:
            break
    return "```console\n" + "\n".join(told) + "\n```"


def run(arguments: list[str]) -> tuple[int, str]:
    """Returns the exit code of `wherefore plan` and all that it says."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = main(["plan", *arguments])
    return code, "\n".join(line.rstrip() for line in said.getvalue().splitlines())


def limits(costs: Costs) -> str:
    """Returns the table of what one process can do, from the costs."""
    cpu = costs.searches.kind("template", "en", page_size=PAGE, repeated=False).cpu_ms
    model = costs.searches.kind("model", "en", page_size=PAGE, repeated=False).cpu_ms
    held = {
        name: affine({one.products: one.resident_mib[name] for one in costs.memory.sizes})
        for name in costs.memory.sizes[0].resident_mib
    }
    curve = ShardCurve.of(costs.shards)
    follow = costs.events.cpu_ms["recommend"]
    rows = [
        [
            name,
            f"{cpu[name]:.1f}",
            f"{1e3 / cpu[name]:,.0f}" if cpu[name] else "",
            f"{held[name].base:,.0f}",
            f"{held[name].each * 1e6:,.0f}",
        ]
        for name in ("orchestrator", "nlu", "retrieval", "ranking", "reason", "recommend", "triton")
    ]
    headings = (
        "process", "processor ms of a search", "searches/s of a processor", "MiB anyway",
        "MiB more for a million products",
    )  # fmt: skip
    day = costs.events.redis_bytes * 86_400 / 2**30
    facts = [
        f"- Words of the model cost {model['triton'] - cpu['triton']:.0f} ms of a processor in "
        f"Triton for a page of {PAGE}: {1e3 / max(1e-9, model['triton'] - cpu['triton']):.0f} "
        "pages a second of a processor.",
        f"- A shard's slower leg takes {mean(curve.quantiles(1e6)):.0f} ms at a million products, "
        f"growing as products to the power of {curve.engine_ms.exponent:.2f} (largest measured: "
        f"{costs.shards.largest:,}).",
        f"- Who follows the log of events needs {follow:.2f} ms for each, so half of a processor "
        f"follows {1e3 * FOLLOWS_MOST / follow:,.0f} a second, however many replicas there are.",
        f"- An event takes {costs.events.redis_bytes:,.0f} bytes of Redis: a thousand a second "
        f"are {1e3 * day:,.0f} GiB a day.",
    ]
    return "\n".join(
        [report.table(headings, rows), "", *facts, "", f"({costs.searches.provenance})"]
    )


def write() -> None:
    """Writes the figures and the picture."""
    report.update_section("plan example", example(), PAGE_PATH)
    report.update_section("plan limits", limits(read_costs()), PAGE_PATH)
    for target in TARGETS:
        if run([*_ASKED, target, "--plot", str(PICTURE)])[0] == 0:
            return


if __name__ == "__main__":
    write()
