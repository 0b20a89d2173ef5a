"""`wherefore experiment`: what came of experiments."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from shared.cli import failures, output
from shared.cli.options import Json, Target, Timeout

if TYPE_CHECKING:
    from wherefore.orchestrator.v1.experiment_service_pb2 import (
        ExperimentServiceReportRequest,
        ExperimentServiceReportResponse,
    )

app = App(name="experiment", help="Compare the arms of experiments.")


@app.command
def report(
    experiment: Annotated[str, Parameter(help="Id of the experiment; all when absent.")] = "",
    /,
    *,
    json: Json = False,
    target: Target = None,
    timeout: Timeout = 10.0,
) -> int:
    """Compare the arms of experiments by the events so far.

    One may look at any time: intervals and p-values hold at all times at once.

    For example:
        wherefore experiment report

        wherefore experiment report online-head --json
    """
    from wherefore.orchestrator.v1.experiment_service_pb2 import ExperimentServiceReportRequest

    request = ExperimentServiceReportRequest(experiment=experiment)
    response = asyncio.run(_ask(request, target, timeout))
    if json:
        output.print_message(response)
    else:
        from shared.cli import experiment_view

        experiment_view.show(output.console(), response)
    return failures.OK


async def _ask(
    request: ExperimentServiceReportRequest,
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> ExperimentServiceReportResponse:
    from shared.cli.connection import connect
    from wherefore.orchestrator.v1.experiment_service_pb2_grpc import ExperimentServiceStub

    async with connect(target) as channel:
        return await ExperimentServiceStub(channel).Report(request, timeout=timeout)
