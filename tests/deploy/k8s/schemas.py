"""Objects against the schemas of Kubernetes, strictly: no key that the API server does not know."""

import kubernetes_validate

from tests.deploy.k8s.rendering import Objects

OLDEST, NEWEST = "1.30", "1.37"
"""Kubernetes that the manifests are held to; 1.30 is the first with sleep in preStop."""


def of_kubernetes(objects: Objects) -> Objects:
    """Returns the objects that Kubernetes itself has schemas for."""
    return [item for item in objects if _is_known(item["apiVersion"])]


def of_others(objects: Objects) -> Objects:
    """Returns the objects of custom resources."""
    return [item for item in objects if not _is_known(item["apiVersion"])]


def problems(objects: Objects, version: str = NEWEST) -> list[str]:
    """Returns what the schemas of a version refuse."""
    found = []
    for item in of_kubernetes(objects):
        try:
            kubernetes_validate.validate(item, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            path = "/".join(map(str, error.path))
            found.append(f"{item['kind']} {item['metadata']['name']}: {path}: {error.message}")
    return found


def _is_known(version: str) -> bool:
    group = version.rpartition("/")[0]
    return "." not in group or group.endswith(".k8s.io")
