"""Flower's environment: `python -m shared.federated` makes it.

Flower wants older versions of libraries than the suite (`requirements.txt` says which), so it has
a virtual environment of its own. All else, the suite included, it takes from the one that made it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shared.federated.errors import FederatedError

ENVIRONMENT: Final = Path(__file__).resolve().parents[2] / ".venv-federated"
REQUIREMENTS: Final = Path(__file__).with_name("requirements.txt")
_STAMP: Final = "wherefore-installed.txt"


def problem(environment: Path = ENVIRONMENT) -> str | None:
    """Returns why nothing can run in it; None when it is there."""
    if _installed(environment):
        return None
    return "Flower is not installed; `make federated` (python -m shared.federated) installs it"


def program(name: str, environment: Path = ENVIRONMENT) -> Path:
    """Returns the path of a program in it, such as "python" or "flower-superlink"."""
    return environment / "bin" / name


def variables() -> dict[str, str]:
    """Returns this process's environment with Flower's reports to its makers turned off."""
    return {**os.environ, "FLWR_TELEMETRY_ENABLED": "0"}


def install(environment: Path = ENVIRONMENT) -> None:
    """Makes the environment; does nothing when it is there.

    Raises:
        FederatedError: pip failed.
    """
    if _installed(environment):
        return
    shutil.rmtree(environment, ignore_errors=True)
    venv.create(environment, with_pip=False)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = environment / "lib" / version / "site-packages"
    # As a folder of sites, not as a path alone: editable installs are found by files in it.
    (packages / "zz_suite.pth").write_text(
        f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n", encoding="utf-8"
    )
    pip = [sys.executable, "-m", "pip", "--python", str(program("python", environment)), "install"]
    done = subprocess.run(  # noqa: S603 - our own command
        [*pip, "--quiet", "--disable-pip-version-check", "--no-deps", "-r", str(REQUIREMENTS)],
        check=False,
    )
    if done.returncode != 0:
        raise FederatedError("Flower could not be installed; pip's message is above")
    (environment / _STAMP).write_text(_wanted(), encoding="utf-8")


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


def _installed(environment: Path) -> bool:
    stamp = environment / _STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == _wanted()


def _wanted() -> str:
    return f"{sys.prefix}\n{REQUIREMENTS.read_text(encoding='utf-8')}"
