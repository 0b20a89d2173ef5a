"""Channels to the suite for the length of one command."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from shared.cli.config import CliSettings

if TYPE_CHECKING:
    import grpc.aio


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
    channel = open_channel(target or CliSettings().target, retry=retry)
    try:
        yield channel
    finally:
        await channel.close()
