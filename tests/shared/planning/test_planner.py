"""Plans of made-up costs: they keep what they promise, and more asked never costs less."""

import math
from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from shared.planning.planner import plan
from shared.planning.pools import ZONE_LOST_BUSY, left
from shared.planning.workload import PlanInfeasibleError, Policy, Prices, Workload
from tests.shared.planning.made_up_costs import costs

COSTS = costs()
BASE = Workload(1e6, 200, 150, reasons="template")
workloads = st.builds(
    Workload,
    products=st.floats(1e4, 1e8),
    qps=st.floats(1, 5e4),
    p99_ms=st.floats(110, 400),
    reasons=st.just("template"),
    page_size=st.integers(1, 60),
    chinese_share=st.floats(0, 1),
    cache_hits=st.floats(0, 0.9),
    events=st.floats(0, 1000),
    policy=st.builds(
        Policy,
        headroom=st.floats(0.05, 0.6),
        zones=st.integers(1, 4),
        shard_copies=st.integers(1, 3),
        most_shard_products=st.sampled_from([0.0, 2e5]),
    ),
)


# Shrinking would plan for minutes; the same examples each time.
QUICKLY = settings(
    max_examples=8, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate)
)


def made(workload):
    try:
        return plan(workload, COSTS)
    except PlanInfeasibleError:
        return None


@QUICKLY
@given(workloads)
def test_a_plan_keeps_its_rules(workload):
    found = made(workload)
    if found is None:
        return
    policy = workload.policy
    assert found.p99_ms <= workload.p99_ms
    assert found.idle_p99_ms <= found.p99_ms <= found.p99_zone_lost_ms
    for pool in [*found.deployment.pools.values(), found.deployment.index.pool]:
        assert pool.busy <= 1 - policy.headroom + 1e-6
        if policy.zones > 1:
            assert pool.busy * pool.replicas / left(pool.replicas, policy.zones) <= (
                ZONE_LOST_BUSY + 1e-6
            )
    index = found.deployment.index
    assert index.copies >= policy.shard_copies
    assert index.node_gib <= policy.node_gib
    assert index.groups * index.shards_per_node >= index.shards
    assert found.month == pytest.approx(
        sum(row.amounts.month(workload.prices) for row in found.rows)
    )


@QUICKLY
@given(workloads, st.sampled_from(["qps", "products", "events", "page_size"]))
def test_twice_as_much_never_costs_less(workload, name):
    twice = 2 * getattr(workload, name)
    more = replace(workload, **{name: min(100, twice) if name == "page_size" else twice})
    less, found = made(workload), made(more)
    if found is not None:
        assert less is not None
        assert found.month >= less.month * 0.999


@QUICKLY
@given(workloads, st.floats(0.05, 0.3))
def test_more_to_spare_never_costs_less(workload, more):
    # Where latency decides, the utilisations that are tried do; here the headroom does.
    workload, policy = replace(workload, p99_ms=3_000), workload.policy
    spare = replace(workload, policy=replace(policy, headroom=policy.headroom + more))
    less, found = made(workload), made(spare)
    if less and found:
        assert found.month >= less.month * 0.999


def test_what_was_asked_before_costs_less():
    months = [plan(replace(BASE, qps=5000, cache_hits=h), COSTS).month for h in (0, 0.4, 0.8)]
    assert months == sorted(months, reverse=True)
    assert months[-1] < months[0]


def test_auto_takes_the_richest_reasons_that_meet_the_target():
    auto = replace(BASE, reasons="auto")
    assert plan(replace(auto, p99_ms=400), COSTS).reasons == "model"
    assert plan(replace(auto, p99_ms=120), COSTS).reasons == "template"


def test_an_endless_target_says_what_would_do():
    with pytest.raises(PlanInfeasibleError, match="--p99: 40 ms cannot be met") as caught:
        plan(replace(BASE, p99_ms=40), COSTS)
    assert any("--p99" in remedy for remedy in caught.value.remedies)
    with pytest.raises(PlanInfeasibleError) as caught:
        plan(replace(BASE, reasons="model", p99_ms=120), COSTS)
    assert any(remedy.startswith("--reasons template") for remedy in caught.value.remedies)


def test_what_cost_too_little_to_be_counted_is_deployed_all_the_same():
    kinds = [
        kind.model_copy(update={"cpu_ms": kind.cpu_ms | {"recommend": 0.0, "nlu": 0.0}})
        for kind in COSTS.searches.kinds
    ]
    free = COSTS.model_copy(update={"searches": COSTS.searches.model_copy(update={"kinds": kinds})})
    rows = {row.name: row.replicas for row in plan(BASE, free).rows}
    assert rows["recommend"] == rows["nlu"] == 3


def test_a_node_that_holds_no_shard_is_named():
    with pytest.raises(PlanInfeasibleError, match="--node-memory"):
        plan(replace(BASE, policy=Policy(node_gib=0.3, most_shard_products=1e6)), COSTS)


def test_events_that_no_process_can_follow_are_refused():
    with pytest.raises(PlanInfeasibleError, match="--events: every orchestrator"):
        plan(replace(BASE, events=50_000), COSTS)


def test_shards_hold_no_more_than_is_allowed():
    found = plan(replace(BASE, products=1e7, policy=Policy(most_shard_products=5e5)), COSTS)
    assert found.deployment.index.shards >= 20
    assert not found.warnings
    larger = plan(replace(BASE, products=1e7, policy=Policy(most_shard_products=5e6)), COSTS)
    if larger.workload.products / larger.deployment.index.shards > 1.5e6:
        assert any("extrapolated" in line for line in larger.warnings)


def test_a_search_that_asks_fewer_shards_costs_less():
    wide = Workload(2e7, 2000, 200, reasons="template")
    narrow = replace(wide, policy=Policy(asked_share=0.2))
    assert plan(narrow, COSTS).month < plan(wide, COSTS).month / 2


def test_gpus_take_the_models_work_and_are_paid_for():
    workload = replace(BASE, reasons="model", p99_ms=300, policy=Policy(gpu_cores=40))
    found = plan(workload, COSTS)
    assert found.amounts.gpu > 0
    dearer = plan(replace(workload, prices=Prices(gpu_hour=5.0)), COSTS)
    assert dearer.month - found.month == pytest.approx(2.5 * 730 * found.amounts.gpu)
    assert found.idle_p99_ms < plan(replace(workload, policy=Policy()), COSTS).idle_p99_ms
    assert any("no GPU was measured" in line for line in found.assumptions)


def test_int8_keeps_less_in_memory():
    kept = {}
    for kind in ("none", "int8", "binary"):
        found = plan(replace(BASE, policy=Policy(quantisation=kind)), COSTS)
        kept[kind] = found.deployment.index.shard_mib
    assert kept["none"] > kept["int8"] > kept["binary"] > 0
    assert kept["none"] - kept["int8"] == pytest.approx(1e6 * 384 * 3 / 2**20, rel=0.01)


def test_the_lost_zone_may_be_beyond_what_is_left():
    policy = Policy(headroom=0.05, zones=2)
    found = plan(replace(BASE, policy=policy), COSTS)
    assert math.isfinite(found.p99_ms)
    assert found.p99_zone_lost_ms >= found.p99_ms
