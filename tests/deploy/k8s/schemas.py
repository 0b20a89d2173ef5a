"""Objects against the schemas of Kubernetes, strictly: no key that the API server does not know."""

import json
from functools import cache

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
        if said := _refusal(json.dumps(item, sort_keys=True), version):
            found.append(f"{item['kind']} {item['metadata']['name']}: {said}")
    return found


@cache
def _refusal(item: str, version: str) -> str:
    """Returns what is wrong with an object as JSON; most are part of several renderings."""
    try:
        kubernetes_validate.validate(json.loads(item), version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{'/'.join(map(str, error.path))}: {error.message}"
    return ""


def _is_known(version: str) -> bool:
    group = version.rpartition("/")[0]
    return "." not in group or group.endswith(".k8s.io")
