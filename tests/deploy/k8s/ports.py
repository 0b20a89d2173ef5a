"""Ports: what a container says it opens is what its program opens, and Services lead there."""

from tests.deploy.k8s import listening
from tests.deploy.k8s.rendering import Objects
from tests.deploy.k8s.workloads import Workload, lasting, of_kind

_UNSERVED = {"health"}
"""Ports that the kubelet alone asks."""


def problems(objects: Objects) -> list[str]:
    """Returns ports that are open and not told, told and not open, or led to by nothing."""
    found = []
    for workload in lasting(objects):
        opened = listening.ports(objects, workload)
        told = {each["name"]: each["containerPort"] for each in workload.main.get("ports", [])}
        found += [
            f"{workload}: {name} is told as {told.get(name)}, and is {opened.get(name)}"
            for name in sorted(set(opened) | set(told))
            if told.get(name) != opened.get(name)
        ]
        served = _served(objects, workload)
        found += [
            f"{workload}: no Service leads to {name}, {port}"
            for name, port in opened.items()
            if name not in _UNSERVED and port not in served
        ]
    return found + _dead_ends(objects)


def _served(objects: Objects, workload: Workload) -> set[int]:
    """Returns the container's ports that Services lead to under the same number."""
    return {
        port["port"]
        for service in of_kind(objects, "Service")
        if _chooses(service, workload)
        for port in service["spec"]["ports"]
        if port.get("targetPort", port["port"]) in (port["port"], port["name"])
    }


def _dead_ends(objects: Objects) -> list[str]:
    found = []
    for service in of_kind(objects, "Service"):
        name = service["metadata"]["name"]
        chosen = [each for each in lasting(objects) if _chooses(service, each)]
        if not chosen:
            found.append(f"Service {name} chooses nobody")
        for workload in chosen:
            told = {p["containerPort"] for p in workload.main.get("ports", [])}
            told |= {p["name"] for p in workload.main.get("ports", [])}
            found += [
                f"Service {name}: {workload} does not open {port['port']}"
                for port in service["spec"]["ports"]
                if port.get("targetPort", port["port"]) not in told
            ]
    return found


def _chooses(service: dict, workload: Workload) -> bool:
    return service["spec"]["selector"].items() <= workload.labels.items()
