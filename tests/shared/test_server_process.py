"""A service as a process: it drains on a signal, is found again, and serves its metrics."""

import asyncio
import http.client
import os
import signal
import subprocess
import sys

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from shared.channel import open_channel
from tests.shared.toy_service import NLU, PRODUCTS
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest, ParseResponse
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _get(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def _spawn(port: int, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.shared.toy_service", str(port)],
        env={**os.environ, **env},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.integration
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
async def test_a_real_process_drains_on_a_signal(signum):
    port = _free_port()
    process = _spawn(port, TOY_SECONDS="1.0")
    try:
        async with open_channel(f"127.0.0.1:{port}", wait_for_health_of=NLU) as channel:
            stub = NluServiceStub(channel)
            call = stub.Parse(ParseRequest(), timeout=20, wait_for_ready=True)
            health = health_pb2_grpc.HealthStub(channel)
            watch = health.Watch(
                health_pb2.HealthCheckRequest(service=PRODUCTS), timeout=20, wait_for_ready=True
            )
            while (await watch.read()).status != SERVING:
                pass
            await asyncio.sleep(0.3)
            process.send_signal(signum)
            assert (await watch.read()).status == NOT_SERVING
            assert not call.done()
            assert await call == ParseResponse()
            watch.cancel()
        assert await asyncio.to_thread(process.wait, 15) == 0
        log = process.stderr.read()
        assert '"draining"' in log
        assert '"stopped"' in log
        assert "Traceback" not in log
    finally:
        process.kill()
        process.communicate()


@pytest.mark.integration
async def test_a_process_that_cannot_start_says_why_in_one_line():
    process = _spawn(_free_port(), TOY_BROKEN="1")
    _, log = await asyncio.to_thread(process.communicate, None, 20)
    assert process.returncode == 1
    (line,) = [line for line in log.splitlines() if "cannot start" in line]
    assert "the model file is missing" in line
    assert "Traceback" not in log


@pytest.mark.integration
async def test_a_restarted_process_is_found_again():
    port = _free_port()
    async with open_channel(f"127.0.0.1:{port}", wait_for_health_of=NLU) as channel:
        stub = NluServiceStub(channel)
        for _ in range(2):
            process = _spawn(port)
            try:
                await stub.Parse(ParseRequest(), timeout=20, wait_for_ready=True)
            finally:
                process.kill()
                process.communicate()
            with pytest.raises(grpc.aio.AioRpcError) as gone:
                await stub.Parse(ParseRequest(), timeout=5)
            assert gone.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.integration
async def test_metrics_are_served_over_http():
    port, metrics = _free_port(), _free_port()
    process = _spawn(port, TOY_METRICS=str(metrics))
    try:
        async with open_channel(f"127.0.0.1:{port}") as channel:
            await NluServiceStub(channel).Parse(ParseRequest(), timeout=20, wait_for_ready=True)
        text = await asyncio.to_thread(_get, metrics, "/metrics")
        assert 'wherefore_requests_total{code="OK"' in text
        assert f'wherefore_ready{{service="{NLU}"}}' in text
    finally:
        process.kill()
        process.communicate()
