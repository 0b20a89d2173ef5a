"""`wherefore summarise`: what reviews of a product agree on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shared.cli import failures, output
from shared.cli.options import Json, Target, Timeout

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wherefore.reason.v1.summary_pb2 import ReviewPoint, SummariseRequest, SummariseResponse


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
    reason_target: Annotated[
        str | None,
        Parameter(
            help="HOST:PORT of the reason service; WHEREFORE_ORCHESTRATOR_REASON_TARGET or "
            "127.0.0.1:7704 when absent."
        ),
    ] = None,
    timeout: Timeout = 10.0,
) -> int:
    """Sum up the reviews and descriptions of a product.

    Sentences are quoted with the id of their review; points are counted by reviews.

    For example:
        wherefore summarise p-1001

        wherefore summarise p-1001 --language zh --max-words 80 --json
    """
    from wherefore.reason.v1.summary_pb2 import SummariseRequest

    request = SummariseRequest(language_code=language, max_words=max_words)
    response = asyncio.run(_summarise(product_id, request, target, reason_target, timeout))
    if json:
        output.print_message(response)
        return failures.OK
    _show(response)
    return failures.OK


async def _summarise(
    product_id: str,
    request: SummariseRequest,
    target: str | None,
    reason_target: str | None,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> SummariseResponse:
    from shared.cli.config import CliSettings
    from shared.cli.connection import connect
    from wherefore.orchestrator.v1.product_service_pb2 import ProductServiceGetRequest
    from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
    from wherefore.reason.v1.reason_service_pb2_grpc import ReasonServiceStub

    async with connect(target) as channel:
        got = await ProductServiceStub(channel).Get(
            ProductServiceGetRequest(product_id=product_id), timeout=timeout
        )
    request.reviews.extend(got.product.reviews)
    request.descriptions.update(got.product.descriptions)
    async with connect(reason_target or CliSettings().orchestrator_reason_target) as channel:
        return await ReasonServiceStub(channel).Summarise(request, timeout=timeout)


def _show(response: SummariseResponse) -> None:
    from shared.cli import answer_view

    console = output.console()
    if response.overview:
        console.print(output.text(response.overview, "bold"))
    for sentence in response.sentences:
        console.print(output.text(f"“{sentence.text}” ({sentence.review_id or 'description'})"))
    _show_points("+", response.pros)
    _show_points("-", response.cons)
    read = f"{response.review_count} reviews read"
    if response.duplicate_count:
        read += f", {response.duplicate_count} near-duplicates left out"
    console.print(output.text(f"{read}; compared by {response.method}", "dim"))
    answer_view.print_footer(console, response.timings, response.degraded)


def _show_points(sign: str, points: Iterable[ReviewPoint]) -> None:
    for point in points:
        said = "; ".join(f"“{each.text}”" for each in point.examples)
        counts = f"{point.review_count} reviews, {point.opposing_count} against"
        output.console().print(output.text(f"{sign} {point.label} ({counts}): {said}"))
