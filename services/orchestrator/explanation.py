"""Explanations: a query is searched anew, and ranking says what made each score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from services.orchestrator.budget import ask_again, stage_timeout
from services.orchestrator.by_id import MOST_BY_ID
from services.orchestrator.cache import Ranking
from services.orchestrator.clients import Clients
from services.orchestrator.cross_reading import LEG as CROSS
from services.orchestrator.fallback import Degradations
from services.orchestrator.growth import legs_of, picture_weight, ranked_by
from services.orchestrator.rankings import Rankings
from services.orchestrator.search_query import SearchQuery, Work
from services.orchestrator.stage_budgets import StageBudget
from services.orchestrator.stock.mover import StockMover
from services.orchestrator.terms.applied import reprice_all
from services.orchestrator.terms.price_check import affordable
from services.orchestrator.word_effects import semantic_matches
from services.orchestrator.word_readings import cross_readings
from shared.errors import WhereforeError
from shared.timing import StageTimer
from wherefore.common.v1.diagnostics_pb2 import Degradation, StageTiming
from wherefore.common.v1.product_pb2 import Product
from wherefore.orchestrator.v1.explanation_service_pb2 import (
    CrossReading,
    ProductExplanation,
    SemanticMatch,
)
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.ranking.v1.ranking_service_pb2 import ExplainRequest, ExplainResponse, RankRequest
from wherefore.retrieval.v1.candidate_pb2 import Candidate, LegScore
from wherefore.retrieval.v1.retrieval_service_pb2 import RetrieveRequest

WORDS_STAGE: Final = "explanation.words"
_WORDS_BUDGET: Final = StageBudget(seconds=3.0, reserve=0.05)
"""Nothing waits behind an explanation, and 32 forward passes take longer than one."""


@dataclass(frozen=True, slots=True)
class ExplainQuery:
    """A request that was checked. See ExplainRequest of the public contract."""

    search: SearchQuery
    product_ids: Sequence[str]
    skip_words: bool
    ranking_id: str = ""
    """Of a ranking that is kept; a query is ranked anew without one."""
    reading_count: int = 0
    """Of how many products that the cross-encoder read its words are attributed."""


@dataclass(frozen=True, slots=True)
class ExplainAnswer:
    """A ranking, explained."""

    ranking: Ranking
    ranked: ExplainResponse
    explanations: list[ProductExplanation]
    missing: list[str]
    timings: list[StageTiming]
    degraded: list[Degradation]


class Explainer:
    """Answers requests for explanations. One for the process."""

    def __init__(self, clients: Clients, rankings: Rankings, stock: StockMover) -> None:
        self._clients = clients
        self._stock = stock
        self._rankings = rankings

    async def explain(self, query: ExplainQuery) -> ExplainAnswer:
        """Explains one search.

        Raises:
            InvalidArgumentError: For a filter of unknown fields.
            UnavailableError: Retrieval or ranking does not answer: without them there is nothing
                to explain.
        """
        work = Work(query.search, StageTimer(), Degradations())
        with work.timer.stage("total"):
            ranking = await self._rankings.rank(work, query.ranking_id)
            candidates = await self._candidates(work, ranking, query.product_ids)
            known = {candidate.product.id: candidate.product for candidate in candidates}
            if work.contract is not None:
                # Shown as the catalogue has them, and ranked as they were.
                known = {product_id: _copy(product) for product_id, product in known.items()}
                reprice_all(work.contract, (candidate.product for candidate in candidates))
            wanted = [product_id for product_id in query.product_ids if product_id in known]
            ranked = ExplainResponse()
            if known and (wanted or not query.product_ids):
                ranked = await self._explain(work, ranking, candidates, wanted)
                if not wanted:
                    del ranked.explanations[query.search.page_size :]
            shown = [explanation.product_id for explanation in ranked.explanations]
            matches: Mapping[str, SemanticMatch] = {}
            if not query.skip_words and _has_vector(work, ranking):
                matches = await self._words(work, ranking, shown)
            readings: Mapping[str, CrossReading] = {}
            if query.reading_count:
                read = _readings(ranking)
                readings = await cross_readings(
                    self._clients,
                    ranking.understanding,
                    [product_id for product_id in shown if product_id in read][
                        : query.reading_count
                    ],
                    work,
                )
        return ExplainAnswer(
            ranking=ranking,
            ranked=ranked,
            explanations=[
                ProductExplanation(
                    product=known[each.product_id],
                    explanation=each,
                    semantic_match=matches.get(each.product_id),
                    cross_reading=readings.get(each.product_id),
                    stock_pressure=self._stock.told(
                        query.search.serving_config,
                        known[each.product_id],
                        ranking.plan.spread,
                    ),
                )
                for each in ranked.explanations
            ],
            missing=[product_id for product_id in query.product_ids if product_id not in known],
            timings=work.timer.timings(),
            degraded=list(work.degradations),
        )

    async def _candidates(
        self, work: Work, ranking: Ranking, product_ids: Sequence[str]
    ) -> Sequence[Candidate]:
        """Returns what the search ranked first, and the products asked for besides."""
        asked = [*product_ids, *ranking.plan.pins]
        request = RetrieveRequest(
            query=ranking.asked_understanding,
            filter=ranking.filter,
            limit=self._clients.settings.candidates,
            included_ids=list(dict.fromkeys(asked))[:MOST_BY_ID],
            legs=legs_of(ranking),
        )
        if not _has_vector(work, ranking):
            request.query.ClearField("vector")
            request.legs[:] = [leg for leg in request.legs if leg != "dense"]
        if ranking.picture is not None:
            ranking.picture.write(request)
        with work.timer.stage("explanation.retrieval"):
            response = await ask_again(
                partial(self._clients.retrieve, request), self._clients.settings.budgets.retrieval
            )
        work.degradations.pass_on(response.degraded)
        _add_cross_readings(response.candidates, ranking)
        return await affordable(ranking.check, self._clients, list(response.candidates))

    async def _explain(
        self,
        work: Work,
        ranking: Ranking,
        candidates: Sequence[Candidate],
        product_ids: Sequence[str],
    ) -> ExplainResponse:
        query = work.query
        request = ExplainRequest(
            ranking=RankRequest(
                query=ranking.understanding,
                candidates=candidates,
                user=work.profile,
                serving_config=ranked_by(query.serving_config, ranking),
                model_variant=ranking.notes.assigned.ranking_model,
                picture_weight=picture_weight(ranking),
            ),
            product_ids=product_ids,
            language_code=query.language_code or ranking.understanding.language_code,
        )
        clients, budget = self._clients, self._clients.settings.budgets.ranking
        ask = partial(clients.ranking.call, clients.ranking_stub.Explain, request, budget=budget)
        with work.timer.stage("explanation.ranking"):
            response = await ask_again(ask, budget)
        work.degradations.pass_on(response.degraded)
        return response

    async def _words(
        self, work: Work, ranking: Ranking, product_ids: Sequence[str]
    ) -> Mapping[str, SemanticMatch]:
        try:
            with work.timer.stage(WORDS_STAGE):
                return await semantic_matches(
                    self._clients,
                    ranking.understanding,
                    product_ids,
                    work.query.language_code,
                    stage_timeout(_WORDS_BUDGET),
                )
        except WhereforeError as error:
            work.degradations.note(WORDS_STAGE, error)
            return {}


def _copy(product: Product) -> Product:
    copied = Product()
    copied.CopyFrom(product)
    return copied


def _add_cross_readings(candidates: Sequence[Candidate], ranking: Ranking) -> None:
    """What the search had read together with the query is not read a second time."""
    readings = _readings(ranking)
    for candidate in candidates:
        if leg := readings.get(candidate.product.id):
            candidate.legs.append(leg)


def _readings(ranking: Ranking) -> Mapping[str, LegScore]:
    """What the cross-encoder said, by id of the products that it read."""
    results = map(Result.FromString, ranking.results)
    return {r.product.id: leg for r in results for leg in r.legs if leg.leg == CROSS}


def _has_vector(work: Work, ranking: Ranking) -> bool:
    """Whether the query has a vector, and of the index's model."""
    return ranking.understanding.HasField("vector") and "retrieval.dense" not in work.degradations
