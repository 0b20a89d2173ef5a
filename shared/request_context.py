"""Who is asking: the id that ties together every log line, error and span of one request."""

import re
import uuid
from contextvars import ContextVar

REQUEST_ID_KEY = "x-request-id"
"""Metadata key, in requests and in the trailing metadata of responses."""

PRIORITY_KEY = "x-priority"
"""Metadata key of requests: BATCH for calls of jobs, which wait until no call of people does."""
BATCH = "batch"

# An id is echoed into logs and metadata: what could forge a line or a header is refused.
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_batch: ContextVar[bool] = ContextVar("batch", default=False)


def current_request_id() -> str:
    """Returns the id of the request being answered; empty outside any request."""
    return _request_id.get()


def set_request_id(request_id: str) -> None:
    """Makes `request_id` the id of everything that this task does from now on."""
    _request_id.set(request_id)


def current_batch() -> bool:
    """Whether the request being answered is a job's."""
    return _batch.get()


def set_batch(batch: bool) -> None:
    """Says whether what this task does from now on is done for a job."""
    _batch.set(batch)


def accept_request_id(candidate: str | bytes | None) -> str:
    """Returns the caller's id when it is harmless, and a new one otherwise."""
    if isinstance(candidate, str) and _ACCEPTABLE.fullmatch(candidate):
        return candidate
    return uuid.uuid4().hex
