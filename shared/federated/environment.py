"""Flower's environment: `python -m shared.federated` makes it.

Flower wants older versions of libraries than the suite (`requirements.txt` says which), so it has
a virtual environment of its own. All else, the suite included, it takes from the one that made it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shared.federated.errors import FederatedError
from shared.own_environment import InstallError, OwnEnvironment

ENVIRONMENT: Final = Path(__file__).resolve().parents[2] / ".venv-federated"
REQUIREMENTS: Final = Path(__file__).with_name("requirements.txt")


def problem(environment: Path = ENVIRONMENT) -> str | None:
    """Returns why nothing can run in it; None when it is there."""
    if _own(environment).installed:
        return None
    return "Flower is not installed; `make federated` (python -m shared.federated) installs it"


def program(name: str, environment: Path = ENVIRONMENT) -> Path:
    """Returns the path of a program in it, such as "python" or "flower-superlink"."""
    return _own(environment).program(name)


def variables() -> dict[str, str]:
    """Returns this process's environment with Flower's calls to its makers turned off.

    They are reports, and the question whether there is a newer version.
    """
    return {**os.environ, "FLWR_TELEMETRY_ENABLED": "0", "FLWR_DISABLE_UPDATE_CHECK": "1"}


def install(environment: Path = ENVIRONMENT) -> None:
    """Makes the environment; does nothing when it is there.

    Raises:
        FederatedError: pip failed.
    """
    try:
        _own(environment).install(
            ["--no-deps", "-r", str(REQUIREMENTS)], sites=[sysconfig.get_path("purelib")]
        )
    except InstallError as error:
        raise FederatedError(f"Flower could not be installed; {error}") from error


def run(module: str, arguments: Sequence[str], environment: Path = ENVIRONMENT) -> int:
    """Runs a module in it, with this process's terminal.

    Returns:
        Its exit code.
    """
    command = [str(program("python", environment)), "-m", module, *arguments]
    with subprocess.Popen(command, env=variables()) as process:  # noqa: S603 - our own module
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The terminal's Ctrl-C reached the process as well; it ends by itself.
            process.wait()
            raise


def _own(environment: Path) -> OwnEnvironment:
    requirements = REQUIREMENTS.read_text(encoding="utf-8")
    return OwnEnvironment(environment, f"{sys.prefix}\n{requirements}")
