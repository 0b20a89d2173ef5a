"""What the report on experiments looks like."""

from io import StringIO

from rich.console import Console

from shared.cli.experiment_view import show
from wherefore.orchestrator.v1.experiment_service_pb2 import (
    ArmReport,
    ExperimentReport,
    ExperimentServiceReportResponse,
    MetricReport,
)


def shown(response: ExperimentServiceReportResponse) -> str:
    console = Console(file=StringIO(), width=120, highlight=False, markup=False)
    show(console, response)
    return console.file.getvalue()


def response() -> ExperimentServiceReportResponse:
    control = ArmReport(arm="control", share=0.5, users=1_000, mismatch_e_value=1)
    control.metrics.add(metric="click", converted_users=400, lift=1, lift_low=1, lift_high=1)
    online = ArmReport(arm="online", share=0.5, users=1_010, mismatch_e_value=1.2)
    clicks = MetricReport(
        metric="click", converted_users=300, lift=0.75, lift_low=0.6, lift_high=0.95, e_value=50
    )
    for count, low, high in ((100, 0.0, 1e12), (400, 0.5, 1.4), (700, 0.6, 0.95)):
        clicks.points.add(converted_users=count, lift=0.75, lift_low=low, lift_high=high)
    online.metrics.append(clicks)
    report = ExperimentReport(experiment="head", revision=2, arms=[control, online])
    return ExperimentServiceReportResponse(reports=[report])


def test_a_table_and_how_it_went():
    lines = shown(response()).splitlines()
    assert any("head, revision 2" in line for line in lines)
    (row,) = [line for line in lines if "online" in line and "0.750" in line]
    assert "0.600 to 0.950" in row
    assert "0.0200" in row  # 1 over the e-value
    plots = [line for line in lines if line.lstrip().startswith(("100 ", "400 ", "700 "))]
    assert [line.count("-") for line in plots] == sorted(
        (line.count("-") for line in plots), reverse=True
    )
    assert all("|" in line and "o" in line for line in plots)
    # The last interval lies below no change.
    assert plots[-1].rindex("-") < plots[-1].index("|")


def test_what_was_taken_back_and_what_cannot_be_trusted_is_told():
    told = response()
    online = told.reports[0].arms[1]
    online.roll_back.metric, online.roll_back.lift, online.roll_back.lift_high = "click", 0.7, 0.9
    online.roll_back.time.FromSeconds(1_800_000_000)
    online.mismatch_e_value = 5_000
    told.problem = "experiments.yaml: layers"
    text = shown(told)
    assert "online was taken back at 2027-01-15 08:00 UTC: click at 0.700" in text
    assert "trust nothing above" in text
    assert "The file is refused: experiments.yaml: layers" in text


def test_no_experiments_is_told():
    assert shown(ExperimentServiceReportResponse()) == "No experiments.\n"
