"""The gRPC face of recommendation: proto <-> domain, nothing else."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import grpc.aio

from services.recommend.config import Settings
from services.recommend.serving.catalogue_feed import CatalogueFeed
from services.recommend.serving.finder import Strategy, Wanted, find
from services.recommend.serving.found import Evidence, Merged, Tie
from services.recommend.serving.learner import Learner
from services.recommend.serving.next_items import NextFound, NextItems
from services.recommend.serving.ties import ties_of
from shared.channel import Channels
from shared.degradation import cause_of, degradation
from shared.errors import FieldViolation, InvalidArgumentError, WhereforeError
from shared.event_feed import EventFeed
from shared.privacy.actors import actor_of
from shared.timing import StageTimer
from wherefore.common.v1.diagnostics_pb2 import (
    DEGRADATION_CAUSE_DEADLINE,
    DEGRADATION_CAUSE_UNAVAILABLE,
    Degradation,
    DegradationCause,
)
from wherefore.common.v1.user_event_pb2 import DATA_PURPOSE_ANALYTICS
from wherefore.recommend.v1 import recommend_service_pb2 as pb
from wherefore.recommend.v1 import recommend_service_pb2_grpc as pb_grpc
from wherefore.recommend.v1 import relation_pb2 as relation_pb
from wherefore.retrieval.v1.candidate_pb2 import LegScore

MAX_SEEDS, MAX_EXCLUDED, MAX_LIMIT, DEFAULT_LIMIT = 50, 1_000, 1_000, 100
MAX_RELATED = 100
_EVENT_LOG: Final = "wherefore.orchestrator.v1.EventLogService"
_RETRIEVAL: Final = "wherefore.retrieval.v1.RetrievalService"
_NO_MODEL: Final = "no model is set: WHEREFORE_RECOMMEND_NEXT_ITEM_MODEL"
_STRATEGIES: Final = {
    pb.STRATEGY_BOUGHT_TOGETHER: Strategy.BOUGHT_TOGETHER,
    pb.STRATEGY_ALSO_LIKED: Strategy.ALSO_LIKED,
    pb.STRATEGY_BUY_AGAIN: Strategy.BUY_AGAIN,
    pb.STRATEGY_REORDER: Strategy.REORDER,
    pb.STRATEGY_COMPLEMENTS: Strategy.COMPLEMENTS,
    pb.STRATEGY_UP_SELL: Strategy.UP_SELL,
    pb.STRATEGY_NEXT_ITEMS: Strategy.NEXT_ITEMS,
}
_OF_THE_PAST: Final = (Strategy.BUY_AGAIN, Strategy.REORDER)
"""Those that start from what was bought."""
_KINDS: Final = {tie: relation_pb.RelationKind.Value(f"RELATION_KIND_{tie.name}") for tie in Tie}


class RecommendServer(pb_grpc.RecommendServiceServicer):
    """Serves `RecommendService`.

    Ready at once: what it learns from is read in the background, and answers say what is missing.
    """

    service_names: Sequence[str] = ("wherefore.recommend.v1.RecommendService",)

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._events: EventFeed[Learner] | None = None
        self._catalogue: CatalogueFeed | None = None
        self._next_items: NextItems | None = None
        self._channels = Channels()
        self._following: list[asyncio.Task[None]] = []

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the service to a server."""
        pb_grpc.add_RecommendServiceServicer_to_server(self, server)

    async def start(self) -> None:
        """Begins to follow events and the catalogue.

        Raises:
            UnavailableError: A model of sequences is set, and its files are not there.
        """
        settings = self._settings
        if name := settings.next_item_model:
            served = {"model": name, "timeout_seconds": settings.next_item_timeout_seconds}
            inference = settings.inference.model_copy(update=served)
            self._next_items = await asyncio.to_thread(NextItems.open, inference)
        # Of two replicas one may stand by for as long as the other lives.
        orchestrator = self._channels.open(settings.orchestrator_target, _EVENT_LOG)
        retrieval = self._channels.open(settings.retrieval_target, _RETRIEVAL)
        events = self._events = EventFeed(
            orchestrator, self._new_learner, purpose=DATA_PURPOSE_ANALYTICS
        )
        catalogue = self._catalogue = CatalogueFeed(
            retrieval,
            lambda: events.learner.baskets,
            poll_seconds=settings.catalogue_poll_seconds,
            timeout_seconds=settings.catalogue_timeout_seconds,
        )
        self._following = [
            asyncio.create_task(events.run(), name="events"),
            asyncio.create_task(catalogue.run(), name="catalogue"),
        ]
        if self._next_items is not None:
            self._following.append(asyncio.create_task(self._next_items.warm_up(), name="warm"))

    async def check_ready(self) -> None:
        """Raises until it has started."""
        self._started()

    async def close(self) -> None:
        """Stops following."""
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)
        await self._channels.close()
        if self._next_items is not None:
            await self._next_items.close()

    async def Candidates(  # noqa: N802  # the contract's name
        self,
        request: pb.CandidatesRequest,
        context: "grpc.aio.ServicerContext[Any, Any]",
    ) -> pb.CandidatesResponse:
        """Finds candidates; see recommend_service.proto."""
        wanted = to_wanted(request)
        events, catalogue = self._started()
        timer = StageTimer()
        degraded: list[Degradation] = []
        with timer.stage("recommend"):
            if not await events.wait_for(request.event_sequence, self._settings.event_wait_seconds):
                degraded.append(_late(request.event_sequence, events.sequence))
            snapshot = catalogue.snapshot
            if snapshot is None and wanted.strategy.needs_catalogue:
                degraded.append(_no_graph())
            coming: NextFound = NextFound([])
            if wanted.strategy is Strategy.NEXT_ITEMS:
                coming = await self._coming(wanted.seeds, timer, degraded)
            learner = events.learner
            found = find(wanted, learner, snapshot, coming.found)
            products = [_product(each, learner, wanted.actor) for each in found]
        return pb.CandidatesResponse(
            products=products,
            timings=timer.timings(),
            degraded=degraded,
            event_sequence=events.sequence,
            index_version=snapshot.version if snapshot else 0,
        )

    async def Relate(  # noqa: N802  # the contract's name
        self,
        request: pb.RelateRequest,
        context: "grpc.aio.ServicerContext[Any, Any]",
    ) -> pb.RelateResponse:
        """Says what ties products to others; see recommend_service.proto."""
        _check_related(request)
        events, catalogue = self._started()
        learner, snapshot = events.learner, catalogue.snapshot
        actor = actor_of(request.user.user_id, request.user.session_id)
        timer = StageTimer()
        products: list[pb.ProductRelations] = []
        with timer.stage("recommend"):
            others = list(dict.fromkeys(request.beside_product_ids))
            owned = {each for each in others if actor and learner.purchases.owns(actor, each)}
            for product_id in dict.fromkeys(request.product_ids):
                if snapshot and (found := ties_of(snapshot, product_id, others, owned)):
                    relations = [_relation(each, learner, actor) for each in found]
                    products.append(pb.ProductRelations(product_id=product_id, relations=relations))
        return pb.RelateResponse(
            products=products,
            timings=timer.timings(),
            degraded=[] if snapshot else [_no_graph()],
            index_version=snapshot.version if snapshot else 0,
        )

    async def _coming(
        self, latest_first: Sequence[str], timer: StageTimer, degraded: list[Degradation]
    ) -> NextFound:
        """Returns what the model of sequences finds; nothing, and says why, without one."""
        if self._next_items is None:
            degraded.append(_no_next_items(DEGRADATION_CAUSE_UNAVAILABLE, _NO_MODEL))
            return NextFound([])
        wanted = self._settings.next_item_newcomers
        visits = self._started()[0].learner.visits if wanted else None
        with timer.stage("recommend.next_item") as stage:
            try:
                found = await self._next_items.after(latest_first, visits)
            except WhereforeError as error:
                degraded.append(_no_next_items(cause_of(error), error.message))
                return NextFound([])
            stage.queue_nanos, stage.inference_nanos = found.queue_nanos, found.inference_nanos
        return found

    def _new_learner(self) -> Learner:
        return Learner(
            together_seconds=self._settings.together_hours * 3600.0,
            history_seconds=self._settings.history_days * 86_400.0,
        )

    def _started(self) -> tuple[EventFeed[Learner], CatalogueFeed]:
        if self._events is None or self._catalogue is None:
            message = "not started yet"
            raise RuntimeError(message)
        return self._events, self._catalogue


