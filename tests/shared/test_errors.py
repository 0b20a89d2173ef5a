import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RequestInfo, RetryInfo

from shared import errors
from shared.errors import FieldViolation, InvalidArgumentError, error_from_status, status_proto
from shared.request_context import set_request_id

_PLAIN = [
    (errors.NotFoundError, grpc.StatusCode.NOT_FOUND),
    (errors.AlreadyExistsError, grpc.StatusCode.ALREADY_EXISTS),
    (errors.AbortedError, grpc.StatusCode.ABORTED),
    (errors.FailedPreconditionError, grpc.StatusCode.FAILED_PRECONDITION),
    (errors.DeadlineExceededError, grpc.StatusCode.DEADLINE_EXCEEDED),
    (errors.RequestCancelledError, grpc.StatusCode.CANCELLED),
    (errors.UnimplementedError, grpc.StatusCode.UNIMPLEMENTED),
    (errors.ResourceExhaustedError, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (errors.UnavailableError, grpc.StatusCode.UNAVAILABLE),
]


def _detail(status, kind):
    for packed in status.details:
        message = kind()
        if packed.Unpack(message):
            return message
    return None


@pytest.mark.parametrize(("kind", "code"), _PLAIN)
def test_every_error_survives_the_wire(kind, code):
    status = status_proto(kind("something is off"))
    assert status.code == code.value[0]
    assert _detail(status, ErrorInfo) == ErrorInfo(reason=code.name, domain="wherefore")
    back = error_from_status(status)
    assert type(back) is kind
    assert back.message == "something is off"


def test_fields_of_a_request_within_a_request():
    error = InvalidArgumentError(FieldViolation("items[2].id", "is bad"), FieldViolation("", "no"))
    fields = [violation.field for violation in error.below("request").violations]
    assert fields == ["request.items[2].id", "request"]


def test_field_violations_survive_the_wire():
    violations = (FieldViolation("query", "too long"), FieldViolation("", "no"))
    back = error_from_status(status_proto(InvalidArgumentError(*violations)))
    assert isinstance(back, InvalidArgumentError)
    assert back.violations == violations
    assert back.message == "query: too long; no"


def test_retry_info_survives_the_wire():
    status = status_proto(errors.ResourceExhaustedError("busy", retry_after_seconds=0.25))
    assert _detail(status, RetryInfo).retry_delay.ToMilliseconds() == 250
    assert error_from_status(status).retry_after_seconds == 0.25


async def test_request_info_inside_a_request():
    set_request_id("abc")
    assert _detail(status_proto(errors.NotFoundError("x")), RequestInfo).request_id == "abc"


def test_internal_errors_keep_their_text():
    status = status_proto(errors.InternalError("password is hunter2"))
    assert "hunter2" not in str(status)
    assert isinstance(error_from_status(status), errors.InternalError)


def test_details_stay_small_enough_for_metadata():
    violations = [FieldViolation("名" * 5000, "错" * 5000) for _ in range(200)]
    status = status_proto(InvalidArgumentError(*violations))
    assert status.ByteSize() < 6000
    last = _detail(status, BadRequest).field_violations[-1]
    assert last.description.startswith("and 19")


def test_lone_surrogates_do_not_break_the_error():
    status = status_proto(InvalidArgumentError.of("query", "bad \udcff"))
    assert _detail(status, BadRequest).field_violations[0].description == "bad ?"


def test_the_key_of_a_map_is_told_so_that_it_ends():
    assert errors.entry_path("titles", "zh-Hans") == 'titles["zh-Hans"]'
    assert errors.entry_path("titles", 'a"],\x1b中') == 'titles["a\\"],\\u001b中"]'
