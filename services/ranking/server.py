"""The gRPC face of ranking: proto <-> domain, nothing else."""

import asyncio
from collections.abc import Sequence

import grpc

from services.ranking.config import Settings
from services.ranking.ranker import Placed, Ranker, RankInput
from services.ranking.weights import load_weights
from shared.text.analysis import warm_up
from shared.timing import StageTimer
from wherefore.ranking.v1 import ranking_service_pb2 as pb
from wherefore.ranking.v1 import ranking_service_pb2_grpc as pb_grpc
from wherefore.ranking.v1.ranked_result_pb2 import Contribution, RankedResult


class RankingServer(pb_grpc.RankingServiceServicer):
    """Serves `RankingService`."""

    service_names: Sequence[str] = ("wherefore.ranking.v1.RankingService",)

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ranker: Ranker | None = None

    async def start(self) -> None:
        """Reads the weights; a wrong file stops the start. Loads the dictionaries too."""
        weights = load_weights(self._settings.weights_path)
        await asyncio.to_thread(warm_up)
        self._ranker = Ranker(weights, self._settings.text_cache_size)

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the service to a server."""
        pb_grpc.add_RankingServiceServicer_to_server(self, server)

    async def check_ready(self) -> None:
        """Raises until the weights are read."""
        self._loaded()

    async def close(self) -> None:
        """Holds nothing that needs closing."""

    async def Rank(  # noqa: N802  # the contract's name
        self,
        request: pb.RankRequest,
        context: grpc.aio.ServicerContext[pb.RankRequest, pb.RankResponse],
    ) -> pb.RankResponse:
        """Ranks candidates; see ranking_service.proto."""
        timer = StageTimer()
        with timer.stage("ranking"):
            ranking = self._loaded().rank(
                RankInput(
                    candidates=request.candidates,
                    query=request.query if request.HasField("query") else None,
                    user=request.user if request.HasField("user") else None,
                    serving_config=request.serving_config,
                    limit=request.limit,
                    include_contributions=request.include_contributions,
                    diversity=request.diversity if request.HasField("diversity") else None,
                )
            )
        return pb.RankResponse(
            results=[_result(placed) for placed in ranking.results],
            model=ranking.model,
            base_value=ranking.base_value,
            timings=timer.timings(),
        )

    def _loaded(self) -> Ranker:
        if self._ranker is None:
            message = "the weights are not read yet"
            raise RuntimeError(message)
        return self._ranker


def _result(placed: Placed) -> RankedResult:
    return RankedResult(
        product_id=placed.product_id,
        rank=placed.rank,
        score=placed.score,
        confidence=placed.confidence,
        contributions=[
            Contribution(
                feature=part.feature,
                value=part.value,
                contribution=part.contribution,
                label=part.label,
            )
            for part in placed.contributions
        ],
    )
