"""Who calls whom: by the targets in the settings of each service, and by network policies."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel, SecretStr

from shared.suite.ports import APPLICATIONS
from tests.deploy.k8s import listening, settings_of
from tests.deploy.k8s.rendering import Objects
from tests.deploy.k8s.workloads import Workload, matches, of_kind, workloads

CLIENT = {"wherefore.dev/client": "true"}
MONITORING = {"wherefore.dev/monitoring": "true"}
_OUTSIDE = {"trace_target", "webhook_url"}
"""Targets that are no part of the suite: components/tracing, and who sets a webhook, let services
there."""
_OPTIONAL = {"assistant_target", "insight_target"}
"""Targets of the demo page and of users' data, empty where a suite has no such service."""
_REDIS_PORT = 6379
PUBLIC = ("orchestrator", *APPLICATIONS)
"""What shops call."""
_PEERS = {"Egress": "to", "Ingress": "from"}
_METRICS = {"qdrant": "http", "redis": ""}
"""Ports of metrics that are called otherwise; Redis tells none."""
_FOR_ALL = {"superlink": "fleet"}
"""Ports that shops call from anywhere, and show their keys at."""
_OUTWARD = {"supernode": 9092}
"""Ports that are called wherever they are."""
_ADDRESS = re.compile(r"(?:dns:///|https?://)([a-z0-9-]+):([0-9]+)/?")


class Edge(NamedTuple):
    """One side calls the other at a port."""

    caller: str
    called: str
    port: int


WITHOUT_SETTINGS = frozenset(
    {
        Edge("qdrant", "qdrant", 6335),  # the nodes agree on the cluster's state
        Edge("snapshots", "qdrant", 6333),
        Edge("migrate-events", "redis", 6379),
        Edge("redis-backup", "redis", 6379),
        Edge("federated-run", "superlink", 9093),
    }
)
"""Calls that no target of a setting tells of."""


