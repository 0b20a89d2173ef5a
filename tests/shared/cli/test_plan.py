"""`wherefore plan` over made-up costs, and over those that come with it."""

import json

import pytest

from shared.cli import failures
from shared.cli.app import main
from tests.shared.planning.made_up_costs import costs

ASKED = ["--products", "2M", "--qps", "200", "--p99", "150ms"]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("costs") / "costs.json"
    path.write_text(costs().model_dump_json())
    return str(path)


def run(file, *arguments):
    return main(["plan", *arguments, "--costs", file])


def test_a_plan_is_shown(capsys, file):
    assert run(file, *ASKED, "--events", "100") == failures.OK
    out = capsys.readouterr().out
    for name in ("orchestrator", "triton, reading", "qdrant", "redis", "all together", "USD"):
        assert name in out
    assert "wanted 150" in out
    assert "How each number" not in out
    assert max(map(len, out.splitlines())) <= 120


def test_explained_it_tells_sources_and_assumptions(capsys, file):
    assert run(file, *ASKED, "--explain") == failures.OK
    out = " ".join(capsys.readouterr().out.split())
    assert "How each number came about" in out
    assert "calls/s x" in out
    assert "made up on nothing" in out
    assert "Prices: 0.04 a vCPU-hour" in out


def test_json_holds_the_same(capsys, file):
    assert run(file, *ASKED, "--json", "--price-vcpu", "0") == failures.OK
    found = json.loads(capsys.readouterr().out)
    assert found["workload"]["products"] == 2e6
    assert found["latency_ms"]["p99"] <= 150
    assert found["month"] == pytest.approx(sum(row["month"] for row in found["rows"]))
    assert found["index"]["shards"] * found["index"]["products_per_shard"] == pytest.approx(2e6)
    assert found["assumptions"]


def test_a_simulation_is_told_beside_it(capsys, file):
    pytest.importorskip("simpy", reason="the extra 'plan' is not installed")
    command = ["--products", "200k", "--qps", "50", "--p99", "150ms"]
    assert run(file, *command, "--simulate", "--searches", "500") == failures.OK
    out = capsys.readouterr().out
    assert "400 searches simulated" in out
    assert "is kept in the simulation" in out


def test_a_picture_is_drawn(file, tmp_path):
    pytest.importorskip("matplotlib", reason="the extra 'plan' is not installed")
    picture = tmp_path / "plan.svg"
    assert run(file, *ASKED, "--plot", str(picture)) == failures.OK
    assert picture.read_text().count("<svg") == 1


def test_a_simulation_that_is_over_too_soon_is_refused(capsys, file):
    pytest.importorskip("simpy", reason="the extra 'plan' is not installed")
    command = ["--products", "200k", "--qps", "3k", "--p99", "150ms", "--reasons", "off"]
    assert run(file, *command, "--simulate", "--searches", "200") == failures.USAGE
    error = capsys.readouterr().err
    assert "--searches: 200 are over before the queues have filled" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--products", "fifty"], "--products: 'fifty' is not a number such as"),
        (["--qps", "2 thousand"], "--qps:"),
        (["--p99", "120"], "--p99: '120' is not a duration with its unit, such as 120ms"),
        (["--cache-hits", "120%"], "--cache-hits: '120%' is not between 0 and 1"),
        (["--chinese", "x"], "--chinese:"),
        (["--headroom", "99%"], "--headroom:"),
        (["--zones", "0"], "--zones: 0 is not between 1 and 12"),
        (["--page-size", "1000"], "--page-size:"),
        (["--node-memory", "64"], "--node-memory: '64' is not an amount"),
        (["--asked", "0%"], "--asked:"),
        (["--price-gpu", "-1"], "--price-gpu:"),
        (["--searches", "3"], "--searches:"),
        (["--plot", "nowhere/at/all.svg"], "--plot: no folder"),
    ],
)
def test_a_bad_value_names_its_flag(capsys, file, arguments, message):
    given = dict(zip(ASKED[::2], ASKED[1::2], strict=True)) | {arguments[0]: arguments[1]}
    assert run(file, *(part for pair in given.items() for part in pair)) == failures.USAGE
    error = " ".join(capsys.readouterr().err.split())
    assert message in error
    assert "Traceback" not in error


def test_a_target_that_nothing_meets_says_what_would(capsys, file):
    assert run(file, "--products", "2M", "--qps", "200", "--p99", "20ms") == failures.FAILED
    error = capsys.readouterr().err
    assert "--p99: 20 ms cannot be met by more machines" in error
    assert "--cache-hits" in error


def test_costs_that_are_none_are_named(capsys, tmp_path):
    path = tmp_path / "costs.json"
    assert main(["plan", *ASKED, "--costs", str(path)]) == failures.USAGE
    assert f"--costs: no costs in {path}" in capsys.readouterr().err
    path.write_text('{"searches": {}}')
    assert main(["plan", *ASKED, "--costs", str(path)]) == failures.USAGE
    assert "searches" in capsys.readouterr().err


def test_the_costs_that_come_with_it_are_whole(capsys):
    assert main(["plan", "--products", "20k", "--qps", "5", "--p99", "3s"]) == failures.OK
    assert "benchmarks.plan_check" in capsys.readouterr().out
