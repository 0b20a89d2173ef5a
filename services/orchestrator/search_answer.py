"""What a search answers."""

from dataclasses import dataclass

from services.orchestrator.cache import Ranking
from services.orchestrator.reasons import ReasonsSaid
from wherefore.common.v1.diagnostics_pb2 import Degradation, StageTiming
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.retrieval.v1.facet_pb2 import Facet


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """A page."""

    ranking: Ranking
    results: list[Result]
    facets: list[Facet]
    next_page_token: str
    attribution_token: str
    timings: list[StageTiming]
    degraded: list[Degradation]


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """How a streamed answer went; times in nanoseconds from its start, 0 for what did not come."""

    timings: list[StageTiming]
    degraded: list[Degradation]
    page_nanos: int
    said: ReasonsSaid
