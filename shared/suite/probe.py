"""Whether a process of the suite answers."""

import http.client
from collections.abc import Sequence
from typing import Any, Final

import grpc

from shared.health_check import check_health
from shared.security.certificates import CertificateFiles, channel_credentials
from shared.security.identity import OPERATOR
from shared.security.settings import SecuritySettings

_OPTIONS: Final[Sequence[tuple[str, Any]]] = (("grpc.enable_http_proxy", 0),)


def service_health(
    port: int, security: SecuritySettings | None = None, timeout: float = 1.0
) -> str:
    """Returns what grpc.health.v1 says of the whole server: "SERVING", "NOT_SERVING" or ""."""
    with _channel(f"127.0.0.1:{port}", security) as channel:
        try:
            return check_health(channel, timeout)
        except grpc.RpcError:
            return ""


def _channel(target: str, security: SecuritySettings | None) -> grpc.Channel:
    if security is None or not security.enabled:
        return grpc.insecure_channel(target, _OPTIONS)
    files = CertificateFiles(*security.pair(OPERATOR), security.ca_file)
    return grpc.secure_channel(target, channel_credentials(files.current()), _OPTIONS)


def triton_health(http_port: int, models: tuple[str, ...], timeout: float = 1.0) -> str:
    """Returns "SERVING" when Triton and all `models` are ready, "NOT_SERVING", or "" if silent."""
    paths = ["/v2/health/ready", *(f"/v2/models/{model}/ready" for model in models)]
    for path in paths:
        connection = http.client.HTTPConnection("127.0.0.1", http_port, timeout=timeout)
        try:
            connection.request("GET", path)
            if connection.getresponse().status != http.client.OK:
                return "NOT_SERVING"
        except OSError:
            return ""
        finally:
            connection.close()
    return "SERVING"
