"""Names that objects call each other by."""

from collections.abc import Iterator
from typing import Any

from tests.deploy.k8s.rendering import Objects
from tests.deploy.k8s.workloads import Workload, workloads

Reference = tuple[str, str]
"""Kind and name."""


def problems(objects: Objects) -> list[str]:
    """Returns what is referred to and not there, and volumes that lead nowhere."""
    there = {(item["kind"], item["metadata"]["name"]) for item in objects}
    there |= {("Secret", name) for name in secret_keys(objects)}
    there |= {("PersistentVolumeClaim", name) for name in _claims(objects)}
    found = []
    for workload in workloads(objects):
        for reference in _references(workload):
            if reference not in there:
                found.append(f"{workload}: there is no {' '.join(reference)}")
        found += [f"{workload}: {problem}" for problem in _volumes(workload)]
    return found


def secret_keys(objects: Objects) -> dict[str, set[str]]:
    """Returns the keys of the secrets that other objects make."""
    found = {name: {"tls.crt", "tls.key", "ca.crt"} for name in _certificates(objects)}
    for item in objects:
        if item["kind"] == "ExternalSecret":
            target, spec = item["spec"]["target"], item["spec"]
            data = target.get("template", {}).get("data")
            names = data or {each["secretKey"] for each in spec.get("data", [])}
            found[target["name"]] = set(names)
        if item["kind"] == "Secret":
            found[item["metadata"]["name"]] = set(item.get("stringData", item.get("data", {})))
    return found


def _certificates(objects: Objects) -> list[str]:
    return [item["spec"]["secretName"] for item in objects if item["kind"] == "Certificate"]


def _claims(objects: Objects) -> Iterator[str]:
    """Yields the volumes that StatefulSets make for their first pod."""
    for workload in workloads(objects):
        for claim in workload.object["spec"].get("volumeClaimTemplates", []):
            yield f"{claim['metadata']['name']}-{workload.name}-0"


def _references(workload: Workload) -> Iterator[Reference]:
    pod = workload.pod
    if name := pod.get("serviceAccountName"):
        yield "ServiceAccount", name
    if name := workload.object["spec"].get("serviceName"):
        yield "Service", name
    for container in workload.containers:
        for source in container.get("envFrom", []):
            yield from _needed(source, "configMapRef", "ConfigMap", "name")
            yield from _needed(source, "secretRef", "Secret", "name")
        for variable in container.get("env", []):
            value = variable.get("valueFrom", {})
            yield from _needed(value, "configMapKeyRef", "ConfigMap", "name")
            yield from _needed(value, "secretKeyRef", "Secret", "name")
    for volume in pod.get("volumes", []):
        yield from _needed(volume, "configMap", "ConfigMap", "name")
        yield from _needed(volume, "secret", "Secret", "secretName")
        yield from _needed(volume, "persistentVolumeClaim", "PersistentVolumeClaim", "claimName")
        for source in volume.get("projected", {}).get("sources", []):
            yield from _needed(source, "configMap", "ConfigMap", "name")
            yield from _needed(source, "secret", "Secret", "name")


def _needed(holder: dict[str, Any], key: str, kind: str, name: str) -> Iterator[Reference]:
    found = holder.get(key)
    if found and not found.get("optional"):
        yield kind, found[name]


def _volumes(workload: Workload) -> list[str]:
    volumes = {each["name"] for each in workload.pod.get("volumes", [])}
    claims = workload.object["spec"].get("volumeClaimTemplates", [])
    volumes |= {each["metadata"]["name"] for each in claims}
    mounted = {
        mount["name"] for each in workload.containers for mount in each.get("volumeMounts", [])
    }
    return [
        *(f"mounts {name}, which is no volume" for name in sorted(mounted - volumes)),
        *(f"never mounts its volume {name}" for name in sorted(volumes - mounted)),
    ]
