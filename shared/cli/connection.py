"""Channels to the suite for the length of one command."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from shared.cli import failures
from shared.cli.config import CliSettings
from shared.request_context import working_for

if TYPE_CHECKING:
    import grpc.aio

    from shared.security.identity import Identity


@asynccontextmanager
async def connect(
    target: str | None = None, *, retry: bool = True
) -> AsyncGenerator[grpc.aio.Channel]:
    """Open a channel to the public services, or to `target`, and close it afterwards.

    Args:
        target: HOST:PORT; the public services when None.
        retry: Whether the channel retries by itself; off for a caller that does.
    """
    from shared.channel import open_channel
    from shared.logging import configure_logging

    configure_logging("warning", "console")
    settings = CliSettings()
    channel = open_channel(target or settings.target, retry=retry, identity=_identity())
    try:
        with working_for(settings.tenant):
            yield channel
    finally:
        await channel.close()


def _identity() -> Identity | None:
    """What the command line shows: the operator's certificate and key, while security is on."""
    from shared.security.identity import OPERATOR, load_identity
    from shared.security.settings import SecuritySettings

    security = SecuritySettings()
    if not security.enabled:
        return None
    try:
        return load_identity(security, OPERATOR, security.operator_token_file)
    except (OSError, ValueError) as error:
        raise failures.CommandError(
            str(error), hint="`wherefore security init` makes certificates"
        ) from error
