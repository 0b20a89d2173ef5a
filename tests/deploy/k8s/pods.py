"""What pods may do and take: no root, nothing to write to but volumes, limits, image versions."""

import re
from typing import Any

from tests.deploy.k8s.rendering import Objects
from tests.deploy.k8s.workloads import Workload, workloads

_QUANTITY = re.compile(r"([0-9.]+)(m|Ki|Mi|Gi|Ti)?")
_UNITS = {"m": 0.001, "": 1.0, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}


def quantity(text: str | float) -> float:
    """Returns a Kubernetes quantity as a number, such as 0.25 of "250m"."""
    match = _QUANTITY.fullmatch(str(text))
    assert match, text
    return float(match[1]) * _UNITS[match[2] or ""]


def problems(objects: Objects) -> list[str]:
    """Returns what pods may that they should not, and what they lack."""
    return [
        f"{workload}: {problem}"
        for workload in workloads(objects)
        for problem in (*_of_pod(workload), *_of_containers(workload))
    ]


def _of_pod(workload: Workload) -> list[str]:
    pod, security = workload.pod, workload.pod.get("securityContext", {})
    found = []
    if not security.get("runAsNonRoot") or not security.get("runAsUser"):
        found.append("may run as root")
    if security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        found.append("has no seccomp profile")
    if pod.get("automountServiceAccountToken") is not False:
        found.append("gets a token of the API server")
    if not pod.get("serviceAccountName"):
        found.append("has no service account of its own")
    found += [f"has {key}" for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key)]
    found += [f"mounts {v['hostPath']['path']} of its node" for v in _volumes(pod, "hostPath")]
    found += [
        f"may fill its node's disk: emptyDir {volume['name']} has no sizeLimit"
        for volume in _volumes(pod, "emptyDir")
        if "sizeLimit" not in volume["emptyDir"]
    ]
    return found


def _volumes(pod: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [volume for volume in pod.get("volumes", []) if kind in volume]


def _of_containers(workload: Workload) -> list[str]:
    found = []
    for container in workload.containers:
        name, security = container["name"], container.get("securityContext", {})
        if security.get("allowPrivilegeEscalation") is not False:
            found.append(f"{name} may gain privileges")
        if security.get("capabilities") != {"drop": ["ALL"]}:
            found.append(f"{name} keeps capabilities")
        if security.get("readOnlyRootFilesystem") is not True:
            found.append(f"{name} may write to its root")
        if security.get("privileged"):
            found.append(f"{name} is privileged")
        found += _of_resources(name, container.get("resources", {}))
        tag = container["image"].rpartition("/")[2].partition(":")[2]
        if not re.search(r"\d", tag):
            found.append(f"{name}'s image has no version: {container['image']}")
    return found


def _of_resources(name: str, resources: dict[str, Any]) -> list[str]:
    requests, limits = resources.get("requests", {}), resources.get("limits", {})
    missing = [f"{name} requests no {each}" for each in ("cpu", "memory") if each not in requests]
    if "memory" not in limits:  # of processors: a quota would stop calls in their midst
        return [*missing, f"{name} has no limit of memory"]
    if missing:
        return missing
    over = [key for key in requests if key in limits and _more(requests, limits, key)]
    return [f"{name} requests more {key} than its limit" for key in over]


def _more(requests: dict[str, Any], limits: dict[str, Any], key: str) -> bool:
    return quantity(requests[key]) > quantity(limits[key])
