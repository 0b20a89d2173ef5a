"""Streamed answers over HTTP, as server-sent events (the WHATWG HTML standard, section 9.2)."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from google.protobuf import json_format
from google.protobuf.message import Message
from starlette.responses import StreamingResponse


def event_stream(
    first: Message, parts: AsyncGenerator[Message], headers: dict[str, str]
) -> StreamingResponse:
    """Returns a response of one event a message, each a message of the contract in JSON.

    Args:
        first: Was read already, so that an error before it has a status of its own.
        parts: The others; closed when the reader goes away. An error ends the stream, which a
            reader knows by the missing last message of the contract.
        headers: Of the response.
    """

    async def events() -> AsyncIterator[str]:
        async with aclosing(parts):
            yield _event(first)
            async for part in parts:
                yield _event(part)

    # Proxies that gather an answer before they pass it on would take its point away.
    headers = headers | {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(events(), media_type="text/event-stream", headers=headers)


def _event(message: Message) -> str:
    content = json_format.MessageToDict(message, always_print_fields_with_no_presence=False)
    return f"data: {json.dumps(content, ensure_ascii=False, separators=(',', ':'))}\n\n"
