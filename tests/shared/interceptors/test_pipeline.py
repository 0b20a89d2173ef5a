import asyncio
from contextlib import asynccontextmanager

import grpc
import pytest
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import REGISTRY

from shared.admission import current_queue_nanos
from shared.channel import open_channel
from shared.deadline import current_deadline
from shared.errors import (
    DeadlineExceededError,
    ResourceExhaustedError,
    UnavailableError,
    error_from_rpc,
)
from shared.interceptors.deadline import DeadlineLayer
from shared.interceptors.pipeline import Call
from shared.request_context import current_request_id
from tests.shared.toy_service import NLU
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest, ParseResponse
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub
from wherefore.retrieval.v1.retrieval_service_pb2 import IndexRequest, IndexResponse
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

PARSE = f"/{NLU}/Parse"


@asynccontextmanager
async def _stub(port: int):
    async with open_channel(f"127.0.0.1:{port}") as channel:
        yield NluServiceStub(channel)


async def test_the_deadline_of_the_client_is_the_current_one(launch, toy):
    seen = []

    async def parse(request, context):
        seen.append(current_deadline().remaining())
        return ParseResponse()

    toy.parse = parse
    server = await launch(default_deadline_seconds=3)
    async with _stub(server.port) as stub:
        await stub.Parse(ParseRequest(), timeout=60)
        await stub.Parse(ParseRequest())
    assert 50 < seen[0] <= 61
    assert 0 < seen[1] <= 3


async def test_the_default_deadline_ends_the_call(launch, toy):
    async def parse(request, context):
        await asyncio.Event().wait()

    toy.parse = parse
    server = await launch(default_deadline_seconds=0.05)
    async with _stub(server.port) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stub.Parse(ParseRequest())
    assert isinstance(error_from_rpc(raised.value), DeadlineExceededError)


async def test_streams_of_requests_have_no_default_deadline(launch, toy):
    seen = []

    async def index(requests, context):
        seen.append(current_deadline().limited)
        return IndexResponse()

    toy.index = index
    server = await launch(default_deadline_seconds=0.05)
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        await RetrievalServiceStub(channel).Index(iter([IndexRequest()]))
    assert seen == [False]


async def test_who_sends_nothing_keeps_no_place(launch):
    server = await launch(stream_idle_seconds=0.2, max_concurrency=1)
    gone = asyncio.Event()

    async def requests():
        yield IndexRequest()
        await gone.wait()

    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        stub = RetrievalServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stub.Index(requests())
        gone.set()
        error = error_from_rpc(raised.value)
        assert isinstance(error, DeadlineExceededError)
        assert "no message came for 0.2 s" in error.message
        await stub.Index(iter([IndexRequest()] * 3), timeout=10)


async def test_a_deadline_already_passed_is_refused_before_any_work():
    class Context:
        def time_remaining(self) -> float:
            return -0.5

    layer = DeadlineLayer(default_seconds=5)
    call = Call(PARSE, request_streaming=False, response_streaming=False)
    with pytest.raises(DeadlineExceededError, match="passed"):
        async with layer.around(call, Context()):
            pytest.fail("the handler was reached")


@pytest.mark.parametrize(
    ("left", "raised"), [(-0.001, DeadlineExceededError), (1, UnavailableError)]
)
async def test_without_time_to_ask_nobody_is_away(left, raised):
    class Context:
        def __init__(self) -> None:
            self.left = 5.0

        def time_remaining(self) -> float:
            return self.left

    context = Context()
    call = Call(PARSE, request_streaming=False, response_streaming=False)

    async def answer() -> None:
        async with DeadlineLayer(default_seconds=5).around(call, context):
            context.left = left
            raise UnavailableError("ranking is away")

    with pytest.raises(raised, match="ranking is away"):
        await answer()


