import grpc
import pytest

from services.ranking.config import Settings
from services.ranking.server import RankingServer
from shared.server import start_server
from wherefore.ranking.v1 import ranking_service_pb2 as pb
from wherefore.ranking.v1.ranking_service_pb2_grpc import RankingServiceStub


@pytest.fixture
def changed():
    """Settings that a test changes."""
    return {}


@pytest.fixture
async def stub(changed):
    settings = Settings(port=0, metrics_port=0, **changed)
    running = await start_server(RankingServer(settings), settings)
    try:
        await running.wait_ready(10)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{running.port}") as channel:
            yield RankingServiceStub(channel)
    finally:
        await running.stop()


async def test_ranks_over_the_wire(stub, make_candidate):
    request = pb.RankRequest(
        candidates=[make_candidate("a", "Lamp"), make_candidate("b", "Kettle")],
        include_contributions=True,
    )
    request.query.query = "kettle"
    response = await stub.Rank(request, timeout=5)
    assert [result.product_id for result in response.results] == ["b", "a"]
    assert [result.rank for result in response.results] == [1, 2]
    assert response.model.startswith("linear-search@")
    assert [timing.stage for timing in response.timings] == ["ranking"]
    for result in response.results:
        total = response.base_value + sum(c.contribution for c in result.contributions)
        assert total == pytest.approx(result.score, abs=1e-9)


async def test_tells_of_contributions_only_what_a_reason_may_say(stub, make_candidate):
    loved, plain = make_candidate("a", "Kettle"), make_candidate("b", "Kettle")
    loved.product.review_summary.average_rating = 4.8
    loved.product.review_summary.rating_count = 400
    loved.product.statistics.purchase_count = 900
    request = pb.RankRequest(candidates=[loved, plain], include_telling_contributions=True)
    request.query.query = "kettle"
    request.user.recent_products.add(product_id="b", action="view", age_seconds=60)
    response = await stub.Rank(request, timeout=5)
    told = {r.product_id: [c.feature for c in r.contributions] for r in response.results}
    assert told == {"a": ["rating", "popularity"], "b": ["user_recency"]}
    request.include_contributions = True
    whole = await stub.Rank(request, timeout=5)
    for some, each in zip(response.results, whole.results, strict=True):
        every = {c.feature: c for c in each.contributions}
        assert [every[c.feature] for c in some.contributions] == list(some.contributions)
        assert len(every) > len(some.contributions)


async def test_bad_input_is_invalid_argument(stub, make_candidate):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Rank(pb.RankRequest(), timeout=5)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "candidates" in (caught.value.details() or "")


async def test_explains_over_the_wire(stub, make_candidate):
    request = pb.ExplainRequest(product_ids=["a"], language_code="zh-CN")
    request.ranking.candidates.extend(
        [make_candidate("a", "Lamp"), make_candidate("b", "Kettle", fused=0.02)]
    )
    request.ranking.query.query = "kettle"
    request.ranking.limit = 1
    response = await stub.Explain(request, timeout=5)
    (explanation,) = response.explanations
    assert (explanation.product_id, explanation.rank, response.ranked_count) == ("a", 2, 2)
    total = response.base_value + sum(group.contribution for group in explanation.groups)
    assert total == pytest.approx(explanation.score, abs=1e-6)
    assert {group.label for group in explanation.groups} >= {"不完全是要找的品类"}


async def test_a_product_that_is_no_candidate_is_named(stub, make_candidate):
    request = pb.ExplainRequest(product_ids=["c"])
    request.ranking.candidates.append(make_candidate("a"))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Explain(request, timeout=5)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "product_ids[0]" in (caught.value.details() or "")


async def test_faults_of_the_ranking_to_explain_are_named_within_the_request(stub):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Explain(pb.ExplainRequest(), timeout=5)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert (caught.value.details() or "").startswith("ranking.candidates: ")


@pytest.mark.parametrize("changed", [{"exploration": 1.0}])
async def test_exploration_tells_its_propensities(stub, make_candidate):
    candidates = [
        make_candidate("a", "Kettle", fused=0.02, sparse=1.0),
        make_candidate("b", "Lamp", fused=0.018, dense=0.9),
    ]
    request = pb.RankRequest(candidates=candidates, include_contributions=True)
    request.query.query = "kettle"
    orders = set()
    for _ in range(60):
        response = await stub.Rank(request, timeout=5)
        orders.add(tuple(result.product_id for result in response.results))
        for result in response.results:
            assert 1 / 201 <= result.propensity <= 1
            total = response.base_value + sum(c.contribution for c in result.contributions)
            assert total == pytest.approx(result.score, abs=1e-6)
    assert orders == {("a", "b"), ("b", "a")}
    explained = await stub.Explain(pb.ExplainRequest(ranking=request), timeout=5)
    assert [e.rank for e in explained.explanations] == [1, 2]


async def test_nothing_is_explored_by_default(stub, make_candidate):
    request = pb.RankRequest(candidates=[make_candidate("a", "Kettle"), make_candidate("b")])
    response = await stub.Rank(request, timeout=5)
    assert [result.propensity for result in response.results] == [0.0, 0.0]
