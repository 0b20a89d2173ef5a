"""A google.rpc.Status and its details on the wire: how they are packed, found and kept short."""

from collections.abc import Iterable
from typing import TypeVar

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message
from google.rpc.status_pb2 import Status

DETAILS_KEY = "grpc-status-details-bin"
"""Where a call's trailing metadata holds the status."""

# Details travel in HTTP/2 metadata, of which gRPC clients accept 8 KiB unless told otherwise; an
# error past that reaches them as a RESOURCE_EXHAUSTED of their own.
_MAX_TEXT_BYTES = 512

_MessageT = TypeVar("_MessageT", bound=Message)


def status_of(error: grpc.aio.AioRpcError) -> Status | None:
    """Returns the status in the trailing metadata of a failed call, if there is one to trust."""
    metadata: Iterable[tuple[str, str | bytes]] = error.trailing_metadata() or ()
    for key, value in metadata:
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                status = Status.FromString(value)
            except DecodeError:
                return None
            # A status that contradicts the code on the wire is not to be trusted.
            return status if status.code == number_of(error.code()) else None
    return None


def detail_of(status: Status, kind: type[_MessageT]) -> _MessageT | None:
    """Returns the first detail of a kind; None when there is none or it cannot be read."""
    for packed in status.details:
        message = kind()
        try:
            # False when it holds another kind.
            if packed.Unpack(message):
                return message
        except DecodeError:
            return None
    return None


def number_of(code: grpc.StatusCode) -> int:
    """Returns the number of a code, as google.rpc.Status has it."""
    number: int = code.value[0]
    return number


_CODES = {number_of(code): code for code in grpc.StatusCode}


def code_of(number: int) -> grpc.StatusCode:
    """Returns the code of a number; UNKNOWN where there is none."""
    return _CODES.get(number, grpc.StatusCode.UNKNOWN)


def short_text(text: str) -> str:
    """Returns `text` cut to size, lone surrogates replaced: protobuf refuses what is not UTF-8."""
    cut = text.encode("utf-8", "replace")[:_MAX_TEXT_BYTES]
    return cut.decode("utf-8", "ignore")
