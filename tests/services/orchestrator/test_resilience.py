"""Lost parts, short deadlines and breakers, over real ports."""

import asyncio

import grpc
import pytest

from wherefore.common.v1.diagnostics_pb2 import DEGRADATION_CAUSE_DEADLINE
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1 import product_service_pb2 as products_pb
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")
PARTS = ("nlu", "retrieval", "ranking", "reason")


async def search(running, query="cup", timeout=5.0):  # noqa: ASYNC109
    request = SearchRequest(query=query)
    return await SearchServiceStub(running.channel).Search(request, timeout=timeout)


async def update(running, timeout=5.0, **fields):  # noqa: ASYNC109
    request = products_pb.ProductServiceUpdateRequest(product=Product(**fields))
    return await ProductServiceStub(running.channel).Update(request, timeout=timeout)


@pytest.mark.parametrize("how", ["broken", "slow"])
@pytest.mark.parametrize("part", ["nlu", "ranking", "reason"])
async def test_a_lost_part_degrades_and_heals(running, part, how):
    getattr(running.fake, how).add(part)
    for n in range(5):
        answer = await search(running, query=f"lost {n}")
        assert len(answer.results) == 20
        assert [d.stage for d in answer.degraded] == [part]
        assert answer.degraded[0].fallback
    getattr(running.fake, how).clear()
    for n in range(100):
        answer = await search(running, query=f"back {n}")
        if not answer.degraded:
            break
    assert not answer.degraded


async def test_lost_ranking_keeps_the_order_of_retrieval(running):
    running.fake.broken.add("ranking")
    answer = await search(running)
    assert answer.results[0].product.id == "p00"


async def test_lost_retrieval_is_unavailable(running):
    running.fake.broken.add("retrieval")
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await search(running)
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("slow", [*({part} for part in PARTS), set(PARTS)], ids="-".join)
async def test_a_very_short_deadline_never_hangs(patient, slow):
    patient.fake.slow |= slow
    for n in range(3):
        try:
            answer = await search(patient, query=f"short {n}", timeout=0.05)
        except grpc.aio.AioRpcError as error:
            assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED  # noqa: PT017
        else:
            assert answer.results
            # On a busy machine others miss so short a time too: for that cause and no other.
            others = [d.cause for d in answer.degraded if d.stage not in slow]
            assert set(others) <= {DEGRADATION_CAUSE_DEADLINE}
    # The parts hang for half a minute; the work for callers who are gone ends at once.
    async with asyncio.timeout(20):
        while patient.server.in_flight:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("method", ["Retrieve", "GetProducts"])
async def test_a_search_outlasts_a_retrieval_that_stands_still(hasty, method):
    hasty.fake.stalls[method] = 1
    answer = await search(hasty, query=f"still {method}", timeout=20)
    assert len(answer.results) == 20
    assert not answer.degraded
    assert not hasty.fake.stalls[method]


@pytest.mark.parametrize("method", ["Similar", "ListProducts", "GetProducts"])
async def test_so_does_a_recommendation(hasty, method):
    hasty.fake.stalls[method] = 1
    request = RecommendRequest(serving_config="similar", product_ids=["p01"])
    if method == "ListProducts":
        request = RecommendRequest(serving_config="popular", user=UserContext(user_id="u"))
    stub = RecommendationServiceStub(hasty.channel)
    assert (await stub.Recommend(request, timeout=20)).results
    assert not hasty.fake.stalls[method]


async def test_the_second_try_ends_with_the_deadline(hasty):
    hasty.fake.stalls["GetProducts"] = 2
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await search(hasty, query="still", timeout=1.8)
    assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert not hasty.fake.stalls["GetProducts"]


@pytest.mark.parametrize("part", ["nlu", "ranking", "reason"])
async def test_a_deadline_is_shared_out_among_the_stages(patient, part):
    patient.fake.slow.add(part)  # and is waited for for longer than the deadline
    answer = await search(patient, timeout=1.0)
    assert len(answer.results) == 20
    assert [(d.stage, d.cause) for d in answer.degraded] == [(part, DEGRADATION_CAUSE_DEADLINE)]


@pytest.mark.parametrize("part", ["nlu", "ranking", "reason"])
async def test_a_refused_request_opens_no_breaker(patient, part):
    patient.fake.code = grpc.StatusCode.INVALID_ARGUMENT
    patient.fake.broken.add(part)
    for n in range(6):
        assert [d.stage for d in (await search(patient, query=f"refused {n}")).degraded] == [part]
    patient.fake.broken.clear()
    assert not (await search(patient, query="accepted")).degraded


async def test_a_filter_that_retrieval_refuses_opens_no_breaker(patient):
    patient.fake.code = grpc.StatusCode.INVALID_ARGUMENT
    patient.fake.broken.add("retrieval")
    for n in range(6):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await search(patient, query=f"refused {n}")
        assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    patient.fake.broken.clear()
    assert (await search(patient)).results


@pytest.mark.parametrize("part", PARTS)
async def test_callers_in_a_hurry_open_no_breaker(patient, part):
    patient.fake.slow.add(part)
    for n in range(6):
        # Either the caller is gone first, or the part's share of the time is over.
        try:
            await search(patient, query=f"hurry {n}", timeout=0.1)
        except grpc.aio.AioRpcError as error:
            assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED  # noqa: PT017
    patient.fake.slow.clear()
    answer = await search(patient, query="patient")
    assert answer.results
    assert not answer.degraded


async def test_a_breaker_opens_when_a_part_keeps_failing(patient):
    patient.fake.broken.add("ranking")
    for n in range(6):
        await search(patient, query=f"failing {n}")
    patient.fake.broken.clear()
    (degraded,) = (await search(patient, query="back")).degraded
    assert (degraded.stage, degraded.detail) == ("ranking", "UNAVAILABLE")


async def test_writers_in_a_hurry_or_in_the_wrong_leave_the_model_to_others(patient):
    patient.fake.slow.add("embed")
    response = await update(patient, id="p01", titles={"en": "Tin cup"}, timeout=1.0)
    assert [d.stage for d in response.degraded] == ["nlu.embedding"]
    patient.fake.slow.clear()
    patient.fake.code = grpc.StatusCode.INVALID_ARGUMENT
    patient.fake.broken.add("embed")
    response = await update(patient, id="p02", titles={"en": "Tin cup"})
    assert [d.stage for d in response.degraded] == ["nlu.embedding"]
    patient.fake.broken.clear()
    assert not (await update(patient, id="p03", titles={"en": "Tin cup"})).degraded
