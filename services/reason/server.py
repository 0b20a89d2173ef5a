"""The gRPC face of reasons: proto <-> domain, nothing else."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence

import grpc
import structlog

from services.reason.background import iterate
from services.reason.cache import CachedWriter
from services.reason.classify.server import SERVICE_NAME as CLASSIFICATION_SERVICE
from services.reason.classify.server import ClassificationServer
from services.reason.config import Settings
from services.reason.explainer import Explainer, ExplainInput, WrittenReason
from services.reason.explainer import validate as check_page
from services.reason.facts import Claim, facts_of
from services.reason.first_text import FirstText
from services.reason.messages import evidence_ids, page_of, write_clause, write_reason
from services.reason.open_writer import open_writer
from services.reason.parts import ClausePart, Page, Part, ReasonPart
from services.reason.safety.filter import SafetyFilter, read_more
from services.reason.summarise.encoder import SentenceEncoder
from services.reason.summarise.messages import from_request, to_response
from services.reason.summarise.summariser import Summariser
from services.reason.summarise.validation import validate
from services.reason.summarise.vector_cache import VectorCache
from services.reason.summarise.worded import SummaryWriter
from services.reason.tags.server import SERVICE_NAME as TAG_SERVICE
from services.reason.tags.server import TagServer
from services.reason.turns import Turns, TurnWriter
from services.reason.values import warm_up
from services.reason.verify import Verifier
from services.reason.worded import WordedExplainer
from services.reason.writer import Writer
from shared.degradation import cause_of, degradation
from shared.errors import InvalidArgumentError, WhereforeError
from shared.timing import StageTimer
from wherefore.common.v1.diagnostics_pb2 import Degradation
from wherefore.reason.v1 import reason_service_pb2 as pb
from wherefore.reason.v1 import reason_service_pb2_grpc as pb_grpc
from wherefore.reason.v1.reason_pb2 import ReasonClause
from wherefore.reason.v1.summary_pb2 import SummariseRequest, SummariseResponse

LOST_STAGE = "reason.model"
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class ReasonServer(pb_grpc.ReasonServiceServicer):
    """Serves `ReasonService`."""

    service_names: Sequence[str] = (
        "wherefore.reason.v1.ReasonService",
        TAG_SERVICE,
        CLASSIFICATION_SERVICE,
    )

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        safety = SafetyFilter(read_more(settings.banned_file), settings.allowed_claims)
        self._verifier = Verifier(settings.banned_words, safety)
        self._explainer = Explainer(self._verifier)
        self._worded: WordedExplainer | None = None
        self._writer: Writer | None = None
        self._encoder = SentenceEncoder(settings.nlu_target, settings.summary_embed_seconds)
        self._summariser = Summariser(
            VectorCache(self._encoder, settings.summary_cache_vectors),
            settings.summary_languages,
            settings.banned_words,
        )
        self._tags = TagServer(settings.tags_vocabulary, settings.tags_model)
        self._meanings = SentenceEncoder(settings.nlu_target, settings.category_embed_seconds)
        self._categories = ClassificationServer(settings.category_model, self._meanings)

    async def start(self) -> None:
        """Loads the model and the word lists before the first request needs them.

        Raises:
            FileNotFoundError: The model that the settings name has no graph.
        """
        await asyncio.to_thread(self._load)
        await asyncio.to_thread(self._warm)
        await self._tags.start()
        await self._categories.start()

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the service to a server."""
        pb_grpc.add_ReasonServiceServicer_to_server(self, server)
        self._tags.register(server)
        self._categories.register(server)

    async def check_ready(self) -> None:
        """Ready once started: without the NLU, summaries compare words."""

    async def close(self) -> None:
        """Closes the channels, and lets go of the model."""
        await self._encoder.close()
        await self._meanings.close()
        if self._writer is not None:
            await asyncio.to_thread(self._writer.close)

    async def Explain(  # noqa: N802  # the contract's name
        self,
        request: pb.ExplainRequest,
        context: grpc.aio.ServicerContext[pb.ExplainRequest, pb.ExplainResponse],
    ) -> pb.ExplainResponse:
        """Explains a page; see reason_service.proto."""
        timer = StageTimer()
        first = FirstText(timer)
        with timer.stage("reason"):
            page = await self._page(page_of(request), first)
        response = pb.ExplainResponse(
            timings=timer.timings(),
            degraded=[_lost_model(page.lost)] if page.lost is not None else [],
            first_text_nanos=first.nanos,
        )
        for reason in page.reasons:
            write_reason(response.reasons.add(), reason)
        return response

    async def ExplainStream(  # noqa: N802  # the contract's name
        self,
        request: pb.ExplainStreamRequest,
        context: grpc.aio.ServicerContext[pb.ExplainStreamRequest, pb.ExplainStreamResponse],
    ) -> AsyncIterator[pb.ExplainStreamResponse]:
        """Explains a page, one reason a message; see reason_service.proto."""
        first = FirstText(StageTimer())
        wanted = page_of(request.request)
        try:
            check_page(wanted)
        except InvalidArgumentError as error:
            raise error.below("request") from error
        worded = self._worded
        if worded is None:
            for reason in self._explainer.explain(wanted):
                yield _streamed(reason, first)
            return
        said: dict[int, list[Claim]] = defaultdict(list)
        lost: WhereforeError | None = None
        async for part in iterate(lambda: worded.stream(wanted, by_clause=request.by_clause)):
            if isinstance(part, ReasonPart):
                yield _streamed(part.reason, first)
            elif isinstance(part, ClausePart):
                said[part.index].append(part.claim)
                more = ReasonClause(product_id=wanted.items[part.index].product.id, text=part.text)
                write_clause(more.clause, part.claim, evidence_ids(facts_of(said[part.index])))
                yield pb.ExplainStreamResponse(clause=more, first_text_nanos=first.note(part.text))
            else:
                lost = part.error
        if lost is not None:
            yield pb.ExplainStreamResponse(degraded=[_lost_model(lost)])

    async def Summarise(  # noqa: N802  # the contract's name
        self,
        request: SummariseRequest,
        context: grpc.aio.ServicerContext[SummariseRequest, SummariseResponse],
    ) -> SummariseResponse:
        """Sums up reviews and descriptions; see summary.proto."""
        wanted = from_request(request)
        validate(wanted)
        timer = StageTimer()
        return to_response(await self._summariser.summarise(wanted, timer), timer)

    async def _page(self, wanted: ExplainInput, first: FirstText) -> Page:
        worded = self._worded
        if worded is None:
            reasons: list[WrittenReason] = []
            for reason in self._explainer.explain(wanted):
                reasons.append(reason)
                first.note(reason.text)
            return Page(reasons)

        def note(part: Part) -> None:
            if isinstance(part, ReasonPart):
                first.note(part.reason.text)

        # The model takes as long as hundreds of templates: other calls go on meanwhile.
        return await asyncio.to_thread(worded.explain, wanted, note)

    def _load(self) -> None:
        settings = self._settings
        if not settings.model:
            return
        try:
            opened = open_writer(settings)
        except FileNotFoundError as error:
            if "model" in settings.model_fields_set:
                raise
            # Nobody asked for the model that comes along: templates say all that it would.
            _log.warning("reason.model_missing", detail=str(error), fallback="template")
            return
        turns = Turns(settings.model_pages)
        self._writer = CachedWriter(
            TurnWriter(opened, turns),
            behind=TurnWriter(opened, turns, behind=True),
            size=settings.cache_reasons,
            seconds=settings.cache_seconds,
            late_seconds=settings.late_seconds,
            late_pages=settings.late_pages,
        )
        self._summariser.writer = SummaryWriter(
            self._writer, settings.model_seconds, settings.banned_words
        )
        self._worded = WordedExplainer(
            self._explainer,
            self._verifier,
            self._writer,
            seconds=settings.model_seconds,
            rows=settings.model_rows,
        )

    def _warm(self) -> None:
        warm_up()
        product = pb.ExplainItem().product
        product.id = "warm"
        product.titles["zh"] = "保温杯 steel kettle"
        request = pb.ExplainRequest(items=[pb.ExplainItem(product=product)])
        request.query.query = request.query.search_text = "保温杯 kettle"
        for _ in self._explainer.explain(page_of(request)):
            pass
        if self._worded is not None and self._writer is not None:
            self._writer.wait_ready(self._settings.model_startup_seconds)
            self._worded.explain(page_of(request))


def _streamed(reason: WrittenReason, first: FirstText) -> pb.ExplainStreamResponse:
    response = pb.ExplainStreamResponse(first_text_nanos=first.note(reason.text))
    write_reason(response.reason, reason)
    return response


def _lost_model(error: WhereforeError) -> Degradation:
    cause = cause_of(error)
    return degradation(LOST_STAGE, cause, fallback="template", detail=error.message)
