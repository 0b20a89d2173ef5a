"""What must hold of every answer, whatever was asked."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import grpc
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status

from tests.fuzz.cases import Case
from tests.fuzz.client import ENDLESS, Outcome
from tests.fuzz.contract import broken_promises
from tests.fuzz.envelope import TIMEOUT
from tests.fuzz.leaks import leaks
from tests.fuzz.paths import names_a_field

_Code = grpc.StatusCode
ALLOWED = frozenset(
    {
        _Code.OK,
        _Code.INVALID_ARGUMENT,
        _Code.NOT_FOUND,
        _Code.ALREADY_EXISTS,
        _Code.ABORTED,
        _Code.FAILED_PRECONDITION,
        _Code.RESOURCE_EXHAUSTED,
    }
)
"""Codes that a healthy suite may answer to bad input; UNKNOWN, INTERNAL, UNAVAILABLE and a deadline
of 20 s that passes are faults of the suite."""
_MORE = "and "
"""How the description starts that counts the violations which did not fit."""
_MAX_DETAILS = 8 * 1024


def problems(case: Case, outcome: Outcome) -> list[str]:
    """Returns what is wrong with an answer; nothing for a good one."""
    if outcome.code is _Code.DEADLINE_EXCEEDED and case.timeout < TIMEOUT:
        return []  # the client itself says so, whatever the service would have said
    sent = _sent(case)
    found: list[str] = []
    if outcome.code not in ALLOWED:
        found.append(f"ended with {outcome.code.name}: {outcome.message[:300]!r}")
    if outcome.code is not _Code.OK:
        found += _of_error(case, outcome)
        found += leaks(_error_texts(outcome), sent)
    for response in outcome.responses:
        found += [f"{path} is not finite" for path in non_finite(response)]
        found += leaks(_told(response), sent)
        found += _of_rows(case, response)
    if outcome.code is _Code.OK and case.method.path not in ENDLESS:
        found += broken_promises(case, outcome.responses)
    return found


def is_too_large(outcome: Outcome) -> bool:
    """Whether gRPC itself refused what came, a message or metadata; it gives no details."""
    told = "larger than max", "metadata size exceeds"
    return outcome.code is _Code.RESOURCE_EXHAUSTED and any(t in outcome.message for t in told)


def _of_error(case: Case, outcome: Outcome) -> Iterator[str]:
    if outcome.status is None:
        if not is_too_large(outcome):
            yield f"{outcome.code.name} without google.rpc details: {outcome.message[:200]!r}"
        return
    if len(outcome.status.SerializeToString()) > _MAX_DETAILS:
        yield "details do not fit into 8 KiB of metadata"
    if not outcome.message.strip():
        yield f"{outcome.code.name} without a message"
    if outcome.code is _Code.INVALID_ARGUMENT:
        yield from _of_violations(case, _detail(outcome.status, BadRequest))
    if outcome.code is _Code.RESOURCE_EXHAUSTED and _detail(outcome.status, RetryInfo) is None:
        yield "RESOURCE_EXHAUSTED without RetryInfo"


def _of_violations(case: Case, bad_request: Any) -> Iterator[str]:
    if bad_request is None or not bad_request.field_violations:
        yield "INVALID_ARGUMENT names no field"
        return
    unparsed = len(case.messages()) < len(case.requests)
    for violation in bad_request.field_violations:
        if not violation.description:
            yield f"nothing is said about {violation.field!r}"
        if not violation.field:
            if not unparsed and not violation.description.startswith(_MORE):
                yield f"no field is named: {violation.description!r}"
        elif not names_a_field(violation.field, case.method.request.DESCRIPTOR):
            yield f"no such field: {violation.field!r} ({violation.description[:100]!r})"


def _of_rows(case: Case, response: Message) -> Iterator[str]:
    """Checks the errors of single rows, whose fields are those of the row."""
    for field, value in response.ListFields():
        if field.message_type is not None and field.message_type.name == "RowError":
            for error in value:
                if not error.reason:
                    yield f"row {error.row} is refused without a reason"
                if error.field and not any(
                    names_a_field(error.field, one.message_type)
                    for one in _all_below(case)
                    if one.message_type is not None
                ):
                    yield f"no such field of a row: {error.field!r} ({error.reason[:100]!r})"


def _all_below(case: Case) -> Iterator[FieldDescriptor]:
    for field in case.method.request.DESCRIPTOR.fields:
        yield field
        if field.message_type is not None:
            yield from field.message_type.fields


def _detail(status: Status, kind: type[Message]) -> Any:
    for packed in status.details:
        message = kind()
        if packed.Unpack(message):
            return message
    return None


def _error_texts(outcome: Outcome) -> Iterator[str]:
    yield outcome.message
    for packed in outcome.status.details if outcome.status else ():
        detail = _detail(outcome.status, BadRequest) if packed.Is(BadRequest.DESCRIPTOR) else None
        for violation in detail.field_violations if detail else ():
            yield violation.field
            yield violation.description


def _told(response: Message) -> Iterator[str]:
    """Yields the texts of an answer that are written by us for people, not taken from data."""
    for field, value in response.ListFields():
        kind = field.message_type.name if field.message_type is not None else ""
        if kind == "Degradation":
            yield from (text for one in value for text in (one.fallback, one.detail))
        elif kind == "RowError":
            yield from (text for one in value for text in (one.field, one.reason))


def non_finite(message: Message, prefix: str = "") -> Iterator[str]:
    """Yields the paths of numbers that are none."""
    for field, value in message.ListFields():
        path = f"{prefix}{field.name}"
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            values = list(value.values())
        else:
            values = list(value) if field.is_repeated else [value]
        for one in values:
            if isinstance(one, Message):
                yield from non_finite(one, f"{path}.")
            elif isinstance(one, float) and not math.isfinite(one):
                yield path


def _sent(case: Case) -> str:
    """Returns all that the caller said, as bytes read as text."""
    carried = (value for _, value in case.metadata)
    return "\n".join(
        raw if isinstance(raw, str) else raw.decode("utf-8", "replace")
        for raw in (*case.requests, *carried)
    )
