"""Asks a gRPC server for its health: `python -m shared.health_probe 7701`, for containers.

It answers grpc.health.v1 in the clear, as a service does while security is off, and on its
`HEALTH_PORT` always. Kubernetes' own probes ask the same, and need no program.
"""

import sys
from collections.abc import Sequence
from typing import Any

import grpc

from shared.health_check import SERVING, check_health

SECONDS = 2.0
"""Longest wait for the answer."""


def main(arguments: Sequence[str]) -> int:
    """Returns 0 where the whole server is SERVING, else 1; 2 for arguments that are no port."""
    if len(arguments) != 1 or not arguments[0].isdecimal():
        sys.stderr.write("usage: python -m shared.health_probe PORT, such as 7701\n")
        return 2
    with grpc.insecure_channel(
        f"127.0.0.1:{arguments[0]}", (("grpc.enable_http_proxy", 0),)
    ) as channel:
        try:
            status = check_health(channel, SECONDS)
        except grpc.RpcError as error:
            failed: Any = error
            sys.stderr.write(f"{failed.code().name}: {failed.details()}\n")
            return 1
    sys.stdout.write(f"{status}\n")
    return 0 if status == SERVING else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