def to_wanted(request: pb.CandidatesRequest) -> Wanted:
    """Checks a request.

    Raises:
        InvalidArgumentError: Names all fields at fault.
    """
    found: list[FieldViolation] = []
    strategy = _STRATEGIES.get(request.strategy)
    actor = actor_of(request.user.user_id, request.user.session_id)
    if strategy is None:
        found.append(FieldViolation("strategy", "say how to find products"))
    elif strategy in _OF_THE_PAST:
        known = actor or (request.user.account_id if strategy is Strategy.REORDER else "")
        if not known:
            found.append(FieldViolation("user", "is needed to know what was bought"))
    elif not request.product_ids:
        found.append(FieldViolation("product_ids", "is empty: give products to start from"))
    for name, most in (("product_ids", MAX_SEEDS), ("excluded_ids", MAX_EXCLUDED)):
        count = len(getattr(request, name))
        if count > most:
            found.append(FieldViolation(name, f"at most {most:,}, not {count:,}"))
    if not 0 <= request.limit <= MAX_LIMIT:
        found.append(FieldViolation("limit", f"must be 0 to {MAX_LIMIT:,}"))
    if request.event_sequence < 0:
        found.append(FieldViolation("event_sequence", "must not be negative"))
    if found or strategy is None:
        raise InvalidArgumentError(*found)
    return Wanted(
        strategy=strategy,
        actor=actor,
        account=request.user.account_id,
        seeds=tuple(dict.fromkeys(request.product_ids)),
        excluded=frozenset(request.excluded_ids),
        limit=request.limit or DEFAULT_LIMIT,
    )


