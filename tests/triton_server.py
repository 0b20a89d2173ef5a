"""A real Triton for tests that serve models of their own."""

import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.suite import PortPlan, probe
from shared.suite import triton as launcher

_STARTS_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class RunningTriton:
    """A server that serves."""

    ports: PortPlan
    process: subprocess.Popen[bytes]

    @property
    def target(self) -> str:
        """HOST:PORT of gRPC."""
        return f"127.0.0.1:{self.ports.triton_grpc}"

    def kill(self) -> None:
        """Takes it away without a word."""
        self.process.kill()
        self.process.wait(20)


@contextmanager
def running_triton(
    repository: Path, models: Sequence[str], folder: Path, ports: PortPlan | None = None
) -> Generator[RunningTriton]:
    """Serve models of a repository until the end; skips the test where Triton can't run.

    Args:
        repository: The model repository.
        models: Those to load.
        folder: For its log.
        ports: Where to listen; free ones when None.
    """
    if problem := launcher.problem(models, repository):
        pytest.skip(f"Triton can't run here: {problem}")
    ports = ports or PortPlan.free()
    command = launcher.command(folder, ports, models, repository=repository)
    log = folder / "triton.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command.arguments,
            env=dict(command.environment),
            cwd=folder,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            deadline = time.monotonic() + _STARTS_WITHIN
            while probe.triton_health(ports.triton_http, tuple(models)) != "SERVING":
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.2)
            yield RunningTriton(ports, process)
        finally:
            process.terminate()
            process.wait(20)
            launcher.clear_shared_memory(ports)
