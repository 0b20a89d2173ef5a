"""A service of four methods, one of each arity, whose answers a test puts in."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import grpc

from shared.server import run
from shared.settings import ServiceSettings
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest, ParseResponse
from wherefore.orchestrator.v1.product_service_pb2 import (
    ProductServiceImportRequest,
    ProductServiceImportResponse,
)
from wherefore.reason.v1.reason_service_pb2 import ExplainStreamRequest, ExplainStreamResponse
from wherefore.retrieval.v1.retrieval_service_pb2 import IndexRequest, IndexResponse

NLU = "wherefore.nlu.v1.NluService"
RETRIEVAL = "wherefore.retrieval.v1.RetrievalService"
REASON = "wherefore.reason.v1.ReasonService"
PRODUCTS = "wherefore.orchestrator.v1.ProductService"


class ToyService:
    service_names = (NLU, RETRIEVAL, REASON, PRODUCTS)
    lenient_methods = frozenset[str]()

    def __init__(self) -> None:
        self.start_errors: list[Exception] = []
        self.ready_error: Exception | None = None
        self.starts = 0
        self.closes = 0

    async def start(self) -> None:
        self.starts += 1
        if self.start_errors:
            raise self.start_errors.pop(0)

    async def check_ready(self) -> None:
        if self.ready_error is not None:
            raise self.ready_error

    async def close(self) -> None:
        self.closes += 1

    async def parse(self, request: ParseRequest, context) -> ParseResponse:
        return ParseResponse()

    async def index(self, requests: AsyncIterator[IndexRequest], context) -> IndexResponse:
        count = 0
        async for request in requests:
            count += len(request.documents)
        return IndexResponse(indexed_count=count)

    async def explain(
        self, request: ExplainStreamRequest, context
    ) -> AsyncIterator[ExplainStreamResponse]:
        for _ in range(3):
            yield ExplainStreamResponse()

    async def import_(
        self, requests: AsyncIterator[ProductServiceImportRequest], context
    ) -> AsyncIterator[ProductServiceImportResponse]:
        async for _ in requests:
            yield ProductServiceImportResponse()

    def register(self, server: grpc.aio.Server) -> None:
        async def call_parse(request, context):
            return await self.parse(request, context)

        async def call_index(requests, context):
            return await self.index(requests, context)

        async def call_explain(request, context):
            async for response in self.explain(request, context):
                yield response

        async def call_import(requests, context):
            async for response in self.import_(requests, context):
                yield response

        for service, method, make, handler, request, response in (
            (
                NLU,
                "Parse",
                grpc.unary_unary_rpc_method_handler,
                call_parse,
                ParseRequest,
                ParseResponse,
            ),
            (
                RETRIEVAL,
                "Index",
                grpc.stream_unary_rpc_method_handler,
                call_index,
                IndexRequest,
                IndexResponse,
            ),
            (
                REASON,
                "ExplainStream",
                grpc.unary_stream_rpc_method_handler,
                call_explain,
                ExplainStreamRequest,
                ExplainStreamResponse,
            ),
            (
                PRODUCTS,
                "Import",
                grpc.stream_stream_rpc_method_handler,
                call_import,
                ProductServiceImportRequest,
                ProductServiceImportResponse,
            ),
        ):
            built = make(
                handler,
                request_deserializer=request.FromString,
                response_serializer=response.SerializeToString,
            )
            server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(service, {method: built}),)
            )


class SlowService(ToyService):
    """Answers after TOY_SECONDS, for the tests that need a process of its own."""

    async def start(self) -> None:
        if os.environ.get("TOY_BROKEN"):
            raise ValueError("the model file is missing")

    async def parse(self, request: ParseRequest, context) -> ParseResponse:
        await asyncio.sleep(float(os.environ.get("TOY_SECONDS", "0")))
        return ParseResponse()


if __name__ == "__main__":
    sys.exit(
        run(
            SlowService(),
            ServiceSettings(
                port=int(sys.argv[1]),
                metrics_port=int(os.environ.get("TOY_METRICS", "0")),
                lame_duck_seconds=0.2,
            ),
        )
    )
