"""What an operator does at a SuperLink: register shops, start a run, see how it goes.

By Flower's own command line, `flwr`, whose output as JSON is its interface; each call is a process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shared.federated.environment import variables
from shared.federated.errors import FederatedError

APP: Final = Path(__file__).resolve().parents[1] / "app"
_NAME: Final = "shops"
_KNOWN: Final = "Public key already in use"
_SECONDS: Final = 120.0
_COMPLETED: Final = "finished:completed"


@dataclass(frozen=True, slots=True)
class Run:
    """One run as the SuperLink tells of it; `status` as in "running" or "finished:failed"."""

    number: str
    status: str
    details: str

    @property
    def finished(self) -> bool:
        """Whether nothing more comes of it."""
        return self.status.startswith("finished")

    @property
    def completed(self) -> bool:
        """Whether it did all that it was to do."""
        return self.status == _COMPLETED


class Link:
    """The Control API of a SuperLink.

    Args:
        address: HOST:PORT of it.
        authority: Certificate of the authority that vouches for it.
        home: Folder for Flower's settings, its own to write to.
    """

    def __init__(self, address: str, authority: Path, home: Path) -> None:
        self._home = home
        (home / "config.toml").write_text(
            f'[superlink]\ndefault = "{_NAME}"\n[superlink.{_NAME}]\n'
            f"address = {json.dumps(address)}\n"
            f"root-certificates = {json.dumps(str(authority.resolve()))}\n",
            encoding="utf-8",
        )

    def register(self, key: Path) -> bool:
        """Lets the shop of a public key join.

        Returns:
            Whether it is new.

        Raises:
            FederatedError: It is no key, or the SuperLink does not answer.
        """
        done = self._call("supernode", "register", str(key), _NAME)
        told = done.stdout + done.stderr
        if done.returncode and _KNOWN in told:
            return False
        _check(done, f"{key} was not registered")
        return True

    def start(self, config: dict[str, str | int | float | bool]) -> str:
        """Starts a run of `app` with a run configuration; returns its number.

        Raises:
            FederatedError: It could not be started.
        """
        pairs = " ".join(f"{key}={json.dumps(value)}" for key, value in config.items())
        done = self._call("run", str(APP), _NAME, "--run-config", pairs, "--format", "json")
        return str(_answer(done, "the run was not started")["run-id"])

    def runs(self) -> list[Run]:
        """Returns all runs that the SuperLink knows.

        Raises:
            FederatedError: It does not answer.
        """
        done = self._call("list", _NAME, "--format", "json")
        found: list[dict[str, Any]] = _answer(done, "the runs are not to be had")["runs"]
        return [
            Run(str(each["run-id"]), str(each["status"]), str(each.get("status-details", "")))
            for each in found
        ]

    def log(self, number: str) -> str:
        """Returns what a run logged; "" where that is not to be had."""
        return self._call("log", number, _NAME, "--show").stdout

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        folder = str(Path(sys.prefix) / "bin")
        environment = {
            **variables(),
            "FLWR_HOME": str(self._home),
            "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}",
        }
        try:
            return subprocess.run(  # noqa: S603 - our own command
                [f"{folder}/flwr", *arguments],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise FederatedError(f"the SuperLink did not answer in {_SECONDS:g} s") from error


def _check(done: subprocess.CompletedProcess[str], what: str) -> None:
    if done.returncode:
        raise FederatedError(f"{what}: {(done.stderr.strip() or done.stdout.strip())}")


def _answer(done: subprocess.CompletedProcess[str], what: str) -> dict[str, Any]:
    _check(done, what)
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise FederatedError(f"{what}: {done.stdout.strip() or done.stderr.strip()}") from error
    if not answer.get("success"):
        raise FederatedError(f"{what}: {answer.get('error-message', done.stdout.strip())}")
    return answer
