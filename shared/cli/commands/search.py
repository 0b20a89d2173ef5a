"""`wherefore search`: one query, and why each product is there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shared.cli import failures, output
from shared.cli.options import (
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
    from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchResponse


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
    language: Language = "",
    contributions: Contributions = False,
    json: Json = False,
    target: Target = None,
    timeout: Timeout = 10.0,
) -> int:
    """Search, and say why each product is there.

    For example:

        wherefore search "wireless mouse under 20"

        wherefore search "黑色连衣裙 不要真丝" --page-size 5

        wherefore search "notebook" --filter 'price < 500' --order-by price --json

        wherefore search "shoes" --facet brand price --group-variants 1
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
        user=UserContext(user_id=user) if user else None,
    )
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


def _show(response: SearchResponse, language: str) -> None:
    from shared.cli import answer_view, facet_view, query_view

    console = output.console()
    for line in query_view.lines(response.query):
        console.print(line)
    if response.applied_filter:
        console.print(output.text(f"Filter: {response.applied_filter}"))
    for relaxed in response.relaxed_constraints:
        console.print(output.text(f"Nothing met “{relaxed}”, so it was given up.", "yellow"))
    console.print()
    if response.results:
        console.print(answer_view.results_table(response.results, language))
    else:
        console.print("Nothing found.")
    if response.facets:
        console.print(facet_view.facets_table(response.facets))
    for line in facet_view.control_lines(response):
        console.print(line)
    answer_view.print_footer(console, response.timings, response.degraded)
    if response.next_page_token:
        total = f" of about {response.estimated_total}" if response.estimated_total >= 0 else ""
        last = response.results[-1].rank if response.results else 0
        console.print(output.text(f"{last}{total} shown"))
        # On a line of its own and unwrapped, to be copied.
        console.print(output.text(f"more: --page-token {response.next_page_token}"), soft_wrap=True)
