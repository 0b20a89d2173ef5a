import asyncio

import grpc
import pytest
import structlog
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from shared.channel import open_channel
from shared.errors import UnavailableError
from shared.health import SERVICE_NAME
from tests.shared.toy_service import NLU
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest, ParseResponse
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def _health(port: int, service: str = "") -> int:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        return (await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=5)).status


async def _until(port: int, status: int) -> None:
    async with asyncio.timeout(10):
        while await _health(port) != status:  # noqa: ASYNC110 - another end of a wire
            await asyncio.sleep(0.02)


async def test_health_per_service_follows_readiness(launch, toy):
    toy.ready_error = RuntimeError("model not loaded")
    server = await launch(wait=False, health_interval_seconds=0.05)
    assert await _health(server.port) == NOT_SERVING
    with pytest.raises(TimeoutError, match="model not loaded"):
        await server.wait_ready(0.5)
    toy.ready_error = None
    await server.wait_ready(10)
    for service in ("", *toy.service_names):
        assert await _health(server.port, service) == SERVING
    toy.ready_error = RuntimeError("gone")
    await _until(server.port, NOT_SERVING)
    assert await _health(server.port, NLU) == NOT_SERVING
    toy.ready_error = None
    await _until(server.port, SERVING)


async def test_health_itself_is_serving_whatever_readiness_says(launch, toy):
    toy.ready_error = RuntimeError("a dependency is gone")
    server = await launch(wait=False, health_interval_seconds=0.05)
    assert await _health(server.port, SERVICE_NAME) == SERVING
    assert await _health(server.port) == NOT_SERVING


async def test_losing_and_regaining_readiness_is_logged_once_each(launch, toy):
    with structlog.testing.capture_logs() as logs:
        server = await launch(health_interval_seconds=0.02)
        toy.ready_error = RuntimeError("gone")
        await _until(server.port, NOT_SERVING)
        await asyncio.sleep(0.1)  # a few more checks, all failing alike
        toy.ready_error = None
        await _until(server.port, SERVING)
    said = [entry["event"] for entry in logs if entry["event"] in {"ready", "not ready"}]
    assert said == ["ready", "not ready", "ready"]


async def test_an_unknown_service_is_not_found(launch):
    server = await launch()
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await _health(server.port, "nobody.v1.Nothing")
    assert error.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_watcher_hears_of_changes_after_another_left(launch, toy):
    server = await launch(health_interval_seconds=0.05)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        stays = stub.Watch(health_pb2.HealthCheckRequest(service=NLU), timeout=10)
        leaves = stub.Watch(health_pb2.HealthCheckRequest(service=NLU), timeout=10)
        assert (await stays.read()).status == SERVING
        assert (await leaves.read()).status == SERVING
        leaves.cancel()
        toy.ready_error = RuntimeError("gone")
        assert (await stays.read()).status == NOT_SERVING
        toy.ready_error = None
        assert (await stays.read()).status == SERVING
        stays.cancel()


async def test_a_start_that_may_pass_is_tried_again(launch, toy):
    toy.start_errors = [UnavailableError("the store is not there yet")]
    server = await launch()
    assert toy.starts == 2
    assert await _health(server.port) == SERVING


async def test_a_start_that_fails_for_good_says_so(launch, toy):
    toy.start_errors = [ValueError("no such model")]
    server = await launch(wait=False)
    with pytest.raises(ValueError, match="no such model"):
        await server.wait_ready(10)
    assert isinstance(await server.wait_failed(), ValueError)
    assert await _health(server.port) == NOT_SERVING


async def test_a_taken_port_is_refused(launch):
    server = await launch()
    with pytest.raises(OSError, match="in use"):
        await launch(port=server.port)


