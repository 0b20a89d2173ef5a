"""The settings that a service gets in a rendering, read by the code that reads them there."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from shared.cli.config import CliSettings
from shared.settings import SECRETS_DIR_VARIABLE
from shared.suite.ports import ALL
from tests.deploy import settings_keys
from tests.deploy.k8s.rendering import Objects
from tests.deploy.k8s.workloads import Workload, named, workloads

PREFIX = "WHEREFORE_"
_CLASSES: dict[str, Any] = {**settings_keys.SETTINGS, "tools": CliSettings}
"""What each reads its settings by; "tools" are jobs of the command line."""


def environment(objects: Objects, container: dict[str, Any]) -> dict[str, str]:
    """Returns the variables of a container, of ConfigMaps and its own; those of Secrets are ""."""
    variables: dict[str, str] = {}
    for source in container.get("envFrom", []):
        found = named(objects, "ConfigMap", source["configMapRef"]["name"])
        variables |= (found or {}).get("data", {})
    for each in container.get("env", []):
        variables[each["name"]] = each.get("value", "")
    return variables


def read(objects: Objects, workload: Workload) -> Any:
    """Returns the settings that a service, or a job of the command line, reads; secrets aside.

    Raises:
        ValidationError: One of them is wrong.
    """
    variables = environment(objects, workload.main)
    ours = {name: value for name, value in variables.items() if name.startswith(PREFIX)}
    ours.pop(SECRETS_DIR_VARIABLE, None)
    return _read(workload.app, tuple(sorted(ours.items())))


@lru_cache
def _read(app: str, variables: tuple[tuple[str, str], ...]) -> Any:
    with _only(dict(variables)):
        return _CLASSES[app]()


@contextmanager
def _only(variables: dict[str, str]) -> Iterator[None]:
    """Has the process see these variables of ours and no other."""
    before = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    for name in before:
        del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]
        os.environ.update(before)


def readers(objects: Objects) -> list[Workload]:
    """Returns those that read settings: our services, and jobs of the command line."""
    return [each for each in workloads(objects) if each.app in _CLASSES]


def problems(objects: Objects) -> list[str]:
    """Returns keys that nobody reads, and values that are refused."""
    found = []
    for workload in workloads(objects):
        ours = workload.app in ALL
        known = settings_keys.of_service(workload.app) if ours else settings_keys.known()
        for container in workload.containers:
            variables = environment(objects, container)
            given = {name for name in variables if name.startswith(PREFIX)}
            found += [f"{workload}: nobody reads {name}" for name in sorted(given - known)]
        if ours:
            try:
                read(objects, workload)
            except ValidationError as error:
                said = json.loads(error.json(include_url=False))
                found += [f"{workload}: {each['loc']}: {each['msg']}" for each in said]
    return found
