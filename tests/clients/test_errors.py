"""Errors as typed exceptions, from what is on the wire."""

import grpc
import pytest
from google.rpc.status_pb2 import Status

from shared.errors import FieldViolation as SuiteViolation
from shared.errors import InvalidArgumentError as SuiteInvalidArgument
from shared.errors import ResourceExhaustedError as SuiteResourceExhausted
from shared.errors import status_proto
from shared.request_context import set_request_id
from wherefore_client import (
    ClientError,
    FieldViolation,
    InvalidArgumentError,
    ResourceExhaustedError,
    errors,
)


class Failed:
    """A call of gRPC's that failed."""

    def __init__(self, code: grpc.StatusCode, text: str | None, **metadata: bytes) -> None:
        self._code, self._text, self._metadata = code, text, metadata

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str | None:
        return self._text

    def trailing_metadata(self) -> list[tuple[str, bytes]]:
        return [(key.replace("_", "-"), value) for key, value in self._metadata.items()]


def told(status: Status) -> dict[str, bytes]:
    return {errors.DETAILS_KEY.replace("-", "_"): status.SerializeToString()}


def test_fields_at_fault_are_told():
    violations = SuiteViolation("page_size", "must be at least 0"), SuiteViolation("", "no query")
    status = status_proto(SuiteInvalidArgument(*violations))
    failed = Failed(grpc.StatusCode.INVALID_ARGUMENT, "invalid argument", **told(status))
    error = errors.error_of(failed, "r-1")
    assert isinstance(error, InvalidArgumentError)
    assert error.violations == (
        FieldViolation("page_size", "must be at least 0"),
        FieldViolation("", "no query"),
    )
    assert str(error) == "INVALID_ARGUMENT: page_size: must be at least 0 (request r-1)"


async def test_the_suite_says_when_to_come_again_and_by_which_id():
    set_request_id("of-the-server")
    status = status_proto(SuiteResourceExhausted("busy", 0.25))
    failed = Failed(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy", **told(status))
    error = errors.error_of(failed, "of-the-client")
    assert isinstance(error, ResourceExhaustedError)
    assert error.retry_after_seconds == 0.25
    assert error.request_id == "of-the-server"
    assert error.message == "busy"


@pytest.mark.parametrize("code", [each for each in grpc.StatusCode if each.value[0]])
def test_every_code_has_an_error(code: grpc.StatusCode):
    error = errors.error_of(Failed(code, None), "r-1")
    assert error.code is code
    assert error.message == code.name
    assert error.retry_after_seconds is None
    foreign = {grpc.StatusCode.UNKNOWN, grpc.StatusCode.OUT_OF_RANGE, grpc.StatusCode.DATA_LOSS}
    assert (type(error) is ClientError) == (code in foreign)


def test_details_that_cannot_be_read_are_no_details():
    broken = Status(code=3)
    broken.details.add(type_url="type.googleapis.com/google.rpc.BadRequest", value=b"\xff")
    for details in (told(broken), {"grpc_status_details_bin": b"\xff\xff"}):
        error = errors.error_of(Failed(grpc.StatusCode.INVALID_ARGUMENT, "bad", **details), "r-1")
        assert isinstance(error, InvalidArgumentError)
        assert not error.violations
