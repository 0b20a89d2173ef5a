"""Counts with noise over real ports: a budget, and nothing told of one user."""

from pathlib import Path

import grpc
import pytest

from services.orchestrator import aggregates
from tests.services.orchestrator.conftest import serve
from tests.services.orchestrator.test_user_data import ANALYTICS, write
from wherefore.orchestrator.v1 import aggregate_service_pb2 as pb
from wherefore.orchestrator.v1.aggregate_service_pb2_grpc import AggregateServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")
PRODUCTS, QUERIES = pb.AGGREGATE_KIND_PRODUCTS, pb.AGGREGATE_KIND_QUERIES


async def aggregate(shop, kind=PRODUCTS, epsilon: float = 1.0, **fields: int):
    request = pb.AggregateRequest(kind=kind, epsilon=epsilon, **fields)
    return await AggregateServiceStub(shop.channel).Aggregate(request)


def rows(response: pb.AggregateResponse) -> list[tuple[str, int]]:
    return [(row.key, row.count) for row in response.rows]


async def test_users_count_once_and_few_are_not_told(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(aggregates, "discrete_laplace", lambda scale: 1)
    privacy = {"epsilon": 10, "contributions": 2, "answer_delta": 0.001, "delta": 0.1}
    async with serve(tmp_path, privacy=privacy) as shop:
        for n in range(30):
            for _ in range(3):  # the same user, again and again
                await write(shop, f"u{n}", "p01", query="Steel  KETTLE")
            await write(shop, f"u{n}", "p02", query=f"own query {n}")
            await write(shop, f"u{n}", "p03", query="call 138-1234-5678")  # a third: it is left out
        await write(shop, "refuses", "p01", query="steel kettle", refused_purposes=[ANALYTICS])
        found = await aggregate(shop, epsilon=1)
        assert rows(found) == [("p01", 31), ("p02", 31)]
        assert (found.noise_scale, found.contributions_per_user) == (2.0, 2)
        assert found.threshold == 17  # 1 + ceil(2 ln 2000)
        assert rows(await aggregate(shop, epsilon=1, limit=1)) == [("p01", 31)]
        assert rows(await aggregate(shop, QUERIES, epsilon=1)) == [("steel kettle", 31)]
        # Less loss, more noise, a higher threshold.
        assert rows(await aggregate(shop, QUERIES, epsilon=0.1)) == []


async def test_noise_is_added(tmp_path: Path) -> None:
    async with serve(tmp_path, privacy={"epsilon": 100, "contributions": 1}) as shop:
        for n in range(60):
            await write(shop, f"u{n}", "p01")
        counts = {rows(await aggregate(shop, epsilon=1))[0][1] for _ in range(40)}
        assert len(counts) > 1
        assert all(30 < count < 90 for count in counts)


async def test_a_spent_budget_is_refused_also_after_a_restart(tmp_path: Path) -> None:
    privacy = {"epsilon": 1.0}
    async with serve(tmp_path, privacy=privacy) as shop:
        assert (await aggregate(shop, epsilon=0.6)).budget.epsilon_spent == 0.6
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await aggregate(shop, epsilon=0.5)
        assert error.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        await aggregate(shop, epsilon=0.3)
    async with serve(tmp_path, privacy=privacy) as shop:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await aggregate(shop, epsilon=0.2)
        assert "epsilon 0.1 is left" in (error.value.details() or "")
        budget = await AggregateServiceStub(shop.channel).GetBudget(pb.GetBudgetRequest())
        assert (budget.epsilon, budget.epsilon_spent) == (1.0, 0.9)
        assert budget.delta_spent == pytest.approx(2e-7)


async def test_without_a_budget_there_are_no_aggregates(shop) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await aggregate(shop)
    assert error.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert (
        await AggregateServiceStub(shop.channel).GetBudget(pb.GetBudgetRequest())
        == pb.GetBudgetResponse()
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": 0}, "kind"),
        ({"epsilon": 0}, "epsilon"),
        ({"epsilon": 11}, "epsilon"),
        ({"epsilon": float("nan")}, "epsilon"),
        ({"days": 400}, "days"),
        ({"limit": -1}, "limit"),
    ],
)
async def test_bad_requests(shop, fields, field: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await aggregate(shop, **fields)
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field in (error.value.details() or "")
