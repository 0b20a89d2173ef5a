"""TextService: translates."""

from collections.abc import AsyncIterator
from typing import Any, Final

import grpc.aio

from services.insight import validation
from services.insight.desk import Desk
from services.insight.messages import mention_message
from wherefore.insight.v1 import text_service_pb2 as pb
from wherefore.insight.v1.text_service_pb2_grpc import TextServiceServicer

_PAGE: Final = 200
_Context = grpc.aio.ServicerContext[Any, Any]


class TextServer(TextServiceServicer):
    """Erases and hands out texts."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def EraseTexts(  # noqa: N802 - the contract's name
        self, request: pb.EraseTextsRequest, context: _Context
    ) -> pb.EraseTextsResponse:
        """See text_service.proto."""
        erased = await self._desk.erase(validation.whose(request))
        return pb.EraseTextsResponse(erased_count=erased)

    async def ExportTexts(  # noqa: N802 - likewise
        self, request: pb.ExportTextsRequest, context: _Context
    ) -> AsyncIterator[pb.ExportTextsResponse]:
        """See text_service.proto."""
        whose, place = validation.whose(request), 0
        while found := await self._desk.find(whose, place, _PAGE):
            domain = self._desk.domain
            yield pb.ExportTextsResponse(texts=[mention_message(m, domain) for _, m in found])
            place = found[-1][0]
