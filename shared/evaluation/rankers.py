"""Rankings from a running suite: each retrieval leg alone, the legs fused, and the whole path."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from google.protobuf.field_mask_pb2 import FieldMask

from shared import filter_syntax
from shared.evaluation.ablations import Ablation, StagedSearch
from shared.evaluation.judgments import Judgments
from shared.evaluation.report import Ranking
from shared.text.document import ENCODER_LANGUAGE
from shared.text.language import primary_language
from wherefore.common.v1.diagnostics_pb2 import Degradation
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.retrieval.v1.retrieval_service_pb2 import RetrieveRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

if TYPE_CHECKING:
    import grpc.aio

PATH = "path"
"""Name of the whole path: SearchService.Search as a shop calls it."""
PRECISE = "precise"
"""The same in its serving config of this name, in which a cross-encoder has a say."""

LEGS: Mapping[str, Sequence[str]] = {
    "dense": ("dense",),
    "sparse": ("sparse",),
    "fused": ("dense", "sparse"),
}
"""Legs of retrieval behind each name of a report."""

DEPTH = 100
DEEP = 1_000
ATTEMPTS = 3
_IDS_ONLY = FieldMask(paths=["id"])


class RankingError(RuntimeError):
    """A query could not be ranked as it should; the message says by what and why."""


@dataclass(slots=True)
class SuiteRankers:
    """Asks the services for the rankings of one query after the other.

    `judged_only` rankings come from the same system with a filter that admits the judged products
    alone. Where their ids do not fit into a filter, they are the deep ranking without its unjudged
    products, and the query is counted in `condensed_queries`.
    """

    nlu: grpc.aio.Channel
    retrieval: grpc.aio.Channel
    orchestrator: grpc.aio.Channel
    timeout: float = 30.0
    """Seconds for one call."""
    degraded: Counter[str] = field(default_factory=Counter[str])
    """Queries by the stage that was degraded in all attempts at them."""
    condensed_queries: int = 0
    ranking: grpc.aio.Channel | None = None
    """Needed for ablations alone."""
    ablations: Mapping[str, Ablation] = field(default_factory=dict[str, Ablation])
    """By name; each is ranked besides."""

    async def rank(self, query: str, product_ids: Sequence[str]) -> dict[str, Ranking]:
        """Rank one query with every leg, fused, along the whole path and by every ablation.

        Args:
            query: The query as typed.
            product_ids: Its judged products.

        Raises:
            RankingError: The query has no vector, a leg was skipped, or a product came twice.
            grpc.aio.AioRpcError: A service refused the query or did not answer.
        """
        judged_filter = judged_only_filter(product_ids)
        if judged_filter is None:
            self.condensed_queries += 1
        understanding = await self._parse(query)
        rankings = {
            name: await self._rank_legs(understanding, legs, judged_filter)
            for name, legs in LEGS.items()
        }
        rankings[PATH] = await self._rank_path(query, judged_filter)
        rankings[PRECISE] = rankings[PATH]
        # The cross-encoder reads no other language: the answer would be the same, and degraded.
        if primary_language(understanding.language_code) == ENCODER_LANGUAGE:
            rankings[PRECISE] = await self._rank_path(query, judged_filter, PRECISE)
        if self.ranking is not None:
            rankings |= await self._rank_ablations(self.ranking, understanding, judged_filter)
        for name, ranking in rankings.items():
            for ids in (ranking.full, ranking.judged_only):
                if len(set(ids)) != len(ids):
                    raise RankingError(f"{name} named a product twice")
        return rankings

    async def _parse(self, query: str) -> QueryUnderstanding:
        stub = NluServiceStub(self.nlu)
        response = await _undegraded(
            lambda: stub.Parse(ParseRequest(query=query), timeout=self.timeout)
        )
        if not response.understanding.HasField("vector"):
            raise RankingError("nlu gave no vector: " + describe_degraded(response.degraded))
        return response.understanding

    async def _rank_legs(
        self, query: QueryUnderstanding, legs: Sequence[str], judged_filter: str | None
    ) -> Ranking:
        request = RetrieveRequest(query=query, legs=legs, limit=DEPTH, read_mask=_IDS_ONLY)
        if judged_filter is None:
            request.limit = DEEP
            deep = await self._retrieve(request)
            return Ranking(deep, deep)
        full = await self._retrieve(request)
        request.filter = judged_filter
        # The graph is only approximate under a filter that admits a handful of points.
        request.exact = True
        return Ranking(full, await self._retrieve(request))

    async def _rank_ablations(
        self, ranking: grpc.aio.Channel, query: QueryUnderstanding, judged_filter: str | None
    ) -> dict[str, Ranking]:
        staged = StagedSearch(self.retrieval, ranking, query, self.timeout)
        rankings: dict[str, Ranking] = {}
        for name, ablation in self.ablations.items():
            full = await staged.rank(ablation)
            judged = full if judged_filter is None else await staged.rank(ablation, judged_filter)
            rankings[name] = Ranking(full, judged)
        return rankings

    async def _retrieve(self, request: RetrieveRequest) -> list[str]:
        stub = RetrievalServiceStub(self.retrieval)
        response = await _undegraded(lambda: stub.Retrieve(request, timeout=self.timeout))
        if response.degraded:
            raise RankingError("retrieval skipped a leg: " + describe_degraded(response.degraded))
        return [candidate.product.id for candidate in response.candidates]

    async def _rank_path(
        self, query: str, judged_filter: str | None, serving_config: str = ""
    ) -> Ranking:
        request = SearchRequest(
            query=query,
            page_size=DEPTH,
            read_mask=_IDS_ONLY,
            skip_reasons=True,
            serving_config=serving_config,
        )
        if judged_filter is None:
            deep = await self._pages(request, DEEP)
            return Ranking(deep, deep)
        full = await self._pages(request, DEPTH)
        request.filter = judged_filter
        return Ranking(full, await self._pages(request, DEPTH))

    async def _pages(self, request: SearchRequest, depth: int) -> list[str]:
        """Read the ranking page by page to a depth or to its end."""
        page = SearchRequest()
        page.CopyFrom(request)
        stub = SearchServiceStub(self.orchestrator)
        found: list[str] = []
        while True:
            response = await _undegraded(lambda: stub.Search(page, timeout=self.timeout))
            # A degraded answer is an answer: it counts, and the report says how many there were.
            self.degraded.update({item.stage for item in response.degraded})
            found.extend(result.product.id for result in response.results)
            page.page_token = response.next_page_token
            if not page.page_token or len(found) >= depth:
                return found


def judged_only_filter(product_ids: Sequence[str]) -> str | None:
    """Filter that admits these products alone; None when it would be longer than filters may be."""
    written = "id: (" + " OR ".join(filter_syntax.quote(item) for item in product_ids) + ")"
    return written if len(written) <= filter_syntax.MAX_LENGTH else None


class _Degradable(Protocol):
    """A response that says what was skipped."""

    @property
    def degraded(self) -> Sequence[Degradation]: ...


_Response = TypeVar("_Response", bound=_Degradable)


async def _undegraded(call: Callable[[], Awaitable[_Response]]) -> _Response:
    """Call again while the answer is degraded: a loaded machine must not change the figures."""
    response = await call()
    for _ in range(ATTEMPTS - 1):
        if not response.degraded:
            break
        response = await call()
    return response


def describe_degraded(degradations: Sequence[Degradation]) -> str:
    """Degradations in one line, for errors."""
    lines = [f"{item.stage} ({item.detail or 'no detail'})" for item in degradations]
    return ", ".join(lines) or "it did not say why"


@dataclass(frozen=True, slots=True)
class SuiteRankings:
    """Rankings of every system, and the queries that failed."""

    by_system: Mapping[str, Mapping[str, Ranking]]
    """Ranking by query, by system."""
    failures: Mapping[str, Exception]
    """What went wrong, by query."""


async def rank_all(
    rankers: SuiteRankers,
    judgments: Judgments,
    *,
    concurrency: int = 2,
    on_query: Callable[[str], None] = lambda _query: None,
) -> SuiteRankings:
    """Rank every judged query; one that fails does not stop the others.

    Args:
        rankers: Where the rankings come from.
        judgments: Ratings by product, by query.
        concurrency: Queries in flight; more does not make a small machine faster.
        on_query: Called after each query, for progress.
    """
    systems = (*LEGS, PATH, PRECISE, *rankers.ablations)
    by_system: dict[str, dict[str, Ranking]] = {name: {} for name in systems}
    failures: dict[str, Exception] = {}
    gate = asyncio.Semaphore(concurrency)

    async def rank(query: str) -> None:
        async with gate:
            try:
                for name, ranking in (await rankers.rank(query, list(judgments[query]))).items():
                    by_system[name][query] = ranking
            except Exception as error:
                failures[query] = error
            on_query(query)

    await asyncio.gather(*(rank(query) for query in judgments))
    return SuiteRankings(by_system, failures)