@pytest.mark.parametrize("seconds", [0, -1, 1e-6])
async def test_a_client_without_time_gets_deadline_exceeded(launch, seconds):
    server = await launch()
    async with _stub(server.port) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stub.Parse(ParseRequest(), timeout=seconds)
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_overload_is_refused_with_retry_info_and_health_still_answers(launch, toy):
    release, entered, queued = asyncio.Event(), asyncio.Event(), []

    async def parse(request, context):
        queued.append(current_queue_nanos())
        entered.set()
        await release.wait()
        return ParseResponse()

    toy.parse = parse
    server = await launch(max_concurrency=1, max_queue=1)
    async with _stub(server.port) as stub:
        first = asyncio.ensure_future(stub.Parse(ParseRequest(), timeout=10))
        await entered.wait()
        second = asyncio.ensure_future(stub.Parse(ParseRequest(), timeout=10))
        async with asyncio.timeout(5):
            while server.in_flight < 2:  # noqa: ASYNC110 - another end of a wire
                await asyncio.sleep(0.01)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Parse(ParseRequest(), timeout=10)
        error = error_from_rpc(refused.value)
        assert isinstance(error, ResourceExhaustedError)
        assert 0.1 <= error.retry_after_seconds <= 1
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            health = health_pb2_grpc.HealthStub(channel)
            await health.Check(health_pb2.HealthCheckRequest(), timeout=5)
        release.set()
        await asyncio.gather(first, second)
    assert queued[1] > queued[0]


def _sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


async def test_calls_are_counted(launch):
    before = _sample("wherefore_requests_total", method=PARSE, code="OK")
    timed = _sample("wherefore_request_seconds_count", method=PARSE)
    server = await launch()
    async with _stub(server.port) as stub:
        await stub.Parse(ParseRequest(), timeout=5)
    assert _sample("wherefore_requests_total", method=PARSE, code="OK") == before + 1
    assert _sample("wherefore_request_seconds_count", method=PARSE) == timed + 1
    assert _sample("wherefore_requests_in_flight", method=PARSE) == 0
    assert _sample("wherefore_ready", service=NLU) == 1


async def test_one_line_a_call_without_what_was_asked(launch):
    server = await launch()
    with structlog.testing.capture_logs() as logs:
        async with _stub(server.port) as stub:
            await stub.Parse(
                ParseRequest(query="embarrassing"), timeout=5, metadata=(("x-request-id", "r-1"),)
            )
    (line,) = [entry for entry in logs if entry["event"] == "call"]
    assert line["log_level"] == "info"
    assert (line["request_id"], line["method"], line["code"]) == ("r-1", PARSE, "OK")
    assert line["request_bytes"] == ParseRequest(query="embarrassing").ByteSize()
    assert 0 < line["deadline_ms"] <= 5100
    assert {"duration_ms", "queue_ms", "peer"} <= line.keys()
    assert "embarrassing" not in str(logs)


async def test_faults_of_the_server_are_warnings(launch, toy):
    async def parse(request, context):
        raise KeyError

    toy.parse = parse
    server = await launch()
    with structlog.testing.capture_logs() as logs:
        async with _stub(server.port) as stub:
            with pytest.raises(grpc.aio.AioRpcError):
                await stub.Parse(ParseRequest(), timeout=5)
    (line,) = [entry for entry in logs if entry["event"] == "call"]
    assert (line["log_level"], line["code"], line["error"]) == (
        "warning",
        "INTERNAL",
        "InternalError",
    )


async def test_the_request_id_and_deadline_go_along_to_the_next_service(launch, toy):
    seen = []
    server = await launch()

    async def index(requests, context):
        seen.append((current_request_id(), current_deadline().remaining()))
        return IndexResponse()

    async def parse(request, context):
        async with open_channel(f"127.0.0.1:{server.port}") as channel:
            await RetrievalServiceStub(channel).Index(iter([IndexRequest()]), timeout=600)
        return ParseResponse()

    toy.index, toy.parse = index, parse
    async with _stub(server.port) as stub:
        call = stub.Parse(ParseRequest(), timeout=20, metadata=(("x-request-id", "trace-7"),))
        await call
        assert dict(await call.trailing_metadata())["x-request-id"] == "trace-7"
    ((request_id, remaining),) = seen
    assert request_id == "trace-7"
    assert remaining <= 21
