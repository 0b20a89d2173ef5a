"""What is told of the cost curve: its section of RESULTS.md, the fit and the plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks import plots, report

QUERIES: Final = 200
FILTER: Final = "price < 200"


@dataclass(frozen=True, slots=True)
class Size:
    """What one size measured."""

    products: int
    write_seconds: float
    """To write all of them, from nothing, in all steps so far."""
    index_seconds: float
    """What it took after that until every vector was in the graph, in all steps so far."""
    cpu_seconds: float
    """Processor time of the service for both, in all steps so far."""
    resident_mib: float
    disk_mib: float
    plain_ms: list[float]
    """Of each query, whole (both legs and their fusion, 100 candidates with payloads)."""
    filtered_ms: list[float]
    anonymous_mib: float = 0.0
    """Resident without mapped files, which the system can drop."""
    threads: int = 1
    """That built the graph in the last step."""


def summary(size: Size) -> str:
    """One size in a line."""
    return (
        f"p50 {np.median(size.plain_ms):.1f} ms, {size.resident_mib:.0f} MiB, "
        f"{size.write_seconds:.0f} + {size.index_seconds:.0f} s, {size.cpu_seconds:.0f} s of CPU"
    )


def exponent(sizes: Sequence[Size], of: Mapping[int, float]) -> float:
    """Returns b of a * products^b, by least squares on logarithms."""
    products = np.log([one.products for one in sizes])
    values = np.log([max(1e-9, of[one.products]) for one in sizes])
    return float(np.polyfit(products, values, 1)[0])


def section(sizes: Sequence[Size], command: str) -> str:
    """The section of RESULTS.md."""
    measures = {
        "Retrieve p50 ms": {s.products: float(np.percentile(s.plain_ms, 50)) for s in sizes},
        "p99 ms": {s.products: float(np.percentile(s.plain_ms, 99)) for s in sizes},
        "filtered p50 ms": {s.products: float(np.percentile(s.filtered_ms, 50)) for s in sizes},
        "filtered p99 ms": {s.products: float(np.percentile(s.filtered_ms, 99)) for s in sizes},
        "resident MiB": {s.products: s.resident_mib for s in sizes},
        "of it not mapped files": {s.products: s.anonymous_mib for s in sizes},
        "disk MiB": {s.products: s.disk_mib for s in sizes},
        "written, s": {s.products: s.write_seconds for s in sizes},
        "then indexed, s": {s.products: s.index_seconds for s in sizes},
        "of a processor, s": {s.products: s.cpu_seconds for s in sizes},
    }
    rows = [
        [f"{s.products:,}", *(f"{of[s.products]:,.1f}" for of in measures.values())] for s in sizes
    ]
    if len(sizes) > 1:
        fit = (f"{exponent(sizes, of):.2f}" for of in measures.values())
        rows.append(["grows as products to the power of", *fit])
    return "\n".join(
        [
            "## What a catalogue costs as it grows",
            "",
            report.provenance(command, "products made of icecat's"),
            f"The retrieval service with its embedded store and one caller: {QUERIES} real queries "
            f"with their vectors, 100 candidates with payloads, with and without `{FILTER}`, over "
            "gRPC, after every vector is in the graph and all were asked once. Times of writing "
            "and indexing are sums from an empty store on: two of the clock, and that of the "
            "processors for both, which other work of the machine changes little. The power is "
            "that of a least-squares line through the logarithms. The graph is built once a size, "
            "when all is written (`OPTIMIZE_SHARE=1`), by threads: "
            + ", ".join(f"{s.threads} at {s.products:,}" for s in sizes)
            + ".",
            "",
            report.table(("products", *measures), rows),
            "",
            "![Cost by size](plots/cost_curve.svg)",
        ]
    )


def plot(sizes: Sequence[Size]) -> None:
    """Draws the costs by size."""
    products = [float(one.products) for one in sizes]
    plots.lines(
        {
            "Retrieve p50, ms": (products, [float(np.median(one.plain_ms)) for one in sizes]),
            "filtered p50, ms": (products, [float(np.median(one.filtered_ms)) for one in sizes]),
            "resident MiB": (products, [one.resident_mib for one in sizes]),
            "written and indexed, s": (
                products,
                [one.write_seconds + one.index_seconds for one in sizes],
            ),
        },
        ("products", "milliseconds, MiB, seconds"),
        report.PLOTS / "cost_curve.svg",
        log=True,
    )
