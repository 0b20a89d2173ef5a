"""Search without one of its parts: what each part is worth shows when it is left out.

The stages are asked one after the other as the orchestrator asks them (understanding, retrieval,
ranking), with one thing changed. With nothing changed the order is that of SearchService.Search;
a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.ranking.v1.ranking_service_pb2 import RankRequest
from wherefore.ranking.v1.ranking_service_pb2_grpc import RankingServiceStub
from wherefore.retrieval.v1.candidate_pb2 import Candidate
from wherefore.retrieval.v1.retrieval_service_pb2 import RetrieveRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

if TYPE_CHECKING:
    import grpc.aio

CANDIDATES: Final = 100
"""As many as the orchestrator ranks at a time."""
SERVING: Final = "search"


def _nothing(_query: QueryUnderstanding) -> None:
    pass


def _expansions(query: QueryUnderstanding) -> None:
    del query.expansions[:]


def _constraints(query: QueryUnderstanding) -> None:
    del query.constraints[:]
    query.filter = ""


def _hardness(query: QueryUnderstanding) -> None:
    query.filter = ""
    for constraint in query.constraints:
        constraint.hard = False


def _entities(query: QueryUnderstanding) -> None:
    del query.entities[:]


@dataclass(frozen=True, slots=True)
class Ablation:
    """What is changed in one search.

    Attributes:
        legs: Of retrieval; all when empty.
        change: Takes something out of what the query is understood to mean.
        serving_config: Of ranking.
        diversity: Of ranking; the serving config's own when None.
    """

    legs: Sequence[str] = ()
    change: Callable[[QueryUnderstanding], None] = _nothing
    serving_config: str = SERVING
    diversity: float | None = None


PARTS: Final[Mapping[str, Ablation]] = {
    "without dense": Ablation(legs=("sparse",)),
    "without sparse": Ablation(legs=("dense",)),
    "without expansion": Ablation(change=_expansions),
    "without constraints": Ablation(change=_constraints),
    "constraints not hard": Ablation(change=_hardness),
    "without entities": Ablation(change=_entities),
    "without variety": Ablation(diversity=0.0),
}
"""What every suite can leave out, by the name in reports."""


def of_features(serving_configs: Mapping[str, str]) -> dict[str, Ablation]:
    """Ablations of groups of ranking's features, by the name in reports.

    Args:
        serving_configs: Of ranking, by the group that each lacks.
    """
    return {
        f"without {group} features": Ablation(serving_config=config)
        for group, config in serving_configs.items()
    }


class StagedSearch:
    """Ranks one query, stage by stage.

    Args:
        retrieval: The service.
        ranking: The service.
        understanding: What the query means.
        timeout: Seconds for one call.
    """

    def __init__(
        self,
        retrieval: grpc.aio.Channel,
        ranking: grpc.aio.Channel,
        understanding: QueryUnderstanding,
        timeout: float,
    ) -> None:
        self._retrieval = RetrievalServiceStub(retrieval)
        self._ranking = RankingServiceStub(ranking)
        self._understanding = understanding
        self._timeout = timeout
        self._found: dict[bytes, Sequence[Candidate]] = {}

    async def rank(self, ablation: Ablation, condition: str = "") -> list[str]:
        """Returns the ids of the first products, best first.

        Args:
            ablation: What is changed.
            condition: Filter besides the query's own.

        Raises:
            grpc.aio.AioRpcError: A service refused the query or did not answer.
        """
        query = QueryUnderstanding()
        query.CopyFrom(self._understanding)
        ablation.change(query)
        candidates = await self._retrieve(query, ablation.legs, condition)
        if not candidates and any(constraint.hard for constraint in query.constraints):
            # As the orchestrator does when nothing meets them.
            _hardness(query)
            candidates = await self._retrieve(query, ablation.legs, condition)
        if not candidates:
            return []
        request = RankRequest(
            query=query, candidates=candidates, serving_config=ablation.serving_config
        )
        if ablation.diversity is not None:
            request.diversity = ablation.diversity
        response = await self._ranking.Rank(request, timeout=self._timeout)
        return [result.product_id for result in response.results]

    async def _retrieve(
        self, query: QueryUnderstanding, legs: Sequence[str], condition: str
    ) -> Sequence[Candidate]:
        """Most ablations change ranking alone: what they have in common is asked once."""
        request = RetrieveRequest(query=query, filter=condition, limit=CANDIDATES, legs=legs)
        key = request.SerializeToString(deterministic=True)
        if key not in self._found:
            response = await self._retrieval.Retrieve(request, timeout=self._timeout)
            self._found[key] = response.candidates
        return self._found[key]
