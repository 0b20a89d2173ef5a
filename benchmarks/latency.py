"""Latency of Search on icecat: `python -m benchmarks.latency [--target HOST:PORT]`.

Without a target it starts a suite of its own and imports the catalogue, and reports the import's
rate and the resident memory of every process too. Clients call in a closed loop.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
import numpy as np

from benchmarks import plots, report
from benchmarks.data import icecat, subset
from benchmarks.load import by_stage
from benchmarks.load.by_stage import BEYOND, Ask, Load
from shared.cli.catalogue_import import ImportOutcome, import_whole
from shared.cli.connection import connect
from shared.cli.private_suite import private_suite
from shared.evaluation.judgments import read_judgments
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

CLIENTS = (1, 4, 16)
REQUESTS = 500
WARM_UP = 60
TOP_STAGES = ("nlu", "retrieval", "ranking", "reason")


def varied(queries: Sequence[str], count: int, seed: int = 1) -> list[str]:
    """Queries to send: the judged ones and variations of them, so that no cache answers for all.

    A variation puts in a price limit or a colour, leaves out a word, or joins two queries.
    """
    rng = random.Random(seed)  # noqa: S311 - load, not secrets
    sent: list[str] = []
    while len(sent) < count:
        query = rng.choice(queries)
        words = query.split()
        match rng.randrange(5):
            case 0:
                sent.append(f"{query} under {rng.randrange(20, 2000, 10)}")
            case 1:
                sent.append(f"{rng.choice(('black', 'white', 'silver', 'red'))} {query}")
            case 2 if len(words) > 1:
                words.pop(rng.randrange(len(words)))
                sent.append(" ".join(words))
            case 3:
                sent.append(f"{query} {rng.choice(queries)}")
            case _:
                sent.append(query)
    return sent


async def run_load(target: str, clients: int, queries: Sequence[str]) -> Load:
    """Search for the queries from so many clients."""

    def asker(channel: grpc.aio.Channel) -> Ask:
        stub = SearchServiceStub(channel)
        return lambda query: stub.Search(SearchRequest(query=query), timeout=10)

    return await by_stage.run_load(target, clients, queries, asker, TOP_STAGES)


@dataclass(slots=True)
class Subject:
    """The suite that is measured."""

    target: str
    imported: ImportOutcome | None = None
    resident_mib: Callable[[], Mapping[str, float]] = dict[str, float]
    """Resident MiB by process, as it is when called."""


@asynccontextmanager
async def subject(target: str | None, catalogue: Path) -> AsyncGenerator[Subject]:
    """The suite at a target, or one of its own with the catalogue in it."""
    if target:
        yield Subject(target)
        return
    async with private_suite() as own:
        address = own.targets.orchestrator
        async with connect(address, retry=False) as channel:
            outcome = await import_whole(channel, catalogue, "icecat", target=address)
        yield Subject(address, outcome, own.resident_mib)


async def measure(options: argparse.Namespace, catalogue: Path, queries: Sequence[str]) -> str:
    """Measure every number of clients and put it into Markdown."""
    async with subject(options.target, catalogue) as measured:
        await run_load(measured.target, 1, varied(queries, WARM_UP, seed=2))
        loads: list[Load] = []
        for clients in CLIENTS:
            _say(f"{clients} clients, {options.requests} requests")
            sent = varied(queries, options.requests, seed=clients)
            loads.append(await run_load(measured.target, clients, sent))
        memory = measured.resident_mib()
    if not (options.no_write or options.products):
        _plot(loads)
    return _section(measured, loads, memory, options.requests)


def main() -> int:
    """Run the benchmark; writes its section of RESULTS.md unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", help="a suite that runs and holds icecat already")
    parser.add_argument("--requests", type=int, default=REQUESTS, help="for each number of clients")
    parser.add_argument("--products", type=int, help="trial run on so many products, not written")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    data = icecat()
    queries = list(read_judgments(data.judgments))
    with tempfile.TemporaryDirectory() as folder:
        catalogue = data.catalogue
        if options.products:
            catalogue = subset(data, options.products, Path(folder))
        body = asyncio.run(measure(options, catalogue, queries))
    print(body)
    if not (options.no_write or options.products):
        report.update_section("latency", body)
    return 0


def _section(
    measured: Subject, loads: Sequence[Load], memory: Mapping[str, float], requests: int
) -> str:
    rows = [
        [
            str(load.clients),
            *(f"{load.percentile(q):.1f}" for q in (50, 95, 99)),
            f"{load.throughput:.0f}",
            ", ".join(f"{count} {name}" for name, count in load.degraded.items()) or "0",
            ", ".join(f"{count} {name}" for name, count in load.errors.items()) or "0",
        ]
        for load in loads
    ]
    stages = [*sorted({stage for load in loads for stage in load.stages} - {BEYOND}), BEYOND]
    stage_rows = [
        [
            f"`{stage}`" if stage != BEYOND else BEYOND,
            *(
                f"{np.percentile(load.stages[stage], q):.1f}" if load.stages.get(stage) else "–"
                for load in loads
                for q in (50, 99)
            ),
        ]
        for stage in stages
    ]
    lines = [
        "## Latency of Search",
        "",
        report.provenance("python -m benchmarks.latency", "icecat, the dev queries varied"),
        f"{requests} requests per row after {WARM_UP} to warm up; pages of 20 with reasons; "
        "clients in a closed loop on the same machine as the suite.",
        "",
        report.table(
            ("clients", "p50 ms", "p95 ms", "p99 ms", "answers/s", "degraded", "errors"), rows
        ),
        "",
        "Stages as the orchestrator sees them, milliseconds, p50 and p99:",
        "",
        report.table(
            ("stage", *(f"{load.clients}: {q}" for load in loads for q in ("p50", "p99"))),
            stage_rows,
        ),
        "",
        "![Median time by stage](plots/latency.svg)",
    ]
    if measured.imported:
        progress = measured.imported.progress
        rows_in = progress.imported + progress.unchanged
        lines += [
            "",
            f"Import: {rows_in:,} products in {progress.seconds:.0f} s "
            f"({rows_in / progress.seconds:.0f} a second), {progress.failed} refused.",
        ]
    if memory:
        own = sum(value for name, value in memory.items() if name != "triton")
        lines += [
            "",
            f"Resident memory after the load, MiB ({own:.0f} in all services, beside Triton's):",
            "",
            report.table(tuple(memory), [[f"{value:.0f}" for value in memory.values()]]),
        ]
    return "\n".join(lines)


def _plot(loads: Sequence[Load]) -> None:
    stages = [*TOP_STAGES, BEYOND]
    plots.stacked_stages(
        stages,
        {
            f"{load.clients} clients": [
                float(np.median(load.stages[stage])) if load.stages.get(stage) else 0.0
                for stage in stages
            ]
            for load in loads
        },
        "median milliseconds by stage",
        report.PLOTS / "latency.svg",
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
