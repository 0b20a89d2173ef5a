"""Precise searches under load: `python -m benchmarks.precise_latency`.

A suite of its own with the bundled catalogue; the English queries judged for it, varied, in
the serving config "precise", in which a cross-encoder reads the best 20 products. Once as it is
served, by turns, and once with all readings at once, to see what turns are worth.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc.aio
import numpy as np

from benchmarks import report
from benchmarks.latency import TOP_STAGES, varied
from benchmarks.load import by_stage
from benchmarks.load.by_stage import Ask, Load
from services.orchestrator.stage_budgets import Budgets
from shared.catalogue import bundled_catalogue_path
from shared.cli.catalogue_import import import_whole
from shared.cli.connection import connect
from shared.cli.private_suite import private_suite
from shared.evaluation.judgments import read_judgments
from wherefore.common.v1.diagnostics_pb2 import DegradationCause
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchResponse
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

JUDGMENTS = report.ROOT / "tests" / "integration" / "data" / "judgments.csv"
SERVICES = ("nlu", "retrieval", "ranking", "reason", "orchestrator")
CLIENTS = (1, 2, 4, 16)
REQUESTS, WARM_UP = 200, 40
CONCURRENCY = "WHEREFORE_ORCHESTRATOR_CROSS_CONCURRENCY"
AT_ONCE = max(CLIENTS)
CROSS, RANKING = "cross", "ranking"


@dataclass(slots=True)
class Precise:
    """What one number of clients got.

    Attributes:
        clients: How many.
        milliseconds: Of reading and ranking, of each search that was read.
        refused: Milliseconds of the same stages, of each that was not.
        causes: Why not.
        load: Of the whole searches.
    """

    clients: int
    milliseconds: list[float] = field(default_factory=list[float])
    refused: list[float] = field(default_factory=list[float])
    causes: Counter[str] = field(default_factory=Counter[str])
    load: Load | None = None

    def asker(self, channel: grpc.aio.Channel) -> Ask:
        """Sends one query, and takes down what became of it."""
        stub = SearchServiceStub(channel)

        async def ask(query: str) -> SearchResponse:
            request = SearchRequest(query=query, serving_config="precise")
            response = await stub.Search(request, timeout=10)
            self.take_down(response)
            return response

        return ask

    def take_down(self, response: SearchResponse) -> None:
        """Notes what one answer says of its reading."""
        taken = sum(
            timing.duration_nanos / 1e6
            for timing in response.timings
            if timing.stage in (CROSS, RANKING)
        )
        lost = [degraded.cause for degraded in response.degraded if degraded.stage == CROSS]
        if not lost:
            self.milliseconds.append(taken)
            return
        self.refused.append(taken)
        name = DegradationCause.Name(lost[0]).removeprefix("DEGRADATION_CAUSE_")
        self.causes[name.lower()] += 1

    def row(self, how: str) -> list[str]:
        """Its line of the table."""
        assert self.load is not None
        answers = len(self.milliseconds) + len(self.refused)
        reasons = ", ".join(f"{count} {cause}" for cause, count in self.causes.items())
        return [
            how,
            str(self.clients),
            f"{len(self.milliseconds) / answers:.0%}",
            *(_percentile(self.milliseconds, q) for q in (50, 99)),
            _percentile(self.refused, 50),
            reasons or "–",
            *(f"{self.load.percentile(q):.0f}" for q in (50, 99)),
            f"{self.load.throughput:.1f}",
            f"{len(self.milliseconds) / self.load.seconds:.1f}",
        ]


def _percentile(values: Sequence[float], q: float) -> str:
    return f"{np.percentile(values, q):.0f}" if values else "–"


def english_queries(path: Path = JUDGMENTS) -> list[str]:
    """Those of the judged queries that the cross-encoder reads."""
    return [query for query in read_judgments(path) if query.isascii()]


async def measure(queries: Sequence[str], requests: int, concurrency: int) -> list[Precise]:
    """Import the bundled catalogue into a suite of its own, and put load on it."""
    async with private_suite(services=SERVICES, variables={CONCURRENCY: str(concurrency)}) as own:
        target = own.targets.orchestrator
        async with connect(target, retry=False) as channel:
            await import_whole(channel, bundled_catalogue_path(), None, target=target)
        stages = (*TOP_STAGES, CROSS)
        await by_stage.run_load(
            target, 1, varied(queries, WARM_UP, seed=2), Precise(1).asker, stages
        )
        measured: list[Precise] = []
        for clients in CLIENTS:
            one = Precise(clients)
            sent = varied(queries, requests, seed=clients)
            one.load = await by_stage.run_load(target, clients, sent, one.asker, stages)
            if one.load.errors:
                raise RuntimeError(f"{clients} clients: {dict(one.load.errors)}")
            measured.append(one)
        return measured


def section(turns: Sequence[Precise], at_once: Sequence[Precise], requests: int) -> str:
    """The section of RESULTS.md."""
    headings = (
        "readings",
        "clients",
        "read",
        "reading and ranking, p50 ms",
        "p99 ms",
        "of those not read, p50 ms",
        "why not read",
        "whole search, p50 ms",
        "p99 ms",
        "answers/s",
        "of them read",
    )
    rows = [one.row("by turns") for one in turns] + [one.row("all at once") for one in at_once]
    return "\n".join(
        [
            "## Precise searches under load",
            "",
            report.provenance(
                "python -m benchmarks.precise_latency",
                "the bundled catalogue, its English judged queries varied",
            ),
            "",
            report.table(headings, rows),
            "",
            f"{requests} searches a row, clients in a closed loop on the machine of the suite; the "
            f"cross-encoder reads 20 products, within {Budgets().cross.seconds:g} s. By turns is "
            "how it is served: who would be late by what is ahead is not read, and told so at "
            f"once. All at once: `{CONCURRENCY}={AT_ONCE}`, as it was before.",
        ]
    )


def main() -> int:
    """Prints the section, and writes it into benchmarks/RESULTS.md unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS, help="for each number of clients")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    queries = english_queries()
    turns = asyncio.run(measure(queries, options.requests, 1))
    at_once = asyncio.run(measure(queries, options.requests, AT_ONCE))
    body = section(turns, at_once, options.requests)
    sys.stdout.write(body + "\n")
    if not options.no_write:
        report.update_section("precise-latency", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
