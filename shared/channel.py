"""One way to call another service.

What a channel does by itself: spread calls over all addresses of the target (round robin), take out
those that report NOT_SERVING or keep failing, retry UNAVAILABLE a little, notice dead connections,
find a restarted service within a second or so, and pass on the request id and the deadline.
"""

import json
from typing import Any

import grpc
import grpc.aio

from shared.client_context import client_interceptors
from shared.security.identity import Identity, process_identity
from shared.security.reloading_channel import ReloadingChannel
from shared.settings import MIB

DEFAULT_MAX_MESSAGE_BYTES = 16 * MIB


def open_channel(
    target: str,
    *,
    wait_for_health_of: str = "",
    retry: bool = True,
    max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES,
    identity: Identity | None = None,
) -> grpc.aio.Channel:
    """Opens a channel to `target`; connects on the first call.

    Pass `timeout=` to every call: a timeout in the service config misfires in gRPC Python
    (grpc/grpc#40633). The interceptors cut it to what is left of the current request's deadline.

    Args:
        target: "host:port", or "dns:///name:port" for all addresses of a headless service.
        wait_for_health_of: Full service name whose grpc.health.v1 status decides whether an
            address is used. While none is SERVING, calls fail at once with UNAVAILABLE. Empty to
            use an address once it is connected.
        retry: Whether to retry UNAVAILABLE: up to three attempts, fewer when many calls fail.
        max_message_bytes: Largest message in either direction.
        identity: What the channel shows; what the process shows when None, which is nothing while
            security is off.
    """
    identity = identity or process_identity()
    options: list[tuple[str, Any]] = [
        ("grpc.service_config", json.dumps(service_config(wait_for_health_of, retry=retry))),
        ("grpc.enable_retries", 1),
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        # Room for error details and request ids beyond gRPC's 8 KiB.
        ("grpc.max_metadata_size", 32 * 1024),
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 5_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        # A restarted service is found again at once, not after gRPC's default of up to two minutes.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        # Channels of one process to one target must not share connections: closing and health
        # checking one would show in the others.
        ("grpc.use_local_subchannel_pool", 1),
    ]
    interceptors = client_interceptors(identity.api_key if identity else "")
    if identity is None:
        return grpc.aio.insecure_channel(target, options=options, interceptors=interceptors)
    return ReloadingChannel(
        identity.certificate,
        lambda credentials: grpc.aio.secure_channel(
            target, credentials, options=options, interceptors=interceptors
        ),
    )


def service_config(wait_for_health_of: str = "", *, retry: bool = True) -> dict[str, Any]:
    """Returns the gRPC service config (grpc/grpc-proto service_config.proto) as JSON values."""
    config: dict[str, Any] = {
        "loadBalancingConfig": [
            {
                "outlier_detection_experimental": {
                    "interval": "2s",
                    "baseEjectionTime": "2s",
                    "maxEjectionTime": "30s",
                    # A single address is never taken out: half of one is none.
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
    }
    if wait_for_health_of:
        config["healthCheckConfig"] = {"serviceName": wait_for_health_of}
    if retry:
        config["methodConfig"] = [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 3,
                    "initialBackoff": "0.02s",
                    "maxBackoff": "0.2s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
        # Every failure costs a token and every success earns 0.1: beyond about one failure in ten,
        # retries stop, so they cannot pile on to an outage.
        config["retryThrottling"] = {"maxTokens": 10, "tokenRatio": 0.1}
    return config


class Channels:
    """Channels that are closed together."""

    def __init__(self) -> None:
        self._open: list[grpc.aio.Channel] = []

    def open(self, target: str, service: str) -> grpc.aio.Channel:
        """Opens one; see `open_channel`.

        Args:
            target: HOST:PORT.
            service: Full name of the service whose health decides.
        """
        channel = open_channel(target, wait_for_health_of=service)
        self._open.append(channel)
        return channel

    async def close(self) -> None:
        """Closes all of them."""
        for channel in self._open:
            await channel.close()
