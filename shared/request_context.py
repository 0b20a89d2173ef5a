"""Who is asking, and the id that ties together every log line, error and span of one request."""

import re
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

REQUEST_ID_KEY = "x-request-id"
"""Metadata key, in requests and in the trailing metadata of responses."""

PRIORITY_KEY = "x-priority"
"""Metadata key of requests: BATCH for calls of jobs, which wait until no call of people does."""
BATCH = "batch"

TENANT_KEY = "x-wherefore-tenant"
"""Metadata key of calls between services: whose data the call is about."""

API_KEY_KEY = "x-api-key"
"""Metadata key of an API key; `authorization: Bearer KEY` says the same."""

CALLER_KEY = "x-wherefore-caller"
"""Metadata key of calls between services: who called at the edge, for logs."""

# An id is echoed into logs and metadata: what could forge a line or a header is refused.
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request is answered for, as its credential says."""

    name: str = ""
    """Name of the key, subject of the token or service of the certificate; empty for nobody."""
    tenant: str = ""
    """Whose data it may see; empty for the only one of a suite without tenants."""
    roles: frozenset[str] = frozenset()
    """What it may do, as `shared.security.policy` names it."""
    accounts: frozenset[str] = frozenset()
    """Accounts whose terms it may be answered by; see `shared.security.accounts`."""


NOBODY = Caller()
"""Whoever calls while security is off."""

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_caller: ContextVar[Caller] = ContextVar("caller", default=NOBODY)
_batch: ContextVar[bool] = ContextVar("batch", default=False)


def current_request_id() -> str:
    """Returns the id of the request being answered; empty outside any request."""
    return _request_id.get()


def set_request_id(request_id: str) -> None:
    """Makes `request_id` the id of everything that this task does from now on."""
    _request_id.set(request_id)


def current_caller() -> Caller:
    """Returns who the request being answered is answered for; NOBODY outside any request."""
    return _caller.get()


def current_tenant() -> str:
    """Returns the tenant whose data this task works on; empty without tenants."""
    return _caller.get().tenant


def set_caller(caller: Caller) -> None:
    """Makes `caller` the one that this task works for from now on."""
    _caller.set(caller)


@contextmanager
def working_for(tenant: str) -> Generator[None]:
    """Lets what the block does, and the tasks it starts, be done for a tenant."""
    token = _caller.set(Caller(tenant=tenant))
    try:
        yield
    finally:
        _caller.reset(token)


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
