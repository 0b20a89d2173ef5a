"""Triton on the CPU without a container: `python -m shared.suite` installs it.

The wheel nvidia-pytriton carries the `tritonserver` binary and its Python backend, no other; see
https://github.com/triton-inference-server/python_backend. It wants numpy<2 and so gets a virtual
environment of its own.
"""

import ctypes.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.inference.settings import REPOSITORY
from shared.own_environment import InstallError, OwnEnvironment
from shared.suite.errors import SuiteError
from shared.suite.ports import PortPlan
from shared.suite.process import Command

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / ".venv-triton"

REQUIREMENTS = ("nvidia-pytriton==0.7.0", "onnxruntime==1.23.2", "numpy>=1.26,<2")
GLIBC = (2, 35)
"""Oldest glibc that the wheel's binary starts with."""

_GRAPH = re.compile(r'key: "graph"\s+value:? \{\s*string_value: "([^"]+)"')
"""Where a configuration names a graph of its own."""

_ASK = (
    "import json, platform, sysconfig; print(json.dumps({"
    "'version': '.'.join(platform.python_version_tuple()[:2]),"
    "'packages': sysconfig.get_path('purelib'),"
    "'libraries': sysconfig.get_config_var('LIBDIR')}))"
)


def unsupported() -> str | None:
    """Returns why the binary can't start on this machine; None when it can."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return f"its binary is for Linux on x86-64, this is {sys.platform} on {platform.machine()}"
    library, version = platform.libc_ver()
    if library != "glibc":
        return "its binary needs glibc"
    if tuple(map(int, version.split(".")[:2])) < GLIBC:
        return f"its binary needs glibc {'.'.join(map(str, GLIBC))}, this is {version}"
    return None


def problem(
    models: Sequence[str] = (),
    repository: Path = REPOSITORY,
    environment: Path = ENVIRONMENT,
) -> str | None:
    """Returns why Triton can't serve `models` here; None when it can."""
    reason = unsupported()
    if reason is not None:
        return reason
    if not _own(environment).installed:
        return "it is not installed; `make triton` installs it"
    reason = _layout(environment).problem()
    if reason is not None:
        return reason
    missing = [model for model in models if not is_made(model, repository)]
    return f"no export of {', '.join(missing)}; `make models` makes it" if missing else None


def is_made(model: str, repository: Path = REPOSITORY) -> bool:
    """Whether the graph that Triton serves lies in the repository."""
    if not model:
        return False
    config = repository / model / "config.pbtxt"
    named = _GRAPH.search(config.read_text(encoding="utf-8")) if config.is_file() else None
    return (repository / model / "1" / (named[1] if named else "model.onnx")).is_file()


def install(environment: Path = ENVIRONMENT) -> None:
    """Makes the virtual environment and installs Triton into it; does nothing when it is there.

    Raises:
        SuiteError: pip failed.
    """
    try:
        _own(environment).install(REQUIREMENTS)
    except InstallError as error:
        raise SuiteError(f"Triton could not be installed; {error}") from error


@dataclass(frozen=True, slots=True)
class _Layout:
    version: str
    packages: Path
    libraries: str

    @property
    def server(self) -> Path:
        return self.packages / "pytriton/tritonserver"

    @property
    def stub(self) -> Path:
        """The process that runs a model."""
        return self.server / "python_backend_stubs" / self.version / "triton_python_backend_stub"

    def problem(self) -> str | None:
        """Returns why the stub can't start; None when it can."""
        if not self.stub.is_file():
            return f"its Python backend does not know Python {self.version}"
        shared = Path(self.libraries) / f"libpython{self.version}.so.1.0"
        if not shared.is_file() and ctypes.util.find_library(f"python{self.version}") is None:
            return (
                f"Python's shared library is missing; on Debian and Ubuntu "
                f"`apt-get install libpython{self.version}` brings it"
            )
        return None


def command(
    folder: Path,
    ports: PortPlan,
    models: Sequence[str],
    *,
    repository: Path = REPOSITORY,
    environment: Path = ENVIRONMENT,
) -> Command:
    """Returns the command that serves `models`; more can be loaded by its API later.

    Args:
        folder: Working folder; it must hold nothing called "triton", which the backend would
            import instead of its own module.
        ports: Where to listen.
        models: Entries of the repository to load.
        repository: The model repository.
        environment: The virtual environment that `install` made.
    """
    layout = _layout(environment)
    backends = _lay_out_backends(folder / "backends", layout)
    arguments = [
        str(layout.server / "bin/tritonserver"),
        f"--model-repository={repository}",
        f"--backend-directory={backends}",
        f"--cache-directory={layout.server / 'caches'}",
        "--model-control-mode=explicit",
        *(f"--load-model={model}" for model in models),
        # A prefix of its own keeps two servers on one machine out of each other's memory.
        f"--backend-config=python,shm-region-prefix-name={shared_memory_prefix(ports)}",
        "--exit-timeout-secs=5",
    ]
    for kind, port in (
        ("http", ports.triton_http),
        ("grpc", ports.triton_grpc),
        ("metrics", ports.triton_metrics),
    ):
        arguments += [f"--{kind}-address=127.0.0.1", f"--{kind}-port={port}"]
    # The backend's stub ignores PYTHONPATH and takes the first python on PATH; without LIBDIR it
    # loads another build's libpython against this one's standard library.
    variables = {
        **os.environ,
        "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        "LD_LIBRARY_PATH": f"{layout.libraries}:{layout.packages / 'nvidia_pytriton.libs'}",
    }
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
        variables.pop(name, None)
    return Command(arguments, variables, folder)


def shared_memory_prefix(ports: PortPlan) -> str:
    """Returns how the names of this server's shared memory begin."""
    return f"wherefore_{ports.triton_grpc}_"


def clear_shared_memory(ports: PortPlan) -> None:
    """Removes what a killed server left in shared memory. Only while it does not run."""
    for region in Path("/dev/shm").glob(f"{shared_memory_prefix(ports)}*"):  # noqa: S108
        region.unlink(missing_ok=True)


def _own(environment: Path) -> OwnEnvironment:
    return OwnEnvironment(environment, "\n".join(REQUIREMENTS))


def _layout(environment: Path) -> _Layout:
    asked = subprocess.run(  # noqa: S603 - our own command
        [environment / "bin/python", "-c", _ASK], check=True, capture_output=True, text=True
    )
    answer = json.loads(asked.stdout)
    return _Layout(answer["version"], Path(answer["packages"]), answer["libraries"])


def _lay_out_backends(folder: Path, layout: _Layout) -> Path:
    """Puts the Python backend and the stub of our Python version in one folder, as Triton wants."""
    target = folder / "python"
    target.mkdir(parents=True, exist_ok=True)
    backend = layout.server / "backends/python"
    for source in (
        backend / "libtriton_python.so",
        backend / "triton_python_backend_utils.py",
        layout.stub,
    ):
        copy = target / source.name
        if not copy.is_file() or copy.stat().st_size != source.stat().st_size:
            shutil.copy2(source, copy)
    return folder
