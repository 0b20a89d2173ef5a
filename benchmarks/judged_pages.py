"""Candidates of judged queries, collected once, to rank them with any weights."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
import numpy as np
from numpy.typing import NDArray

from services.ranking.features import FEATURES, compute_features
from services.ranking.product_text import ProductTextCache
from services.ranking.query import QueryView, view_query
from shared.cli.catalogue_import import import_whole
from shared.cli.connection import connect
from shared.cli.evaluation_progress import query_progress
from shared.cli.private_suite import private_suite
from shared.evaluation import metrics
from shared.evaluation.judgments import Judgments
from shared.evaluation.rankers import judged_only_filter
from shared.text.document import embedding_text
from wherefore.nlu.v1 import nlu_service_pb2 as nlu
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub
from wherefore.retrieval.v1.candidate_pb2 import Candidate, LegScore
from wherefore.retrieval.v1.retrieval_service_pb2 import GetProductsRequest, RetrieveRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

CANDIDATES = 100
CROSS_READ = 20
TIMEOUT = 60.0
A_REQUEST = 64


@dataclass(frozen=True, slots=True)
class Page:
    """Candidates of one query over one set of products.

    Attributes:
        ids: Their ids.
        plain: (candidates, len(FEATURES)), without the cross-encoder.
        cross: (candidates,) what the cross-encoder says of each; empty where it was not asked.
    """

    ids: list[str]
    plain: NDArray[np.float64]
    cross: list[float]


@dataclass(frozen=True, slots=True)
class Query:
    """A judged query with a relevant product; `judged` are its judged products alone."""

    ratings: Mapping[str, int]
    full: Page
    judged: Page | None
    """None where their ids do not fit into a filter."""


class Collector:
    """Asks a running suite for the pages of queries."""

    def __init__(self, to_nlu: grpc.aio.Channel, to_retrieval: grpc.aio.Channel) -> None:
        self._nlu, self._retrieval = NluServiceStub(to_nlu), RetrievalServiceStub(to_retrieval)
        self._texts = ProductTextCache(50_000)

    async def collect(self, text: str, ratings: Mapping[str, int], *, read: bool) -> Query:
        """Returns both pages of a query; `read` asks the cross-encoder, too."""
        parsed = await self._nlu.Parse(nlu.ParseRequest(query=text), timeout=TIMEOUT)
        view = view_query(parsed.understanding)

        async def page(where: str) -> Page:
            request = RetrieveRequest(query=parsed.understanding, filter=where, limit=CANDIDATES)
            response = await self._retrieval.Retrieve(request, timeout=TIMEOUT)
            found = list(response.candidates)
            cross = await self._read(text, found) if read else []
            return Page([c.product.id for c in found], self._features(view, found), cross)

        only = judged_only_filter(list(ratings))
        return Query(ratings, await page(""), None if only is None else await page(only))

    def _features(self, view: QueryView, found: Sequence[Candidate]) -> NDArray[np.float64]:
        if not found:
            return np.zeros((0, len(FEATURES)))
        return compute_features(view, found, None, self._texts, time.time()).values

    async def _read(self, text: str, candidates: Sequence[Candidate]) -> list[float]:
        request = GetProductsRequest(product_ids=[c.product.id for c in candidates])
        response = await self._retrieval.GetProducts(request, timeout=TIMEOUT)
        by_id = {product.id: embedding_text(product) for product in response.products}
        pairs = [nlu.TextPair(left=text, right=by_id[c.product.id]) for c in candidates]
        scores: list[float] = []
        for start in range(0, len(pairs), A_REQUEST):
            asked = nlu.MatchRequest(
                pairs=pairs[start : start + A_REQUEST], method=nlu.MATCH_METHOD_CROSS_ENCODER
            )
            scores += (await self._nlu.Match(asked, timeout=TIMEOUT)).scores
        return scores


async def collect(
    catalogue: Path, form: str | None, *judgments: Judgments, read: Sequence[bool]
) -> list[list[Query]]:
    """Imports a catalogue into a suite of its own and collects the queries with a relevant product.

    Args:
        catalogue: The file.
        form: Its format; guessed when None.
        judgments: Sets of queries; each is collected for itself.
        read: Of each set, whether the cross-encoder is asked.
    """
    sets: list[list[Query]] = []
    async with private_suite() as own:
        target = own.targets
        async with (
            connect(target.orchestrator, retry=False) as public,
            connect(target.nlu) as to_nlu,
            connect(target.retrieval) as to_retrieval,
        ):
            await import_whole(public, catalogue, form, target=target.orchestrator)
            collector = Collector(to_nlu, to_retrieval)
            for judged, reads in zip(judgments, read, strict=True):
                queries: list[Query] = []
                with query_progress(len(judged)) as on_query:
                    for text, ratings in judged.items():
                        if metrics.ndcg([], ratings, 10) is not None:
                            queries.append(await collector.collect(text, ratings, read=reads))
                        on_query(text)
                sets.append(queries)
    return sets


def ranked(page: Page, weights: NDArray[np.float64], *, precise: bool) -> list[str]:
    """Ids of a page in the order of some weights; `precise` as in the serving config."""
    scores = page.plain @ weights
    if precise and len(scores):
        first = np.argsort(-scores, kind="stable")[:CROSS_READ]
        marked = [Candidate() for _ in page.ids]
        for row in first:
            marked[row].legs.append(LegScore(leg="cross", rank=1, score=page.cross[row]))
        # Of all features only this one differs from those that are known.
        column = FEATURES.index("cross_score")
        table = compute_features(QueryView(), marked, None, ProductTextCache(1), 0.0).values
        scores = scores + weights[column] * table[:, column]
    return [page.ids[row] for row in np.argsort(-scores, kind="stable")]


def measure(
    queries: Sequence[Query], weights: NDArray[np.float64], *, precise: bool = False
) -> NDArray[np.float64]:
    """nDCG@10 over the full catalogue and on judged products alone; (2, queries).

    The second is NaN for queries whose judged products do not fit into a filter.
    """
    rows: list[tuple[float, float]] = []
    for query in queries:
        full = metrics.ndcg(ranked(query.full, weights, precise=precise), query.ratings, 10)
        alone: float | None = np.nan
        if query.judged is not None:
            order = ranked(query.judged, weights, precise=precise)
            alone = metrics.ndcg(metrics.condensed(order, query.ratings), query.ratings, 10)
        rows.append((full or 0.0, alone or 0.0))
    return np.array(rows).T
