import socket
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import HealthServicer

from shared import health_probe


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_words_that_are_no_port(capsys: pytest.CaptureFixture[str]) -> None:
    assert health_probe.main(["localhost"]) == 2
    assert "7701" in capsys.readouterr().err


def test_nobody_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert health_probe.main([str(free_port())]) == 1
    assert "UNAVAILABLE" in capsys.readouterr().err


@pytest.mark.parametrize(("status", "code"), [("SERVING", 0), ("NOT_SERVING", 1)])
def test_what_the_server_says(status: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    servicer = HealthServicer()
    servicer.set("", health_pb2.HealthCheckResponse.ServingStatus.Value(status))
    server = grpc.server(ThreadPoolExecutor(1))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    assert health_probe.main([str(port)]) == code
    assert status in capsys.readouterr().out
    server.stop(None).wait()
