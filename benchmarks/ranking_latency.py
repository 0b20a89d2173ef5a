"""How long ranking takes: `python -m benchmarks.ranking_latency`.

Starts a suite of its own with the bundled catalogue, retrieves real candidates of each query, and
asks the ranking service over gRPC to rank 20 to 1,000 of them, with and without contributions. No
cross-encoder reads them. The other services stand still meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc.aio
import numpy as np

from benchmarks import report
from benchmarks.explain_latency import QUERIES
from shared.catalogue import bundled_catalogue_path
from shared.cli.catalogue_import import import_whole
from shared.cli.connection import connect
from shared.cli.private_suite import PrivateSuite, private_suite
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub
from wherefore.ranking.v1.ranking_service_pb2 import RankRequest
from wherefore.ranking.v1.ranking_service_pb2_grpc import RankingServiceStub
from wherefore.retrieval.v1.retrieval_service_pb2 import RetrieveRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

NEEDED = ("nlu", "retrieval", "ranking", "reason", "orchestrator")
COUNTS = (20, 100, 200, 1_000)
WANTED, WANTED_MS = 200, 15.0
"""The median of so many candidates, without contributions, is to stay below so many ms."""
ROUNDS, WARM_UP = 20, 2


@dataclass(slots=True)
class Times:
    """Milliseconds of the calls for one number of candidates."""

    candidates: int
    contributions: bool
    round_trip: list[float] = field(default_factory=list[float])
    """As the caller sees it, encoding and decoding of the messages included."""
    in_service: list[float] = field(default_factory=list[float])
    """The stage "ranking" as the service measures it."""

    def row(self) -> list[str]:
        """Its line of the table."""
        return [
            f"{self.candidates:,}",
            "yes" if self.contributions else "no",
            *(f"{np.percentile(self.round_trip, q):.1f}" for q in (50, 95, 99)),
            *(f"{np.percentile(self.in_service, q):.1f}" for q in (50, 99)),
            str(len(self.round_trip)),
        ]


async def requests(own: PrivateSuite, candidates: int, queries: Sequence[str]) -> list[RankRequest]:
    """A request for each query, with as many real candidates.

    Raises:
        RuntimeError: Retrieval finds fewer.
    """
    made: list[RankRequest] = []
    async with (
        grpc.aio.insecure_channel(own.targets.nlu) as to_nlu,
        grpc.aio.insecure_channel(own.targets.retrieval) as to_retrieval,
    ):
        for query in queries:
            parsed = await NluServiceStub(to_nlu).Parse(ParseRequest(query=query), timeout=10)
            # What the query excludes is not asked of retrieval: it would leave too few of them.
            asked = RetrieveRequest(query=parsed.understanding, limit=candidates)
            del asked.query.constraints[:]
            found = await RetrievalServiceStub(to_retrieval).Retrieve(asked, timeout=10)
            if len(found.candidates) < candidates:
                raise RuntimeError(
                    f"{query!r} has {len(found.candidates)} candidates, not {candidates}"
                )
            made.append(RankRequest(query=parsed.understanding, candidates=found.candidates))
    return made


async def measure(
    target: str, asked: Sequence[RankRequest], *, contributions: bool, rounds: int
) -> Times:
    """Rank each request again and again, one call at a time."""
    times = Times(len(asked[0].candidates), contributions)
    async with grpc.aio.insecure_channel(target) as channel:
        stub = RankingServiceStub(channel)
        for turn in range(WARM_UP + rounds):
            for request in asked:
                request.include_contributions = contributions
                started = time.perf_counter()
                response = await stub.Rank(request, timeout=10)
                taken = 1_000 * (time.perf_counter() - started)
                if len(response.results) != times.candidates:
                    raise RuntimeError(f"{len(response.results)} results, not {times.candidates}")
                if turn < WARM_UP:
                    continue
                times.round_trip.append(taken)
                times.in_service.append(
                    sum(t.duration_nanos for t in response.timings if t.stage == "ranking") / 1e6
                )
    return times


async def run(
    catalogue: Path,
    form: str | None,
    queries: Sequence[str],
    rounds: int,
    settings: Mapping[str, str],
) -> list[Times]:
    """Import the catalogue, and measure every number of candidates."""
    taken: list[Times] = []
    async with private_suite(services=NEEDED, variables=settings) as own:
        target = own.targets.orchestrator
        async with connect(target, retry=False) as channel:
            await import_whole(channel, catalogue, form, target=target)
        for count in COUNTS:
            asked = await requests(own, count, queries)
            for contributions in (False, True):
                taken.append(
                    await measure(
                        own.targets.ranking, asked, contributions=contributions, rounds=rounds
                    )
                )
    return taken


def section(taken: Sequence[Times], rounds: int) -> str:
    """The section of RESULTS.md."""
    headings = [
        "candidates",
        "contributions",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "in the service, p50",
        "p99",
        "calls",
    ]
    wanted = next(t for t in taken if t.candidates == WANTED and not t.contributions)
    median = float(np.median(wanted.round_trip))
    return "\n".join(
        [
            "## Latency of Rank",
            "",
            report.provenance(
                "python -m benchmarks.ranking_latency",
                f"the bundled catalogue, {len(QUERIES)} queries, one call at a time",
            ),
            "",
            report.table(headings, [times.row() for times in taken]),
            "",
            f"Round trips over gRPC, the messages' coding included, {rounds} rounds after "
            f"{WARM_UP} that are not counted, so the analysed titles lie in the cache; without a "
            f"cross-encoder. Wanted for {WANTED} candidates: a median below {WANTED_MS:.0f} ms; "
            f"{'met' if median < WANTED_MS else 'not met'} with {median:.1f} ms.",
        ]
    )


def main() -> int:
    """Prints the section, and writes it into benchmarks/RESULTS.md unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of all queries, per row")
    parser.add_argument("--no-write", action="store_true", help="print only")
    parser.add_argument(
        "--setting",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of a service, such as WHEREFORE_RANKING_EXPLORATION=0.3; then not written",
    )
    options = parser.parse_args()
    settings = dict(each.split("=", 1) for each in options.setting)
    taken = asyncio.run(run(bundled_catalogue_path(), None, QUERIES, options.rounds, settings))
    body = section(taken, options.rounds)
    sys.stdout.write(body + "\n")
    if not options.no_write and not settings:
        report.update_section("ranking_latency", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
