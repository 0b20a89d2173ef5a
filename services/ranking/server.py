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
from services.ranking.features import FEATURE_SET
from services.ranking.model import ScoringModel
from services.ranking.online.following import CHECKPOINT, FollowSettings, OnlineHead
from services.ranking.ranker import (
    DEFAULT_SERVING_CONFIG,
    Placed,
    Prepared,
    Ranker,
    Ranking,
    RankInput,
)
from services.ranking.shadow import Shadow
from services.ranking.tree_model import TreeModel
from services.ranking.variants import Variant, Variants
from services.ranking.weights import Weights, load_weights
from shared.channel import open_channel
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
        self._head: OnlineHead | None = None
        self._channel: grpc.aio.Channel | None = None
        self._shadow: Shadow | None = None

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
        settings = self._settings
        path = settings.candidate_weights_path
        candidate = load_weights(path) if path else None
        self._head = self._follow(weights)
        serves_head = settings.online.mode == "serve"
        self._ranker = Ranker(
            weights,
            settings.text_cache_size,
            variants=Variants(
                weights,
                learnt=learnt,
                candidate=candidate,
                head=self._head,
                default=Variant.ONLINE if serves_head else Variant.WEIGHTS,
            ),
            explorer=Explorer(settings.exploration) if settings.exploration else None,
        )
        if settings.shadow:
            self._shadow = Shadow(self._ranker, Variant(settings.shadow), settings.shadow_share)

    def _follow(self, weights: Weights) -> OnlineHead | None:
        """Begins to learn from events, where it is set."""
        settings = self._settings
        online = settings.online
        if online.mode == "off":
            return None
        self._channel = open_channel(
            settings.orchestrator_target,
            wait_for_health_of="wherefore.orchestrator.v1.EventLogService",
        )
        head = OnlineHead(
            self._channel,
            weights,
            FollowSettings(
                online.choice(),
                online.least_updates,
                settings.data_dir / CHECKPOINT,
                online.checkpoint_seconds,
                online.drift,
                online.retrain_command,
                online.retrain_pause_hours * 3600.0,
            ),
        )
        head.start()
        return head

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the service to a server."""
        pb_grpc.add_RankingServiceServicer_to_server(self, server)

    async def check_ready(self) -> None:
        """Raises until the weights are read."""
        self._loaded()

    async def close(self) -> None:
        """Lets go of the deep ranker, and keeps what was learnt."""
        if self._head is not None:
            await self._head.close()
        if self._channel is not None:
            await self._channel.close()
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
            feature_set=FEATURE_SET if request.include_features else "",
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
        ranking, degraded = await self._place(ranker, prepared, timer)
        if self._shadow is not None:
            self._shadow.compare(prepared, ranking)
        return ranking, degraded

    async def _place(
        self, ranker: Ranker, prepared: Prepared, timer: StageTimer
    ) -> tuple[Ranking, list[Degradation]]:
        if self._deep is None or prepared.serving_config != DEFAULT_SERVING_CONFIG:
            return ranker.place(prepared), []
        try:
            with timer.stage(STAGE):
                added = await self._deep.add(
                    prepared.table.values,
                    contributions=prepared.wanted.include_contributions,
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
        include_telling=request.include_telling_contributions,
        diversity=request.diversity if request.HasField("diversity") else None,
        include_features=request.include_features,
        variant=request.model_variant,
        picture_weight=request.picture_weight or 1.0,
    )


def _result(placed: Placed) -> RankedResult:
    return RankedResult(
        product_id=placed.product_id,
        rank=placed.rank,
        score=placed.score,
        confidence=placed.confidence,
        contributions=_contributions(placed.contributions),
        propensity=placed.propensity,
        features=placed.features,
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
