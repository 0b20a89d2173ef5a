"""The cross-encoder in the path, through the running suite and Triton."""

import grpc
import pytest

from shared.suite import Suite
from wherefore.orchestrator.v1.explanation_service_pb2 import ExplainRequest
from wherefore.orchestrator.v1.explanation_service_pb2_grpc import ExplanationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchResponse
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

QUERY = "wireless noise cancelling headphones"

ROUNDS = 5


def scores_of(answer: SearchResponse) -> dict[str, float]:
    return {result.product.id: result.score for result in answer.results}


async def test_scores_of_a_precise_search_are_explained_as_they_were(suite: Suite) -> None:
    request = SearchRequest(query=QUERY, serving_config="precise", include_contributions=True)
    asked = ExplainRequest(query=QUERY, serving_config="precise", skip_words=True)
    async with grpc.aio.insecure_channel(suite.target("orchestrator")) as channel:
        # What tests before this one did is still being learnt from: scores may move in between.
        for _ in range(ROUNDS):
            answer = await SearchServiceStub(channel).Search(request, timeout=30)
            explained = await ExplanationServiceStub(channel).Explain(asked, timeout=30)
            again = await SearchServiceStub(channel).Search(request, timeout=30)
            if scores_of(again) == scores_of(answer):
                break
    assert not answer.degraded
    read = [leg for result in answer.results for leg in result.legs if leg.leg == "cross"]
    assert 10 <= len(read) <= 20
    assert all(0 <= leg.score <= 1 for leg in read)
    assert any(c.feature == "cross_score" for r in answer.results for c in r.contributions)
    scores = scores_of(answer)
    for each in explained.explanations:
        assert each.explanation.score == pytest.approx(scores[each.product.id], abs=1e-6)


async def test_a_language_that_the_model_does_not_read_is_told(suite: Suite) -> None:
    async with grpc.aio.insecure_channel(suite.target("orchestrator")) as channel:
        request = SearchRequest(query="无线降噪耳机", serving_config="precise")
        answer = await SearchServiceStub(channel).Search(request, timeout=30)
    assert answer.results
    assert [d.stage for d in answer.degraded] == ["cross"]
    assert "en" in answer.degraded[0].detail
