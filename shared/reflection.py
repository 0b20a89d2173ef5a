"""Server reflection: the services of a server, and every file that their contracts import."""

from collections.abc import Iterable
from typing import Any

import grpc
from grpc_reflection.v1alpha import reflection  # pyright: ignore[reportMissingTypeStubs]

from shared.health import SERVICE_NAME as HEALTH

_reflection: Any = reflection
SERVICE_NAME: str = _reflection.SERVICE_NAME


def register_reflection(server: grpc.aio.Server, names: Iterable[str]) -> None:
    """Adds reflection of `names`, of health and of reflection itself to `server`.

    Files come from the process's descriptor pool, where the generated stubs put themselves together
    with all of their imports, so clients such as grpcurl and `buf curl` resolve every type.
    """
    _reflection.enable_server_reflection((*names, HEALTH, SERVICE_NAME), server)
