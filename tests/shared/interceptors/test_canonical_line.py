"""The canonical line of every method of every contract, read from the descriptors."""

import asyncio
import importlib
import pkgutil
from collections.abc import Iterator

import grpc
import pytest
import structlog
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

import wherefore
from shared.interceptors import service_pipeline
from shared.settings import ServiceSettings
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest, ParseResponse
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub

PRIVATE = "embarrassing"
ALWAYS = {
    "request_id",
    "trace_id",
    "method",
    "peer",
    "code",
    "duration_ms",
    "queue_ms",
    "request_bytes",
    "response_bytes",
    "deadline_ms",
    "deadline_left_ms",
    "log_level",
    "event",
}
SOMETIMES = {
    "request_messages",
    "response_messages",
    "items",
    "degraded",
    "cache",
    "shed",
    "serving_config",
    "error",
}


def _methods() -> Iterator[MethodDescriptor]:
    for module in pkgutil.walk_packages(wherefore.__path__, "wherefore."):
        if module.name.endswith("_service_pb2"):
            file = importlib.import_module(module.name).DESCRIPTOR
            for service in file.services_by_name.values():
                yield from service.methods


METHODS = list(_methods())


def _filled(descriptor: Descriptor, depth: int = 3):
    """A message with a secret in every text of it."""
    message = message_factory.GetMessageClass(descriptor)()
    for field in descriptor.fields:
        if field.containing_oneof and message.WhichOneof(field.containing_oneof.name):
            continue
        inner = field.message_type
        if inner is not None and inner.GetOptions().map_entry:
            continue
        if inner is not None and depth:
            value = _filled(inner, depth - 1)
            if field.is_repeated:
                getattr(message, field.name).append(value)
            else:
                getattr(message, field.name).CopyFrom(value)
        elif field.type == FieldDescriptor.TYPE_STRING:
            if field.is_repeated:
                getattr(message, field.name).append(PRIVATE)
            else:
                setattr(message, field.name, PRIVATE)
    return message


class _Echo(grpc.GenericRpcHandler):
    """Answers one method, whatever its arity, with one filled message, or refuses it."""

    def __init__(self, method: MethodDescriptor, *, refuse: bool) -> None:
        request = message_factory.GetMessageClass(method.input_type)
        answer = _filled(method.output_type)
        for field in ("degraded",):  # stages are ours, no text of users
            if field in method.output_type.fields_by_name:
                answer.ClearField(field)

        async def unary(request_or_stream, context):
            if method.client_streaming:
                async for _ in request_or_stream:
                    pass
            if refuse:
                raise ValueError(PRIVATE)
            return answer

        async def stream(request_or_stream, context):
            yield await unary(request_or_stream, context)

        arity = f"{'stream' if method.client_streaming else 'unary'}_"
        arity += "stream" if method.server_streaming else "unary"
        self._handler = getattr(grpc, f"{arity}_rpc_method_handler")(
            stream if method.server_streaming else unary,
            request_deserializer=request.FromString,
            response_serializer=type(answer).SerializeToString,
        )
        self._arity = arity

    def service(self, handler_call_details):
        return self._handler


async def _call(method: MethodDescriptor, *, refuse: bool) -> dict:
    server = grpc.aio.server(interceptors=(service_pipeline(ServiceSettings(port=0)),))
    server.add_generic_rpc_handlers((_Echo(method, refuse=refuse),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    request = _filled(method.input_type)
    path = f"/{method.containing_service.full_name}/{method.name}"
    arity = f"{'stream' if method.client_streaming else 'unary'}_"
    arity += "stream" if method.server_streaming else "unary"
    try:
        with structlog.testing.capture_logs() as logs:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                ask = getattr(channel, arity)(
                    path, request_serializer=type(request).SerializeToString
                )
                given = iter([request]) if method.client_streaming else request
                try:
                    answer = ask(given, timeout=10)
                    if method.server_streaming:
                        async for _ in answer:
                            pass
                    else:
                        await answer
                except grpc.aio.AioRpcError as error:
                    assert refuse, error  # noqa: PT017
    finally:
        await server.stop(None)
    (line,) = [entry for entry in logs if entry["event"] == "call"]
    return line


@pytest.mark.parametrize("method", METHODS, ids=lambda each: each.full_name)
@pytest.mark.parametrize("refuse", [False, True])
async def test_the_line_is_whole_and_tells_nothing_of_people(method, refuse):
    line = await _call(method, refuse=refuse)
    assert ALWAYS <= line.keys() <= ALWAYS | SOMETIMES
    assert line["method"] == f"/{method.containing_service.full_name}/{method.name}"
    assert line["code"] == ("INTERNAL" if refuse else "OK")
    assert line["request_bytes"] == _filled(method.input_type).ByteSize()
    if not refuse:
        assert line["response_bytes"] > 0 or not _filled(method.output_type).ByteSize()
        # The name of a configuration is an operator's word, and told of calls that succeeded.
        line.pop("serving_config", None)
    assert PRIVATE not in str(line)


async def test_a_refused_call_says_that_it_was_shed(launch, toy):
    release, entered = asyncio.Event(), asyncio.Event()

    async def parse(request, context):
        entered.set()
        await release.wait()
        return ParseResponse()

    toy.parse = parse
    server = await launch(max_concurrency=1, max_queue=0)
    with structlog.testing.capture_logs() as logs:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            stub = NluServiceStub(channel)
            first = asyncio.ensure_future(stub.Parse(ParseRequest(), timeout=10))
            await entered.wait()
            with pytest.raises(grpc.aio.AioRpcError):
                await stub.Parse(ParseRequest(), timeout=10)
            release.set()
            await first
    told = {entry["code"]: entry.get("shed") for entry in logs if entry["event"] == "call"}
    assert told == {"OK": None, "RESOURCE_EXHAUSTED": "queue_full"}


def test_there_are_methods():
    assert len(METHODS) > 20
    assert descriptor_pool.Default().FindServiceByName(METHODS[0].containing_service.full_name)
