"""Puts candidates into order by the ranking service, or without it by their fused scores."""

from collections.abc import Sequence

from services.orchestrator.budget import stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.fallback import Degradations
from services.orchestrator.shown import RankNotes
from shared.errors import FailedPreconditionError, WhereforeError
from shared.timing import StageTimer
from wherefore.common.v1.user_profile_pb2 import UserProfile
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.ranking.v1.ranked_result_pb2 import RankedResult
from wherefore.ranking.v1.ranking_service_pb2 import RankRequest, RankResponse
from wherefore.retrieval.v1.candidate_pb2 import Candidate


class Ranker:
    """Ranks candidates; always answers."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def rank(
        self,
        candidates: Sequence[Candidate],
        *,
        query: QueryUnderstanding | None,
        profile: UserProfile | None,
        serving_config: str,
        include_contributions: bool,
        for_reasons: bool,
        timer: StageTimer,
        degradations: Degradations,
        notes: RankNotes,
        picture_weight: float = 0.0,
    ) -> list[Result]:
        """Returns a Result for each candidate, best first, with the id alone of its product.

        How they were ranked is written into `notes`, whose arms say which model ranks.

        Args:
            candidates: What is ranked.
            query: What was asked; None for recommendations.
            profile: What is known of the user.
            serving_config: Of ranking.
            include_contributions: Whether results are to say what was added to their scores.
            for_reasons: Whether at least what a reason may tell of that is wanted.
            timer: Of the request.
            degradations: Told when ranking does not answer.
            notes: Of the ranking.
            picture_weight: As of `RankRequest`.
        """
        request = RankRequest(
            query=query,
            candidates=candidates,
            user=profile,
            serving_config=serving_config,
            model_variant=notes.assigned.ranking_model,
            include_features=self._clients.settings.shown_pages > 0,
            include_contributions=include_contributions,
            include_telling_contributions=for_reasons,
            picture_weight=picture_weight,
        )
        started = timer.elapsed_nanos()
        ranked: Sequence[RankedResult]
        try:
            with timer.stage("ranking"):
                response = await self._ask(request, degradations)
        except WhereforeError as error:
            degradations.note("ranking", error)
            ranked = [
                RankedResult(product_id=c.product.id, score=c.fused_score) for c in candidates
            ]
        else:
            timer.merge((t for t in response.timings if t.stage != "ranking"), started)
            degradations.pass_on(response.degraded)
            ranked = response.results
            notes.model, notes.feature_set = response.model, response.feature_set
            if request.include_features:
                notes.features.update((each.product_id, each.features) for each in ranked)
        by_id = {candidate.product.id: candidate for candidate in candidates}
        return [_result(by_id[r.product_id], r) for r in ranked if r.product_id in by_id]

    async def _ask(self, request: RankRequest, degradations: Degradations) -> RankResponse:
        """Ranks; by the model that is set where the one of an experiment is not there."""
        budget = self._clients.settings.budgets.ranking
        try:
            return await self._clients.rank(request, stage_timeout(budget))
        except FailedPreconditionError as error:
            if not request.model_variant:
                raise
            degradations.note("experiment", error)
            request.ClearField("model_variant")
            return await self._clients.rank(request, stage_timeout(budget))


def _result(candidate: Candidate, ranked: RankedResult) -> Result:
    # Field by field: as arguments of the message they take twice as long, a hundred times a search.
    result = Result()
    result.score, result.confidence = ranked.score, ranked.confidence
    result.fused_score, result.propensity = candidate.fused_score, ranked.propensity
    result.legs.MergeFrom(candidate.legs)
    if ranked.contributions:
        result.contributions.MergeFrom(ranked.contributions)
    result.product.id = ranked.product_id
    return result
