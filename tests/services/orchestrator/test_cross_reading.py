"""The serving config "precise": the best products are read together with the query."""

import pytest

from wherefore.common.v1.diagnostics_pb2 import (
    DEGRADATION_CAUSE_DEADLINE,
    DEGRADATION_CAUSE_UNAVAILABLE,
)
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def search(running, **fields):
    request = SearchRequest(query="cup", page_size=30, **fields)
    return await SearchServiceStub(running.channel).Search(request, timeout=5)


def ids(answer):
    return [result.product.id for result in answer.results]


async def test_the_best_products_are_read_and_ranked_again(running):
    answer = await search(running, serving_config="precise")
    assert not answer.degraded
    # The twenty that ranking put first, p29 to p10, by what the model says of them.
    assert ids(answer)[:20] == [f"p{n}" for n in range(10, 30)]
    read = [result for result in answer.results if any(leg.leg == "cross" for leg in result.legs)]
    assert read == list(answer.results)[:20]
    legs = [leg for result in read for leg in result.legs if leg.leg == "cross"]
    assert [leg.rank for leg in legs] == list(range(1, 21))
    assert legs[0].score == pytest.approx(1 / 11)
    assert "cross" in {timing.stage for timing in answer.timings}


async def test_it_is_asked_neither_by_default_nor_for_another_order(running):
    for fields in ({}, {"serving_config": "precise", "order_by": "price"}):
        answer = await search(running, **fields)
        assert not any(leg.leg == "cross" for result in answer.results for leg in result.legs)
        assert "cross" not in {timing.stage for timing in answer.timings}


@pytest.mark.parametrize(
    ("how", "cause"),
    [("broken", DEGRADATION_CAUSE_UNAVAILABLE), ("slow", DEGRADATION_CAUSE_DEADLINE)],
)
async def test_without_the_model_the_first_order_stays(running, how, cause):
    getattr(running.fake, how).add("cross")
    answer = await search(running, serving_config="precise")
    assert [(d.stage, d.cause) for d in answer.degraded] == [("cross", cause)]
    assert answer.degraded[0].fallback
    assert ids(answer) == ids(await search(running))
