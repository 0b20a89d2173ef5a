"""Evaluation of a running suite's search: rank every judged query, score every system."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from google.protobuf.field_mask_pb2 import FieldMask

from shared.channel import open_channel
from shared.evaluation import report
from shared.evaluation.ablations import Ablation
from shared.evaluation.comparison import as_json, compare
from shared.evaluation.judgments import Judgments
from shared.evaluation.rankers import LEGS, PATH, SuiteRankers, rank_all
from shared.evaluation.report import Ranking, SystemReport
from wherefore.common.v1.product_pb2 import Product
from wherefore.retrieval.v1.retrieval_service_pb2 import GetProductsRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

_IDS_PER_CALL = 1_000
_SHOWN = 10
"""Products of a ranking that a report shows."""
_CARD = FieldMask(paths=["id", "titles", "brand", "price"])


@dataclass(frozen=True, slots=True)
class SuiteTargets:
    """Addresses of the services that an evaluation asks, HOST:PORT."""

    orchestrator: str
    nlu: str
    retrieval: str
    ranking: str = ""
    """Needed for ablations alone."""


@dataclass(frozen=True, slots=True)
class SearchEvaluation:
    """How well each system ranks, and what the reader must know to trust it."""

    systems: Mapping[str, SystemReport]
    """By name: "path", "precise", the names of `rankers.LEGS`, and of the ablations if any."""
    judgments: Judgments
    failures: Mapping[str, Exception]
    """What went wrong, by query; such a query scores as if nothing had been returned."""
    degraded_queries: Mapping[str, int]
    """Queries that the path answered only in part, by stage."""
    condensed_queries: int
    missing_products: int
    """Judged products that are not in the catalogue."""
    rankings: Mapping[str, Mapping[str, Ranking]] = field(
        default_factory=dict[str, Mapping[str, Ranking]]
    )
    """What each system returned, by query, by system."""
    products: Mapping[str, Product] = field(default_factory=dict[str, Product])
    """Of the judged products and the first 10 of every ranking, by id: id, titles, brand, price."""
    ablations: Sequence[str] = ()
    """Names of the systems that are the path without a part."""

    def as_json(self) -> dict[str, object]:
        """The report as `wherefore eval search --json` prints it."""
        return {
            PATH: self.systems[PATH].means(),
            "legs": {name: self.systems[name].means() for name in LEGS},
            "ablations": {name: self.systems[name].means() for name in self.ablations},
            "queries": len(self.judgments),
            "queries_without_relevant": len(report.queries_without_relevant(self.judgments)),
            "failed_queries": sorted(self.failures),
            "degraded_queries": dict(self.degraded_queries),
            "condensed_queries": self.condensed_queries,
            "judged_products": len(_judged_products(self.judgments)),
            "judged_products_missing": self.missing_products,
            "conventions": report.CONVENTIONS,
        } | as_json(compare(self.systems, PATH), self.systems, PATH)


async def evaluate_search(
    targets: SuiteTargets,
    judgments: Judgments,
    *,
    ablations: Mapping[str, Ablation] | None = None,
    on_query: Callable[[str], None] = lambda _query: None,
) -> SearchEvaluation:
    """Rank every judged query with every leg and along the whole path, and score the rankings.

    Args:
        targets: The suite.
        judgments: Ratings by product, by query.
        ablations: The path without its parts, by name, to be ranked besides.
        on_query: Called after each query, for progress.

    Raises:
        grpc.aio.AioRpcError: The index does not answer at all.
    """
    async with AsyncExitStack() as stack:
        rankers = SuiteRankers(
            nlu=open_channel(targets.nlu),
            retrieval=open_channel(targets.retrieval),
            orchestrator=open_channel(targets.orchestrator),
            ranking=open_channel(targets.ranking) if ablations else None,
            ablations=ablations or {},
        )
        for channel in (rankers.nlu, rankers.retrieval, rankers.orchestrator, rankers.ranking):
            if channel is not None:
                stack.push_async_callback(channel.close)
        judged = _judged_products(judgments)
        products = await _read_products(rankers, judged)
        missing = len(judged) - len(products)
        rankings = await rank_all(rankers, judgments, on_query=on_query)
        shown = {
            product_id
            for by_query in rankings.by_system.values()
            for ranking in by_query.values()
            for product_id in ranking.full[:_SHOWN]
        }
        products |= await _read_products(rankers, shown - judged)
    return SearchEvaluation(
        systems={
            name: report.score(by_query, judgments) for name, by_query in rankings.by_system.items()
        },
        judgments=judgments,
        failures=rankings.failures,
        degraded_queries=rankers.degraded,
        condensed_queries=rankers.condensed_queries,
        missing_products=missing,
        rankings=rankings.by_system,
        products=products,
        ablations=tuple(rankers.ablations),
    )


async def _read_products(rankers: SuiteRankers, product_ids: Set[str]) -> dict[str, Product]:
    """Those that are in the catalogue, by id."""
    stub = RetrievalServiceStub(rankers.retrieval)
    ordered = sorted(product_ids)
    found: dict[str, Product] = {}
    for start in range(0, len(ordered), _IDS_PER_CALL):
        request = GetProductsRequest(
            product_ids=ordered[start : start + _IDS_PER_CALL], read_mask=_CARD
        )
        response = await stub.GetProducts(request, timeout=rankers.timeout)
        found |= {product.id: product for product in response.products}
    return found


def _judged_products(judgments: Judgments) -> set[str]:
    return {product_id for ratings in judgments.values() for product_id in ratings}
