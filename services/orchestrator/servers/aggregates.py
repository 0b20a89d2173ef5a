"""AggregateService: translates."""

from typing import Any, Final

import grpc.aio

from services.orchestrator.aggregates import Aggregates, Budget, Kind
from services.orchestrator.validation import Violations, page_size
from wherefore.orchestrator.v1 import aggregate_service_pb2 as pb
from wherefore.orchestrator.v1.aggregate_service_pb2_grpc import AggregateServiceServicer

_KINDS: Final = {
    pb.AGGREGATE_KIND_PRODUCTS: Kind.PRODUCTS,
    pb.AGGREGATE_KIND_QUERIES: Kind.QUERIES,
}
_DEFAULT_DAYS, _MAX_DAYS = 30, 365
_DEFAULT_ROWS, _MAX_ROWS = 100, 1_000
_LEAST_EPSILON, _MAX_EPSILON = 1e-6, 10.0
_Context = grpc.aio.ServicerContext[Any, Any]


class AggregateServer(AggregateServiceServicer):
    """Serves counts with noise."""

    def __init__(self, aggregates: Aggregates, contributions: int) -> None:
        self._aggregates = aggregates
        self._contributions = contributions

    async def Aggregate(  # noqa: N802 # the contract's name
        self, request: pb.AggregateRequest, context: _Context
    ) -> pb.AggregateResponse:
        """See the contract."""
        found = Violations()
        kind = _KINDS.get(request.kind)
        if kind is None:
            found.add("kind", "say what to count")
        if not 0 <= request.days <= _MAX_DAYS:
            found.add("days", f"must be 0 to {_MAX_DAYS}")
        if not _LEAST_EPSILON <= request.epsilon <= _MAX_EPSILON:
            found.add("epsilon", f"must be {_LEAST_EPSILON:g} to {_MAX_EPSILON:g}")
        if not 0 <= request.limit <= _MAX_ROWS:
            found.add("limit", f"must be 0 to {_MAX_ROWS:,}")
        found.raise_any()
        aggregate = await self._aggregates.count(
            kind or Kind.PRODUCTS,
            request.days or _DEFAULT_DAYS,
            request.epsilon,
            page_size(request.limit, _DEFAULT_ROWS, _MAX_ROWS),
        )
        return pb.AggregateResponse(
            rows=[pb.AggregateRow(key=key, count=count) for key, count in aggregate.rows],
            threshold=aggregate.threshold,
            noise_scale=aggregate.scale,
            contributions_per_user=self._contributions,
            budget=_budget(await self._aggregates.budget()),
        )

    async def GetBudget(  # noqa: N802 # the contract's name
        self, request: pb.GetBudgetRequest, context: _Context
    ) -> pb.GetBudgetResponse:
        """See the contract."""
        return _budget(await self._aggregates.budget())


def _budget(budget: Budget) -> pb.GetBudgetResponse:
    return pb.GetBudgetResponse(
        epsilon=budget.epsilon,
        epsilon_spent=budget.epsilon_spent,
        delta=budget.delta,
        delta_spent=budget.delta_spent,
    )
