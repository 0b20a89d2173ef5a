"""`wherefore summarise`: what reviews of a product agree on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shared.cli import failures, output
from shared.cli.options import Json, Target, Timeout

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wherefore.orchestrator.v1.summary_service_pb2 import SummariseRequest, SummariseResponse
    from wherefore.reason.v1.summary_pb2 import ReviewPoint


def summarise(
    product_id: Annotated[str, Parameter(help="Id in the catalogue.")],
    /,
    *,
    language: Annotated[
        str, Parameter(help="Language of the summary, zh or en; most reviews' when absent.")
    ] = "",
    max_words: Annotated[int, Parameter(help="Words the quotes may have; 50 when 0.")] = 0,
    json: Json = False,
    target: Target = None,
    rewrite: Annotated[
        bool, Parameter(help="Say the points in one or two sentences of new words, too.")
    ] = False,
    timeout: Timeout = 10.0,
) -> int:
    """Sum up the reviews and descriptions of a product.

    Sentences are quoted with the id of their review; points are counted by reviews.

    For example:
        wherefore summarise p-1001

        wherefore summarise p-1001 --language zh --max-words 80 --rewrite --json
    """
    from wherefore.orchestrator.v1.summary_service_pb2 import SummariseRequest
    from wherefore.reason.v1.summary_pb2 import SUMMARY_STYLE_REWRITTEN, SUMMARY_STYLE_UNSPECIFIED

    request = SummariseRequest(
        product_id=product_id,
        language_code=language,
        max_words=max_words,
        style=SUMMARY_STYLE_REWRITTEN if rewrite else SUMMARY_STYLE_UNSPECIFIED,
    )
    response = asyncio.run(_summarise(request, target, timeout))
    if json:
        output.print_message(response)
        return failures.OK
    _show(response)
    return failures.OK


async def _summarise(
    request: SummariseRequest,
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> SummariseResponse:
    from shared.cli.connection import connect
    from wherefore.orchestrator.v1.summary_service_pb2_grpc import SummaryServiceStub

    async with connect(target) as channel:
        return await SummaryServiceStub(channel).Summarise(request, timeout=timeout)


def _show(response: SummariseResponse) -> None:
    from shared.cli import answer_view

    console = output.console()
    summary = response.summary
    opening = summary.rewritten or summary.overview
    if opening:
        console.print(output.text(opening, "bold"))
    for sentence in summary.sentences:
        console.print(output.text(f"“{sentence.text}” ({sentence.review_id or 'description'})"))
    _show_points("+", summary.pros)
    _show_points("-", summary.cons)
    if response.HasField("summary"):
        read = f"{summary.review_count} reviews read"
        if summary.duplicate_count:
            read += f", {summary.duplicate_count} near-duplicates left out"
        console.print(output.text(f"{read}; compared by {summary.method}", "dim"))
    elif response.review_summary.rating_count:
        rated = response.review_summary
        said = f"{rated.average_rating:.1f} stars of {rated.rating_count} ratings"
        console.print(output.text(said, "bold"))
    answer_view.print_footer(console, response.timings, response.degraded)


def _show_points(sign: str, points: Iterable[ReviewPoint]) -> None:
    for point in points:
        said = "; ".join(f"“{each.text}”" for each in point.examples)
        counts = f"{point.review_count} reviews, {point.opposing_count} against"
        output.console().print(output.text(f"{sign} {point.label} ({counts}): {said}"))
