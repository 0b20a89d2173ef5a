"""The gRPC face of reasons: proto <-> domain, nothing else."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import grpc

from services.reason.config import Settings
from services.reason.explainer import Explainer, ExplainInput, Item, WrittenReason
from services.reason.onnx_writer import OnnxWriter
from services.reason.summarise.encoder import SentenceEncoder
from services.reason.summarise.messages import from_request, to_response
from services.reason.summarise.summariser import Summariser
from services.reason.summarise.validation import validate
from services.reason.verify import Verifier
from services.reason.worded import Page, WordedExplainer
from shared.degradation import degradation
from shared.inference.settings import REPOSITORY
from shared.timing import StageTimer
from wherefore.common.v1.diagnostics_pb2 import DegradationCause
from wherefore.reason.v1 import reason_service_pb2 as pb
from wherefore.reason.v1 import reason_service_pb2_grpc as pb_grpc
from wherefore.reason.v1.reason_pb2 import Clause, Evidence, Generator, Reason
from wherefore.reason.v1.summary_pb2 import SummariseRequest, SummariseResponse

NO_EVIDENCE = "no_evidence"
LOST_STAGE = "reason.model"


class ReasonServer(pb_grpc.ReasonServiceServicer):
    """Serves `ReasonService`."""

    service_names: Sequence[str] = ("wherefore.reason.v1.ReasonService",)

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._verifier = Verifier(settings.banned_words)
        self._explainer = Explainer(self._verifier)
        self._worded: WordedExplainer | None = None
        self._encoder = SentenceEncoder(settings.nlu_target, settings.summary_embed_seconds)
        self._summariser = Summariser(self._encoder, settings.summary_languages)

    async def start(self) -> None:
        """Loads the model and the word lists before the first request needs them.

        Raises:
            FileNotFoundError: The model of the settings has no graph.
        """
        await asyncio.to_thread(self._load)
        await asyncio.to_thread(self._warm)

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the service to a server."""
        pb_grpc.add_ReasonServiceServicer_to_server(self, server)

    async def check_ready(self) -> None:
        """Ready once started: without the NLU, summaries compare words."""

    async def close(self) -> None:
        """Closes the channel to the NLU."""
        await self._encoder.close()

    async def Explain(  # noqa: N802  # the contract's name
        self,
        request: pb.ExplainRequest,
        context: grpc.aio.ServicerContext[pb.ExplainRequest, pb.ExplainResponse],
    ) -> pb.ExplainResponse:
        """Explains a page; see reason_service.proto."""
        timer = StageTimer()
        with timer.stage("reason"):
            page = await self._page(_input(request))
        reasons = [reason_proto(reason) for reason in page.reasons]
        response = pb.ExplainResponse(reasons=reasons, timings=timer.timings())
        if page.lost:
            unavailable = DegradationCause.DEGRADATION_CAUSE_UNAVAILABLE
            response.degraded.append(
                degradation(LOST_STAGE, unavailable, fallback="template", detail=page.lost)
            )
        return response

    async def ExplainStream(  # noqa: N802  # the contract's name
        self,
        request: pb.ExplainStreamRequest,
        context: grpc.aio.ServicerContext[pb.ExplainStreamRequest, pb.ExplainStreamResponse],
    ) -> AsyncIterator[pb.ExplainStreamResponse]:
        """Explains a page, one reason a message; see reason_service.proto."""
        wanted = _input(request.request)
        found = (await self._page(wanted)).reasons if self._worded else None
        for reason in self._explainer.explain(wanted) if found is None else found:
            yield pb.ExplainStreamResponse(reason=reason_proto(reason))

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

    async def _page(self, wanted: ExplainInput) -> Page:
        if self._worded is None:
            return Page(list(self._explainer.explain(wanted)))
        # The model takes as long as hundreds of templates: other calls go on meanwhile.
        return await asyncio.to_thread(self._worded.explain, wanted)

    def _load(self) -> None:
        settings = self._settings
        if not settings.model:
            return
        folder = REPOSITORY / settings.model
        writer = OnnxWriter(folder, settings.banned_words, settings.model_threads)
        self._worded = WordedExplainer(
            self._explainer,
            self._verifier,
            writer,
            seconds=settings.model_seconds,
            rows=settings.model_rows,
        )

    def _warm(self) -> None:
        product = pb.ExplainItem().product
        product.id = "warm"
        product.titles["zh"] = "保温杯 steel kettle"
        request = pb.ExplainRequest(items=[pb.ExplainItem(product=product)])
        request.query.query = request.query.search_text = "保温杯 kettle"
        for _ in self._explainer.explain(_input(request)):
            pass
        if self._worded is not None:
            self._worded.explain(_input(request))


def _input(request: pb.ExplainRequest) -> ExplainInput:
    return ExplainInput(
        items=[
            Item(item.product, tuple(item.anchor_product_ids), item.relations)
            for item in request.items
        ],
        query=request.query if request.HasField("query") else None,
        user=request.user if request.HasField("user") else None,
        language=request.language_code,
        max_clauses=request.max_clauses,
    )


def reason_proto(reason: WrittenReason) -> Reason:
    """Returns the contract's form of a reason, with evidence ids from e1 on."""
    ids = {fact: f"e{number}" for number, fact in enumerate(reason.facts, start=1)}
    return Reason(
        product_id=reason.product_id,
        text=reason.text,
        language_code=reason.language,
        clauses=[
            Clause(text=c.text, code=c.code, evidence_ids=[ids[fact] for fact in c.facts])
            for c in reason.claims
        ],
        evidence=[
            Evidence(
                id=ids[fact],
                code=fact.code,
                source=fact.source,
                value=fact.value,
                meets=fact.meets,
                strength=fact.strength,
            )
            for fact in reason.facts
        ],
        codes=list(dict.fromkeys(c.code for c in reason.claims)) or [NO_EVIDENCE],
        generator=Generator.GENERATOR_MODEL if reason.by_model else Generator.GENERATOR_TEMPLATE,
        generator_version=reason.generator,
    )
