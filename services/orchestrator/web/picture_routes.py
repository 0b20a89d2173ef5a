"""The routes of the page that searches by pictures."""

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from google.protobuf.struct_pb2 import ListValue, Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.orchestrator.web.answering import answer
from shared.errors import InvalidArgumentError
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchResponse

MAX_UPLOAD: Final = 14 * 2**20
"""Of the body: a picture of 10 MiB in base64, and some words."""


Search = Callable[[SearchRequest], Awaitable[SearchResponse]]
Thumbnails = Callable[[Sequence[str]], Awaitable[Mapping[str, bytes]]]
"""Returns JPEG files by the ids of products."""


def picture_routes(behind: Callable[[], tuple[Search, Thumbnails, float]]) -> list[Route]:
    """Returns the routes, without a door.

    Args:
        behind: Returns what answers, and the seconds that an answer may take.
    """

    async def search_pictures(request: Request) -> Response:
        search, _, seconds = behind()
        return await answer(request, SearchRequest, search, seconds, most_bytes=MAX_UPLOAD)

    async def as_addresses(wanted: ListValue) -> Struct:
        _, thumbnails, _ = behind()
        ids = [value.string_value for value in wanted.values]
        if not all(ids):
            raise InvalidArgumentError.of("", "must be a list of product ids")
        made = Struct()
        for product_id, data in (await thumbnails(ids)).items():
            made[product_id] = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
        return made

    async def show(request: Request) -> Response:
        _, _, seconds = behind()
        return await answer(request, ListValue, as_addresses, seconds)

    return [
        Route("/api/search/pictures", search_pictures, methods=["POST"]),
        Route("/api/thumbnails", show, methods=["POST"]),
    ]
