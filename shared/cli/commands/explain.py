"""`wherefore explain`: what made the order of a search, number by number."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shared.cli import failures, output
from shared.cli.options import Filter, Json, Language, Target, Timeout, User

if TYPE_CHECKING:
    from wherefore.orchestrator.v1.explanation_service_pb2 import ExplainRequest, ExplainResponse


def explain(
    query: Annotated[str, Parameter(help="What a shopper would type.")],
    /,
    *,
    product: Annotated[
        tuple[str, ...],
        Parameter(
            help="Products to explain, by id, found by the query or not.",
            negative="",
            consume_multiple=True,
        ),
    ] = (),
    filter: Filter = "",  # noqa: A002 - the option is called --filter
    page_size: Annotated[int, Parameter(help="Results to explain, at most 20.")] = 5,
    user: User = "",
    language: Language = "",
    skip_words: Annotated[
        bool,
        Parameter(negative="", help="Leave out what each word did to the semantic match."),
    ] = False,
    serving_config: Annotated[
        str, Parameter(help='Named configuration, as of a search: "precise" reads pairs.')
    ] = "",
    readings: Annotated[
        int,
        Parameter(
            help="With --serving-config precise: of how many products each word's part in the "
            "cross-encoder's score is computed, about a second each."
        ),
    ] = 0,
    json: Json = False,
    target: Target = None,
    timeout: Timeout = 10.0,
) -> int:
    """Explain what made each score of a search.

    Contributions are exact: they and the score of the mean candidate sum to the score. A word's
    effect is what the cosine loses when the word is left out of the query. Readings are
    integrated gradients of the cross-encoder, in log-odds.

    For example:

        wherefore explain "wireless mouse under 20"

        wherefore explain "黑色连衣裙" --language zh --page-size 3

        wherefore explain "steel kettle" --product SKU-1 SKU-2 --json

        wherefore explain "wireless mouse" --serving-config precise --readings 3
    """
    from wherefore.common.v1.user_profile_pb2 import UserContext
    from wherefore.orchestrator.v1.explanation_service_pb2 import ExplainRequest

    request = ExplainRequest(
        query=query,
        filter=filter,
        product_ids=product,
        page_size=page_size,
        language_code=language,
        skip_words=skip_words,
        serving_config=serving_config,
        reading_count=readings,
        user=UserContext(user_id=user) if user else None,
    )
    response = asyncio.run(_explain(request, target, timeout))
    if json:
        output.print_message(response)
    else:
        _show(response, language)
    return failures.OK


async def _explain(
    request: ExplainRequest,
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> ExplainResponse:
    from shared.cli.connection import connect
    from wherefore.orchestrator.v1.explanation_service_pb2_grpc import ExplanationServiceStub

    async with connect(target) as channel:
        return await ExplanationServiceStub(channel).Explain(request, timeout=timeout)


def _show(response: ExplainResponse, language: str) -> None:
    from shared.cli import answer_view, explanation_view

    console = output.console()
    if response.ranked_count:
        console.print(
            output.text(
                f"{response.model} ranked {response.ranked_count} candidates; the mean candidate "
                f"scores {response.base_value:.4f}"
            )
        )
    if not response.explanations:
        console.print("Nothing found.")
    for explained in response.explanations:
        console.print()
        for line in explanation_view.lines(explained, language):
            console.print(line)
    for product_id in response.missing_product_ids:
        reason = "is not in the catalogue or does not meet the filter"
        console.print(output.text(f"{product_id} {reason}", "yellow"))
    answer_view.print_footer(console, response.timings, response.degraded)
