"""A channel whose certificate may change: a new one of gRPC's is opened then, under the same stubs.

gRPC's Python channels keep the certificate that they were opened with. Connections that stand are
not affected when it ends, but the next would be refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import grpc
import grpc.aio

from shared.security.certificates import Certificate, CertificateFiles, channel_credentials

OpenInner = Callable[[grpc.ChannelCredentials], grpc.aio.Channel]
_GRACE_SECONDS: Final = 3600.0
"""What calls on the channel before may still take: an import is one long call."""


class ReloadingChannel(grpc.aio.Channel):
    """Looks at the certificate with every call, and at its files once a second at most.

    Args:
        files: The certificate.
        open_inner: Opens a channel with credentials.
    """

    def __init__(self, files: CertificateFiles, open_inner: OpenInner) -> None:
        self._files = files
        self._open_inner = open_inner
        self._certificate = files.current()
        self._inner = open_inner(channel_credentials(self._certificate))
        self._closing: set[asyncio.Task[None]] = set()

    def current(self) -> grpc.aio.Channel:
        """Returns the channel for the next call."""
        certificate: Certificate = self._files.current()
        if certificate != self._certificate:
            before, self._certificate = self._inner, certificate
            self._inner = self._open_inner(channel_credentials(certificate))
            closing = asyncio.ensure_future(before.close(_GRACE_SECONDS))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        return self._inner

    def unary_unary(self, *arguments: Any, **options: Any) -> Any:
        """See `grpc.aio.Channel`."""
        return _Method(self, "unary_unary", arguments, options)

    def unary_stream(self, *arguments: Any, **options: Any) -> Any:
        """See `grpc.aio.Channel`."""
        return _Method(self, "unary_stream", arguments, options)

    def stream_unary(self, *arguments: Any, **options: Any) -> Any:
        """See `grpc.aio.Channel`."""
        return _Method(self, "stream_unary", arguments, options)

    def stream_stream(self, *arguments: Any, **options: Any) -> Any:
        """See `grpc.aio.Channel`."""
        return _Method(self, "stream_stream", arguments, options)

    async def close(self, grace: float | None = None) -> None:
        """See `grpc.aio.Channel`."""
        for closing in self._closing:
            closing.cancel()
        await self._inner.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """See `grpc.aio.Channel`."""
        return self.current().get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """See `grpc.aio.Channel`."""
        await self.current().wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """See `grpc.aio.Channel`."""
        await self.current().channel_ready()

    async def __aenter__(self) -> ReloadingChannel:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class _Method:
    """A method of a stub, on whichever channel is the current one."""

    def __init__(
        self,
        channel: ReloadingChannel,
        kind: str,
        arguments: tuple[Any, ...],
        options: dict[str, Any],
    ) -> None:
        self._channel = channel
        self._make = kind, arguments, options
        self._of: grpc.aio.Channel | None = None
        self._call: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        current, call = self._channel.current(), self._call
        if call is None or current is not self._of:
            kind, made_of, made_with = self._make
            call = getattr(current, kind)(*made_of, **made_with)
            self._call, self._of = call, current
        return call(*arguments, **options)
