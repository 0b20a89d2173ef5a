"""How a server listens: its ports and the options of its connections."""

from typing import Any

import grpc.aio

from shared.health import Health
from shared.security.serving import ServerSecurity
from shared.settings import ServiceSettings


def bind(
    server: grpc.aio.Server, settings: ServiceSettings, security: ServerSecurity | None
) -> tuple[int, int | None]:
    """Adds the ports of `settings`; returns the port, and that for services where it is another.

    Raises:
        OSError: One of them cannot be bound.
    """
    address = f"{settings.host}:{settings.port}"
    try:
        if security is None:
            return server.add_insecure_port(address), None
        if settings.inner_port is None:
            return security.add_inner_port(server, address), None
        port = security.add_public_port(server, address)
        address = f"{settings.host}:{settings.inner_port}"
        return port, security.add_inner_port(server, address)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}: is it in use?") from error


async def serve_health(health: Health, settings: ServiceSettings) -> grpc.aio.Server | None:
    """Serves `health` in the clear at `health_port`; returns the server, None without the port.

    Raises:
        OSError: The port cannot be bound.
    """
    if settings.health_port is None:
        return None
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    health.register(server)
    address = f"{settings.host}:{settings.health_port}"
    try:
        server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"cannot tell health on {address}: is it in use?") from error
    await server.start()
    return server


def server_options(settings: ServiceSettings) -> list[tuple[str, Any]]:
    """Returns the options of gRPC for a server."""
    options: list[tuple[str, Any]] = [
        # On by default, with which a second server on the same port would bind without a word.
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        # gRPC unpacks a message whole before it looks at its size, and before anybody is asked who
        # they are: 16 MiB that were packed tightly are 16 GiB of memory. Identity alone is let in.
        ("grpc.compression_enabled_algorithms_bitset", 1),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        # Our own channels ping every 20 s, calls or not; stricter limits would hang up on them.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        ("grpc.http2.max_ping_strikes", 0),
    ]
    if settings.max_connection_age_seconds:
        options += [
            ("grpc.max_connection_age_ms", round(settings.max_connection_age_seconds * 1000)),
            (
                "grpc.max_connection_age_grace_ms",
                round(settings.max_connection_age_grace_seconds * 1000),
            ),
        ]
    return options
