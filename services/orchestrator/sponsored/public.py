"""Answers as browsers may have them: without what a click costs."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from wherefore.orchestrator.v1.search_service_pb2 import (
    SearchRequest,
    SearchResponse,
    SearchStreamRequest,
    SearchStreamResponse,
)


def without_prices(
    search: Callable[[SearchRequest], Awaitable[SearchResponse]],
) -> Callable[[SearchRequest], Awaitable[SearchResponse]]:
    """Returns a search whose answers do not tell prices of clicks."""

    async def answer(request: SearchRequest) -> SearchResponse:
        response = await search(request)
        _clear(response)
        return response

    return answer


def stream_without_prices(
    stream: Callable[[SearchStreamRequest], AsyncGenerator[SearchStreamResponse]],
) -> Callable[[SearchStreamRequest], AsyncGenerator[SearchStreamResponse]]:
    """Returns a streamed search, likewise."""

    async def answer(request: SearchStreamRequest) -> AsyncGenerator[SearchStreamResponse]:
        async with aclosing(stream(request)) as parts:
            async for part in parts:
                _clear(part.page)
                yield part

    return answer


def _clear(response: SearchResponse) -> None:
    for result in response.results:
        if result.HasField("sponsored"):
            result.sponsored.ClearField("price")
