"""The NLU over gRPC: translates messages, keeps caches, and decides what happens on a loss."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import grpc.aio

from services.nlu import validation
from services.nlu.analysis import analyse
from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.catalogue_watch import to_terms
from services.nlu.config import NluSettings
from services.nlu.domain import ParseOptions, Understanding
from services.nlu.embedding import encode_all, encode_in
from services.nlu.learnt.intent_heads import IntentHeads
from services.nlu.learnt.models import Models, open_models
from services.nlu.messages import (
    EMBEDDING_STAGE,
    READING_STAGE,
    complete,
    to_analysis,
    to_message,
    to_vector,
    wanted_of,
)
from services.nlu.pairs import attribute, match
from services.nlu.passes import ForwardPasses, Learnt, Wanted
from services.nlu.pictures.server import PictureServer
from services.nlu.rule_reader import RuleReader
from shared.catalogue_watch import CatalogueWatch
from shared.channel import open_channel
from shared.deadline import current_deadline
from shared.errors import UnavailableError, WhereforeError
from shared.inference import TextEncoder
from shared.text.analysis import warm_up
from shared.timing import StageTimer
from wherefore.nlu.v1 import nlu_service_pb2 as pb
from wherefore.nlu.v1.nlu_service_pb2_grpc import (
    NluServiceServicer,
    add_NluServiceServicer_to_server,
)

_RETRIEVAL = "wherefore.retrieval.v1.RetrievalService"
_RULES_STAGE = "nlu.rules"
_Context = grpc.aio.ServicerContext[Any, Any]


class NluService(NluServiceServicer):
    """The service. Made once per process; every method runs on the event loop.

    Ready once its encoder has answered. From then on a lost model does not take it out of service:
    Parse still reads the query by its rules, and whoever asks for vectors is told UNAVAILABLE.

    Args:
        settings: See `NluSettings`.
        encoder: Used for vectors instead of what the settings name; closed by the service.
        models: Used instead of all that the settings name; closed by the service.
        lender: A service whose models this one uses, and does not close.
    """

    service_names: Sequence[str] = (
        "wherefore.nlu.v1.NluService",
        "wherefore.nlu.v1.PictureService",
    )

    def __init__(
        self,
        settings: NluSettings,
        encoder: TextEncoder | None = None,
        models: Models | None = None,
        lender: "NluService | None" = None,
    ) -> None:
        self._settings = settings
        self._lender = lender
        self._given_encoder = encoder
        self._models = models
        self._passes: ForwardPasses | None = None
        self._channel: grpc.aio.Channel | None = None
        self._watching: list[asyncio.Task[None]] = []
        self._encoder_answered = False
        self._heads = (
            lender._heads
            if lender
            else IntentHeads(settings.inference.model_dir, settings.intent_heads)
        )
        self._rules = RuleReader(settings.encoder_languages, settings.parse_cache_size)
        gloss = self._rules.embedding_text
        self._pictures = PictureServer(settings, gloss, lender._pictures if lender else None)

    async def start(self) -> None:
        """Loads dictionaries, opens the models and starts to watch versions and terms."""
        settings = self._settings
        await asyncio.to_thread(warm_up)
        await asyncio.to_thread(self._rules.warm_up)
        models = self._models = self._models or await self._find_models()
        self._passes = ForwardPasses(
            models,
            self._heads,
            cache_size=settings.vector_cache_size,
            fair_wait_s=settings.embedding_budget_seconds,
        )
        await self._pictures.start(models.encoder)
        for reader in () if self._lender else models.following:
            watching = reader.watch(settings.version_poll_seconds)
            self._watching.append(asyncio.create_task(watching, name=f"watch-{reader.model}"))
        if self._heads.names and not self._lender:
            await asyncio.to_thread(self._heads.look)
            watching = self._heads.watch(settings.version_poll_seconds)
            self._watching.append(asyncio.create_task(watching, name="watch-intent-heads"))
        if settings.retrieval_target and self._channel is None:
            self._channel = open_channel(
                settings.retrieval_target,
                wait_for_health_of=_RETRIEVAL,
                max_message_bytes=settings.max_message_bytes,
            )
            watch = CatalogueWatch(
                self._channel,
                lambda stats: self.use_terms(to_terms(stats)),
                poll_seconds=settings.terms_poll_seconds,
                timeout_seconds=settings.terms_timeout_seconds,
            )
            self._watching.append(asyncio.create_task(watch.run(), name="catalogue-watch"))

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the servicer to `server`."""
        add_NluServiceServicer_to_server(self, server)
        self._pictures.register(server)

    async def check_ready(self) -> None:
        """Raises until the encoder has answered once; never again after that."""
        if self._encoder_answered:
            return
        models = self._open_models()
        await models.encoder.check_ready()
        for reader in models.following:
            # A newer version that stands there already is used from the first query on.
            with suppress(WhereforeError, ValueError, OSError):
                await reader.look()
        self._encoder_answered = True

    async def close(self) -> None:
        """Closes what `start` opened."""
        for task in self._watching:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if self._channel:
            await self._channel.close()
        await self._pictures.close()
        if self._models and self._lender is None:
            await self._models.close()

    def use_terms(self, terms: CatalogueTerms) -> None:
        """Reads queries against these terms from now on. Safe to call on any thread.

        Parses by older terms are dropped; those under way store theirs under the older version.
        """
        self._rules.use_terms(terms)

    async def Parse(self, request: pb.ParseRequest, context: _Context) -> pb.ParseResponse:  # noqa: N802
        """See nlu_service.proto."""
        validation.check_query(request.query, request.language_code)
        timer = StageTimer()
        understanding = self._read(request, timer)
        timeout = current_deadline().stage_timeout(
            self._settings.embedding_budget_seconds, self._settings.embedding_reserve_seconds
        )
        learning = asyncio.create_task(
            self._learn([wanted_of(request, understanding)], timeout, timer)
        )
        # One turn of the loop sends the requests off; models work while the rest is translated.
        await asyncio.sleep(0)
        response = pb.ParseResponse(understanding=to_message(understanding))
        [learnt] = await learning
        complete(response, request, understanding, learnt)
        response.timings.extend(timer.timings())
        return response

    async def ParseBatch(  # noqa: N802
        self, request: pb.ParseBatchRequest, context: _Context
    ) -> pb.ParseBatchResponse:
        """See nlu_service.proto."""
        validation.check_count(len(request.requests), validation.MAX_BATCH, "requests")
        for index, item in enumerate(request.requests):
            validation.check_query(item.query, item.language_code, f"requests[{index}].")
        timers = [StageTimer() for _ in request.requests]
        understandings = [
            self._read(item, timer) for item, timer in zip(request.requests, timers, strict=True)
        ]
        timeout = current_deadline().stage_timeout(
            self._settings.batch_budget_seconds, self._settings.embedding_reserve_seconds
        )
        shared_timer = StageTimer()
        wanted = list(map(wanted_of, request.requests, understandings))
        batch = pb.ParseBatchResponse()
        learnt = await self._learn(wanted, timeout, shared_timer)
        # The passes are those of the whole batch, and every query waited for them.
        passes = shared_timer.timings()
        parts = zip(request.requests, understandings, timers, learnt, strict=True)
        for asked, understanding, timer, item in parts:
            response = batch.responses.add(understanding=to_message(understanding))
            complete(response, asked, understanding, item)
            timer.merge(passes)
            response.timings.extend(timer.timings())
        return batch

    async def Match(self, request: pb.MatchRequest, context: _Context) -> pb.MatchResponse:  # noqa: N802
        """See nlu_service.proto."""
        return await match(request, self._open_models)

    async def AttributeMatch(  # noqa: N802
        self, request: pb.AttributeMatchRequest, context: _Context
    ) -> pb.AttributeMatchResponse:
        """See nlu_service.proto."""
        return await attribute(request, self._open_models)

    async def Embed(self, request: pb.EmbedRequest, context: _Context) -> pb.EmbedResponse:  # noqa: N802
        """See nlu_service.proto. The models of today make no difference between the roles."""
        texts = list(request.texts)
        validation.check_count(len(texts), validation.MAX_TEXTS, "texts")
        validation.check_texts(texts, validation.MAX_TEXT, "texts[{}]")
        validation.check_language(request.language_code)
        timer = StageTimer()
        models = self._open_models()
        with timer.stage(EMBEDDING_STAGE) as stage:
            if request.language_code:
                encoded, model = await encode_in(models, texts, request.language_code)
            else:
                encoded, model = await encode_all(models.encoder, texts), models.encoder.model
            stage.queue_nanos, stage.inference_nanos = encoded.queue_nanos, encoded.inference_nanos
        return pb.EmbedResponse(
            vectors=[to_vector(vector, model) for vector in encoded.vectors],
            timings=timer.timings(),
        )

    async def Analyse(self, request: pb.AnalyseRequest, context: _Context) -> pb.AnalyseResponse:  # noqa: N802
        """See nlu_service.proto."""
        texts = list(request.texts)
        validation.check_count(len(texts), validation.MAX_BATCH, "texts")
        validation.check_texts(texts, validation.MAX_PAIR_TEXT, "texts[{}]")
        validation.check_language(request.language_code)
        timer = StageTimer()
        with timer.stage(READING_STAGE) as stage:
            made = await analyse(self._open_models(), self._heads, texts, request.language_code)
            stage.queue_nanos, stage.inference_nanos = made.queue_nanos, made.inference_nanos
        return pb.AnalyseResponse(analyses=map(to_analysis, made.items), timings=timer.timings())

    def _read(self, request: pb.ParseRequest, timer: StageTimer) -> Understanding:
        options = ParseOptions(request.language_code, request.keep_spelling)
        with timer.stage(_RULES_STAGE):
            return self._rules.read(request.query, options)

    async def _learn(
        self, wanted: Sequence[Wanted], timeout_s: float, timer: StageTimer
    ) -> list[Learnt]:
        if self._passes is None:
            raise UnavailableError("the service is starting")
        started = timer.elapsed_nanos()
        learnt, passes = await self._passes.run(wanted, timeout_s)
        took = timer.elapsed_nanos() - started
        for item in passes:
            timer.add(
                EMBEDDING_STAGE if item.vectors else READING_STAGE,
                start_offset_nanos=started,
                duration_nanos=took,
                queue_nanos=item.queue_nanos,
                inference_nanos=item.inference_nanos,
            )
        return learnt

    async def _find_models(self) -> Models:
        if self._lender is not None:
            return self._lender._open_models()
        settings = self._settings
        return await asyncio.to_thread(
            open_models,
            settings.inference,
            settings.query_models,
            settings.cross_model,
            settings.attribution_model,
            follow=settings.follow_versions,
            encoder=self._given_encoder,
        )

    def _open_models(self) -> Models:
        if self._models is None or self._passes is None:
            raise UnavailableError("the service is starting")
        return self._models
