from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from shared.channel import open_channel
from shared.stream_status import StreamStatus
from wherefore.orchestrator.v1.product_service_pb2 import ProductServiceImportRequest
from wherefore.orchestrator.v1.product_service_pb2_grpc import (
    ProductServiceServicer,
    ProductServiceStub,
    add_ProductServiceServicer_to_server,
)
from wherefore.retrieval.v1.retrieval_service_pb2 import IndexRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import (
    RetrievalServiceServicer,
    RetrievalServiceStub,
    add_RetrievalServiceServicer_to_server,
)

# How often a failed write hides the status depends on the machine: one in 2 to one in 100 calls.
CALLS = 300


class Refusing(ProductServiceServicer, RetrievalServiceServicer):
    """Ends streams after some messages, of more that are on their way."""

    def __init__(self, read: int) -> None:
        self.read = read

    def Import(self, request_iterator, context):  # noqa: N802
        self.refuse(request_iterator, context)

    def Index(self, request_iterator, context):  # noqa: N802
        self.refuse(request_iterator, context)

    def refuse(self, requests, context):
        for _ in range(self.read):
            next(requests)
        context.set_trailing_metadata((("why", "rows"),))
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no")


async def messages(message):
    for _ in range(3):
        yield message


async def ended(call) -> grpc.aio.AioRpcError:
    status = StreamStatus(call)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await answer_of(call)
    return await status.behind(raised.value)


async def answer_of(call):
    return await call if hasattr(call, "__await__") else [each async for each in call]


@pytest.mark.parametrize("read", [0, 1])
async def test_a_refusal_is_told_whatever_was_on_its_way(read):
    servicer = Refusing(read)
    server = grpc.server(ThreadPoolExecutor(2))
    add_ProductServiceServicer_to_server(servicer, server)
    add_RetrievalServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        async with open_channel(f"127.0.0.1:{port}") as channel:
            products, retrieval = ProductServiceStub(channel), RetrievalServiceStub(channel)
            for _ in range(CALLS):
                for method, message in (
                    (products.Import, ProductServiceImportRequest()),
                    (retrieval.Index, IndexRequest()),
                ):
                    error = await ended(method(messages(message), timeout=20))
                    assert (error.code(), error.details()) == (
                        grpc.StatusCode.INVALID_ARGUMENT,
                        "no",
                    )
                    assert ("why", "rows") in list(error.trailing_metadata())
    finally:
        server.stop(None)


async def test_a_status_that_hides_nothing_stays(launch):
    server = await launch()
    port = server.port
    await server.stop()
    async with open_channel(f"127.0.0.1:{port}", retry=False) as channel:
        call = ProductServiceStub(channel).Import(
            messages(ProductServiceImportRequest()), timeout=5
        )
        assert (await ended(call)).code() is grpc.StatusCode.UNAVAILABLE