def targets(settings: BaseModel) -> Iterator[tuple[str, str]]:
    """Yields the fields that name whom a service calls, nested ones too, with their values."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            yield from targets(value)
        elif name in _OPTIONAL and not value:
            continue
        elif name.endswith(("target", "_url")) and name not in _OUTSIDE:
            yield name, value.get_secret_value() if isinstance(value, SecretStr) else value


def wanted(objects: Objects) -> tuple[set[Edge], list[str]]:
    """Returns the calls that the services of a rendering make, and targets that lead nowhere."""
    services = {s["metadata"]["name"]: s for s in of_kind(objects, "Service")}
    apps = {each.app for each in workloads(objects)}
    edges = {edge for edge in WITHOUT_SETTINGS if {edge.caller, edge.called} <= apps}
    found = []
    for workload in settings_of.readers(objects):
        for name, value in targets(settings_of.read(objects, workload)):
            if name == "redis_url":  # a secret: the log of events
                if workload.app == "orchestrator":
                    edges.add(Edge(workload.app, "redis", _REDIS_PORT))
                continue
            address = _ADDRESS.fullmatch(value)
            if address is None or address[1] not in services:
                found.append(f"{workload}: {name} is {value!r}, no Service")
                continue
            host, port = address[1], int(address[2])
            if port not in {each["port"] for each in services[host]["spec"]["ports"]}:
                found.append(f"{workload}: {name} asks {host} at {port}")
            edges.add(Edge(workload.app, host, port))
    return edges, found


def allowed(objects: Objects, side: str) -> set[Edge]:
    """Returns the calls between workloads that one side's policies allow, at ports that are open.

    Args:
        objects: A rendering.
        side: "Egress" for what callers may do, "Ingress" for whom the called let in.
    """
    every = workloads(objects)
    opened = {each.name: set(listening.ports(objects, each).values()) for each in every}
    return {
        Edge(caller.app, called.app, port)
        for own in every
        for rule in _rules(objects, own.labels, side)
        for other in every
        if _inside(rule.get(_PEERS[side]), other.labels)
        for caller, called in [(own, other) if side == "Egress" else (other, own)]
        for port in opened[called.name]
        if _at(rule, port)
    }


def problems(objects: Objects) -> list[str]:
    """Returns calls that policies forbid and should not, and those that they allow without need."""
    edges, found = wanted(objects)
    # Who bears the label of shops may call what is public, whether it does or not.
    shops = {each.app for each in workloads(objects) if CLIENT.items() <= each.labels.items()}
    doors = {
        (each.app, listening.ports(objects, each)[_FOR_ALL[each.app]])
        for each in workloads(objects)
        if each.app in _FOR_ALL
    }
    for side in _PEERS:
        by_policy = allowed(objects, side)
        if side == "Ingress":
            by_policy -= {e for e in by_policy if e.caller in shops and e.called in APPLICATIONS}
            by_policy -= {e for e in by_policy if (e.called, e.port) in doors}
        found += [f"{side} lacks {' '.join(map(str, e))}" for e in sorted(edges - by_policy)]
        found += [f"{side} has {' '.join(map(str, e))}" for e in sorted(by_policy - edges)]
    for workload in workloads(objects):
        for side in _PEERS:
            if not _policies(objects, workload.labels, side):
                found.append(f"{workload}: no policy holds for its {side}")
        calls = any(edge.caller == workload.app for edge in edges)
        found += [f"{workload}: {each}" for each in _of_outsiders(objects, workload)]
        found += [f"{workload}: {each}" for each in _of_outside(objects, workload, calls=calls)]
    return found


def _of_outsiders(objects: Objects, workload: Workload) -> list[str]:
    """Returns who of other namespaces may call, and should not, or may not, and should."""
    found = []
    metrics = _METRICS.get(workload.app, "metrics")
    for name, port in listening.ports(objects, workload).items():
        if _FOR_ALL.get(workload.app) == name:
            if not _from_outside(objects, workload, {}, port):
                found.append(f"shops of elsewhere may not call {port}")
            continue
        public = workload.app in PUBLIC and name in ("grpc", "page")
        if _from_outside(objects, workload, CLIENT, port) != public:
            found.append(f"shops may {'not ' if public else ''}call {port}")
        if _from_outside(objects, workload, MONITORING, port) != (name == metrics):
            found.append(f"Prometheus may {'not ' if name == metrics else ''}read {port}")
        if _from_outside(objects, workload, {}, port):
            found.append(f"anybody may call {port}")
    return found


def _of_outside(objects: Objects, workload: Workload, *, calls: bool) -> list[str]:
    """Returns what of the outside a workload may call, or may not: names, where it needs them."""
    found = []
    rules = _rules(objects, workload.labels, "Egress")
    outward = [{"ports": [{"port": _OUTWARD[workload.app]}]}] if workload.app in _OUTWARD else []
    if (calls or outward) and not any(map(_names, rules)):
        found.append("may not look up names")
    found += [f"may not call {rule}" for rule in outward if rule not in rules]
    for rule in rules:
        if rule in outward:
            continue
        peers = rule.get("to") or [{}]
        if any("podSelector" not in peer for peer in peers):
            found.append("may call whole namespaces")
    return found


def _policies(objects: Objects, labels: dict[str, str], side: str) -> list[dict[str, Any]]:
    return [
        policy
        for policy in of_kind(objects, "NetworkPolicy")
        if side in policy["spec"]["policyTypes"] and matches(policy["spec"]["podSelector"], labels)
    ]


def _rules(objects: Objects, labels: dict[str, str], side: str) -> list[dict[str, Any]]:
    return [
        rule
        for policy in _policies(objects, labels, side)
        for rule in policy["spec"].get(side.lower()) or []
    ]


def _from_outside(objects: Objects, called: Workload, space: dict[str, str], port: int) -> bool:
    """Whether any pod of a namespace with these labels may call."""
    if not _policies(objects, called.labels, "Ingress"):
        return True
    return any(
        _at(rule, port)
        and (
            not rule.get("from")
            or any(
                matches(peer["namespaceSelector"], space)
                for peer in rule["from"]
                if "namespaceSelector" in peer and "podSelector" not in peer
            )
        )
        for rule in _rules(objects, called.labels, "Ingress")
    )


def _at(rule: dict[str, Any], port: int) -> bool:
    ports = rule.get("ports")
    return not ports or any(
        each.get("protocol", "TCP") == "TCP" and each["port"] == port for each in ports
    )


def _inside(peers: list[dict[str, Any]] | None, labels: dict[str, str]) -> bool:
    """Whether a rule's peers hold pods of the same namespace with these labels."""
    if not peers:
        return True
    for peer in peers:
        if set(peer) - {"podSelector", "namespaceSelector", "ipBlock"} or "ipBlock" in peer:
            raise AssertionError(f"these checks do not read {peer}")
        # Our own namespace bears none of the labels that policies ask of others.
        space = peer.get("namespaceSelector", {})
        if matches(space, {}) and matches(peer.get("podSelector", {}), labels):
            return True
    return False


def _names(rule: dict[str, Any]) -> bool:
    """Whether a rule allows to look up names."""
    ports = rule.get("ports", [])
    return any(each.get("protocol") == "UDP" and each["port"] == 53 for each in ports)
