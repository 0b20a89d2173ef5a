"""A request for recommendations, and what is answered."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.orchestrator.shown import RankNotes
from wherefore.common.v1.diagnostics_pb2 import Degradation, StageTiming
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.applied_control_pb2 import AppliedControl
from wherefore.orchestrator.v1.result_pb2 import Result


@dataclass(frozen=True, slots=True)
class RecommendQuery:
    """A request that was checked. See RecommendRequest for the meaning of the fields."""

    user: UserContext
    product_ids: Sequence[str]
    serving_config: str
    filter: str
    page_size: int
    language_code: str
    read_paths: Sequence[str]
    include_contributions: bool
    skip_reasons: bool
    include_bought: bool


@dataclass(frozen=True, slots=True)
class RecommendAnswer:
    """Recommendations."""

    results: list[Result]
    attribution_token: str
    timings: list[StageTiming]
    degraded: list[Degradation]
    serving_config: str
    controls: list[AppliedControl]
    notes: RankNotes
