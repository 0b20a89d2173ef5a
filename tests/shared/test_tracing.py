import asyncio

import grpc
import pytest
import structlog
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from shared.channel import open_channel
from shared.settings import ServiceSettings
from shared.timing import StageTimer
from shared.trace_context import TraceParent
from shared.tracing import start_tracing, stop_tracing
from tests.shared.toy_service import NLU, RETRIEVAL
from wherefore.common.v1.diagnostics_pb2 import DEGRADATION_CAUSE_DEADLINE, Degradation
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest, ParseResponse
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub
from wherefore.retrieval.v1.retrieval_service_pb2 import IndexRequest, IndexResponse
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

CALLER = TraceParent("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", sampled=True)


@pytest.fixture
def exporter():
    exporter = InMemorySpanExporter()
    start_tracing(ServiceSettings(port=0), "toy", exporter)
    yield exporter
    stop_tracing()


async def _parse(port: int, *metadata: tuple[str, str], query: str = "") -> dict:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = NluServiceStub(channel).Parse(
            ParseRequest(query=query), timeout=5, metadata=metadata
        )
        await call
        return dict(await call.trailing_metadata())


async def _two_servers(launch, toy):
    """A server whose Parse calls Index of another one, in a stage."""
    behind = await launch()

    async def index(requests, context):
        with StageTimer().stage("inner"):
            return IndexResponse()

    async def parse(request, context):
        with StageTimer().stage("outer"):
            async with open_channel(f"127.0.0.1:{behind.port}") as channel:
                await RetrievalServiceStub(channel).Index(iter([IndexRequest()]), timeout=5)
        late = Degradation(stage="nlu.embedding", cause=DEGRADATION_CAUSE_DEADLINE)
        return ParseResponse(degraded=[late])

    toy.index, toy.parse = index, parse
    return await launch()


async def test_one_request_is_one_trace_over_two_servers(launch, toy, exporter):
    server = await _two_servers(launch, toy)
    trailers = await _parse(server.port, ("traceparent", CALLER.header()), query="embarrassing")
    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert {span.context.trace_id for span in spans.values()} == {int(CALLER.trace_id, 16)}
    call, outer = spans[f"{NLU}/Parse"], spans["outer"]
    index, inner = spans[f"{RETRIEVAL}/Index"], spans["inner"]
    assert call.parent.span_id == int(CALLER.span_id, 16)
    assert outer.parent.span_id == call.context.span_id
    assert index.parent.span_id == outer.context.span_id
    assert inner.parent.span_id == index.context.span_id
    assert (call.kind, outer.kind) == (SpanKind.SERVER, SpanKind.INTERNAL)
    assert call.attributes["rpc.method"] == "Parse"
    assert call.attributes["rpc.grpc.status_code"] == 0
    assert call.attributes["wherefore.degraded"] == "nlu.embedding:deadline"
    assert call.attributes["wherefore.response_bytes"] > 0
    answered = TraceParent.parse(trailers["traceparent"])
    assert answered.span_id == f"{call.context.span_id:016x}"
    assert "embarrassing" not in "".join(span.to_json() for span in spans.values())


async def test_a_caller_who_records_nothing_is_followed(launch, exporter):
    server = await launch()
    silent = TraceParent(CALLER.trace_id, CALLER.span_id, sampled=False)
    await _parse(server.port, ("traceparent", silent.header()))
    assert not exporter.get_finished_spans()


async def test_errors_mark_the_span_and_tell_nothing_else(launch, toy, exporter):
    async def parse(request, context):
        raise KeyError(request.query)

    toy.parse = parse
    server = await launch()
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await _parse(server.port, query="embarrassing")
    (span,) = exporter.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["rpc.grpc.status_code"] == grpc.StatusCode.INTERNAL.value[0]
    assert "embarrassing" not in span.to_json()
    assert "traceparent" in dict(raised.value.trailing_metadata())


async def test_without_tracing_the_ids_still_go_along(launch, toy):
    server = await _two_servers(launch, toy)
    with structlog.testing.capture_logs() as logs:
        trailers = await _parse(server.port, ("traceparent", CALLER.header()))
        await _parse(server.port)
    lines = [entry for entry in logs if entry["event"] == "call"]
    ids = [line["trace_id"] for line in lines]
    assert ids[:2] == [CALLER.trace_id] * 2
    assert ids[2] == ids[3] != CALLER.trace_id
    assert trailers["traceparent"] == CALLER.header()


async def test_stages_beside_each_other_have_the_same_parent(launch, toy, exporter):
    async def parse(request, context):
        timer = StageTimer()

        async def work(name: str) -> None:
            with timer.stage(name):
                await asyncio.sleep(0)

        with timer.stage("total"):
            await asyncio.gather(work("a"), work("b"))
        return ParseResponse()

    toy.parse = parse
    await _parse((await launch()).port)
    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert spans["a"].parent.span_id == spans["b"].parent.span_id
    assert spans["a"].parent.span_id == spans["total"].context.span_id


def test_a_stage_outside_any_call_is_no_trace_of_its_own(exporter):
    with StageTimer().stage("background"):
        pass
    assert not exporter.get_finished_spans()


def test_no_target_records_nothing():
    start_tracing(ServiceSettings(port=0), "toy")
    with StageTimer().stage("any"):
        pass  # no tracer, no error
