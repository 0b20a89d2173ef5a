"""The gRPC face of ranking: proto <-> domain, nothing else."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import grpc

from services.ranking.config import Settings
from services.ranking.deep.serving import STAGE, DeepRanker
from services.ranking.explain import FeatureContribution
from services.ranking.explanation import Explanation, explain_ranking
from services.ranking.explanation_words import language_of
from services.ranking.exploration import Explorer
from services.ranking.model import ScoringModel
from services.ranking.ranker import (
    DEFAULT_SERVING_CONFIG,
    Placed,
    Ranker,
    Ranking,
    RankInput,
)
from services.ranking.tree_model import TreeModel
from services.ranking.weights import load_weights
from shared.degradation import cause_of, degradation
from shared.errors import InvalidArgumentError, WhereforeError
from shared.text.analysis import warm_up
from shared.timing import StageTimer
from wherefore.common.v1.diagnostics_pb2 import Degradation
from wherefore.ranking.v1 import ranking_service_pb2 as pb
from wherefore.ranking.v1 import ranking_service_pb2_grpc as pb_grpc
from wherefore.ranking.v1.ranked_result_pb2 import (
    Contribution,
    ContributionGroup,
    CounterFactual,
    RankedResult,
    ResultExplanation,
)


class RankingServer(pb_grpc.RankingServiceServicer):
    """Serves `RankingService`."""

    service_names: Sequence[str] = ("wherefore.ranking.v1.RankingService",)

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ranker: Ranker | None = None
        self._deep: DeepRanker | None = None

    async def start(self) -> None:
        """Reads weights and models; a wrong file stops the start. Loads the dictionaries too."""
        weights = load_weights(self._settings.weights_path)
        learnt: dict[str, ScoringModel] = {}
        if path := self._settings.search_model_path:
            learnt["search"] = await asyncio.to_thread(TreeModel.load, path)
        if name := self._settings.deep_model:
            inference = self._settings.inference.model_copy(
                update={"model": name, "timeout_seconds": self._settings.deep_timeout_seconds}
            )
            self._deep = await asyncio.to_thread(
                DeepRanker.open, inference, self._settings.deep_weight
            )
        await asyncio.to_thread(warm_up)
        deviation = self._settings.exploration
        self._ranker = Ranker(
            weights,
            self._settings.text_cache_size,
            learnt=learnt,
            explorer=Explorer(deviation) if deviation else None,
        )

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the service to a server."""
        pb_grpc.add_RankingServiceServicer_to_server(self, server)

    async def check_ready(self) -> None:
        """Raises until the weights are read."""
        self._loaded()

    async def close(self) -> None:
        """Lets go of the deep ranker."""
        if self._deep is not None:
            await self._deep.close()

    async def Rank(  # noqa: N802  # the contract's name
        self,
        request: pb.RankRequest,
        context: grpc.aio.ServicerContext[pb.RankRequest, pb.RankResponse],
    ) -> pb.RankResponse:
        """Ranks candidates; see ranking_service.proto."""
        timer = StageTimer()
        with timer.stage("ranking"):
            ranking, degraded = await self._rank(replace(_input(request), explore=True), timer)
        return pb.RankResponse(
            results=[_result(placed) for placed in ranking.results],
            model=ranking.model,
            base_value=ranking.base_value,
            timings=timer.timings(),
            degraded=degraded,
        )

    async def Explain(  # noqa: N802  # the contract's name
        self,
        request: pb.ExplainRequest,
        context: grpc.aio.ServicerContext[pb.ExplainRequest, pb.ExplainResponse],
    ) -> pb.ExplainResponse:
        """Explains scores; see ranking_service.proto."""
        timer = StageTimer()
        with timer.stage("ranking"):
            # Contributions count from the mean of all candidates, so all of them are ranked.
            wanted = replace(_input(request.ranking), limit=0, include_contributions=True)
            try:
                ranking, degraded = await self._rank(wanted, timer)
            except InvalidArgumentError as error:
                raise error.below("ranking") from error
            explanations = explain_ranking(
                ranking, request.product_ids, language_of(request.language_code)
            )
        return pb.ExplainResponse(
            explanations=[_explanation(explanation) for explanation in explanations],
            model=ranking.model,
            base_value=ranking.base_value,
            ranked_count=len(ranking.results),
            timings=timer.timings(),
            degraded=degraded,
        )

    async def _rank(
        self, wanted: RankInput, timer: StageTimer
    ) -> tuple[Ranking, list[Degradation]]:
        """Ranks with the deep ranker where there is one; without it when it is lost."""
        ranker = self._loaded()
        prepared = ranker.prepare(wanted)
        if self._deep is None or prepared.serving_config != DEFAULT_SERVING_CONFIG:
            return ranker.place(prepared), []
        try:
            with timer.stage(STAGE):
                added = await self._deep.add(
                    prepared.table.values, contributions=wanted.include_contributions
                )
        except WhereforeError as error:
            return ranker.place(prepared), [_lost(error)]
        return ranker.place(prepared, added), []

    def _loaded(self) -> Ranker:
        if self._ranker is None:
            message = "the weights are not read yet"
            raise RuntimeError(message)
        return self._ranker


def _lost(error: WhereforeError) -> Degradation:
    return degradation(
        STAGE, cause_of(error), fallback="the score without it", detail=error.code.name
    )


def _input(request: pb.RankRequest) -> RankInput:
    return RankInput(
        candidates=request.candidates,
        query=request.query if request.HasField("query") else None,
        user=request.user if request.HasField("user") else None,
        serving_config=request.serving_config,
        limit=request.limit,
        include_contributions=request.include_contributions,
        diversity=request.diversity if request.HasField("diversity") else None,
    )


def _result(placed: Placed) -> RankedResult:
    return RankedResult(
        product_id=placed.product_id,
        rank=placed.rank,
        score=placed.score,
        confidence=placed.confidence,
        contributions=_contributions(placed.contributions),
        propensity=placed.propensity,
    )


def _explanation(explanation: Explanation) -> ResultExplanation:
    placed, change = explanation.placed, explanation.counter_factual
    return ResultExplanation(
        product_id=placed.product_id,
        rank=placed.rank,
        score=placed.score,
        confidence=placed.confidence,
        groups=[
            ContributionGroup(
                group=group.group,
                label=group.label,
                contribution=group.contribution,
                contributions=_contributions(group.parts),
            )
            for group in explanation.groups
        ],
        counter_factual=CounterFactual(
            feature=change.feature,
            value=change.value,
            needed_value=change.needed,
            text=change.text,
        )
        if change
        else None,
    )


def _contributions(parts: Sequence[FeatureContribution]) -> list[Contribution]:
    return [
        Contribution(
            feature=part.feature,
            value=part.value,
            contribution=part.contribution,
            label=part.label,
        )
        for part in parts
    ]
