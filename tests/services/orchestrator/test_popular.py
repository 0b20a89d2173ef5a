"""What is popular, over the real retrieval and ranking."""

from prometheus_client import REGISTRY

from services.ranking.config import Settings
from services.ranking.server import RankingServer
from shared.server import start_server
from tests.services.orchestrator.real_retrieval import serve_with_retrieval
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub

COUNT = 5


def _lookups(outcome: str) -> float:
    labels = {"cache": "ranking.product_text", "outcome": outcome}
    return REGISTRY.get_sample_value("wherefore_cache_lookups_total", labels) or 0.0


async def test_titles_of_popular_products_are_analysed_once(tmp_path) -> None:
    products = [
        Product(id=f"popular-{n}", titles={"en": f"Steel kettle {n}"}, brand="Acme")
        for n in range(COUNT)
    ]
    settings = Settings(port=0, metrics_port=0, lame_duck_seconds=0)
    ranking = await start_server(RankingServer(settings), settings)
    await ranking.wait_ready(30)
    target = f"127.0.0.1:{ranking.port}"
    async with serve_with_retrieval(tmp_path, products, ranking_target=target) as shop:
        ask = RecommendationServiceStub(shop.channel).Recommend
        request = RecommendRequest(
            user=UserContext(user_id="new"), serving_config="popular", skip_reasons=True
        )
        first = await ask(request, timeout=20)
        assert len(first.results) == COUNT
        assert not first.degraded
        hits, misses = _lookups("hit"), _lookups("miss")
        await ask(request, timeout=20)
        assert _lookups("hit") == hits + COUNT
        assert _lookups("miss") == misses
    await ranking.stop()
