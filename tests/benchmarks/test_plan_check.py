"""The planner's benchmark: what it counts and what it tells; the runs are its own."""

import json

import pytest

from benchmarks import plan_check, plan_searches
from benchmarks.plan_check_report import Checks, Rate, section
from shared.planning.costs import STAGES, CostsError, read_costs
from shared.planning.distribution import mean
from tests.shared.planning.made_up_costs import costs
from wherefore.common.v1.diagnostics_pb2 import StageTiming

COSTS = costs()


def timing(stage, start_ms, ms):
    return StageTiming(
        stage=stage, start_offset_nanos=int(start_ms * 1e6), duration_nanos=int(ms * 1e6)
    )


def test_stages_come_from_the_timings_of_an_answer():
    found = plan_searches.stage_times(
        60,
        [
            timing("total", 0, 55),
            timing("nlu", 1, 10),
            timing("retrieval", 12, 9),
            timing("retrieval.dense", 13, 4),
            timing("retrieval.sparse", 13, 3),
            timing("ranking", 22, 6),
            timing("retrieval.products", 29, 2),
            timing("reason", 32, 20),
        ],
    )
    assert set(found) == {*STAGES, "whole"}
    assert found["engine"] == pytest.approx(4)
    assert found["retrieval"] == pytest.approx(5)
    assert found["own"] == pytest.approx(60 - (10 + 9 + 6 + 2 + 20))


def test_the_forecast_is_right_where_it_was_measured_and_nears_what_the_machine_can_do():
    kind = COSTS.searches.kind("template", "en", page_size=20, repeated=False)
    work = sum(kind.cpu_ms.values())
    assert plan_check.foretold(kind, kind.clients, 2) == pytest.approx(kind.rate)
    alone = mean(kind.latency_ms["whole"])
    assert plan_check.foretold(kind, 1, 2) == pytest.approx(1e3 / max(work, alone))
    assert plan_check.foretold(kind, 500, 2) == pytest.approx(2e3 / work, rel=0.02)


def test_the_section_says_whether_the_forecasts_hold():
    checks = Checks(cores=2, products=19_406)
    checks.rates = [
        Rate(
            "off",
            False,
            8,
            foretold=45.0,
            measured=50.0,
            whole_share=1.0,
            foretold_ms=40.0,
            measured_ms=38.0,
            got=0.95,
        ),
        Rate(
            "model",
            True,
            8,
            foretold=30.0,
            measured=20.0,
            whole_share=0.9,
            foretold_ms=60.0,
            measured_ms=70.0,
            got=0.7,
        ),
    ]
    checks.measured_mib = {"nlu": 200.0, "retrieval": 300.0}
    checks.foretold_mib = {"nlu": 190.0, "retrieval": 280.0}
    body = section("python -m benchmarks.plan_check", COSTS, checks)
    assert (
        "| no reasons, every query new, 8 clients | 45.0 | 50.0 | -10% | 40.0 | 38.0 | 95% | 100% |"
        in body
    )
    assert "off by 50% (wanted: within 25%): not met" in body
    assert "All memory is off by 6% (wanted: within 25%): met" in body


def test_parts_are_kept_as_they_are_measured(tmp_path):
    path = tmp_path / "costs.json"
    for part in ("shards", "events", "searches"):
        plan_check._keep(path, part, getattr(COSTS, part))
    with pytest.raises(CostsError, match="memory"):
        read_costs(path)
    plan_check._keep(path, "memory", COSTS.memory)
    assert read_costs(path) == COSTS
    plan_check._keep(path, "memory", COSTS.memory)
    assert set(json.loads(path.read_text())) == {"shards", "events", "searches", "memory"}


def test_a_curve_that_was_not_run_is_named(tmp_path):
    with pytest.raises(SystemExit, match=r"benchmarks\.cost_curve"):
        plan_check.main(["--curve", str(tmp_path), "--costs", str(tmp_path / "costs.json")])


def test_a_suite_needs_its_folder(capsys):
    with pytest.raises(SystemExit):
        plan_check.main([])
    assert "--home FOLDER" in capsys.readouterr().err
