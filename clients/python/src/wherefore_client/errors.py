"""What a call may fail with, by its gRPC code, with what the server says beside it.

The codes and when they come are listed in the documentation (errors.md).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import BadRequest, RequestInfo, RetryInfo
from google.rpc.status_pb2 import Status

DETAILS_KEY = "grpc-status-details-bin"
"""Where the trailing metadata of a call holds its google.rpc.Status."""

_MessageT = TypeVar("_MessageT", bound=Message)


class FailedCall(Protocol):
    """What gRPC's errors of both kinds, sync and asyncio, can be asked."""

    def code(self) -> grpc.StatusCode:
        """Returns the code."""
        ...

    def details(self) -> str | None:
        """Returns the text."""
        ...

    def trailing_metadata(self) -> Iterable[Any] | None:
        """Returns what the server sent at the end: pairs of key and value."""
        ...


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field at fault."""

    field: str
    """Path of the field, such as "facets[0].key"; empty for the whole message."""
    description: str
    """What is wrong with it and what to do."""


class ClientError(Exception):
    """A call failed. `__cause__` is gRPC's own error."""

    code: grpc.StatusCode = grpc.StatusCode.UNKNOWN

    def __init__(
        self,
        message: str,
        *,
        request_id: str = "",
        violations: tuple[FieldViolation, ...] = (),
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.request_id = request_id
        """Stands in every service's log line for the call."""
        self.violations = violations
        """The fields at fault, of INVALID_ARGUMENT."""
        self.retry_after_seconds = retry_after_seconds
        """When the server wants to be asked again; None when it did not say."""

    def __str__(self) -> str:
        """The code, the message and each field at fault."""
        named = (f"{each.field}: {each.description}" for each in self.violations if each.field)
        text = "; ".join(named) or self.message
        return f"{self.code.name}: {text} (request {self.request_id})"


class InvalidArgumentError(ClientError):
    """The request breaks the contract; `violations` name its fields."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class UnauthenticatedError(ClientError):
    """No credential, or none that holds."""

    code = grpc.StatusCode.UNAUTHENTICATED


class PermissionDeniedError(ClientError):
    """The credential does not cover the method or the tenant."""

    code = grpc.StatusCode.PERMISSION_DENIED


class NotFoundError(ClientError):
    """What the request names is not there."""

    code = grpc.StatusCode.NOT_FOUND


class AlreadyExistsError(ClientError):
    """What is to be made is there."""

    code = grpc.StatusCode.ALREADY_EXISTS


class AbortedError(ClientError):
    """Somebody else changed it first: read it again and retry the whole."""

    code = grpc.StatusCode.ABORTED


class FailedPreconditionError(ClientError):
    """The system is not in the state that the request needs."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class ResourceExhaustedError(ClientError):
    """Overload, or this caller calls too fast: ask again after `retry_after_seconds`."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED


class UnavailableError(ClientError):
    """Nobody answers, or a part that the answer needs cannot be reached."""

    code = grpc.StatusCode.UNAVAILABLE


class DeadlineExceededError(ClientError):
    """No answer in time. A write may have been done."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED


class CancelledCallError(ClientError):
    """The call was given up."""

    code = grpc.StatusCode.CANCELLED


class UnimplementedError(ClientError):
    """The server does not have the method."""

    code = grpc.StatusCode.UNIMPLEMENTED


class InternalError(ClientError):
    """A fault of the suite; its log has it under the request id."""

    code = grpc.StatusCode.INTERNAL


_KINDS: dict[grpc.StatusCode, type[ClientError]] = {
    kind.code: kind for kind in ClientError.__subclasses__()
}


def error_of(failed: FailedCall, request_id: str) -> ClientError:
    """Returns what a failed call says, details included.

    Args:
        failed: gRPC's own error.
        request_id: The id that the call was sent with.
    """
    code = failed.code()
    status = _status_of(failed)
    bad_request = _detail(status, BadRequest) or BadRequest()
    retry = _detail(status, RetryInfo)
    told = _detail(status, RequestInfo)
    error = _KINDS.get(code, ClientError)(
        failed.details() or code.name,
        request_id=(told.request_id if told else "") or request_id,
        violations=tuple(
            FieldViolation(each.field, each.description) for each in bad_request.field_violations
        ),
        retry_after_seconds=retry.retry_delay.ToNanoseconds() / 1e9 if retry else None,
    )
    if type(error) is ClientError:
        error.code = code
    return error


def _status_of(failed: FailedCall) -> Status:
    for key, value in failed.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                return Status.FromString(value)
            except DecodeError:
                break
    return Status()


def _detail(status: Status, kind: type[_MessageT]) -> _MessageT | None:
    """Returns the first detail of a kind; None where there is none, or none that can be read."""
    for packed in status.details:
        message = kind()
        try:
            if packed.Unpack(message):
                return message
        except DecodeError:
            return None
    return None
