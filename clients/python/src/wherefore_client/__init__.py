"""A thin client of Wherefore: deadlines, retries, credentials, request ids and typed errors.

Messages are the contracts' own, of the package `wherefore` beside this one::

    from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
    from wherefore_client import Client

    with Client("localhost:7700") as client:
        page = client.search(SearchRequest(query="steel kettle"))

`AsyncClient` has the same methods for asyncio.
"""

from wherefore_client.aio import AsyncClient
from wherefore_client.client import Client
from wherefore_client.connection import Tls
from wherefore_client.deadlines import Deadlines
from wherefore_client.errors import (
    AbortedError,
    AlreadyExistsError,
    CancelledCallError,
    ClientError,
    DeadlineExceededError,
    FailedPreconditionError,
    FieldViolation,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    ResourceExhaustedError,
    UnauthenticatedError,
    UnavailableError,
    UnimplementedError,
)
from wherefore_client.events import event_after

__all__ = [
    "AbortedError",
    "AlreadyExistsError",
    "AsyncClient",
    "CancelledCallError",
    "Client",
    "ClientError",
    "DeadlineExceededError",
    "Deadlines",
    "FailedPreconditionError",
    "FieldViolation",
    "InternalError",
    "InvalidArgumentError",
    "NotFoundError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "Tls",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "event_after",
]
