"""Calls on one channel: deadline, request id, credentials and errors of each."""

# gRPC's types are generic in its stubs only.
from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Self, TypeVar

import grpc

from wherefore_client.connection import Connection, Tls, new_id
from wherefore_client.deadlines import Deadlines, chosen
from wherefore_client.errors import error_of

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")


class Calls:
    """What the client is made of; arguments are those of `Client`."""

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
            grpc.secure_channel(address, tls.credentials(), options)
            if tls
            else grpc.insecure_channel(address, options)
        )
        """For stubs of services that have no method here, together with `call`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection and the calls on it."""
        self.channel.close()

    def call(
        self,
        method: grpc.UnaryUnaryMultiCallable[RequestT, ResponseT],
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
            return method(
                request,
                timeout=chosen(timeout, self.deadlines.page),
                metadata=self._connection.metadata(request_id),
            )
        except grpc.RpcError as failed:
            raise _error(failed, request_id) from failed

    def stream(
        self,
        method: grpc.UnaryStreamMultiCallable[RequestT, ResponseT],
        request: RequestT,
        *,
        timeout: float | None = None,
        request_id: str = "",
    ) -> Generator[ResponseT]:
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
            yield from answers
        except grpc.RpcError as failed:
            raise _error(failed, request_id) from failed
        finally:
            answers.cancel()

    def exchange(
        self,
        method: grpc.StreamStreamMultiCallable[RequestT, ResponseT],
        requests: Iterator[RequestT],
        *,
        timeout: float | None = None,
        request_id: str = "",
    ) -> Generator[ResponseT]:
        """Yields the answers of a method of any stub on `channel` that takes a stream.

        Raises:
            ClientError: The call failed.
            Exception: What `requests` raised.
        """
        request_id = request_id or new_id()
        begun = threading.Event()
        own_fault: list[Exception] = []

        def sent() -> Iterator[RequestT]:
            begun.wait()
            try:
                yield from requests
            except Exception as error:
                own_fault.append(error)
                answers.cancel()

        answers = method(
            sent(),
            timeout=chosen(timeout, self.deadlines.bulk),
            metadata=self._connection.metadata(request_id),
        )
        begun.set()
        try:
            yield from answers
        except grpc.RpcError as failed:
            raise (own_fault[0] if own_fault else _error(failed, request_id)) from failed
        finally:
            answers.cancel()


def _error(failed: grpc.RpcError, request_id: str) -> Exception:
    """Returns the client's error of gRPC's."""
    return error_of(failed, request_id) if isinstance(failed, grpc.Call) else failed
