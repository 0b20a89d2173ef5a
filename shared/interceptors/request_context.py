"""Gives every call its request id."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from shared.interceptors.pipeline import Call, Context, Layer
from shared.request_context import REQUEST_ID_KEY, accept_request_id, set_request_id


class RequestContextLayer(Layer):
    """Takes the caller's x-request-id, or makes one, and sends it back in the trailing metadata."""

    @asynccontextmanager
    async def around(self, call: Call, context: Context) -> AsyncGenerator[None, None]:
        """See `Layer.around`."""
        request_id = accept_request_id(dict(call.metadata).get(REQUEST_ID_KEY))
        set_request_id(request_id)
        context.set_trailing_metadata(((REQUEST_ID_KEY, request_id),))
        yield
