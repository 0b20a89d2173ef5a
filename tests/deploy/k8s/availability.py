"""What outlasts the loss of a machine, a roll-out and a node that is drained."""

from typing import Any

from shared.suite.ports import ALL
from tests.deploy.k8s import listening, settings_of
from tests.deploy.k8s.rendering import Objects
from tests.deploy.k8s.workloads import Workload, lasting, matches, of_kind

LEAST_GRACE_SECONDS = 30
"""Of programs of others, which are given time to write what they have."""
_SPARE_SECONDS = 5
"""For a process to close its stores after the last call."""


def scaler(objects: Objects, workload: Workload) -> dict[str, Any] | None:
    """Returns the HorizontalPodAutoscaler of a workload."""
    for each in of_kind(objects, "HorizontalPodAutoscaler"):
        target = each["spec"]["scaleTargetRef"]
        if (target["kind"], target["name"]) == (workload.kind, workload.name):
            return each
    return None


def replicas(objects: Objects, workload: Workload) -> int:
    """Returns how many pods there are at least."""
    found = scaler(objects, workload)
    if found is not None:
        return found["spec"]["minReplicas"]
    return workload.object["spec"].get("replicas", 1)


def problems(objects: Objects) -> list[str]:
    """Returns what would be lost with one machine, or in the midst of a call."""
    found = []
    for workload in lasting(objects):
        for check in (_selector, _spread, _budget, _scaling, _shutdown):
            found += [f"{workload}: {each}" for each in check(objects, workload)]
    return found + _orphans(objects)


def _selector(objects: Objects, workload: Workload) -> list[str]:
    selector = workload.object["spec"]["selector"]
    if not matches(selector, workload.labels):
        return ["its selector does not choose its pods"]
    return [
        f"its selector chooses the pods of {other}"
        for other in lasting(objects)
        if other.name != workload.name and matches(selector, other.labels)
    ]


def _spread(objects: Objects, workload: Workload) -> list[str]:
    if replicas(objects, workload) == 1:
        return []
    constraints = workload.pod.get("topologySpreadConstraints", [])
    if "kubernetes.io/hostname" not in {each["topologyKey"] for each in constraints}:
        return ["its pods may all be on one machine"]
    return [
        f"its constraint on {each['topologyKey']} does not choose its pods"
        for each in constraints
        if not matches(each["labelSelector"], workload.labels)
    ]


def _budget(objects: Objects, workload: Workload) -> list[str]:
    budgets = [
        each
        for each in of_kind(objects, "PodDisruptionBudget")
        if matches(each["spec"]["selector"], workload.labels)
    ]
    if replicas(objects, workload) == 1 and not budgets:
        return []
    if len(budgets) != 1:  # with two, no pod can be evicted at all
        return [f"{len(budgets)} disruption budgets choose its pods"]
    lost = budgets[0]["spec"].get("maxUnavailable", 0)
    return [] if lost == 1 else [f"{lost} of its pods may be evicted at once, not 1"]


def _scaling(objects: Objects, workload: Workload) -> list[str]:
    found = scaler(objects, workload)
    if found is None:
        return []
    if "replicas" in workload.object["spec"]:
        return ["names replicas, which an apply would set back"]
    return [] if found["spec"]["maxReplicas"] > found["spec"]["minReplicas"] else ["never scales"]


def _shutdown(objects: Objects, workload: Workload) -> list[str]:
    grace = workload.pod.get("terminationGracePeriodSeconds", 30)
    wait = workload.main.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    if workload.app in ALL:
        settings = settings_of.read(objects, workload)
        work = settings.lame_duck_seconds + settings.drain_seconds
    elif workload.app == "triton":
        work = float(listening.argument(workload, "exit-timeout-secs") or 30)
    else:
        return [] if grace >= LEAST_GRACE_SECONDS else [f"is killed after {grace} s"]
    found = [] if wait else ["has no preStop: calls reach it after it began to refuse them"]
    if grace < wait + work + _SPARE_SECONDS:
        found.append(f"is killed after {grace} s, and needs {wait + work + _SPARE_SECONDS:g}")
    return found


def _orphans(objects: Objects) -> list[str]:
    targets = {(each.kind, each.name) for each in lasting(objects)}
    found = []
    for each in of_kind(objects, "HorizontalPodAutoscaler"):
        target = each["spec"]["scaleTargetRef"]
        if (target["kind"], target["name"]) not in targets:
            found.append(f"HorizontalPodAutoscaler {each['metadata']['name']} scales nobody")
    for each in of_kind(objects, "PodDisruptionBudget"):
        if not any(matches(each["spec"]["selector"], w.labels) for w in lasting(objects)):
            found.append(f"PodDisruptionBudget {each['metadata']['name']} chooses nobody")
    return found
