"""The reasons of a page: what is asked, and the answer at once or as it comes."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from services.orchestrator.budget import stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.fallback import Degradations
from services.orchestrator.terms.applied import reprice
from shared.errors import WhereforeError
from shared.text.language import primary_language
from shared.timing import StageTimer
from wherefore.common.v1.user_profile_pb2 import UserProfile
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.orchestrator.v1.search_service_pb2 import ReasonWriters
from wherefore.orchestrator.v1.stock_pressure_pb2 import (
    STOCK_PRESSURE_KIND_OVERSTOCK,
    STOCK_PRESSURE_KIND_RUNNING_LOW,
)
from wherefore.reason.v1.reason_pb2 import (
    GENERATOR_MODEL,
    GENERATOR_TEMPLATE,
    Reason,
    ReasonClause,
)
from wherefore.reason.v1.reason_service_pb2 import (
    ExplainItem,
    ExplainRequest,
    ExplainStreamRequest,
)
from wherefore.recommend.v1.relation_pb2 import Relation
from wherefore.retrieval.v1.price_standing_pb2 import PriceStanding


@dataclass(frozen=True, slots=True)
class ReasonView:
    """Whom the reasons of a page are for, and what they may speak of beside the products."""

    language_code: str
    query: QueryUnderstanding | None
    profile: UserProfile | None
    anchors: Mapping[str, str] = field(default_factory=dict[str, str])
    """Id of the user's product that a product was recommended for, by its id."""
    relations: Mapping[str, Sequence[Relation]] = field(
        default_factory=dict[str, Sequence[Relation]]
    )
    """What ties a product to others or to the user, by its id."""
    tells_running_low: bool = False
    """Whether the shop lets them say that a product runs low."""


def reason_request(
    page: Sequence[Result], standings: Mapping[str, PriceStanding], view: ReasonView
) -> ExplainRequest:
    """Returns what to ask for a page of whole products."""
    request = ExplainRequest(
        query=view.query, user=view.profile, language_code=_reason_language(view)
    )
    for result in page:
        _write_item(request.items.add(), result, standings, view)
    return request


class ReasonsSaid:
    """What was streamed: when its first text came, and who wrote.

    Args:
        timer: That runs since the request began.
    """

    def __init__(self, timer: StageTimer) -> None:
        self._timer = timer
        self.first_text_nanos = 0
        """Nanoseconds from the start of the request to it; 0 while there is none."""
        self.writers = ReasonWriters()

    def note(self, part: Reason | ReasonClause) -> None:
        """Takes note of what is sent."""
        if part.text and not self.first_text_nanos:
            self.first_text_nanos = self._timer.elapsed_nanos()
        if isinstance(part, Reason) and part.text:
            self.writers.model_count += part.generator == GENERATOR_MODEL
            self.writers.cached_count += part.cached
            self.writers.template_count += part.generator == GENERATOR_TEMPLATE


class Reasons:
    """Asks for reasons within the stage's budget; without an answer the page has none."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def fill(
        self,
        page: Sequence[Result],
        request: ExplainRequest | None,
        timer: StageTimer,
        degradations: Degradations,
    ) -> None:
        """Puts reasons on the results of a page; none where nothing is to be asked."""
        if request is None:
            return
        started = timer.elapsed_nanos()
        try:
            self._clients.brown_out.check("reason")
            with timer.stage("reason"):
                response = await self._clients.explain(request, self._timeout())
        except WhereforeError as error:
            degradations.note("reason", error)
            return
        timer.merge((t for t in response.timings if t.stage != "reason"), started)
        degradations.pass_on(response.degraded)
        reasons = {reason.product_id: reason for reason in response.reasons}
        for result in page:
            if reason := reasons.get(result.product.id):
                result.reason.CopyFrom(reason)

    async def stream(
        self,
        request: ExplainRequest | None,
        timer: StageTimer,
        degradations: Degradations,
        *,
        by_clause: bool,
    ) -> AsyncGenerator[Reason | ReasonClause]:
        """Yields reasons, and where wanted their clauses before them; else as `fill`."""
        if request is None:
            return
        asked = ExplainStreamRequest(request=request, by_clause=by_clause)
        try:
            self._clients.brown_out.check("reason")
            with timer.stage("reason"):
                async with aclosing(self._clients.explain_stream(asked, self._timeout())) as parts:
                    async for part in parts:
                        degradations.pass_on(part.degraded)
                        if part.HasField("reason"):
                            yield part.reason
                        elif part.HasField("clause"):
                            yield part.clause
        except WhereforeError as error:
            degradations.note("reason", error)

    def _timeout(self) -> float:
        return stage_timeout(self._clients.settings.budgets.reason)


def _write_item(
    into: ExplainItem, result: Result, standings: Mapping[str, PriceStanding], view: ReasonView
) -> None:
    """Writes a result into an empty item in its place: one put there later is copied once more."""
    product_id = result.product.id
    into.product.CopyFrom(result.product)
    ranked = into.result
    ranked.product_id, ranked.rank = product_id, result.rank
    ranked.score, ranked.confidence = result.score, result.confidence
    if result.contributions:
        ranked.contributions.MergeFrom(result.contributions)
    if anchor := view.anchors.get(product_id):
        into.anchor_product_ids.append(anchor)
    into.relations.extend(view.relations.get(product_id, ()))
    if result.HasField("terms"):
        reprice(into.product, result.terms)
    elif (standing := standings.get(product_id)) is not None:
        # Among the prices of the catalogue, which are not those of an account.
        into.price_standing.CopyFrom(standing)
    into.legs.MergeFrom(result.legs)
    if (pressure := result.stock_pressure).kind == STOCK_PRESSURE_KIND_OVERSTOCK:
        into.disclosure.overstock = True
    elif view.tells_running_low and pressure.kind == STOCK_PRESSURE_KIND_RUNNING_LOW:
        into.disclosure.daily_demand = pressure.daily_demand
    if result.HasField("sponsored"):
        into.disclosure.sponsored = True


def _reason_language(view: ReasonView) -> str:
    """Returns "zh" or "en", or nothing for the query's own; other languages are told in English."""
    primary = primary_language(view.language_code)
    if not primary:
        return "" if view.query is not None else "en"
    return primary if primary in ("zh", "en") else "en"
