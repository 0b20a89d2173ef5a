"""`wherefore search`: one query, and why each product is there."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shared.cli import failures, output
from shared.cli.options import (
    Account,
    Contributions,
    Filter,
    Json,
    Language,
    PageSize,
    PageToken,
    Target,
    Timeout,
    User,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from wherefore.orchestrator.v1.search_service_pb2 import (
        SearchRequest,
        SearchResponse,
        SearchStreamResponse,
    )


def search(
    query: Annotated[str, Parameter(help="What a shopper would type.")],
    /,
    *,
    filter: Filter = "",  # noqa: A002 - the option is called --filter
    page_size: PageSize = 10,
    page_token: PageToken = "",
    order_by: Annotated[
        str, Parameter(help='"price", "price desc", "rating desc" or "release_time desc".')
    ] = "",
    facet: Annotated[
        tuple[str, ...],
        Parameter(
            help="Fields whose values to count, such as brand, price or attributes.KEY.",
            negative="",
            consume_multiple=True,
        ),
    ] = (),
    group_variants: Annotated[
        int, Parameter(help="Results at most of one variant group; 0 shows all.")
    ] = 0,
    user: User = "",
    account: Account = "",
    language: Language = "",
    contributions: Contributions = False,
    stream: Annotated[
        bool, Parameter(negative="", help="Show the page at once, and reasons as they are written.")
    ] = False,
    json: Json = False,
    target: Target = None,
    timeout: Timeout = 10.0,
) -> int:
    """Search, and say why each product is there.

    For example:

        wherefore search "wireless mouse under 20"

        wherefore search "黑色连衣裙 不要真丝" --page-size 5

        wherefore search "notebook" --filter 'price < 500' --order-by price --json

        wherefore search "copy paper" --account acme

        wherefore search "shoes" --facet brand price --group-variants 1

        wherefore search "wireless headphones" --stream
    """
    from wherefore.common.v1.user_profile_pb2 import UserContext
    from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
    from wherefore.retrieval.v1.facet_pb2 import FacetSpec

    request = SearchRequest(
        query=query,
        filter=filter,
        page_size=page_size,
        page_token=page_token,
        order_by=order_by,
        language_code=language,
        include_contributions=contributions,
        facets=[FacetSpec(key=key) for key in facet],
        group_variants=group_variants,
        user=UserContext(user_id=user, account_id=account) if user or account else None,
    )
    if stream:
        from shared.cli.search_stream import print_messages, print_stream

        show = print_messages if json else partial(print_stream, language=language)
        asyncio.run(_stream(request, target, timeout, show))
        return failures.OK
    response = asyncio.run(_search(request, target, timeout))
    if json:
        output.print_message(response)
    else:
        _show(response, language or response.query.language_code)
    return failures.OK


async def _search(
    request: SearchRequest,
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> SearchResponse:
    from shared.cli.connection import connect
    from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

    async with connect(target) as channel:
        return await SearchServiceStub(channel).Search(request, timeout=timeout)


async def _stream(
    request: SearchRequest,
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
    show: Callable[[AsyncIterator[SearchStreamResponse]], Awaitable[None]],
) -> None:
    from shared.cli.connection import connect
    from wherefore.orchestrator.v1.search_service_pb2 import SearchStreamRequest
    from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

    asked = SearchStreamRequest(request=request, by_clause=True)
    async with connect(target) as channel:
        await show(aiter(SearchServiceStub(channel).SearchStream(asked, timeout=timeout)))


def _show(response: SearchResponse, language: str) -> None:
    from shared.cli import search_view

    console = output.console()
    search_view.print_head(console, response)
    search_view.print_results(console, response, language)
    search_view.print_foot(console, response, response.timings, response.degraded)
