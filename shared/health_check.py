"""What grpc.health.v1 says of a server."""

from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc  # pyright: ignore[reportMissingTypeStubs]

_pb2: Any = health_pb2
_HealthStub: Any = health_pb2_grpc.HealthStub

SERVING = "SERVING"


def check_health(channel: grpc.Channel, timeout: float) -> str:
    """Returns what the whole server says: "SERVING", "NOT_SERVING" or "UNKNOWN".

    Args:
        channel: To the server.
        timeout: Seconds to wait for the answer.

    Raises:
        grpc.RpcError: It does not answer.
    """
    answer = _HealthStub(channel).Check(_pb2.HealthCheckRequest(), timeout=timeout)
    return str(_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