@pytest.mark.parametrize("raw", [b"\xff\xff", b"\x0a\x02\xc0\xaf", b"\x0a\xff\x01a"])
@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("unary_unary", "/grpc.health.v1.Health/Check"),
        ("unary_stream", "/grpc.health.v1.Health/Watch"),
        ("stream_stream", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"),
    ],
)
async def test_what_is_no_message_is_the_callers_fault_everywhere(launch, kind, path, raw):
    server = await launch()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        call = getattr(channel, kind)(path, request_serializer=bytes)
        answer = call(iter([raw]) if kind == "stream_stream" else raw, timeout=10)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await (answer if kind == "unary_unary" else anext(aiter(answer)))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "DecodeError" not in str(caught.value.details())


@pytest.mark.parametrize("packing", [grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_a_packed_message_is_refused_before_it_is_unpacked(launch, packing):
    server = await launch()
    limit = 4 * 16 * 1024 * 1024
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub = NluServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Parse(ParseRequest(query="a" * limit), compression=packing, timeout=20)
        # RESOURCE_EXHAUSTED would say that it was unpacked first.
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert await stub.Parse(ParseRequest(query="cup"), timeout=20)


async def test_two_services_in_one_process(launch):
    first, second = await launch(), await launch()
    assert first.port != second.port
    assert await _health(first.port) == await _health(second.port) == SERVING


async def _reflect(stub, **request):
    call = stub.ServerReflectionInfo(
        iter([reflection_pb2.ServerReflectionRequest(**request)]), timeout=5
    )
    return [response async for response in call][0]  # noqa: RUF015


async def test_reflection_lists_services_and_resolves_every_import(launch, toy):
    server = await launch()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        listed = await _reflect(stub, list_services="")
        names = {service.name for service in listed.list_services_response.service}
        assert names >= {*toy.service_names, "grpc.health.v1.Health"}
        for name in names:
            files: dict[str, descriptor_pb2.FileDescriptorProto] = {}
            found = await _reflect(stub, file_containing_symbol=name)
            wanted = list(found.file_descriptor_response.file_descriptor_proto)
            while wanted:
                file = descriptor_pb2.FileDescriptorProto.FromString(wanted.pop())
                files[file.name] = file
                for dependency in file.dependency:
                    if dependency not in files:
                        answer = await _reflect(stub, file_by_filename=dependency)
                        assert not answer.HasField("error_response"), dependency
                        wanted += answer.file_descriptor_response.file_descriptor_proto
            pool = _build(files)
            assert pool.FindServiceByName(name).full_name == name


def _build(files) -> descriptor_pool.DescriptorPool:
    """Returns a pool of `files` alone: adding one fails unless all its imports are there."""
    pool = descriptor_pool.DescriptorPool()
    added = set()

    def add(name: str) -> None:
        if name not in added:
            added.add(name)
            for dependency in files[name].dependency:
                add(dependency)
            pool.Add(files[name])

    for file in files:
        add(file)
    return pool


async def test_stopping_finishes_calls_in_flight_and_closes_once(launch, toy):
    entered = asyncio.Event()

    async def slow(request, context):
        entered.set()
        await asyncio.sleep(0.3)
        return ParseResponse()

    toy.parse = slow
    server = await launch()
    async with open_channel(f"127.0.0.1:{server.port}", wait_for_health_of=NLU) as channel:
        call = NluServiceStub(channel).Parse(ParseRequest(), timeout=5)
        await entered.wait()
        assert server.in_flight == 1
        await server.stop()
        assert await call == ParseResponse()
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await NluServiceStub(channel).Parse(ParseRequest(), timeout=2)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    await server.stop()
    assert toy.closes == 1


async def test_a_call_longer_than_the_drain_is_cut(launch, toy):
    entered = asyncio.Event()
    cancelled = asyncio.Event()

    async def endless(request, context):
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    toy.parse = endless
    server = await launch(default_deadline_seconds=30)
    server._settings.drain_seconds = 0.1
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        call = asyncio.ensure_future(NluServiceStub(channel).Parse(ParseRequest(), timeout=20))
        await entered.wait()
        await server.stop()
        await asyncio.wait_for(cancelled.wait(), 5)
        with pytest.raises(grpc.aio.AioRpcError):
            await call
