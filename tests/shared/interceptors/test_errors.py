import asyncio

import grpc
import pytest
import structlog

from shared.channel import open_channel
from shared.errors import (
    InternalError,
    InvalidArgumentError,
    RequestCancelledError,
    UnavailableError,
    error_from_rpc,
    request_id_of,
)
from shared.interceptors.errors import ErrorLayer, as_wherefore_error
from shared.interceptors.pipeline import Call
from tests.shared.toy_service import ToyService
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub
from wherefore.orchestrator.v1.product_service_pb2 import (
    ProductServiceImportRequest,
    ProductServiceImportResponse,
)
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.reason.v1.reason_service_pb2 import ExplainStreamRequest, ExplainStreamResponse
from wherefore.reason.v1.reason_service_pb2_grpc import ReasonServiceStub
from wherefore.retrieval.v1.retrieval_service_pb2 import IndexRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

ARITIES = ("unary_unary", "stream_unary", "unary_stream", "stream_stream")


async def _call(channel: grpc.aio.Channel, arity: str) -> list:
    """Makes one call of `arity`; returns the responses."""
    if arity == "unary_unary":
        return [await NluServiceStub(channel).Parse(ParseRequest(), timeout=5)]
    if arity == "stream_unary":
        requests = iter([IndexRequest()])
        return [await RetrievalServiceStub(channel).Index(requests, timeout=5)]
    if arity == "unary_stream":
        call = ReasonServiceStub(channel).ExplainStream(ExplainStreamRequest(), timeout=5)
    else:
        requests = iter([ProductServiceImportRequest()])
        call = ProductServiceStub(channel).Import(requests, timeout=5)
    return [response async for response in call]


def _fail_with(toy: ToyService, error: BaseException) -> None:
    async def unary(request, context):
        raise error

    async def explain(request, context):
        yield ExplainStreamResponse()
        raise error

    async def import_(requests, context):
        async for _ in requests:
            yield ProductServiceImportResponse()
        raise error

    toy.parse = toy.index = unary
    toy.explain, toy.import_ = explain, import_


@pytest.mark.parametrize("arity", ARITIES)
async def test_answers_pass(launch, arity):
    server = await launch()
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        assert len(await _call(channel, arity)) == (3 if arity == "unary_stream" else 1)


@pytest.mark.parametrize("arity", ARITIES)
async def test_errors_of_the_tree_arrive_with_details(launch, toy, arity):
    _fail_with(toy, InvalidArgumentError.of("query", "is empty"))
    server = await launch()
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await _call(channel, arity)
    error = error_from_rpc(raised.value)
    assert isinstance(error, InvalidArgumentError)
    assert [(v.field, v.description) for v in error.violations] == [("query", "is empty")]
    assert error.__cause__ is raised.value
    sent_back = dict(raised.value.trailing_metadata())["x-request-id"]
    assert request_id_of(raised.value) == sent_back != ""


@pytest.mark.parametrize("arity", ARITIES)
async def test_no_text_of_an_unforeseen_error_leaks(launch, toy, arity):
    _fail_with(toy, KeyError("the secret ingredient"))
    server = await launch()
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await _call(channel, arity)
    assert raised.value.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in str(raised.value) + str(raised.value.trailing_metadata())
    assert isinstance(error_from_rpc(raised.value), InternalError)


@pytest.mark.parametrize("arity", ARITIES)
async def test_the_client_leaving_unwinds_the_handler_at_once(launch, toy, arity):
    entered, left = asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            left.set()
            raise

    async def unary(request, context):
        await hang()

    async def streamed(request, context):
        await hang()
        yield

    toy.parse = toy.index = unary
    toy.explain = toy.import_ = streamed
    server = await launch()
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        task = asyncio.create_task(_call(channel, arity))
        await asyncio.wait_for(entered.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(left.wait(), 5)
        async with asyncio.timeout(5):
            while server.in_flight:  # noqa: ASYNC110 - unwinds in its own task
                await asyncio.sleep(0.01)


async def test_an_unavailable_dependency_is_not_retried_by_the_channel(launch, toy):
    calls = 0

    async def parse(request, context):
        nonlocal calls
        calls += 1
        raise UnavailableError("the store is away", retry_after_seconds=0.7)

    toy.parse = parse
    server = await launch()
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await _call(channel, "unary_unary")
    error = error_from_rpc(raised.value)
    assert isinstance(error, UnavailableError)
    assert (error.message, error.retry_after_seconds) == ("the store is away", 0.7)
    assert calls == 1


async def test_an_error_out_of_a_task_group_keeps_its_meaning(launch, toy):
    async def broken() -> None:
        raise KeyError

    async def refused() -> None:
        raise InvalidArgumentError.of("filter", "is malformed")

    async def parse(request, context):
        async with asyncio.TaskGroup() as group:
            group.create_task(broken())
            group.create_task(refused())

    toy.parse = parse
    server = await launch()
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await _call(channel, "unary_unary")
    assert error_from_rpc(raised.value).violations[0].field == "filter"


async def test_a_method_nobody_wrote_is_unimplemented(launch, toy):
    async def parse(request, context):
        raise NotImplementedError("Method not implemented!")

    toy.parse = parse
    server = await launch()
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await _call(channel, "unary_unary")
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_handler_may_abort_by_itself(launch, toy):
    async def parse(request, context):
        await context.abort(grpc.StatusCode.DATA_LOSS, "by hand")

    toy.parse = parse
    server = await launch()
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await _call(channel, "unary_unary")
    assert raised.value.code() is grpc.StatusCode.DATA_LOSS


async def test_an_error_of_a_call_further_on_passes_with_its_details(launch, toy):
    """The handler calls the index of the same server and lets its error through."""
    server = await launch()

    async def index(requests, context):
        raise InvalidArgumentError.of("documents[0].product.id", "is empty")

    async def parse(request, context):
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            return await _call(channel, "stream_unary")

    toy.index, toy.parse = index, parse
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await _call(channel, "unary_unary")
    assert error_from_rpc(raised.value).violations[0].field == "documents[0].product.id"


class HungUp:
    """The context of a call whose caller is gone: nothing can be written to it."""

    async def abort(self, *_: object) -> None:
        raise grpc.aio.InternalError("Failed execute_batch")


@pytest.mark.parametrize("raised", [grpc.aio.InternalError("x"), InvalidArgumentError.of("a", "b")])
async def test_a_caller_who_hung_up_is_no_fault_of_ours(raised):
    call = Call("/a.B/C", request_streaming=False, response_streaming=True)
    with structlog.testing.capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        async with ErrorLayer().around(call, HungUp()):
            raise raised
    assert not logs
    assert isinstance(as_wherefore_error(grpc.aio.InternalError("x")), RequestCancelledError)
