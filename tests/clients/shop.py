"""An orchestrator whose answers a test puts in, and which keeps what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc.aio

from wherefore.orchestrator.v1.explanation_service_pb2 import ExplainResponse
from wherefore.orchestrator.v1.explanation_service_pb2_grpc import (
    ExplanationServiceServicer,
    add_ExplanationServiceServicer_to_server,
)
from wherefore.orchestrator.v1.product_service_pb2 import (
    ProductServiceImportResponse,
    ProductServiceUpdateResponse,
)
from wherefore.orchestrator.v1.product_service_pb2_grpc import (
    ProductServiceServicer,
    add_ProductServiceServicer_to_server,
)
from wherefore.orchestrator.v1.search_service_pb2 import SearchResponse, SearchStreamResponse
from wherefore.orchestrator.v1.search_service_pb2_grpc import (
    SearchServiceServicer,
    add_SearchServiceServicer_to_server,
)
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteResponse
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import (
    UserEventServiceServicer,
    add_UserEventServiceServicer_to_server,
)

PACKAGE = "wherefore.orchestrator.v1"


@dataclass(frozen=True, slots=True)
class Asked:
    """One call as it came."""

    method: str
    request: Any
    metadata: dict[str, str | bytes]
    seconds_left: float


class Shop(
    SearchServiceServicer,
    ExplanationServiceServicer,
    UserEventServiceServicer,
    ProductServiceServicer,
):
    """Answers emptily until told otherwise."""

    service_names = tuple(
        f"{PACKAGE}.{name}Service" for name in ("Search", "Explanation", "UserEvent", "Product")
    )

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.ready_error: Exception | None = None
        self.act: Callable[[Asked, Any], Awaitable[None]] | None = None
        """Runs before a call is answered; may raise or abort."""
        self.answer = SearchResponse()
        self.given_up = asyncio.Event()
        """Set once a stream has ended."""

    async def start(self) -> None:
        pass

    async def check_ready(self) -> None:
        if self.ready_error is not None:
            raise self.ready_error

    async def close(self) -> None:
        pass

    def register(self, server: grpc.aio.Server) -> None:
        add_SearchServiceServicer_to_server(self, server)
        add_ExplanationServiceServicer_to_server(self, server)
        add_UserEventServiceServicer_to_server(self, server)
        add_ProductServiceServicer_to_server(self, server)

    async def _take(self, method: str, request: Any, context: Any) -> None:
        left = context.time_remaining()
        asked = Asked(method, request, dict(context.invocation_metadata()), left)
        self.asked.append(asked)
        if self.act is not None:
            await self.act(asked, context)

    async def Search(self, request, context):  # noqa: N802
        await self._take("Search", request, context)
        return self.answer

    async def SearchStream(self, request, context) -> AsyncIterator[SearchStreamResponse]:  # noqa: N802
        await self._take("SearchStream", request, context)
        try:
            for _ in range(100_000):
                yield SearchStreamResponse(page=self.answer)
        finally:
            self.given_up.set()

    async def Explain(self, request, context):  # noqa: N802
        await self._take("Explain", request, context)
        return ExplainResponse()

    async def Write(self, request, context):  # noqa: N802
        await self._take("Write", request, context)
        return UserEventServiceWriteResponse(event=request.event)

    async def Update(self, request, context):  # noqa: N802
        await self._take("Update", request, context)
        return ProductServiceUpdateResponse()

    async def Import(self, requests, context) -> AsyncIterator[ProductServiceImportResponse]:  # noqa: N802
        settled = 0
        async for request in requests:
            await self._take("Import", request, context)
            settled += len(request.products)
            yield ProductServiceImportResponse(acknowledged_row=settled)
