"""What runs pods, and what these are made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.deploy.k8s.rendering import Objects

LASTING = ("Deployment", "StatefulSet")
NAME = "app.kubernetes.io/name"


@dataclass(frozen=True)
class Workload:
    """One object that makes pods."""

    kind: str
    name: str
    object: dict[str, Any]
    template: dict[str, Any]
    """Of its pods: metadata and spec."""

    @property
    def pod(self) -> dict[str, Any]:
        return self.template["spec"]

    @property
    def labels(self) -> dict[str, str]:
        return self.template["metadata"].get("labels", {})

    @property
    def app(self) -> str:
        """The service that it is: the canary of ranking is ranking."""
        return self.labels.get(NAME, self.name)

    @property
    def lasting(self) -> bool:
        return self.kind in LASTING

    @property
    def containers(self) -> list[dict[str, Any]]:
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    @property
    def main(self) -> dict[str, Any]:
        return self.pod["containers"][0]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def workloads(objects: Objects) -> list[Workload]:
    """Returns all that make pods."""
    return [
        Workload(kind, name, item, template)
        for item in objects
        for kind, name, template in _templates(item)
    ]


def lasting(objects: Objects) -> list[Workload]:
    """Returns those that are to run for good."""
    return [each for each in workloads(objects) if each.lasting]


def _templates(item: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    kind, name = item["kind"], item["metadata"]["name"]
    if kind in (*LASTING, "Job"):
        yield kind, name, item["spec"]["template"]
    elif kind == "CronJob":
        yield kind, name, item["spec"]["jobTemplate"]["spec"]["template"]
    elif kind == "PyTorchJob":
        for part, spec in item["spec"]["pytorchReplicaSpecs"].items():
            yield kind, f"{name}-{part}", spec["template"]


def of_kind(objects: Objects, *kinds: str) -> list[dict[str, Any]]:
    """Returns the objects of some kinds."""
    return [item for item in objects if item["kind"] in kinds]


def named(objects: Objects, kind: str, name: str) -> dict[str, Any] | None:
    """Returns one object; None where there is none."""
    return next((o for o in of_kind(objects, kind) if o["metadata"]["name"] == name), None)


def matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a label selector of matchLabels alone chooses `labels`; an empty one chooses all."""
    unknown = set(selector) - {"matchLabels"}
    assert not unknown, f"these checks do not read {unknown}"
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
