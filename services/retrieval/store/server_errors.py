"""What a Qdrant server fails with, as errors of ours."""

import functools
from collections.abc import Callable
from typing import Concatenate, Final, ParamSpec, TypeVar

import httpx
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from shared.errors import InternalError, UnavailableError

_SERVER_ERROR: Final = 500

P = ParamSpec("P")
T = TypeVar("T")
SelfT = TypeVar("SelfT")


def translate_errors(
    method: Callable[Concatenate[SelfT, P], T],
) -> Callable[Concatenate[SelfT, P], T]:
    """Turns the client's exceptions into ours; what the server cannot do now is UNAVAILABLE."""

    @functools.wraps(method)
    def wrapper(self: SelfT, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(self, *args, **kwargs)
        except UnexpectedResponse as error:
            if (error.status_code or _SERVER_ERROR) >= _SERVER_ERROR:
                raise UnavailableError("the Qdrant server failed") from error
            raise InternalError(f"the Qdrant server refused a call: {error}") from error
        except ResourceExhaustedResponse as error:
            raise UnavailableError(
                "the Qdrant server is overloaded", retry_after_seconds=float(error.retry_after_s)
            ) from error
        except (ResponseHandlingException, httpx.HTTPError, ConnectionError) as error:
            raise UnavailableError("the Qdrant server cannot be reached") from error

    return wrapper
