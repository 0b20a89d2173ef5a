"""Calls on one asyncio channel: deadline, request id, credentials and errors of each."""

# gRPC's types are generic in its stubs only.
from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import Self, TypeVar

import grpc
import grpc.aio

from wherefore_client.connection import Connection, Tls, new_id
from wherefore_client.deadlines import Deadlines, chosen
from wherefore_client.errors import error_of

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")


class AsyncCalls:
    """What the client is made of; arguments are those of `AsyncClient`."""

    def __init__(
        self,
        target: str | Sequence[str] = "localhost:7700",
        *,
        api_key: str = "",
        token: str | Callable[[], str] = "",
        tls: Tls | None = None,
        tenant: str = "",
        deadlines: Deadlines | None = None,
        plain_text_credentials: bool = False,
    ) -> None:
        self.deadlines = deadlines or Deadlines()
        self._connection = Connection(target, api_key, token, tls, tenant, plain_text_credentials)
        address, options = self._connection.address(), self._connection.options()
        self.channel = (
            grpc.aio.secure_channel(address, tls.credentials(), options)
            if tls
            else grpc.aio.insecure_channel(address, options)
        )
        """For stubs of services that have no method here, together with `call`."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection and the calls on it."""
        await self.channel.close()

    async def call(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[RequestT, ResponseT],
        request: RequestT,
        *,
        timeout: float | None = None,
        request_id: str = "",
    ) -> ResponseT:
        """Calls a method of any stub on `channel`, as the methods here are called.

        Raises:
            ClientError: The call failed.
        """
        request_id = request_id or new_id()
        try:
            return await method(
                request,
                timeout=chosen(timeout, self.deadlines.page),
                metadata=self._connection.metadata(request_id),
            )
        except grpc.aio.AioRpcError as failed:
            raise error_of(failed, request_id) from failed

    async def stream(
        self,
        method: grpc.aio.UnaryStreamMultiCallable[RequestT, ResponseT],
        request: RequestT,
        *,
        timeout: float | None = None,
        request_id: str = "",
    ) -> AsyncGenerator[ResponseT]:
        """Yields the answers of a method of any stub on `channel`.

        Raises:
            ClientError: The call failed.
        """
        request_id = request_id or new_id()
        answers = method(
            request,
            timeout=chosen(timeout, self.deadlines.stream),
            metadata=self._connection.metadata(request_id),
        )
        try:
            async for answer in answers:
                yield answer
        except grpc.aio.AioRpcError as failed:
            raise error_of(failed, request_id) from failed
        finally:
            answers.cancel()

    async def exchange(
        self,
        method: grpc.aio.StreamStreamMultiCallable[RequestT, ResponseT],
        requests: AsyncIterator[RequestT],
        *,
        timeout: float | None = None,
        request_id: str = "",
    ) -> AsyncGenerator[ResponseT]:
        """Yields the answers of a method of any stub on `channel` that takes a stream.

        Raises:
            ClientError: The call failed.
            Exception: What `requests` raised.
        """
        request_id = request_id or new_id()
        own_fault: list[Exception] = []

        async def sent() -> AsyncIterator[RequestT]:
            try:
                async for request in requests:
                    yield request
            except Exception as error:
                own_fault.append(error)
                answers.cancel()

        answers = method(
            sent(),
            timeout=chosen(timeout, self.deadlines.bulk),
            metadata=self._connection.metadata(request_id),
        )
        try:
            async for answer in answers:
                yield answer
        except asyncio.CancelledError:
            if own_fault:
                raise own_fault[0] from None
            raise
        except grpc.aio.AioRpcError as failed:
            raise error_of(failed, request_id) from failed
        finally:
            answers.cancel()
