"""How long explanations take: `python -m benchmarks.explain_latency`.

Starts a suite of its own with the bundled catalogue, retrieves 100 candidates of each query, and
asks the ranking service to explain a page of 20 of them; then the whole public Explain, with and
without the words of the query.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence

import grpc.aio
import numpy as np

from benchmarks import report
from shared.catalogue import bundled_catalogue_path
from shared.cli.catalogue_import import import_whole
from shared.cli.connection import connect
from shared.cli.private_suite import private_suite
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub
from wherefore.orchestrator.v1 import explanation_service_pb2 as public
from wherefore.orchestrator.v1.explanation_service_pb2_grpc import ExplanationServiceStub
from wherefore.ranking.v1.ranking_service_pb2 import ExplainRequest, RankRequest
from wherefore.ranking.v1.ranking_service_pb2_grpc import RankingServiceStub
from wherefore.retrieval.v1.retrieval_service_pb2 import RetrieveRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

QUERIES = (
    "wireless headphones under 300",
    "steel kettle",
    "red running shoes for women",
    "yoga mat non slip",
    "waterproof backpack 17 inch laptop",
    "black dress without silk",
    "黑色连衣裙",
    "双肩包 不要黑色",
    "保温杯 500毫升",
    "儿童玩具",
)
NEEDED = ("nlu", "retrieval", "ranking", "reason", "orchestrator")
CANDIDATES, PAGE = 100, 20
BUDGET_MS = 30.0
ROUNDS, WARM_UP = 20, 2

Ask = Callable[[], Awaitable[object]]


async def measure(asks: Sequence[Ask]) -> list[float]:
    """Milliseconds of each call, one after another, after rounds that are not counted."""
    taken: list[float] = []
    for turn in range(WARM_UP + ROUNDS):
        for ask in asks:
            started = time.perf_counter()
            await ask()
            if turn >= WARM_UP:
                taken.append(1_000 * (time.perf_counter() - started))
    return taken


async def ranking_asks(nlu: str, retrieval: str, ranking: grpc.aio.Channel) -> list[Ask]:
    """Calls of the ranking service over the real candidates of each query."""
    asks: list[Ask] = []
    stub = RankingServiceStub(ranking)
    async with (
        grpc.aio.insecure_channel(nlu) as to_nlu,
        grpc.aio.insecure_channel(retrieval) as to_retrieval,
    ):
        for query in QUERIES:
            parsed = await NluServiceStub(to_nlu).Parse(ParseRequest(query=query), timeout=10)
            found = await RetrievalServiceStub(to_retrieval).Retrieve(
                RetrieveRequest(query=parsed.understanding, limit=CANDIDATES), timeout=10
            )
            request = ExplainRequest(
                ranking=RankRequest(query=parsed.understanding, candidates=found.candidates),
                language_code=parsed.understanding.language_code,
            )
            response = await stub.Explain(request, timeout=10)
            assert len(response.explanations) == min(PAGE, len(found.candidates)) > 0
            asks.append(lambda request=request: stub.Explain(request, timeout=10))
    return asks


def public_asks(channel: grpc.aio.Channel, *, skip_words: bool) -> list[Ask]:
    """Calls of the public service."""
    stub = ExplanationServiceStub(channel)
    requests = [public.ExplainRequest(query=query, skip_words=skip_words) for query in QUERIES]
    return [lambda request=request: stub.Explain(request, timeout=10) for request in requests]


async def run() -> dict[str, list[float]]:
    """Milliseconds by what was asked."""
    async with private_suite(services=NEEDED) as own:
        target = own.targets.orchestrator
        async with connect(target, retry=False) as channel:
            await import_whole(channel, bundled_catalogue_path(), None, target=target)
            async with grpc.aio.insecure_channel(own.targets.ranking) as ranking:
                asks = await ranking_asks(own.targets.nlu, own.targets.retrieval, ranking)
                taken = {
                    f"ranking: {PAGE} of {CANDIDATES} candidates": await measure(asks),
                }
            for name, skip_words in (("without words", True), ("with words", False)):
                asks = public_asks(channel, skip_words=skip_words)
                taken[f"public Explain, {name}"] = await measure(asks)
    return taken


def section(taken: dict[str, list[float]]) -> str:
    """The section of RESULTS.md."""
    rows = [
        [name, *(f"{np.percentile(values, q):.1f}" for q in (50, 95, 99)), str(len(values))]
        for name, values in taken.items()
    ]
    data = f"the bundled catalogue, {len(QUERIES)} queries, one call at a time"
    return "\n".join(
        [
            "## Explanations",
            "",
            report.provenance("python -m benchmarks.explain_latency", data),
            "",
            report.table(["a page of 20, ms", "p50", "p95", "p99", "calls"], rows),
            "",
            f"The budget of the ranking service is {BUDGET_MS:.0f} ms a page, the call included.",
            "The public service searches anew first; with words it parses the query again without",
            "each of them, in one batch.",
        ]
    )


def main() -> int:
    """Prints the section, and writes it into benchmarks/RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-write", action="store_true", help="print only")
    asked = parser.parse_args()
    taken = asyncio.run(run())
    body = section(taken)
    sys.stdout.write(body + "\n")
    if not asked.no_write:
        report.update_section("explanations", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
