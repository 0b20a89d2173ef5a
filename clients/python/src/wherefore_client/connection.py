"""Where the suite is, how it is reached, and what every call shows of its caller."""

import ipaddress
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc

MIB: Final = 1024 * 1024
MAX_MESSAGE_BYTES: Final = 16 * MIB
"""As the suite has it."""

_PACKAGE: Final = "wherefore.orchestrator.v1"
_REPEATABLE: Final = (
    "SearchService",
    "RecommendationService",
    "CompletionService",
    "ExplanationService",
    "SummaryService",
    "UserEventService/Write",
    "ProductService/Get",
    "ProductService/List",
    "UserDataService/SetConsent",
)
"""What may be sent twice: reads, and writes that are done once however often they are asked for."""


@dataclass(frozen=True, slots=True)
class Tls:
    """How the connection is secured. Files are read once, when the client is made."""

    ca: Path | str | None = None
    """PEM file of the authorities to trust; those that gRPC brings when None."""
    certificate: Path | str | None = None
    """PEM file of the caller's own certificate, where the port asks for one."""
    key: Path | str | None = None
    """PEM file of its private key."""
    server_name: str = ""
    """Name that the server's certificate must have, where it is not that of the target."""

    def credentials(self) -> grpc.ChannelCredentials:
        """Returns them as gRPC has them.

        Raises:
            OSError: A file cannot be read.
            ValueError: A certificate without its key, or a key without its certificate.
        """
        if (self.certificate is None) != (self.key is None):
            raise ValueError("tls: certificate and key go together; give both or neither")
        return grpc.ssl_channel_credentials(
            _bytes_of(self.ca), _bytes_of(self.key), _bytes_of(self.certificate)
        )


@dataclass(frozen=True, slots=True)
class Connection:
    """What both clients are made of."""

    target: str | Sequence[str]
    """One target as gRPC names them ("shop.example:7700", "dns:///wherefore:7700",
    "ipv4:10.0.0.1:7700,10.0.0.2:7700"), or several addresses "IP:PORT" to share calls among."""
    api_key: str = ""
    """Sent as `x-api-key`."""
    token: str | Callable[[], str] = ""
    """A JSON web token, or what returns the current one; asked before each call."""
    tls: Tls | None = None
    """None for plain text."""
    tenant: str = ""
    """Tenant that an operator works for."""
    plain_text_credentials: bool = False
    """Lets a key or token go over plain text, as inside a mesh that encrypts."""

    def __post_init__(self) -> None:
        if self.api_key and self.token:
            raise ValueError("api_key, token: give one of the two")
        if (self.api_key or self.token) and not (self.tls or self.plain_text_credentials):
            raise ValueError(
                "tls: a credential over plain text can be read by all; give tls=Tls(...), or "
                "plain_text_credentials=True where the network encrypts"
            )

    def address(self) -> str:
        """Returns the target for gRPC.

        Raises:
            ValueError: Several addresses that are not "IP:PORT" of one kind.
        """
        if isinstance(self.target, str):
            if not self.target:
                raise ValueError('target: is empty; give "HOST:PORT"')
            return self.target
        if not self.target:
            raise ValueError('target: is empty; give "HOST:PORT"')
        kinds = {_ip_version(each) for each in self.target}
        if len(kinds) != 1:
            raise ValueError("target: IPv4 and IPv6 addresses cannot be mixed in one list")
        return f"ipv{kinds.pop()}:{','.join(self.target)}"

    def options(self) -> list[tuple[str, Any]]:
        """Returns the arguments of the channel."""
        options: list[tuple[str, Any]] = [
            ("grpc.service_config", json.dumps(service_config())),
            ("grpc.enable_retries", 1),
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            # Room for error details beyond gRPC's 8 KiB.
            ("grpc.max_metadata_size", 32 * 1024),
            ("grpc.keepalive_time_ms", 20_000),
            ("grpc.keepalive_timeout_ms", 5_000),
            # A restarted server is found again at once, not after gRPC's two minutes at most.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 1_000),
        ]
        if self.tls and self.tls.server_name:
            options.append(("grpc.ssl_target_name_override", self.tls.server_name))
        return options

    def metadata(self, request_id: str) -> tuple[tuple[str, str], ...]:
        """Returns what one call shows."""
        shown = [("x-request-id", request_id)]
        if self.api_key:
            shown.append(("x-api-key", self.api_key))
        token = self.token if isinstance(self.token, str) else self.token()
        if token:
            shown.append(("authorization", f"Bearer {token}"))
        if self.tenant:
            shown.append(("x-wherefore-tenant", self.tenant))
        return tuple(shown)


def new_id() -> str:
    """Returns an id for a request or an event, 32 hexadecimal digits."""
    return uuid.uuid4().hex


def service_config() -> dict[str, Any]:
    """Returns the gRPC service config (grpc/grpc-proto service_config.proto) as JSON values.

    Without a timeout, which misfires in gRPC Python (grpc/grpc#40633): every call passes its own.
    """
    return {
        "loadBalancingConfig": [
            {
                "outlier_detection_experimental": {
                    "interval": "2s",
                    "baseEjectionTime": "2s",
                    "maxEjectionTime": "30s",
                    "maxEjectionPercent": 50,
                    "failurePercentageEjection": {
                        "threshold": 50,
                        "enforcementPercentage": 100,
                        "minimumHosts": 2,
                        "requestVolume": 10,
                    },
                    "childPolicy": [{"round_robin": {}}],
                }
            }
        ],
        "healthCheckConfig": {"serviceName": f"{_PACKAGE}.SearchService"},
        "methodConfig": [
            {
                "name": [_method_name(each) for each in _REPEATABLE],
                # The server forbids it (pushback) where a part behind it failed: that one
                # was retried there.
                "retryPolicy": {
                    "maxAttempts": 3,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "0.5s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
        # Beyond about one failure in ten, retries stop, so they cannot pile on to an outage.
        "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
    }


def _method_name(path: str) -> dict[str, str]:
    service, _, method = path.partition("/")
    name = {"service": f"{_PACKAGE}.{service}"}
    return name | {"method": method} if method else name


def _ip_version(address: str) -> int:
    host, _, port = address.rpartition(":")
    try:
        int(port)
        return ipaddress.ip_address(host.strip("[]")).version
    except ValueError:
        raise ValueError(
            f'target: "{address}" is no IP:PORT; for a name give one target, "dns:///NAME:PORT"'
        ) from None


def _bytes_of(file: Path | str | None) -> bytes | None:
    return None if file is None else Path(file).read_bytes()
