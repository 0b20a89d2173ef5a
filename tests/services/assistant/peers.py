"""An NLU and a retrieval of a test's making on ports of their own; reasons are the service's."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from services.reason.config import Settings as ReasonSettings
from services.reason.server import ReasonServer
from shared.server import start_server
from tests.services.assistant.standing_in import WIDTH, vector_of
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1 import nlu_service_pb2 as nlu
from wherefore.nlu.v1 import nlu_service_pb2_grpc as nlu_grpc
from wherefore.nlu.v1.query_understanding_pb2 import (
    ENTITY_TYPE_BRAND,
    INTENT_TYPE_ATTRIBUTE_QUESTION,
    INTENT_TYPE_SUPPORT,
    QueryUnderstanding,
)
from wherefore.retrieval.v1 import retrieval_service_pb2 as retrieval
from wherefore.retrieval.v1 import retrieval_service_pb2_grpc as retrieval_grpc
from wherefore.retrieval.v1.candidate_pb2 import Candidate


class Nlu(nlu_grpc.NluServiceServicer):
    """Reads a label and a brand by the words that a test gives."""

    def __init__(self, labels: Mapping[str, str], brand: str) -> None:
        self._labels, self._brand = labels, brand
        self.embeds = True
        self.version = 1
        self.width = WIDTH
        self.turns = False
        self.tells = False
        self.embedded = 0

    async def Parse(self, request: nlu.ParseRequest, context: Any) -> nlu.ParseResponse:  # noqa: N802
        response = nlu.ParseResponse(understanding=self._read(request.query))
        if self.tells and request.reading_vector:
            language = "zh" if any(each > "\u2fff" for each in request.query) else "en"
            vector = vector_of(request.query, self.width).tolist()
            response.reading_vector.values.extend(vector)
            response.reading_vector.model = f"{language}@{self.version}"
        return response

    async def ParseBatch(self, request: nlu.ParseBatchRequest, context: Any) -> Any:  # noqa: N802
        return nlu.ParseBatchResponse(
            responses=[
                nlu.ParseResponse(understanding=self._read(each.query)) for each in request.requests
            ]
        )

    async def Embed(self, request: nlu.EmbedRequest, context: Any) -> nlu.EmbedResponse:  # noqa: N802
        if not self.embeds:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "no encoder")
        self.embedded += 1
        if self.turns:
            self.version = 3 - self.version
        response = nlu.EmbedResponse()
        for text in request.texts:
            model = f"{request.language_code or 'en'}@{self.version}"
            response.vectors.add(values=vector_of(text, self.width).tolist(), model=model)
        return response

    def _read(self, text: str) -> QueryUnderstanding:
        read = QueryUnderstanding(query=text, search_text=text)
        read.intent.type = INTENT_TYPE_ATTRIBUTE_QUESTION
        read.intent.confidence = 0.9
        for word, label in self._labels.items():
            if word in text:
                read.intent.type, read.intent.label = INTENT_TYPE_SUPPORT, label
        if self._brand in text:
            read.entities.add(type=ENTITY_TYPE_BRAND, text=self._brand, normalized=self._brand)
        return read


class Retrieval(retrieval_grpc.RetrievalServiceServicer):
    """Has a few products."""

    def __init__(self, products: list[Product]) -> None:
        self.products = products

    async def Retrieve(self, request: retrieval.RetrieveRequest, context: Any) -> Any:  # noqa: N802
        return retrieval.RetrieveResponse(
            candidates=[Candidate(product=each) for each in self.products]
        )

    async def GetProducts(self, request: retrieval.GetProductsRequest, context: Any) -> Any:  # noqa: N802
        return retrieval.GetProductsResponse(
            products=[each for each in self.products if each.id in request.product_ids]
        )


@asynccontextmanager
async def peers(asked: Nlu, shelf: Retrieval) -> AsyncIterator[dict[str, str]]:
    """Serves NLU and retrieval; gives the settings that name them."""
    server = grpc.aio.server()
    nlu_grpc.add_NluServiceServicer_to_server(asked, server)
    retrieval_grpc.add_RetrievalServiceServicer_to_server(shelf, server)
    checks = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    for name in ("nlu.v1.NluService", "retrieval.v1.RetrievalService"):
        await checks.set(f"wherefore.{name}", health_pb2.HealthCheckResponse.SERVING)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    target = f"127.0.0.1:{port}"
    try:
        yield {"nlu_target": target, "retrieval_target": target, "reason_target": "127.0.0.1:1"}
    finally:
        await server.stop(0)


@asynccontextmanager
async def reasons(nlu_target: str) -> AsyncIterator[str]:
    """Serves the real reason service; gives its address."""
    settings = ReasonSettings(
        port=0, metrics_port=0, model="", nlu_target=nlu_target, category_model=None
    )
    running = await start_server(ReasonServer(settings), settings)
    try:
        await running.wait_ready(20)
        yield f"127.0.0.1:{running.port}"
    finally:
        await running.stop()
