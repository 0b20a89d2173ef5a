"""What would be forgotten in a manifest is found: every part taken out of every workload."""

import copy
from collections.abc import Iterator

import pytest

from shared.suite.ports import ALL, APPLICATIONS
from tests.deploy.k8s import availability, call_graph, mutations, probes, settings_of
from tests.deploy.k8s.mutations import Change, Check, workload
from tests.deploy.k8s.rendering import Objects, needs_kubectl, render
from tests.deploy.k8s.workloads import lasting, named, workloads

pytestmark = needs_kubectl
OVERLAY = "overlays/prod"
JOBS = (
    *("import", "reindex", "migrate-events"),
    *("qdrant-snapshots", "qdrant-restore", "redis-backup", "redis-restore"),
)
APPS = (*ALL, "triton", "qdrant", "redis")
ONE = ("redis", *APPLICATIONS)
"""Of which there is one pod."""


@pytest.fixture(scope="module")
def whole() -> Objects:
    return render(OVERLAY)


def _cases() -> Iterator[mutations.Case]:
    for app in APPS:
        yield from mutations.of_app(app, several=app not in ONE, drains=app in (*ALL, "triton"))
    for job in JOBS:
        yield from mutations.of_job(job)
    for policy in ("tools", "snapshots", "migrate-events", "redis-backup"):
        lost = mutations.without("NetworkPolicy", policy)
        yield f"{policy} policy", call_graph.problems, lost


CASES = list(_cases())


@pytest.mark.parametrize(("check", "change"), [pytest.param(c, m, id=name) for name, c, m in CASES])
def test_what_is_taken_out_is_missed(whole: Objects, check: Check, change: Change) -> None:
    mutated = copy.deepcopy(whole)
    change(mutated)
    assert check(mutated)


def test_no_job_is_left_out(whole: Objects) -> None:
    assert {each.name for each in workloads(whole) if not each.lasting} == set(JOBS)
    assert {each.name for each in lasting(whole)} == set(APPS)


def test_every_port_of_every_container_is_missed(whole: Objects) -> None:
    assert mutations.unmissed_container_ports(whole) == []


def test_every_port_of_every_service_is_missed(whole: Objects) -> None:
    assert mutations.unmissed_service_ports(whole) == []


def test_every_rule_of_every_policy_is_missed(whole: Objects) -> None:
    assert mutations.unmissed_rules(whole) == []


def test_a_rule_for_everybody_is_noticed(whole: Objects) -> None:
    for app in APPS:
        for side, open_rule in (("ingress", {}), ("egress", {})):
            mutated = copy.deepcopy(whole)
            spec = named(mutated, "NetworkPolicy", app)["spec"]
            spec[side] = [*(spec.get(side) or []), open_rule]
            if side == "egress" and app in ("redis", "qdrant", "triton"):
                # Of what they may call nobody lets them in.
                continue
            assert call_graph.problems(mutated), (app, side)


@pytest.mark.parametrize("service", ALL)
def test_settings_that_nobody_reads_are_found(whole: Objects, service: str) -> None:
    for source in workload(whole, service).main["envFrom"]:
        for key in named(whole, "ConfigMap", source["configMapRef"]["name"])["data"]:
            mutated = copy.deepcopy(whole)
            data = named(mutated, "ConfigMap", source["configMapRef"]["name"])["data"]
            data[f"{key}S"] = data.pop(key)
            assert any(f"{key}S" in each for each in settings_of.problems(mutated)), key


def test_a_setting_of_another_type_is_found(whole: Objects) -> None:
    mutated = copy.deepcopy(whole)
    source = workload(mutated, "nlu").main["envFrom"][1]["configMapRef"]["name"]
    named(mutated, "ConfigMap", source)["data"]["WHEREFORE_NLU_MAX_QUEUE"] = "many"
    assert any("max_queue" in each for each in settings_of.problems(mutated))


@pytest.mark.parametrize("service", ALL)
def test_a_probe_that_asks_for_another_service_is_found(whole: Objects, service: str) -> None:
    for kind in probes.KINDS:
        for key, value in (("service", "wherefore.v1.Nothing"), ("port", 7799)):
            mutated = copy.deepcopy(whole)
            workload(mutated, service).main[kind]["grpc"][key] = value
            assert probes.problems(mutated), (kind, key)


def test_selectors_that_choose_others_are_found(whole: Objects) -> None:
    for app in APPS:
        mutated = copy.deepcopy(whole)
        workload(mutated, app).template["metadata"]["labels"]["app.kubernetes.io/name"] = "other"
        assert availability.problems(mutated), app
