"""Bodies of requests that a page of our own may send, and no other."""

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

from shared.errors import InvalidArgumentError

MAX_BODY: Final = 64 * 1024


async def read_json_body(request: Request, most: int = MAX_BODY) -> bytes:
    """Returns the body of a request from the same origin, at most `most` bytes.

    Raises:
        InvalidArgumentError: Another site's page asks, the type is not JSON, or it is too long.
    """
    origin = request.headers.get("origin")
    if origin and urlsplit(origin).netloc != request.headers.get("host"):
        raise InvalidArgumentError.of("origin", "pages of other sites may not ask")
    # A form of another site cannot send this type without asking the browser first.
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise InvalidArgumentError.of("content-type", "must be application/json")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise InvalidArgumentError.of("", f"at most {most:,} bytes")
    return bytes(body)
