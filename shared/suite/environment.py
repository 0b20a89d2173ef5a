"""The environment that ties the processes of one suite together."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from shared.inference.settings import REASON_MODEL
from shared.security.settings import SecuritySettings
from shared.suite.errors import SuiteError
from shared.suite.ports import APPLICATIONS, SERVICES, PortPlan

_NEVER_PRIVATE = ("WHEREFORE_QDRANT_URL", "WHEREFORE_QDRANT_API_KEY")
"""A scratch suite must not write into the index that the real one uses."""
_CHOSEN_MODELS = {
    "WHEREFORE_RECOMMEND_NEXT_ITEM_MODEL": "",
    "WHEREFORE_RANKING_DEEP_MODEL": "",
    "WHEREFORE_REASON_MODEL": REASON_MODEL,
}
"""Settings that name models, with their defaults."""

_NICENESS = "WHEREFORE_NICENESS"
_DEFAULT_NICENESS = "2"
"""Enough for most of what there is to gain, and little where other programs compute beside."""
_MOST_NICENESS = 19
_EDGE_NICENESS = -10
"""With it one who is refused waits half as long as without, measured at three times the capacity:
scheduled as their equal, the edge had its turn when models had computed for theirs."""


def niceness(process: str) -> int:
    """Returns how far a process stands back where cores are scarce (nice(1)), from -10 to 19.

    All but the edge do, which does little and must do it at once: it would else wait for models
    that compute, and callers with it, also those that it only refuses. It goes before others
    where the system permits that; WHEREFORE_NICENESS=0 leaves all alike.

    Raises:
        SuiteError: WHEREFORE_NICENESS is no such number.
    """
    wanted = os.environ.get(_NICENESS) or _DEFAULT_NICENESS
    if not (wanted.isascii() and wanted.isdigit() and int(wanted) <= _MOST_NICENESS):
        raise SuiteError(f"{_NICENESS} is {wanted!r}: say a whole number from 0 to 19")
    if process == "orchestrator":
        return _EDGE_NICENESS if int(wanted) else 0
    return int(wanted)


def chosen_models(variables: Mapping[str, str]) -> list[str]:
    """Returns the models that settings of services name.

    Args:
        variables: Set for the services on top of this process's own environment.
    """
    known = {**os.environ, **variables}
    named = [known.get(name, default) for name, default in _CHOSEN_MODELS.items()]
    return [name for name in named if name]


def service_environment(
    service: str,
    home: Path,
    ports: PortPlan,
    *,
    triton: bool,
    model: str,
    private: bool,
    log_level: str,
    security: SecuritySettings | None = None,
) -> dict[str, str]:
    """Returns the environment of one service: this process's own, with the suite's wiring on top.

    Args:
        service: One of SERVICES or APPLICATIONS.
        home: State of the suite; the service keeps its data in data/SERVICE below.
        ports: Where everybody listens.
        triton: Whether Triton is part of the suite; else models run in process.
        model: Encoder that services with inference use.
        private: Whether the suite is a scratch one, which uses no shared stores.
        log_level: As in `ServiceSettings.log_level`.
        security: Certificates and keys; off when None.
    """
    prefix = f"WHEREFORE_{service.upper()}_"
    variables = dict(os.environ)
    if private:
        for name in _NEVER_PRIVATE:
            variables.pop(name, None)
    variables |= {
        "WHEREFORE_HOME": str(home),
        f"{prefix}HOST": "127.0.0.1",
        f"{prefix}PORT": str(getattr(ports, service)),
        f"{prefix}METRICS_PORT": str(getattr(ports, f"{service}_metrics")),
        f"{prefix}DATA_DIR": str(home / "data" / service),
        f"{prefix}LOG_LEVEL": log_level,
        f"{prefix}INFERENCE__BACKEND": "triton" if triton else "onnx",
        f"{prefix}INFERENCE__MODEL": model,
        f"{prefix}INFERENCE__TRITON_TARGET": f"127.0.0.1:{ports.triton_grpc}",
    }
    secured = security is not None and security.enabled
    if service == "orchestrator":
        variables[f"{prefix}HTTP_PORT"] = str(ports.orchestrator_http)
        if not private and find_spec("PIL"):  # the bundled catalogue is there to be looked at
            variables.setdefault(f"{prefix}PICTURES_DRAWN", "true")
        for other in APPLICATIONS:  # its page calls them
            target = f"127.0.0.1:{getattr(ports, other)}"
            variables[f"{prefix}{other.upper()}_TARGET"] = target
    for other in SERVICES:
        if other != service:
            door = "orchestrator_inner" if secured and other == "orchestrator" else other
            target = f"127.0.0.1:{getattr(ports, door)}"
            variables[f"{prefix}{other.upper()}_TARGET"] = target
    return variables | _security(security, home, ports)


def _security(security: SecuritySettings | None, home: Path, ports: PortPlan) -> dict[str, str]:
    if security is None or not security.enabled:
        return {"WHEREFORE_SECURITY_ENABLED": "false"}
    return {
        "WHEREFORE_SECURITY_ENABLED": "true",
        # The services run in another folder than this process.
        "WHEREFORE_SECURITY_DIR": str(security.dir.resolve()),
        "WHEREFORE_SECURITY_AUDIT_DIR": str(home / "audit"),
        "WHEREFORE_ORCHESTRATOR_INNER_PORT": str(ports.orchestrator_inner),
    }
