"""`wherefore complete`: what a shopper may be about to type."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shared.cli import failures, output
from shared.cli.options import Json, Target, Timeout

if TYPE_CHECKING:
    from wherefore.orchestrator.v1.completion_service_pb2 import CompleteRequest, CompleteResponse


def complete(
    prefix: Annotated[str, Parameter(help="What was typed so far; Chinese also by its pinyin.")],
    /,
    *,
    limit: Annotated[int, Parameter(help="Completions to show, at most 50.")] = 8,
    language: Annotated[
        str, Parameter(help="Language whose completions come first, zh or en.")
    ] = "",
    json: Json = False,
    target: Target = None,
    timeout: Timeout = 10.0,
) -> int:
    """Complete what a shopper has typed so far.

    For example:
        wherefore complete headph

        wherefore complete erji --language zh
    """
    from wherefore.orchestrator.v1.completion_service_pb2 import CompleteRequest

    request = CompleteRequest(prefix=prefix, limit=limit, language_code=language)
    response = asyncio.run(_complete(request, target, timeout))
    if json:
        output.print_message(response)
    else:
        _show(response)
    return failures.OK


async def _complete(
    request: CompleteRequest,
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> CompleteResponse:
    from shared.cli.connection import connect
    from wherefore.orchestrator.v1.completion_service_pb2_grpc import CompletionServiceStub

    async with connect(target) as channel:
        return await CompletionServiceStub(channel).Complete(request, timeout=timeout)


def _show(response: CompleteResponse) -> None:
    from shared.cli import answer_view
    from wherefore.orchestrator.v1.completion_service_pb2 import CompletionSource

    console = output.console()
    for completion in response.completions:
        source = CompletionSource.Name(completion.source).removeprefix("COMPLETION_SOURCE_")
        mended = ", one letter mended" if completion.corrected else ""
        about = f"{source.replace('_', ' ').lower()}{mended}"
        line = output.text(completion.text)
        console.print(line.append("  ").append_text(output.text(about, "dim")))
    if not response.completions:
        console.print("Nothing begins so.")
    answer_view.print_footer(console, (), response.degraded)
