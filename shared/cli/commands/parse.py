"""`wherefore parse`: what a query is taken to mean."""

from __future__ import annotations

import asyncio
from typing import Annotated

from cyclopts import Parameter

from shared.cli import failures, output
from shared.cli.options import Json, NluTarget, Timeout


def parse(
    query: Annotated[str, Parameter(help="What a shopper would type.")],
    /,
    *,
    language: Annotated[str, Parameter(help="Its language where you know it, zh or en.")] = "",
    json: Json = False,
    nlu_target: NluTarget = None,
    timeout: Timeout = 10.0,
) -> int:
    """Show what a query is taken to mean.

    For example:
        wherefore parse "samsnug phone without 5g under 300"

        wherefore parse "红色连衣裙 100元以内" --json
    """
    return asyncio.run(_parse(query, language, json, nlu_target, timeout))


async def _parse(
    query: str,
    language: str,
    json: bool,
    nlu_target: str | None,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> int:
    from shared.cli import answer_view, query_view
    from shared.cli.config import CliSettings
    from shared.cli.connection import connect
    from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest
    from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub

    # People read the words; the vector is 384 numbers to them.
    request = ParseRequest(query=query, language_code=language, skip_vector=not json)
    async with connect(nlu_target or CliSettings().orchestrator_nlu_target) as channel:
        response = await NluServiceStub(channel).Parse(request, timeout=timeout)
    if json:
        output.print_message(response)
        return failures.OK
    console = output.console()
    for line in query_view.lines(response.understanding):
        console.print(line)
    if response.understanding.filter:
        console.print(output.text(f"Filter: {response.understanding.filter}"))
    words = [f"{token.text}→{token.normalized or '∅'}" for token in response.understanding.tokens]
    console.print(output.text("Words: " + "  ".join(words)))
    answer_view.print_footer(console, response.timings, response.degraded)
    return failures.OK
