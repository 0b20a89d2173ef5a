"""Opens the services behind the orchestrator that the configuration names."""

from services.orchestrator.answer_cache import AnswerCaches
from services.orchestrator.brown_out import BrownOut
from services.orchestrator.clients import Clients
from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.dependency import Dependency
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub
from wherefore.nlu.v1.picture_service_pb2_grpc import PictureServiceStub
from wherefore.ranking.v1.ranking_service_pb2_grpc import RankingServiceStub
from wherefore.reason.v1.reason_service_pb2_grpc import ReasonServiceStub
from wherefore.recommend.v1.recommend_service_pb2_grpc import RecommendServiceStub
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub


def open_clients(settings: OrchestratorSettings) -> Clients:
    """Opens channels to all dependencies; they connect on the first call."""

    def service(name: str, target: str) -> Dependency:
        return Dependency(name, f"wherefore.{name}.v1.{name.title()}Service", target, settings)

    nlu_service = service("nlu", settings.nlu_target)
    retrieval_service = service("retrieval", settings.retrieval_target)
    ranking_service = service("ranking", settings.ranking_target)
    reason_service = service("reason", settings.reason_target)
    recommend_service = service("recommend", settings.recommend_target)
    return Clients(
        nlu=nlu_service,
        retrieval=retrieval_service,
        ranking=ranking_service,
        reason=reason_service,
        recommend=recommend_service,
        nlu_stub=NluServiceStub(nlu_service.channel),
        picture_stub=PictureServiceStub(nlu_service.channel),
        retrieval_stub=RetrievalServiceStub(retrieval_service.channel),
        ranking_stub=RankingServiceStub(ranking_service.channel),
        reason_stub=ReasonServiceStub(reason_service.channel),
        recommend_stub=RecommendServiceStub(recommend_service.channel),
        settings=settings,
        brown_out=BrownOut(settings.brown_out),
        caches=AnswerCaches(settings),
    )
