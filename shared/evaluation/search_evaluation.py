"""Evaluation of a running suite's search: rank every judged query, score every system."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from google.protobuf.field_mask_pb2 import FieldMask

from shared.channel import open_channel
from shared.evaluation import report
from shared.evaluation.judgments import Judgments
from shared.evaluation.rankers import LEGS, PATH, SuiteRankers, rank_all
from shared.evaluation.report import SystemReport
from wherefore.retrieval.v1.retrieval_service_pb2 import GetProductsRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

_IDS_PER_CALL = 1_000


@dataclass(frozen=True, slots=True)
class SuiteTargets:
    """Addresses of the services that an evaluation asks, HOST:PORT."""

    orchestrator: str
    nlu: str
    retrieval: str


@dataclass(frozen=True, slots=True)
class SearchEvaluation:
    """How well each system ranks, and what the reader must know to trust it."""

    systems: Mapping[str, SystemReport]
    """By name: "path" and the names of `rankers.LEGS`."""
    judgments: Judgments
    failures: Mapping[str, Exception]
    """What went wrong, by query; such a query scores as if nothing had been returned."""
    degraded_queries: Mapping[str, int]
    """Queries that the path answered only in part, by stage."""
    condensed_queries: int
    missing_products: int
    """Judged products that are not in the catalogue."""

    def as_json(self) -> dict[str, object]:
        """The report as `wherefore eval search --json` prints it."""
        return {
            PATH: self.systems[PATH].means(),
            "legs": {name: self.systems[name].means() for name in LEGS},
            "queries": len(self.judgments),
            "queries_without_relevant": len(report.queries_without_relevant(self.judgments)),
            "failed_queries": sorted(self.failures),
            "degraded_queries": dict(self.degraded_queries),
            "condensed_queries": self.condensed_queries,
            "judged_products": len(_judged_products(self.judgments)),
            "judged_products_missing": self.missing_products,
            "conventions": report.CONVENTIONS,
        }


async def evaluate_search(
    targets: SuiteTargets,
    judgments: Judgments,
    *,
    on_query: Callable[[str], None] = lambda _query: None,
) -> SearchEvaluation:
    """Rank every judged query with every leg and along the whole path, and score the rankings.

    Raises:
        grpc.aio.AioRpcError: The index does not answer at all.
    """
    async with AsyncExitStack() as stack:
        rankers = SuiteRankers(
            nlu=open_channel(targets.nlu),
            retrieval=open_channel(targets.retrieval),
            orchestrator=open_channel(targets.orchestrator),
        )
        for channel in (rankers.nlu, rankers.retrieval, rankers.orchestrator):
            stack.push_async_callback(channel.close)
        products = sorted(_judged_products(judgments))
        stub = RetrievalServiceStub(rankers.retrieval)
        found = 0
        for start in range(0, len(products), _IDS_PER_CALL):
            request = GetProductsRequest(
                product_ids=products[start : start + _IDS_PER_CALL],
                read_mask=FieldMask(paths=["id"]),
            )
            response = await stub.GetProducts(request, timeout=rankers.timeout)
            found += len(response.products)
        rankings = await rank_all(rankers, judgments, on_query=on_query)
    return SearchEvaluation(
        systems={
            name: report.score(by_query, judgments) for name, by_query in rankings.by_system.items()
        },
        judgments=judgments,
        failures=rankings.failures,
        degraded_queries=rankers.degraded,
        condensed_queries=rankers.condensed_queries,
        missing_products=len(products) - found,
    )


def _judged_products(judgments: Judgments) -> set[str]:
    return {product_id for ratings in judgments.values() for product_id in ratings}
