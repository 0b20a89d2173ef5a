"""Channels to the suite for the length of one command."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from shared.cli.config import CliSettings

if TYPE_CHECKING:
    import grpc.aio


@asynccontextmanager
async def connect(target: str | None = None) -> AsyncGenerator[grpc.aio.Channel]:
    """Open a channel to the public services, or to `target`, and close it afterwards."""
    from shared.channel import open_channel
    from shared.logging import configure_logging

    configure_logging("warning", "console")
    channel = open_channel(target or CliSettings().target)
    try:
        yield channel
    finally:
        await channel.close()
