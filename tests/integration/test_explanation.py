"""Explanations through the whole suite: of the very scores that a search gives."""

import grpc
import pytest

from shared.inference.settings import ATTRIBUTION_MODEL
from shared.suite import triton
from wherefore.orchestrator.v1.explanation_service_pb2 import ExplainRequest
from wherefore.orchestrator.v1.explanation_service_pb2_grpc import ExplanationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

pytestmark = pytest.mark.suite

TIMEOUT = 10.0


@pytest.mark.parametrize("query", ["waterproof running shoes", "黑色 连衣裙"])
async def test_the_scores_of_a_search_are_explained(channel: grpc.aio.Channel, query: str) -> None:
    searched = await SearchServiceStub(channel).Search(
        SearchRequest(query=query, page_size=20, skip_reasons=True), timeout=TIMEOUT
    )
    explained = await ExplanationServiceStub(channel).Explain(
        ExplainRequest(query=query), timeout=TIMEOUT
    )
    assert not explained.degraded
    assert [e.product.id for e in explained.explanations] == [
        r.product.id for r in searched.results
    ]
    for each, result in zip(explained.explanations, searched.results, strict=True):
        told = each.explanation
        assert told.score == pytest.approx(result.score, abs=1e-6)
        parts = sum(group.contribution for group in told.groups)
        assert explained.base_value + parts == pytest.approx(told.score, abs=1e-6)
        dense = [leg.score for leg in result.legs if leg.leg == "dense"]
        if dense:
            assert each.semantic_match.cosine == pytest.approx(dense[0], abs=1e-3)
            assert [word.word for word in each.semantic_match.words]
    effects = [w.effect for e in explained.explanations for w in e.semantic_match.words]
    assert max(map(abs, effects)) > 0.01
    chinese = "\u4e00" <= explained.explanations[0].explanation.groups[0].label[0] <= "\u9fff"
    assert chinese == (query[0] == "黑")


async def test_a_product_that_the_query_did_not_find_has_its_place(
    channel: grpc.aio.Channel,
) -> None:
    found = await SearchServiceStub(channel).Search(
        SearchRequest(query="yoga mat", page_size=1, skip_reasons=True), timeout=TIMEOUT
    )
    wanted = found.results[0].product.id
    explained = await ExplanationServiceStub(channel).Explain(
        ExplainRequest(query="steel kettle", product_ids=[wanted, "nobody"]), timeout=TIMEOUT
    )
    (mat,) = explained.explanations
    assert mat.product.id == wanted
    assert mat.explanation.rank > 1
    assert list(explained.missing_product_ids) == ["nobody"]


async def test_what_each_word_did_to_a_precise_score(channel: grpc.aio.Channel) -> None:
    if not triton.is_made(ATTRIBUTION_MODEL):
        pytest.skip("`make models` did not make the model")
    request = ExplainRequest(
        query="black linen dress", serving_config="precise", reading_count=2, skip_words=True
    )
    explained = await ExplanationServiceStub(channel).Explain(request, timeout=60)
    assert not explained.degraded
    told = [e for e in explained.explanations if e.HasField("cross_reading")]
    assert len(told) == 2
    for each in told:
        reading = each.cross_reading
        made = reading.attribution
        assert reading.query_text == "black linen dress"
        for text, words, without in (
            (reading.query_text, made.left_words, made.logit_without_left),
            (reading.product_text, made.right_words, made.logit_without_right),
        ):
            gained = made.logit - without
            total = sum(word.attribution for word in words)
            assert total == pytest.approx(gained, abs=0.05 * abs(gained) + 0.05)
            assert all(text[word.start : word.end] == word.word for word in words)
        # The served model rounds to 8 bits; what is explained is the same model in full precision.
        (score,) = [
            part.value
            for group in each.explanation.groups
            for part in group.contributions
            if part.feature == "cross_score"
        ]
        assert 16 * score - 8 == pytest.approx(made.logit, abs=1.0)
