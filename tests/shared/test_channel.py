import asyncio

import grpc
import pytest

from shared.channel import open_channel, service_config
from shared.errors import UnavailableError, error_from_rpc
from tests.shared.toy_service import NLU
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest, ParseResponse
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub


def test_the_service_config_never_sets_a_timeout():
    config = service_config("a.b.C")
    assert config["healthCheckConfig"] == {"serviceName": "a.b.C"}
    (method,) = config["methodConfig"]
    assert method["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]
    assert "timeout" not in method
    assert "methodConfig" not in service_config(retry=False)
    assert "healthCheckConfig" not in service_config()


async def test_unavailable_of_the_transport_is_retried(launch, toy):
    calls = 0

    async def parse(request, context):
        nonlocal calls
        calls += 1
        if calls < 3:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "a proxy says no")
        return ParseResponse()

    toy.parse = parse
    server = await launch()
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        await NluServiceStub(channel).Parse(ParseRequest(), timeout=5)
    assert calls == 3
    calls = 0
    async with open_channel(f"127.0.0.1:{server.port}", retry=False) as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await NluServiceStub(channel).Parse(ParseRequest(), timeout=5)
    assert calls == 1


async def test_nobody_there_fails_fast_and_names_no_address():
    async with open_channel("127.0.0.1:1") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await NluServiceStub(channel).Parse(ParseRequest(), timeout=5)
    error = error_from_rpc(raised.value)
    assert isinstance(error, UnavailableError)
    assert "127.0.0.1" not in error.message
    assert error.retry_after_seconds == 1.0


async def test_a_backend_that_is_not_serving_is_not_used_until_it_is(launch, toy):
    toy.ready_error = RuntimeError("warming up")
    server = await launch(wait=False, health_interval_seconds=0.05)
    async with open_channel(f"127.0.0.1:{server.port}", wait_for_health_of=NLU) as channel:
        stub = NluServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stub.Parse(ParseRequest(), timeout=5)
        assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
        toy.ready_error = None
        await stub.Parse(ParseRequest(), timeout=10, wait_for_ready=True)
        toy.ready_error = RuntimeError("model lost")
        with pytest.raises(grpc.aio.AioRpcError) as raised:  # noqa: PT012 - until the first one
            async with asyncio.timeout(10):
                while True:
                    await stub.Parse(ParseRequest(), timeout=5)
                    await asyncio.sleep(0.02)
        assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
        toy.ready_error = None
        await stub.Parse(ParseRequest(), timeout=10, wait_for_ready=True)


async def test_a_failing_backend_is_taken_out(launch, toy):
    """Two addresses, one of which fails every call: once it is ejected, only the other is asked."""
    good = await launch()
    broken = grpc.aio.server()
    calls = 0

    async def fail(request, context):
        nonlocal calls
        calls += 1
        await context.abort(grpc.StatusCode.INTERNAL, "broken")

    handler = grpc.unary_unary_rpc_method_handler(fail)
    broken.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(NLU, {"Parse": handler}),)
    )
    port = broken.add_insecure_port("127.0.0.1:0")
    await broken.start()
    target = f"ipv4:127.0.0.1:{good.port},127.0.0.1:{port}"
    try:
        async with open_channel(target, retry=False) as channel:
            stub = NluServiceStub(channel)
            outcomes: list[bool] = []
            async with asyncio.timeout(15):
                # Round robin fails every second call until the broken one is out.
                while len(outcomes) < 60 or not all(outcomes[-20:]):
                    try:
                        await stub.Parse(ParseRequest(), timeout=5)
                        outcomes.append(True)
                    except grpc.aio.AioRpcError:
                        outcomes.append(False)
                    await asyncio.sleep(0.02)
            assert calls >= 10
    finally:
        await broken.stop(None)


async def test_draining_one_of_two_backends_under_load_loses_no_call(launch, toy):
    async def parse(request, context):
        await asyncio.sleep(0.01)
        return ParseResponse()

    toy.parse = parse
    leaving, staying = await launch(), await launch()
    target = f"ipv4:127.0.0.1:{leaving.port},127.0.0.1:{staying.port}"
    async with open_channel(target, wait_for_health_of=NLU) as channel:
        stub = NluServiceStub(channel)
        await stub.Parse(ParseRequest(), timeout=10, wait_for_ready=True)
        stopped = asyncio.Event()
        answered = 0

        async def ask() -> None:
            nonlocal answered
            while not stopped.is_set():
                await stub.Parse(ParseRequest(), timeout=5)  # any failure fails the test
                answered += 1

        askers = [asyncio.create_task(ask()) for _ in range(4)]
        await leaving.stop(lame_duck_seconds=0.2)
        stopped.set()
        await asyncio.gather(*askers)
    assert answered > 4
