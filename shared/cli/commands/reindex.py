"""`wherefore reindex`: another index with the settings of now, while searches go on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from shared.cli import failures, output
from shared.cli.options import Json

if TYPE_CHECKING:
    from wherefore.retrieval.v1.index_admin_service_pb2 import ReindexRequest, ReindexResponse

_SECONDS: Final = 24 * 3600.0


def reindex(
    *,
    keep_old: Annotated[
        bool,
        Parameter(negative="", help="Keep the index before, so that --back can change back to it."),
    ] = False,
    back: Annotated[
        bool,
        Parameter(negative="", help="Bring the index before up to date and change back to it."),
    ] = False,
    drop_old: Annotated[bool, Parameter(negative="", help="Delete the kept index.")] = False,
    json: Json = False,
    target: Annotated[
        str | None,
        Parameter(
            help="HOST:PORT of retrieval; WHEREFORE_ORCHESTRATOR_RETRIEVAL_TARGET or"
            " 127.0.0.1:7702 when absent."
        ),
    ] = None,
) -> int:
    """Build the index of products anew, while searches go on.

    It gets the settings that retrieval has now. Writes go on too. Stopped before it changes over
    (Ctrl-C), it leaves the index as it was. With WHEREFORE_TENANT it is that tenant's index.

    For example:

        wherefore reindex

        wherefore reindex --keep-old
        wherefore reindex --back
        wherefore reindex --drop-old
    """
    from wherefore.retrieval.v1 import index_admin_service_pb2 as pb

    if sum((keep_old, back, drop_old)) > 1:
        raise failures.CommandError(
            "--keep-old, --back and --drop-old exclude each other", code=failures.USAGE
        )
    action = pb.REINDEX_ACTION_BUILD
    if back:
        action = pb.REINDEX_ACTION_GO_BACK
    elif drop_old:
        action = pb.REINDEX_ACTION_DROP_FORMER
    request = pb.ReindexRequest(action=action, keep_former=keep_old)
    last = asyncio.run(_run(request, target))
    if json:
        output.print_message(last)
    else:
        from shared.cli import reindex_view

        for line in reindex_view.summary_lines(last):
            print(line, flush=True)
    return failures.OK


async def _run(request: ReindexRequest, target: str | None) -> ReindexResponse:
    from shared.cli.config import CliSettings
    from shared.cli.connection import connect
    from shared.cli.reindex_view import ReindexView
    from wherefore.retrieval.v1.index_admin_service_pb2 import ReindexResponse
    from wherefore.retrieval.v1.index_admin_service_pb2_grpc import IndexAdminServiceStub

    address = target or CliSettings().orchestrator_retrieval_target
    view = ReindexView()
    step = ReindexResponse()
    async with connect(address, retry=False) as channel:
        with view.running():
            async for step in IndexAdminServiceStub(channel).Reindex(request, timeout=_SECONDS):
                view.on_step(step)
    return step
