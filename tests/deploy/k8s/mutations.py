"""What is taken out of a rendering, part by part, to see that a check misses it."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

from tests.deploy.k8s import availability, call_graph, pods, ports, probes, references
from tests.deploy.k8s.rendering import Objects
from tests.deploy.k8s.workloads import Workload, lasting, named, of_kind, workloads

Check = Callable[[Objects], list[str]]
Change = Callable[[Objects], None]
Case = tuple[str, Check, Change]


def workload(objects: Objects, app: str) -> Workload:
    return next(each for each in workloads(objects) if each.name == app)


def drop(app: str, *path: Any) -> Change:
    """Takes a part of the pod, or of its first container after "main", out."""

    def change(objects: Objects) -> None:
        found = workload(objects, app)
        holder: Any = found.pod
        for step in path[:-1]:
            holder = found.main if step == "main" else holder[step]
        del holder[path[-1]]

    return change


def put(app: str, value: Any, *path: Any) -> Change:
    def change(objects: Objects) -> None:
        found = workload(objects, app)
        holder: Any = found.pod
        for step in path[:-1]:
            holder = found.main if step == "main" else holder[step]
        holder[path[-1]] = value

    return change


def without(kind: str, name: str) -> Change:
    def change(objects: Objects) -> None:
        found = named(objects, kind, name)
        assert found, (kind, name)
        objects.remove(found)

    return change


def of_app(app: str, *, several: bool, drains: bool, served: bool = True) -> Iterator[Case]:
    """Yields the parts of what runs for good.

    Args:
        app: Its name.
        several: Whether there is more than one pod.
        drains: Whether it finishes calls when it is stopped.
        served: Whether anybody calls it.
    """
    for kind in probes.KINDS:
        yield f"{app} {kind}", probes.problems, drop(app, "main", kind)
    for part in ("limits", "requests"):
        yield f"{app} {part}", pods.problems, drop(app, "main", "resources", part)
    yield f"{app} resources", pods.problems, drop(app, "main", "resources")
    for part in ("readOnlyRootFilesystem", "allowPrivilegeEscalation", "capabilities"):
        yield f"{app} {part}", pods.problems, drop(app, "main", "securityContext", part)
    for part in ("runAsNonRoot", "runAsUser", "seccompProfile"):
        yield f"{app} {part}", pods.problems, drop(app, "securityContext", part)
    yield f"{app} token", pods.problems, drop(app, "automountServiceAccountToken")
    yield f"{app} latest", pods.problems, put(app, f"wherefore/{app}:latest", "main", "image")
    yield f"{app} no tag", pods.problems, put(app, f"wherefore/{app}", "main", "image")
    yield f"{app} policy", call_graph.problems, without("NetworkPolicy", app)
    yield f"{app} account", references.problems, without("ServiceAccount", app)
    yield f"{app} grace", availability.problems, put(app, 5, "terminationGracePeriodSeconds")
    if served:
        yield f"{app} service", ports.problems, without("Service", app)
    if several:
        yield f"{app} budget", availability.problems, without("PodDisruptionBudget", app)
        yield f"{app} spread", availability.problems, drop(app, "topologySpreadConstraints")
    if drains:
        yield f"{app} preStop", availability.problems, drop(app, "main", "lifecycle")


def of_job(job: str) -> Iterator[Case]:
    """Yields the parts of what runs to its end."""
    for part in ("limits", "requests"):
        yield f"{job} {part}", pods.problems, drop(job, "main", "resources", part)
    yield f"{job} root", pods.problems, drop(job, "securityContext", "runAsNonRoot")
    read_only = drop(job, "main", "securityContext", "readOnlyRootFilesystem")
    yield f"{job} write", pods.problems, read_only


def unmissed_container_ports(whole: Objects) -> list[str]:
    """Returns the ports of containers that no check misses."""
    found = []
    for each in lasting(whole):
        for index in range(len(each.main["ports"])):
            mutated = copy.deepcopy(whole)
            lost = workload(mutated, each.name).main["ports"].pop(index)
            if not any(each.name in problem for problem in ports.problems(mutated)):
                found.append(f"{each} {lost}")
    return found


def unmissed_service_ports(whole: Objects) -> list[str]:
    """Returns the ports of Services that no check misses, though no other Service has them."""
    found = []
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
            if not ports.problems(mutated):
                found.append(f"{service['metadata']['name']} {port}")
    return found


def unmissed_rules(whole: Objects) -> list[str]:
    """Returns the rules of policies that no check misses."""
    found = []
    for policy in of_kind(whole, "NetworkPolicy"):
        name = policy["metadata"]["name"]
        if name == "default-deny":  # of what has no policy of its own
            continue
        for side in ("ingress", "egress"):
            for index, rule in enumerate(policy["spec"].get(side) or []):
                mutated = copy.deepcopy(whole)
                named(mutated, "NetworkPolicy", name)["spec"][side].pop(index)
                if not call_graph.problems(mutated):
                    found.append(f"{name} {side} {rule}")
    return found
