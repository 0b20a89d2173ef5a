"""The service over a real port, and products in it."""

from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

import grpc
import grpc.aio

from services.retrieval.config import RetrievalSettings
from services.retrieval.server import RetrievalService
from shared.server import start_server
from wherefore.common.v1.product_pb2 import AttributeValue, Product, ProductStatistics
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.nlu.v1.query_understanding_pb2 import (
    QueryUnderstanding,
)
from wherefore.retrieval.v1 import retrieval_service_pb2 as pb
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

Make = Callable[..., Product]
MakeVector = Callable[..., Vector]


async def serve(folder: Path) -> AsyncIterator[RetrievalServiceStub]:
    settings = RetrievalSettings(port=0, data_dir=folder, vector_dimension=8, qdrant_url="")
    server = await start_server(RetrievalService(settings), settings)
    await server.wait_ready(60)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield RetrievalServiceStub(channel)
    await server.stop()


async def index(stub: RetrievalServiceStub, documents: Iterable[pb.IndexDocument]):
    request = pb.IndexRequest(documents=documents)
    return await stub.Index(iter([request]), timeout=30)


async def fill(stub: RetrievalServiceStub, make_product: Make, make_vector: MakeVector) -> None:
    kettle = make_product(
        "kettle", "Steel kettle", price=30, brand="Acme", category_path=["Kitchen", "Kettles"],
        descriptions={"en": "Boils water."},
        statistics=ProductStatistics(view_count=10),
    )  # fmt: skip
    red = make_product(
        "red", "Red glass kettle", price=60, brand="Acme", category_path=["Kitchen", "Kettles"],
        statistics=ProductStatistics(purchase_count=10),
    )  # fmt: skip
    mouse = make_product(
        "mouse", "Wireless mouse", price=20, brand="Zeta", category_path=["Office"],
        attributes={"dpi": AttributeValue(numbers=[800])},
    )  # fmt: skip
    response = await index(
        stub,
        [
            pb.IndexDocument(product=kettle, vector=make_vector(1, 0.2)),
            pb.IndexDocument(product=red, vector=make_vector(1, 0.4)),
            pb.IndexDocument(product=mouse, vector=make_vector(0, 1)),
            pb.IndexDocument(product=make_product("pot", "Steel pot", brand="acme")),
        ],
    )
    assert (response.indexed_count, list(response.errors)) == (4, [])


def understanding(text: str, vector: Vector | None = None, **fields: object) -> QueryUnderstanding:
    return QueryUnderstanding(query=text, vector=vector, **fields)  # type: ignore[arg-type]


def ids(response: pb.RetrieveResponse | pb.SimilarResponse) -> list[str]:
    return [candidate.product.id for candidate in response.candidates]
