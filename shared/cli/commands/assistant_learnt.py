"""`wherefore assistant learnt` and `forget`: what customer service learnt, and taking it back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shared.cli import failures, output
from shared.cli.options import Json, PageToken, Timeout

if TYPE_CHECKING:
    from wherefore.assistant.v1.learnt_service_pb2 import (
        DeleteLearntRequest,
        ListLearntRequest,
        ListLearntResponse,
    )

AssistantTarget = Annotated[
    str | None,
    Parameter(
        name="--target",
        help="HOST:PORT of the assistant; WHEREFORE_ASSISTANT_TARGET or 127.0.0.1:7707.",
    ),
]


def learnt(
    text: Annotated[str, Parameter(help="Only where question or answer holds it.")] = "",
    /,
    *,
    answer_id: Annotated[
        str, Parameter(name="--id", help="Only questions that want this answer.")
    ] = "",
    page_size: Annotated[int, Parameter(help="Questions on a page, at most 1,000.")] = 50,
    page_token: PageToken = "",
    json: Json = False,
    target: AssistantTarget = None,
    timeout: Timeout = 10.0,
) -> int:
    """List what was learnt, the newest first, with who taught it and when.

    For example:

        wherefore assistant learnt

        wherefore assistant learnt "knives" --json
    """
    from wherefore.assistant.v1.learnt_service_pb2 import ListLearntRequest

    request = ListLearntRequest(
        text=text, answer_id=answer_id, page_size=page_size, page_token=page_token
    )
    return asyncio.run(_list(request, json, target, timeout))


def forget(
    *ids: Annotated[str, Parameter(help="Ids as `wherefore assistant learnt` shows them.")],
    target: AssistantTarget = None,
    timeout: Timeout = 10.0,
) -> int:
    """Delete what was learnt; nobody is answered by it any more.

    For example:

        wherefore assistant forget 3f0c1b9a7d5e2c4f8a61
    """
    from wherefore.assistant.v1.learnt_service_pb2 import DeleteLearntRequest

    if not ids:
        raise failures.CommandError("which ones? give their ids", code=failures.USAGE)
    return asyncio.run(_delete(DeleteLearntRequest(ids=ids), target, timeout))


def address(target: str | None) -> str:
    """Returns where the assistant answers."""
    from shared.cli.config import ApplicationSettings

    return target or ApplicationSettings().assistant_target


async def _list(
    request: ListLearntRequest,
    json: bool,
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> int:
    from shared.cli.connection import connect
    from wherefore.assistant.v1.learnt_service_pb2_grpc import LearntServiceStub

    async with connect(address(target)) as channel:
        response = await LearntServiceStub(channel).ListLearnt(request, timeout=timeout)
    if json:
        output.print_message(response)
    else:
        _show(response)
    return failures.OK


def _show(response: ListLearntResponse) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("Id", "Learnt", "By", "Question", "Answer"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "Id")
    for each in response.examples:
        at = each.learnt_time.ToDatetime() if each.HasField("learnt_time") else None
        table.add_row(
            output.text(each.id),
            output.text(f"{at:%Y-%m-%d %H:%M}" if at else ""),
            output.text(each.learnt_by),
            output.text(each.question),
            output.text(each.answer or each.answer_id),
        )
    console = output.console()
    console.print(table)
    if response.next_page_token:
        console.print(output.text(f"more: --page-token {response.next_page_token}"))


async def _delete(
    request: DeleteLearntRequest,
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - as above
) -> int:
    from shared.cli.connection import connect
    from wherefore.assistant.v1.learnt_service_pb2_grpc import LearntServiceStub

    async with connect(address(target)) as channel:
        response = await LearntServiceStub(channel).DeleteLearnt(request, timeout=timeout)
    missing = len(request.ids) - response.deleted_count
    print(f"deleted {response.deleted_count:,}, {missing:,} not there", flush=True)
    return failures.OK