def _check_related(request: pb.RelateRequest) -> None:
    found: list[FieldViolation] = []
    for name in ("product_ids", "beside_product_ids"):
        count = len(getattr(request, name))
        if not 1 <= count <= MAX_RELATED:
            found.append(FieldViolation(name, f"must hold 1 to {MAX_RELATED} ids, holds {count}"))
    if found:
        raise InvalidArgumentError(*found)


def _no_graph() -> Degradation:
    return degradation(
        "recommend.graph",
        DEGRADATION_CAUSE_UNAVAILABLE,
        fallback="nothing from the knowledge graph",
        detail="the catalogue has not been read yet",
    )


def _no_next_items(cause: "DegradationCause.ValueType", detail: str) -> Degradation:
    return degradation(
        "recommend.next_item",
        cause,
        fallback="nothing from the model of sequences",
        detail=detail,
    )


def _late(wanted: int, known: int) -> Degradation:
    return degradation(
        "recommend.events",
        DEGRADATION_CAUSE_DEADLINE,
        fallback="without the latest events",
        detail=f"events up to {known:,} of {wanted:,} are known",
    )


def _product(merged: Merged, learner: Learner, actor: str) -> pb.RecommendedProduct:
    return pb.RecommendedProduct(
        product_id=merged.product_id,
        score=merged.score,
        legs=[
            LegScore(leg=leg, rank=rank, score=score)
            for leg, (rank, score) in merged.places.items()
        ],
        relations=[_relation(each, learner, actor) for each in merged.evidence],
    )


def _relation(evidence: Evidence, learner: Learner, actor: str) -> relation_pb.Relation:
    other = evidence.product_id
    return relation_pb.Relation(
        kind=_KINDS[evidence.tie],
        product_id=other,
        customer_count=evidence.customers,
        age_seconds=evidence.age_seconds,
        purchase_count=evidence.purchases,
        interval_days=evidence.interval_days,
        evidence=evidence.words,
        owned=bool(actor and other) and learner.purchases.owns(actor, other),
    )
