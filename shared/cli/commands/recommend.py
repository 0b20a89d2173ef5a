"""`wherefore recommend`: products for a user or beside other products."""

from __future__ import annotations

import asyncio
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
    Target,
    Timeout,
)

if TYPE_CHECKING:
    from wherefore.orchestrator.v1.recommendation_service_pb2 import (
        RecommendRequest,
        RecommendResponse,
    )


def recommend(
    *,
    user: Annotated[str, Parameter(help="For whom.")] = "",
    account: Account = "",
    product: Annotated[
        tuple[str, ...],
        Parameter(help="Products at hand, by id.", negative="", consume_multiple=True),
    ] = (),
    filter: Filter = "",  # noqa: A002 - the option is called --filter
    page_size: PageSize = 10,
    language: Language = "",
    serving_config: Annotated[
        str,
        Parameter(
            help='"for-you", "similar", "popular", "frequently-bought-together", '
            '"you-may-also-like", "complements", "up-sell", "buy-again" or "reorder"; fitting the '
            "request when absent."
        ),
    ] = "",
    contributions: Contributions = False,
    json: Json = False,
    target: Target = None,
    timeout: Timeout = 10.0,
) -> int:
    """Recommend for a user or beside products, with reasons.

    For example:

        wherefore recommend --user ada

        wherefore recommend --product p-1001 p-1002 --language zh

        wherefore recommend --account acme --serving-config reorder

        wherefore recommend --product p-1001 --serving-config frequently-bought-together
    """
    from wherefore.common.v1.user_profile_pb2 import UserContext
    from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest

    if not user and not product and not account:
        raise failures.CommandError(
            "for whom?", hint="give --user, --account or --product", code=failures.USAGE
        )
    request = RecommendRequest(
        user=UserContext(user_id=user, account_id=account) if user or account else None,
        product_ids=product,
        serving_config=serving_config,
        filter=filter,
        page_size=page_size,
        language_code=language,
        include_contributions=contributions,
    )
    response = asyncio.run(_recommend(request, target, timeout))
    if json:
        output.print_message(response)
    else:
        _show(response, language or "en")
    return failures.OK


async def _recommend(
    request: RecommendRequest,
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> RecommendResponse:
    from shared.cli.connection import connect
    from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import (
        RecommendationServiceStub,
    )

    async with connect(target) as channel:
        return await RecommendationServiceStub(channel).Recommend(request, timeout=timeout)


def _show(response: RecommendResponse, language: str) -> None:
    from shared.cli import answer_view

    console = output.console()
    console.print(output.text(f"Recommended by “{response.serving_config}”"))
    console.print()
    if response.results:
        console.print(answer_view.results_table(response.results, language))
    else:
        console.print("Nothing to recommend.")
    answer_view.print_footer(console, response.timings, response.degraded)
