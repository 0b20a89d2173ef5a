"""The NLU over gRPC: translates messages, keeps caches, and decides what happens on a loss."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import grpc.aio
import numpy as np
from cachetools import LRUCache

from services.nlu import validation
from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.catalogue_watch import CatalogueWatch
from services.nlu.config import NluSettings
from services.nlu.domain import ParseOptions, Understanding
from services.nlu.embedding import Embedded, QueryEmbedder, encode_all
from services.nlu.messages import EMBEDDING_STAGE, to_degradation, to_message, to_vector
from services.nlu.understanding import QueryReader
from shared.breaker import CircuitBreaker
from shared.channel import open_channel
from shared.deadline import current_deadline
from shared.errors import UnavailableError
from shared.inference import TextEncoder, open_text_encoder
from shared.text.analysis import warm_up
from shared.timing import StageTimer
from wherefore.nlu.v1 import nlu_service_pb2 as pb
from wherefore.nlu.v1.nlu_service_pb2_grpc import (
    NluServiceServicer,
    add_NluServiceServicer_to_server,
)

_RULES_STAGE = "nlu.rules"
_MATCH_STAGE = "nlu.match"
_ENCODE_CHUNK = 128
_ParseKey = tuple[int, str, ParseOptions]
_Context = grpc.aio.ServicerContext[Any, Any]


class NluService(NluServiceServicer):
    """The service. Made once per process; every method runs on the event loop.

    Ready once its encoder has answered. From then on a lost encoder does not take it out of
    service: Parse still reads the query, and whoever asks for vectors is told UNAVAILABLE.

    Args:
        settings: See `NluSettings`.
        encoder: Used instead of what the settings name; closed by the service.
    """

    service_names: Sequence[str] = ("wherefore.nlu.v1.NluService",)

    def __init__(self, settings: NluSettings, encoder: TextEncoder | None = None) -> None:
        self._settings = settings
        self._given_encoder = encoder
        self._encoder: TextEncoder | None = None
        self._embedder: QueryEmbedder | None = None
        self._channel: grpc.aio.Channel | None = None
        self._watching: asyncio.Task[None] | None = None
        self._encoder_answered = False
        self._reader = self._new_reader(CatalogueTerms())
        self._parsed: LRUCache[_ParseKey, Understanding] = LRUCache(settings.parse_cache_size)

    async def start(self) -> None:
        """Loads dictionaries, opens the encoder and starts to watch the catalogue's terms."""
        await asyncio.to_thread(warm_up)
        await asyncio.to_thread(self._reader.warm_up)
        encoder = self._given_encoder or await asyncio.to_thread(
            open_text_encoder, self._settings.inference
        )
        self._encoder = encoder
        self._embedder = QueryEmbedder(
            encoder,
            CircuitBreaker("nlu.encoder"),
            cache_size=self._settings.vector_cache_size,
            fair_wait_s=self._settings.embedding_budget_seconds,
        )
        if self._settings.retrieval_target and self._watching is None:
            self._channel = open_channel(
                self._settings.retrieval_target, max_message_bytes=self._settings.max_message_bytes
            )
            watch = CatalogueWatch(
                self._channel,
                self.use_terms,
                poll_seconds=self._settings.terms_poll_seconds,
                timeout_seconds=self._settings.terms_timeout_seconds,
            )
            self._watching = asyncio.create_task(watch.run(), name="catalogue-watch")

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the servicer to `server`."""
        add_NluServiceServicer_to_server(self, server)

    async def check_ready(self) -> None:
        """Raises until the encoder has answered once; never again after that."""
        if self._encoder_answered:
            return
        await self._open_encoder().check_ready()
        self._encoder_answered = True

    async def close(self) -> None:
        """Closes what `start` opened."""
        if self._watching:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
        if self._channel:
            await self._channel.close()
        if self._encoder:
            await self._encoder.close()

    def use_terms(self, terms: CatalogueTerms) -> None:
        """Reads queries against these terms from now on. Safe to call on any thread.

        Parses by older terms are dropped; those under way store theirs under the older version.
        """
        reader = self._new_reader(terms)
        reader.warm_up()
        self._reader = reader
        self._parsed = LRUCache(self._settings.parse_cache_size)

    async def Parse(self, request: pb.ParseRequest, context: _Context) -> pb.ParseResponse:  # noqa: N802
        """See nlu_service.proto."""
        validation.check_query(request.query, request.language_code)
        timer = StageTimer()
        understanding = self._read(request, timer)
        if request.skip_vector:
            return _response(understanding, timer, None, "")
        timeout = current_deadline().stage_timeout(
            self._settings.embedding_budget_seconds, self._settings.embedding_reserve_seconds
        )
        embedding = asyncio.create_task(self._embed([understanding.embedding_text], timeout, timer))
        # One turn of the loop sends the request off; the model works while the rest is translated.
        await asyncio.sleep(0)
        message = to_message(understanding)
        embedded = await embedding
        response = pb.ParseResponse(understanding=message, timings=timer.timings())
        _add_vector(response, understanding, embedded, self._open_encoder().model)
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
        texts = [
            understanding.embedding_text
            for item, understanding in zip(request.requests, understandings, strict=True)
            if not item.skip_vector
        ]
        embedded = Embedded()
        shared_timer = StageTimer()
        if texts:
            timeout = current_deadline().stage_timeout(
                self._settings.batch_budget_seconds, self._settings.embedding_reserve_seconds
            )
            embedded = await self._embed(texts, timeout, shared_timer)
        response = pb.ParseBatchResponse()
        for item, understanding, timer in zip(
            request.requests, understandings, timers, strict=True
        ):
            vectors = None if item.skip_vector else embedded
            if vectors:
                # The forward pass is one for the whole batch, and every query waited for it.
                timer.merge(shared_timer.timings())
            response.responses.append(
                _response(understanding, timer, vectors, self._open_encoder().model)
            )
        return response

    async def Match(self, request: pb.MatchRequest, context: _Context) -> pb.MatchResponse:  # noqa: N802
        """See nlu_service.proto."""
        validation.check_count(len(request.pairs), validation.MAX_TEXTS, "pairs")
        left, right = [pair.left for pair in request.pairs], [pair.right for pair in request.pairs]
        validation.check_texts(left, validation.MAX_PAIR_TEXT, "pairs[{}].left")
        validation.check_texts(right, validation.MAX_PAIR_TEXT, "pairs[{}].right")
        timer = StageTimer()
        # One query against many titles is the usual case: every text is encoded once.
        texts = list(dict.fromkeys([*left, *right]))
        with timer.stage(_MATCH_STAGE) as stage:
            encoded = await encode_all(self._open_encoder(), texts, _ENCODE_CHUNK)
            stage.queue_nanos, stage.inference_nanos = encoded.queue_nanos, encoded.inference_nanos
        row = {text: index for index, text in enumerate(texts)}
        scores = np.einsum(
            "ij,ij->i",
            encoded.vectors[[row[text] for text in left]],
            encoded.vectors[[row[text] for text in right]],
        )
        # Rounding can carry the cosine of equal texts past 1.
        bounded: list[float] = np.clip(scores, -1.0, 1.0).tolist()
        return pb.MatchResponse(
            scores=bounded, model=self._open_encoder().model, timings=timer.timings()
        )

    async def Embed(self, request: pb.EmbedRequest, context: _Context) -> pb.EmbedResponse:  # noqa: N802
        """See nlu_service.proto. The model of today makes no difference between the roles."""
        texts = list(request.texts)
        validation.check_count(len(texts), validation.MAX_TEXTS, "texts")
        validation.check_texts(texts, validation.MAX_TEXT, "texts[{}]")
        timer = StageTimer()
        encoder = self._open_encoder()
        with timer.stage(EMBEDDING_STAGE) as stage:
            encoded = await encode_all(encoder, texts, _ENCODE_CHUNK)
            stage.queue_nanos, stage.inference_nanos = encoded.queue_nanos, encoded.inference_nanos
        return pb.EmbedResponse(
            vectors=[to_vector(vector, encoder.model) for vector in encoded.vectors],
            timings=timer.timings(),
        )

    def _new_reader(self, terms: CatalogueTerms) -> QueryReader:
        return QueryReader(terms, frozenset(self._settings.encoder_languages))

    def _read(self, request: pb.ParseRequest, timer: StageTimer) -> Understanding:
        options = ParseOptions(request.language_code, request.keep_spelling)
        reader = self._reader
        key = reader.terms.version, request.query, options
        with timer.stage(_RULES_STAGE):
            understanding = self._parsed.get(key)
            if understanding is None:
                understanding = self._parsed[key] = reader.read(request.query, options)
        return understanding

    async def _embed(self, texts: Sequence[str], timeout_s: float, timer: StageTimer) -> Embedded:
        if self._embedder is None:
            raise UnavailableError("the service is starting")
        with timer.stage(EMBEDDING_STAGE) as stage:
            embedded = await self._embedder.embed(texts, timeout_s)
            stage.queue_nanos = embedded.queue_nanos
            stage.inference_nanos = embedded.inference_nanos
        return embedded

    def _open_encoder(self) -> TextEncoder:
        if self._encoder is None:
            raise UnavailableError("the service is starting")
        return self._encoder


def _response(
    understanding: Understanding, timer: StageTimer, embedded: Embedded | None, model: str
) -> pb.ParseResponse:
    response = pb.ParseResponse(understanding=to_message(understanding), timings=timer.timings())
    if embedded:
        _add_vector(response, understanding, embedded, model)
    return response


def _add_vector(
    response: pb.ParseResponse, understanding: Understanding, embedded: Embedded, model: str
) -> None:
    vector = embedded.vectors.get(understanding.embedding_text)
    if vector is not None:
        response.understanding.vector.CopyFrom(to_vector(vector, model))
    elif degradation := to_degradation(embedded):
        response.degraded.append(degradation)
