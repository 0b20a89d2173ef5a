"""What would be forgotten in a manifest is found: every part taken out of every workload."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.suite.ports import ALL, APPLICATIONS
from tests.deploy.k8s import availability, call_graph, pods, ports, probes, references, settings_of
from tests.deploy.k8s.rendering import Objects, needs_kubectl, render
from tests.deploy.k8s.workloads import Workload, lasting, named, of_kind, workloads

pytestmark = needs_kubectl
OVERLAY = "overlays/prod"
Check = Callable[[Objects], list[str]]
Change = Callable[[Objects], None]
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


def _workload(objects: Objects, app: str) -> Workload:
    return next(each for each in workloads(objects) if each.name == app)


def _drop(app: str, *path: Any) -> Change:
    """Takes a part of the pod, or of its first container after "main", out."""

    def change(objects: Objects) -> None:
        workload = _workload(objects, app)
        holder: Any = workload.pod
        for step in path[:-1]:
            holder = workload.main if step == "main" else holder[step]
        del holder[path[-1]]

    return change


def _put(app: str, value: Any, *path: Any) -> Change:
    def change(objects: Objects) -> None:
        workload = _workload(objects, app)
        holder: Any = workload.pod
        for step in path[:-1]:
            holder = workload.main if step == "main" else holder[step]
        holder[path[-1]] = value

    return change


def _without(kind: str, name: str) -> Change:
    def change(objects: Objects) -> None:
        found = named(objects, kind, name)
        assert found, (kind, name)
        objects.remove(found)

    return change


def _cases() -> Iterator[tuple[str, Check, Change]]:
    for app in APPS:
        for kind in probes.KINDS:
            yield f"{app} {kind}", probes.problems, _drop(app, "main", kind)
        for part in ("limits", "requests"):
            yield f"{app} {part}", pods.problems, _drop(app, "main", "resources", part)
        yield f"{app} resources", pods.problems, _drop(app, "main", "resources")
        for part in ("readOnlyRootFilesystem", "allowPrivilegeEscalation", "capabilities"):
            yield f"{app} {part}", pods.problems, _drop(app, "main", "securityContext", part)
        for part in ("runAsNonRoot", "runAsUser", "seccompProfile"):
            yield f"{app} {part}", pods.problems, _drop(app, "securityContext", part)
        yield f"{app} token", pods.problems, _drop(app, "automountServiceAccountToken")
        yield f"{app} latest", pods.problems, _put(app, f"wherefore/{app}:latest", "main", "image")
        yield f"{app} no tag", pods.problems, _put(app, f"wherefore/{app}", "main", "image")
        yield f"{app} policy", call_graph.problems, _without("NetworkPolicy", app)
        yield f"{app} account", references.problems, _without("ServiceAccount", app)
        yield f"{app} service", ports.problems, _without("Service", app)
        short = _put(app, 5, "terminationGracePeriodSeconds")
        yield f"{app} grace", availability.problems, short
        if app not in ONE:
            yield f"{app} budget", availability.problems, _without("PodDisruptionBudget", app)
            spread = _drop(app, "topologySpreadConstraints")
            yield f"{app} spread", availability.problems, spread
        if app in (*ALL, "triton"):
            yield f"{app} preStop", availability.problems, _drop(app, "main", "lifecycle")


def _cases_of_jobs() -> Iterator[tuple[str, Check, Change]]:
    for job in JOBS:
        for part in ("limits", "requests"):
            yield f"{job} {part}", pods.problems, _drop(job, "main", "resources", part)
        yield f"{job} root", pods.problems, _drop(job, "securityContext", "runAsNonRoot")
        yield (
            f"{job} write",
            pods.problems,
            _drop(job, "main", "securityContext", "readOnlyRootFilesystem"),
        )
    for policy in ("tools", "snapshots", "migrate-events", "redis-backup"):
        yield f"{policy} policy", call_graph.problems, _without("NetworkPolicy", policy)


CASES = [*_cases(), *_cases_of_jobs()]


@pytest.mark.parametrize(("check", "change"), [pytest.param(c, m, id=name) for name, c, m in CASES])
def test_what_is_taken_out_is_missed(whole: Objects, check: Check, change: Change) -> None:
    mutated = copy.deepcopy(whole)
    change(mutated)
    assert check(mutated)


def test_no_job_is_left_out(whole: Objects) -> None:
    assert {each.name for each in workloads(whole) if not each.lasting} == set(JOBS)
    assert {each.name for each in lasting(whole)} == set(APPS)


def _each_port(objects: Objects) -> Iterator[tuple[Workload, int]]:
    for workload in lasting(objects):
        for index in range(len(workload.main["ports"])):
            yield workload, index


def test_every_port_of_every_container_is_missed(whole: Objects) -> None:
    for workload, index in _each_port(whole):
        mutated = copy.deepcopy(whole)
        lost = _workload(mutated, workload.name).main["ports"].pop(index)
        assert any(workload.name in each for each in ports.problems(mutated)), (workload, lost)


def test_every_port_of_every_service_is_missed(whole: Objects) -> None:
    for service in of_kind(whole, "Service"):
        for index, port in enumerate(service["spec"]["ports"]):
            others = [
                each
                for each in of_kind(whole, "Service")
                if each is not service and each["spec"]["selector"] == service["spec"]["selector"]
                if port["port"] in {p["port"] for p in each["spec"]["ports"]}
            ]
            if others:  # another way to the same port is left
                continue
            mutated = copy.deepcopy(whole)
            named(mutated, "Service", service["metadata"]["name"])["spec"]["ports"].pop(index)
            assert ports.problems(mutated), (service["metadata"]["name"], port)


def test_every_rule_of_every_policy_is_missed(whole: Objects) -> None:
    for policy in of_kind(whole, "NetworkPolicy"):
        name = policy["metadata"]["name"]
        if name == "default-deny":  # of what has no policy of its own
            continue
        for side in ("ingress", "egress"):
            for index, rule in enumerate(policy["spec"].get(side) or []):
                mutated = copy.deepcopy(whole)
                named(mutated, "NetworkPolicy", name)["spec"][side].pop(index)
                assert call_graph.problems(mutated), (name, side, rule)


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
    workload = _workload(whole, service)
    for source in workload.main["envFrom"]:
        for key in named(whole, "ConfigMap", source["configMapRef"]["name"])["data"]:
            mutated = copy.deepcopy(whole)
            data = named(mutated, "ConfigMap", source["configMapRef"]["name"])["data"]
            data[f"{key}S"] = data.pop(key)
            assert any(f"{key}S" in each for each in settings_of.problems(mutated)), key


def test_a_setting_of_another_type_is_found(whole: Objects) -> None:
    mutated = copy.deepcopy(whole)
    source = _workload(mutated, "nlu").main["envFrom"][1]["configMapRef"]["name"]
    named(mutated, "ConfigMap", source)["data"]["WHEREFORE_NLU_MAX_QUEUE"] = "many"
    assert any("max_queue" in each for each in settings_of.problems(mutated))


@pytest.mark.parametrize("service", ALL)
def test_a_probe_that_asks_for_another_service_is_found(whole: Objects, service: str) -> None:
    for kind in probes.KINDS:
        for key, value in (("service", "wherefore.v1.Nothing"), ("port", 7799)):
            mutated = copy.deepcopy(whole)
            _workload(mutated, service).main[kind]["grpc"][key] = value
            assert probes.problems(mutated), (kind, key)


def test_selectors_that_choose_others_are_found(whole: Objects) -> None:
    for app in APPS:
        mutated = copy.deepcopy(whole)
        workload = _workload(mutated, app)
        workload.template["metadata"]["labels"]["app.kubernetes.io/name"] = "other"
        assert availability.problems(mutated), app
