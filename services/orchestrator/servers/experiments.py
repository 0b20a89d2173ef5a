"""ExperimentService: translates."""

from math import isfinite
from typing import Any, Final

import grpc.aio

from services.orchestrator.experiments.book import Experiments
from services.orchestrator.experiments.decisions import RollBack
from services.orchestrator.experiments.experiment_file import METRICS
from services.orchestrator.experiments.sequential import Verdict
from services.orchestrator.experiments.tally import Course, Tally
from services.orchestrator.validation import MAX_ID, Violations
from shared.errors import NotFoundError
from wherefore.orchestrator.v1 import experiment_service_pb2 as pb
from wherefore.orchestrator.v1.experiment_service_pb2_grpc import ExperimentServiceServicer

ALPHA: Final = 0.05
_LARGEST: Final = 1e12
"""What stands for what is not finite, such as the lift over no conversions."""


class ExperimentServer(ExperimentServiceServicer):
    """Reports on experiments."""

    def __init__(self, experiments: Experiments) -> None:
        self._experiments = experiments

    async def Report(  # noqa: N802 # the contract's name
        self,
        request: pb.ExperimentServiceReportRequest,
        context: "grpc.aio.ServicerContext[Any, Any] | None" = None,
    ) -> pb.ExperimentServiceReportResponse:
        """See the contract."""
        found = Violations()
        found.text("experiment", request.experiment, MAX_ID)
        found.raise_any()
        wanted = request.experiment
        reports = [
            _report(tally, taken)
            for tally, taken in self._experiments.tallies()
            if wanted in ("", tally.experiment.id)
        ]
        if wanted and not reports:
            raise NotFoundError("no experiment of this id is in the file")
        return pb.ExperimentServiceReportResponse(
            reports=reports, problem=self._experiments.problem
        )


def _report(tally: Tally, taken: dict[str, RollBack]) -> pb.ExperimentReport:
    report = pb.ExperimentReport(experiment=tally.experiment.id, revision=tally.experiment.revision)
    for arm in tally.experiment.arms:
        is_control = arm.name == tally.control
        told = report.arms.add(arm=arm.name, share=arm.share, users=tally.users[arm.name])
        told.mismatch_e_value = 1.0 if is_control else _finite(tally.mismatch(arm.name).e_value)
        for metric in METRICS:
            told.metrics.append(_metric(tally, metric, arm.name))
        if why := taken.get(arm.name):
            told.roll_back.metric, told.roll_back.lift = why.metric, _finite(why.lift)
            told.roll_back.lift_high = why.high
            told.roll_back.time.FromNanoseconds(round(why.at * 1e9))
    return report


def _metric(tally: Tally, metric: str, arm: str) -> pb.MetricReport:
    converted = tally.converted[metric][arm]
    if arm == tally.control:
        return pb.MetricReport(
            metric=metric, converted_users=converted, lift=1, lift_low=1, lift_high=1, e_value=1
        )
    verdict = tally.verdict(metric, arm, ALPHA)
    course = tally.courses.get((metric, arm), Course())
    return pb.MetricReport(
        metric=metric,
        converted_users=converted,
        e_value=_finite(verdict.e_value),
        points=[
            pb.ReportPoint(converted_users=count, **_lifts(point)) for count, point in course.points
        ],
        **_lifts(verdict),
    )


def _lifts(verdict: Verdict) -> dict[str, float]:
    return {
        "lift": _finite(verdict.lift),
        "lift_low": _finite(verdict.low),
        "lift_high": _finite(verdict.high),
    }


def _finite(value: float) -> float:
    return min(value, _LARGEST) if isfinite(value) else _LARGEST
