"""One tree of errors, and its way to and from the wire.

    WhereforeError
    ├── InvalidArgumentError      INVALID_ARGUMENT     BadRequest: which fields, and why
    ├── NotFoundError             NOT_FOUND
    ├── AlreadyExistsError        ALREADY_EXISTS
    ├── AbortedError              ABORTED              somebody else changed it first
    ├── FailedPreconditionError   FAILED_PRECONDITION
    ├── UnauthenticatedError      UNAUTHENTICATED      no credential, or none that holds
    ├── PermissionDeniedError     PERMISSION_DENIED    the credential does not cover the call
    ├── ResourceExhaustedError    RESOURCE_EXHAUSTED   RetryInfo
    ├── UnavailableError          UNAVAILABLE          RetryInfo
    ├── DeadlineExceededError     DEADLINE_EXCEEDED
    ├── RequestCancelledError     CANCELLED
    ├── UnimplementedError        UNIMPLEMENTED
    └── InternalError             INTERNAL             ours to fix; its text never leaves

Handlers raise these; the outermost interceptor turns them into a code with google.rpc details
(https://google.aip.dev/193), and `error_from_rpc` turns those back for whoever called.
"""

import json
from dataclasses import dataclass
from typing import ClassVar, Self

import grpc
import grpc.aio
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RequestInfo, RetryInfo
from google.rpc.status_pb2 import Status

from shared.request_context import current_request_id
from shared.status_details import code_of, detail_of, number_of, short_text, status_of

ERROR_DOMAIN = "wherefore"
INTERNAL_TEXT = "internal error; the request id finds it in the logs"
SERVER_FAULTS = frozenset(
    {
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
    }
)
"""Codes by which a service fails its caller; by the others the caller, or nobody, is at fault."""

DEPENDENCY_FAULTS = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
    }
)
"""Codes that say that a dependency itself is not well, which its breaker counts: refusing a
request, or load, is an answer."""

# Details travel in metadata, whose size clients limit; see `status_details`.
_MAX_VIOLATION_BYTES = 2048


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field at fault."""

    field: str
    """Path of the field, such as "products[3].price.amount"; empty for the whole message."""
    description: str
    """What is wrong with it and what to do."""


def entry_path(field: str, key: str) -> str:
    """Returns the path of a map's entry, such as `titles["en"]`; the key as a JSON string."""
    return f"{field}[{json.dumps(key, ensure_ascii=False)}]"


class WhereforeError(Exception):
    """An error with a gRPC code and a message that the caller may read."""

    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.INTERNAL
    retry_after_seconds: float | None = None
    """Seconds after which asking again makes sense; None when it makes none."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidArgumentError(WhereforeError):
    """The request breaks the contract, whatever the state of the system."""

    code = grpc.StatusCode.INVALID_ARGUMENT

    def __init__(self, *violations: FieldViolation, message: str = "") -> None:
        super().__init__(message or "; ".join(map(_describe, violations)) or "invalid argument")
        self.violations = violations

    @classmethod
    def of(cls, field: str, description: str) -> Self:
        """Returns the error of a single field."""
        return cls(FieldViolation(field, description))

    def below(self, parent: str) -> Self:
        """Returns the same error of a request that holds the one at fault as its field `parent`."""
        return type(self)(
            *(
                FieldViolation(f"{parent}.{each.field}" if each.field else parent, each.description)
                for each in self.violations
            )
        )


class NotFoundError(WhereforeError):
    """The thing named does not exist."""

    code = grpc.StatusCode.NOT_FOUND


class AlreadyExistsError(WhereforeError):
    """The thing to be made exists."""

    code = grpc.StatusCode.ALREADY_EXISTS


class AbortedError(WhereforeError):
    """Somebody else changed the thing first; read it again and retry the whole."""

    code = grpc.StatusCode.ABORTED


class FailedPreconditionError(WhereforeError):
    """The system is not in the state that the request needs."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class UnauthenticatedError(WhereforeError):
    """The call has no credential that holds. Why it does not is for logs only."""

    code = grpc.StatusCode.UNAUTHENTICATED


class PermissionDeniedError(WhereforeError):
    """The credential holds, and does not cover this call."""

    code = grpc.StatusCode.PERMISSION_DENIED


