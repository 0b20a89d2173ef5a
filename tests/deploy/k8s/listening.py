"""Which ports each container opens, by what tells it so: settings of ours, arguments of others."""

from typing import Any

from shared.suite.ports import ALL
from tests.deploy.k8s import settings_of
from tests.deploy.k8s.rendering import Objects
from tests.deploy.k8s.workloads import Workload

_OF_FLOWER = {"fleet": "fleet-api", "control": "control-api", "health": "health-server"}
_OTHERS = {"qdrant": {"http": 6333, "grpc": 6334, "p2p": 6335}, "redis": {"redis": 6379}}
"""Ports that programs of others open by default."""


def ports(objects: Objects, workload: Workload) -> dict[str, int]:
    """Returns the ports that a workload's first container opens, by name; none of a job's."""
    if workload.app in ALL:
        return _of_service(settings_of.read(objects, workload))
    if workload.app == "triton":
        return {
            name: int(argument(workload, f"{name}-port")) for name in ("http", "grpc", "metrics")
        }
    if workload.app in ("superlink", "supernode"):
        told = {name: argument(workload, f"{each}-address") for name, each in _OF_FLOWER.items()}
        return {name: int(each.rpartition(":")[2]) for name, each in told.items() if each}
    return _OTHERS.get(workload.app, {})


def argument(workload: Workload, name: str) -> str:
    """Returns the value of an argument --NAME=VALUE of the first container; "" without it."""
    start = f"--{name}="
    given = [each for each in workload.main.get("args", []) if each.startswith(start)]
    return given[-1].removeprefix(start) if given else ""


def _of_service(settings: Any) -> dict[str, int]:
    found = {"grpc": settings.port, "metrics": settings.metrics_port}
    if settings.security.enabled and settings.inner_port is not None:
        found["inner"] = settings.inner_port
    if settings.health_port is not None:
        found["health"] = settings.health_port
    if getattr(settings, "http_enabled", False):
        found["page"] = settings.http_port
    return found
