"""An orchestrator before the real retrieval service, for what its filters decide."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import grpc

from services.retrieval.config import RetrievalSettings
from services.retrieval.server import RetrievalService
from shared.server import start_server
from tests.services.orchestrator.conftest import serve
from tests.services.orchestrator.fake_backends import DIMENSION, vector_of
from wherefore.common.v1.product_pb2 import Product
from wherefore.retrieval.v1 import retrieval_service_pb2 as pb
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub


@asynccontextmanager
async def serve_with_retrieval(
    folder: Path, products: Iterable[Product], **fields: object
) -> AsyncIterator[SimpleNamespace]:
    settings = RetrievalSettings(
        port=0,
        data_dir=folder / "retrieval",
        vector_dimension=fields.pop("vector_dimension", DIMENSION),  # type: ignore[arg-type]
        picture_dimension=fields.pop("picture_dimension", 128),  # type: ignore[arg-type]
        qdrant_url="",
        lame_duck_seconds=0,
    )
    retrieval = await start_server(RetrievalService(settings), settings)
    try:
        await retrieval.wait_ready(60)
        target = f"127.0.0.1:{retrieval.port}"
        async with grpc.aio.insecure_channel(target) as channel:
            documents = [
                pb.IndexDocument(product=product, vector=vector_of(product.id))
                for product in products
            ]
            written = await RetrievalServiceStub(channel).Index(
                iter([pb.IndexRequest(documents=documents)]), timeout=30
            )
            assert not written.errors
        async with serve(folder / "orchestrator", retrieval_target=target, **fields) as running:
            running.retrieval = retrieval
            yield running
    finally:
        await retrieval.stop()