class DeadlineExceededError(WhereforeError):
    """The answer was not ready in time."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED


class RequestCancelledError(WhereforeError):
    """The caller went away."""

    code = grpc.StatusCode.CANCELLED


class UnimplementedError(WhereforeError):
    """This server does not have the method."""

    code = grpc.StatusCode.UNIMPLEMENTED


class InternalError(WhereforeError):
    """Something broke that the caller cannot mend. The message is for logs only."""

    code = grpc.StatusCode.INTERNAL


class ResourceExhaustedError(WhereforeError):
    """Too much is being asked at once."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED

    def __init__(self, message: str, retry_after_seconds: float = 0.5) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class UnavailableError(WhereforeError):
    """A part that the answer needs cannot be reached now."""

    code = grpc.StatusCode.UNAVAILABLE

    def __init__(self, message: str, retry_after_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class CircuitOpenError(UnavailableError):
    """A part kept failing, so it was not asked."""


_PLAIN: dict[grpc.StatusCode, type[WhereforeError]] = {
    error.code: error
    for error in (
        NotFoundError,
        AlreadyExistsError,
        AbortedError,
        FailedPreconditionError,
        UnauthenticatedError,
        PermissionDeniedError,
        DeadlineExceededError,
        RequestCancelledError,
        UnimplementedError,
    )
}


def status_proto(error: WhereforeError) -> Status:
    """Returns the google.rpc.Status of an error, details included.

    ErrorInfo always; BadRequest for field violations; RetryInfo where retrying makes sense;
    RequestInfo inside a request. An InternalError keeps its text to itself.
    """
    internal = error.code is grpc.StatusCode.INTERNAL
    status = Status(
        code=number_of(error.code), message=INTERNAL_TEXT if internal else short_text(error.message)
    )
    status.details.add().Pack(ErrorInfo(reason=error.code.name, domain=ERROR_DOMAIN))
    if isinstance(error, InvalidArgumentError) and error.violations:
        status.details.add().Pack(_bad_request(error.violations))
    if error.retry_after_seconds is not None:
        retry = RetryInfo()
        retry.retry_delay.FromNanoseconds(round(error.retry_after_seconds * 1e9))
        status.details.add().Pack(retry)
    if request_id := current_request_id():
        status.details.add().Pack(RequestInfo(request_id=request_id))
    return status


def error_from_status(status: Status) -> WhereforeError:
    """Returns the error that `status_proto` made `status` from."""
    return _build(code_of(status.code), status.message, status)


def error_from_rpc(error: grpc.aio.AioRpcError) -> WhereforeError:
    """Returns the error that a call failed with, details included.

    A failure of gRPC itself (nobody listens, a connection broke) carries no details, and its text
    names addresses; it gets a text of ours, and the original stays reachable as `__cause__`.
    """
    status = status_of(error)
    if status is None:
        code = error.code()
        text = error.details() or ""
        if code is grpc.StatusCode.UNAVAILABLE:
            text = "a service that the answer needs cannot be reached"
        built = _build(code, text, Status())
    else:
        built = error_from_status(status)
    built.__cause__ = error
    return built


def request_id_of(error: grpc.aio.AioRpcError) -> str:
    """Returns the request id in a failed call's details, or an empty text."""
    info = detail_of(status_of(error) or Status(), RequestInfo)
    return info.request_id if info else ""


def _build(code: grpc.StatusCode, message: str, status: Status) -> WhereforeError:
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        bad_request = detail_of(status, BadRequest) or BadRequest()
        return InvalidArgumentError(
            *(FieldViolation(v.field, v.description) for v in bad_request.field_violations),
            message=message,
        )
    retry = detail_of(status, RetryInfo)
    seconds = retry.retry_delay.ToNanoseconds() / 1e9 if retry else None
    if code is grpc.StatusCode.UNAVAILABLE:
        return UnavailableError(message, 1.0 if seconds is None else seconds)
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return ResourceExhaustedError(message, 0.5 if seconds is None else seconds)
    if code in _PLAIN:
        return _PLAIN[code](message)
    return InternalError(f"{code.name}: {message}")


def _describe(violation: FieldViolation) -> str:
    return (
        f"{violation.field}: {violation.description}" if violation.field else violation.description
    )


def _bad_request(violations: tuple[FieldViolation, ...]) -> BadRequest:
    """Returns as many violations as fit; the last entry counts those that do not."""
    bad_request = BadRequest()
    for index, violation in enumerate(violations):
        if bad_request.ByteSize() > _MAX_VIOLATION_BYTES:
            bad_request.field_violations.add(description=f"and {len(violations) - index} more")
            break
        bad_request.field_violations.add(
            field=short_text(violation.field), description=short_text(violation.description)
        )
    return bad_request
