"""What each feature added sums to the score, to 1e-6, for every serving config and every model."""

from collections.abc import Sequence
from typing import Any

import grpc
import lightgbm
import numpy as np
import pytest

from services.orchestrator.growth import SERVING_CONFIGS as SEARCH_CONFIGS
from services.orchestrator.serving_configs import FROM_PRODUCTS, SERVING_CONFIGS
from services.ranking.config import DEFAULT_WEIGHTS
from services.ranking.explanation import explain_ranking
from services.ranking.exploration import Explorer
from services.ranking.features import FEATURES
from services.ranking.ranker import Ranker, RankInput
from services.ranking.tree_model import TreeModel
from services.ranking.variants import Variants
from services.ranking.weights import load_weights
from shared.suite import Suite
from wherefore.common.v1.user_profile_pb2 import UserContext, UserProfile
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub
from wherefore.orchestrator.v1.explanation_service_pb2 import ExplainRequest
from wherefore.orchestrator.v1.explanation_service_pb2_grpc import ExplanationServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.retrieval.v1.retrieval_service_pb2 import RetrieveRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

pytestmark = pytest.mark.suite

TIMEOUT = 20.0
EXACT = 1e-6
QUERIES = (
    "waterproof running shoes",
    "black dress without silk",
    "steel kettle about 30",
    "黑色连衣裙",
    "双肩包 不要黑色",
)


def bases(results: Sequence[Any]) -> np.ndarray:
    """What is left of each score once its contributions are taken away."""
    parts = [sum(part.contribution for part in result.contributions) for result in results]
    return np.array([result.score for result in results]) - parts


@pytest.mark.parametrize("config", SEARCH_CONFIGS)
@pytest.mark.parametrize("query", QUERIES)
async def test_a_search(channel: grpc.aio.Channel, config: str, query: str) -> None:
    request = SearchRequest(
        query=query, serving_config=config, page_size=20, include_contributions=True,
        skip_reasons=True,
    )  # fmt: skip
    asked = ExplainRequest(query=query, serving_config=config, skip_words=True)
    # On a busy machine one of the two may have gone without the cross-encoder.
    for _ in range(10):
        answer = await SearchServiceStub(channel).Search(request, timeout=TIMEOUT)
        explained = await ExplanationServiceStub(channel).Explain(asked, timeout=TIMEOUT)
        if {d.stage for d in answer.degraded} == {d.stage for d in explained.degraded}:
            break
    assert len(answer.results) == 20
    left = bases(answer.results)
    assert np.ptp(left) < EXACT
    assert len(explained.explanations) == 20
    assert left == pytest.approx(explained.base_value, abs=EXACT)
    for each in explained.explanations:
        groups = each.explanation.groups
        parts = [part.contribution for group in groups for part in group.contributions]
        for told in (sum(parts), sum(group.contribution for group in groups)):
            assert explained.base_value + told == pytest.approx(each.explanation.score, abs=EXACT)


@pytest.mark.parametrize("config", SERVING_CONFIGS)
async def test_recommendations(channel: grpc.aio.Channel, config: str) -> None:
    found = await SearchServiceStub(channel).Search(
        SearchRequest(query="headphones", page_size=2, skip_reasons=True), timeout=TIMEOUT
    )
    request = RecommendRequest(
        serving_config=config,
        product_ids=[r.product.id for r in found.results] if config in FROM_PRODUCTS else (),
        user=UserContext(user_id="nobody-yet"),
        page_size=20,
        include_contributions=True,
    )
    answer = await RecommendationServiceStub(channel).Recommend(request, timeout=TIMEOUT)
    assert len(answer.results) > 1
    assert any(result.contributions for result in answer.results)
    assert np.ptp(bases(answer.results)) < EXACT


@pytest.fixture(scope="module")
def trees() -> TreeModel:
    """Trees that go by several features at once, on top of the served weights."""
    rows = np.random.default_rng(0).random((600, len(FEATURES)))
    target = rows[:, FEATURES.index("dense_similarity")] * rows[:, FEATURES.index("sparse_score")]
    target += rows[:, FEATURES.index("popularity")] ** 2
    made = lightgbm.train(
        {"objective": "regression", "verbose": -1, "num_threads": 1},
        lightgbm.Dataset(rows, target),
        40,
    )
    weights = load_weights(DEFAULT_WEIGHTS).serving["search"].weights
    return TreeModel("lambdamart-search@9", FEATURES, dict(weights), made)


async def real_candidates(suite: Suite, query: str) -> RankInput:
    """What the running suite retrieves for a query."""
    async with (
        grpc.aio.insecure_channel(suite.target("nlu")) as nlu,
        grpc.aio.insecure_channel(suite.target("retrieval")) as retrieval,
    ):
        parsed = await NluServiceStub(nlu).Parse(ParseRequest(query=query), timeout=TIMEOUT)
        found = await RetrievalServiceStub(retrieval).Retrieve(
            RetrieveRequest(query=parsed.understanding, limit=100), timeout=TIMEOUT
        )
    return RankInput(
        candidates=found.candidates,
        query=parsed.understanding,
        user=UserProfile(user_id="ada", brand_affinities={"Aurivox": 0.7}),
        include_contributions=True,
        explore=True,
    )


@pytest.mark.parametrize("learnt", [False, True], ids=["linear", "trees"])
@pytest.mark.parametrize("explores", [False, True], ids=["as it is", "explored"])
async def test_every_model_over_real_candidates(
    suite: Suite, trees: TreeModel, *, learnt: bool, explores: bool
) -> None:
    weights = load_weights(DEFAULT_WEIGHTS)
    ranker = Ranker(
        weights,
        10_000,
        variants=Variants(weights, learnt={"search": trees} if learnt else None),
        explorer=Explorer(0.3, np.random.default_rng(1)) if explores else None,
    )
    for query in QUERIES:
        wanted = await real_candidates(suite, query)
        ranking = ranker.rank(wanted)
        assert len(ranking.results) == len(wanted.candidates) > 20
        assert bases(ranking.results) == pytest.approx(ranking.base_value, abs=EXACT)
        scores: Sequence[float] = [placed.score for placed in ranking.results]
        assert (scores != sorted(scores, reverse=True)) or not explores
        for each in explain_ranking(ranking, (), "en"):
            total = sum(group.contribution for group in each.groups)
            assert ranking.base_value + total == pytest.approx(each.placed.score, abs=EXACT)
