"""Probes ask the ports that are open, for the services that are there."""

import importlib
from functools import cache
from typing import Any

from shared.health import SERVICE_NAME
from shared.suite.ports import ALL
from tests.deploy.k8s import listening, settings_of
from tests.deploy.k8s.rendering import Objects
from tests.deploy.k8s.workloads import Workload, lasting

KINDS = ("startupProbe", "livenessProbe", "readinessProbe")
_WAYS = ("grpc", "httpGet", "tcpSocket", "exec")
_LEAST_START_SECONDS = 60
_LEAST_PATIENCE_SECONDS = 30
"""A process that is busy for so long is not killed for it."""


@cache
def health_names(service: str) -> frozenset[str]:
    """Returns the names under which a service tells its readiness."""
    module = importlib.import_module(f"services.{service}.server")
    (found,) = (
        each
        for each in vars(module).values()
        if isinstance(each, type) and each.__module__ == module.__name__
        if hasattr(each, "service_names")
    )
    return frozenset(found.service_names)


def problems(objects: Objects) -> list[str]:
    """Returns the probes that lack, or ask what nobody answers."""
    found = []
    for workload in lasting(objects):
        open_ports = listening.ports(objects, workload)
        for kind in KINDS:
            probe = workload.main.get(kind)
            if probe is None:
                found.append(f"{workload} has no {kind}")
                continue
            found += [
                f"{workload}, {kind}: {problem}"
                for problem in (
                    *_of_port(workload, probe, open_ports),
                    *_of_names(objects, workload, kind, probe),
                    *_of_times(kind, probe),
                )
            ]
    return found


def _of_port(workload: Workload, probe: dict[str, Any], open_ports: dict[str, int]) -> list[str]:
    (way,) = set(_WAYS) & set(probe)
    if way == "exec":
        return []
    asked = probe[way].get("port")
    named = {each["name"]: each["containerPort"] for each in workload.main.get("ports", [])}
    number = named.get(asked, asked)
    return [] if number in open_ports.values() else [f"nobody listens at {asked}"]


def _of_names(objects: Objects, workload: Workload, kind: str, probe: dict[str, Any]) -> list[str]:
    if workload.app not in ALL:
        return []
    if "grpc" not in probe:
        return ["is not asked by gRPC"]
    found = []
    settings = settings_of.read(objects, workload)
    # The kubelet speaks no TLS.
    wanted = settings.health_port if settings.security.enabled else settings.port
    if probe["grpc"]["port"] != wanted:
        found.append(f"asks {probe['grpc']['port']}, not {wanted}")
    asked = probe["grpc"].get("service", "")
    names = health_names(workload.app) if kind == "readinessProbe" else {SERVICE_NAME}
    if asked not in names:
        found.append(f"asks for {asked!r}, not {' or '.join(sorted(names))}")
    return found


def _of_times(kind: str, probe: dict[str, Any]) -> list[str]:
    patience = probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3)
    least = {"startupProbe": _LEAST_START_SECONDS, "livenessProbe": _LEAST_PATIENCE_SECONDS}
    return [f"gives up after {patience} s"] if patience < least.get(kind, 0) else []
