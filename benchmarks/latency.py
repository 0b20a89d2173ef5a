"""Latency of Search on icecat: `python -m benchmarks.latency [--target HOST:PORT]`.

Without a target it starts a suite of its own and imports the catalogue, measures reasons worded by
the model and then by templates, and reports the import's rate and the resident memory of every
process too. Clients call in a closed loop.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

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
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchResponse
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.reason.v1.reason_pb2 import GENERATOR_MODEL, GENERATOR_TEMPLATE

CLIENTS = (1, 4, 16)
REQUESTS = 500
WARM_UP = 60
TOP_STAGES = ("nlu", "retrieval", "ranking", "reason")
WORDINGS: Final[dict[str, dict[str, str]]] = {
    "the model": {},
    "templates": {"WHEREFORE_REASON_MODEL": ""},
}
"""What words the reasons, and the settings for it; the first has what a suite has by default."""


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


async def run_load(
    target: str, clients: int, queries: Sequence[str], generators: Counter[int] | None = None
) -> Load:
    """Search for the queries from so many clients.

    Args:
        target: HOST:PORT of the orchestrator.
        clients: How many.
        queries: All that are sent.
        generators: Counts what worded the reasons.
    """
    counted = generators if generators is not None else Counter[int]()

    def asker(channel: grpc.aio.Channel) -> Ask:
        stub = SearchServiceStub(channel)

        async def ask(query: str) -> SearchResponse:
            response = await stub.Search(SearchRequest(query=query), timeout=10)
            counted.update(r.reason.generator for r in response.results if r.reason.text)
            return response

        return ask

    return await by_stage.run_load(target, clients, queries, asker, TOP_STAGES)


@dataclass(slots=True)
class Subject:
    """The suite that is measured."""

    target: str
    imported: ImportOutcome | None = None
    resident_mib: Callable[[], Mapping[str, float]] = dict[str, float]
    """Resident MiB by process, as it is when called."""


@dataclass(slots=True)
class Measured:
    """What one way of wording reasons measured."""

    loads: list[Load] = field(default_factory=list[Load])
    generators: list[Counter[int]] = field(default_factory=list[Counter[int]])
    """Reasons by what worded them, of every load."""
    memory: Mapping[str, float] = field(default_factory=dict[str, float])
    imported: ImportOutcome | None = None


@asynccontextmanager
async def subject(
    target: str | None, catalogue: Path | None, home: Path, variables: Mapping[str, str]
) -> AsyncGenerator[Subject]:
    """The suite at a target, or one of its own.

    Args:
        target: HOST:PORT of an orchestrator that runs.
        catalogue: To be imported; None where the home holds it already.
        home: Of the suite's own data.
        variables: Settings of its own services.
    """
    if target:
        yield Subject(target)
        return
    async with private_suite(home, variables=variables) as own:
        address, outcome = own.targets.orchestrator, None
        if catalogue is not None:
            async with connect(address, retry=False) as channel:
                outcome = await import_whole(channel, catalogue, "icecat", target=address)
        yield Subject(address, outcome, own.resident_mib)


async def measure(
    options: argparse.Namespace, catalogue: Path, queries: Sequence[str]
) -> dict[str, Measured]:
    """Measure every number of clients, for every way of wording reasons that can be set."""
    found: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory(prefix="wherefore-") as folder:
        for wording in WORDINGS if not options.target else ("the target's setting",):
            given = catalogue if not found else None
            variables = WORDINGS.get(wording, {})
            async with subject(options.target, given, Path(folder), variables) as measured:
                found[wording] = await _measure_one(measured, wording, options.requests, queries)
    return found


async def _measure_one(
    measured: Subject, wording: str, requests: int, queries: Sequence[str]
) -> Measured:
    found = Measured(imported=measured.imported)
    await run_load(measured.target, 1, varied(queries, WARM_UP, seed=2))
    for clients in CLIENTS:
        _say(f"reasons by {wording}: {clients} clients, {requests} requests")
        found.generators.append(Counter())
        sent = varied(queries, requests, seed=clients)
        load = await run_load(measured.target, clients, sent, found.generators[-1])
        found.loads.append(load)
    found.memory = measured.resident_mib()
    return found


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
        found = asyncio.run(measure(options, catalogue, queries))
    body = section(found, options.requests)
    print(body)
    if not (options.no_write or options.products):
        _plot(found)
        report.update_section("latency", body)
    return 0


def section(found: Mapping[str, Measured], requests: int) -> str:
    """The section of RESULTS.md."""
    headings = ("clients", "p50 ms", "p95 ms", "p99 ms", "answers/s")
    counted = ("by the model", "degraded", "errors")
    parts = [
        "## Latency of Search",
        report.provenance("python -m benchmarks.latency", "icecat, the dev queries varied"),
        f"{requests} requests per row after {WARM_UP} to warm up; pages of 20 with reasons; "
        "clients in a closed loop on the same machine as the suite. A reason that the model has "
        "not worded within its 0.2 s a page is a template's, and kept for the next time.",
        report.table(
            ("reasons worded by", *headings, *counted),
            [
                [wording, *_row(load, generators)]
                for wording, measured in found.items()
                for load, generators in zip(measured.loads, measured.generators, strict=True)
            ],
        ),
        "Stages as the orchestrator sees them, milliseconds, p50 and p99:",
    ]
    for wording, measured in found.items():
        parts += [f"Reasons worded by {wording}:", _stage_table(measured.loads)]
    parts.append("![Median time by stage](plots/latency.svg)")
    first = next(iter(found.values()))
    if first.imported:
        progress = first.imported.progress
        rows_in = progress.imported + progress.unchanged
        parts.append(
            f"Import: {rows_in:,} products in {progress.seconds:.0f} s "
            f"({rows_in / progress.seconds:.0f} a second), {progress.failed} refused."
        )
    if first.memory:
        own = sum(value for name, value in first.memory.items() if name != "triton")
        parts += [
            f"Resident memory after the load, MiB ({own:.0f} in all services, beside Triton's):",
            report.table(tuple(first.memory), [[f"{v:.0f}" for v in first.memory.values()]]),
        ]
    return "\n\n".join(parts)


def _row(load: Load, generators: Counter[int]) -> list[str]:
    worded = generators[GENERATOR_MODEL] + generators[GENERATOR_TEMPLATE]
    return [
        str(load.clients),
        *(f"{load.percentile(q):.1f}" for q in (50, 95, 99)),
        f"{load.throughput:.0f}",
        f"{generators[GENERATOR_MODEL] / worded:.1%}" if worded else "–",
        ", ".join(f"{count} {name}" for name, count in load.degraded.items()) or "0",
        ", ".join(f"{count} {name}" for name, count in load.errors.items()) or "0",
    ]


def _stage_table(loads: Sequence[Load]) -> str:
    stages = [*sorted({stage for load in loads for stage in load.stages} - {BEYOND}), BEYOND]
    return report.table(
        ("stage", *(f"{load.clients}: {q}" for load in loads for q in ("p50", "p99"))),
        [
            [
                f"`{stage}`" if stage != BEYOND else BEYOND,
                *(
                    f"{np.percentile(load.stages[stage], q):.1f}" if load.stages.get(stage) else "–"
                    for load in loads
                    for q in (50, 99)
                ),
            ]
            for stage in stages
        ],
    )


def _plot(found: Mapping[str, Measured]) -> None:
    stages = [*TOP_STAGES, BEYOND]
    plots.stacked_stages(
        stages,
        {
            f"{load.clients} clients, {wording}": [
                float(np.median(load.stages[stage])) if load.stages.get(stage) else 0.0
                for stage in stages
            ]
            for wording, measured in found.items()
            for load in measured.loads
        },
        "median milliseconds by stage",
        report.PLOTS / "latency.svg",
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
