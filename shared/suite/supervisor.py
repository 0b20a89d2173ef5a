"""Starts, finds and stops the processes of a suite: what `wherefore up | down | status` call."""

import fcntl
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

import psutil

from shared.inference.settings import VECTOR_MODEL
from shared.security.settings import SecuritySettings
from shared.suite import probe, triton
from shared.suite.environment import niceness, service_environment
from shared.suite.errors import SuiteError
from shared.suite.models import absence, served
from shared.suite.ports import ALL, APPLICATIONS, SERVICES, PortPlan, taken
from shared.suite.process import Command, SupervisedProcess

TRITON = "triton"
DEFAULT_MODEL = VECTOR_MODEL
STOP_SECONDS = 15.0
"""Longest wait for a process to drain before it is killed."""
POLL_SECONDS = 0.1

Progress = Callable[[str, str], None]
"""Told (process, state): "starting", "running" (already), "ready", "stopped" or "absent: WHY"."""


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """One row of `wherefore status`."""

    name: str
    state: Literal["running", "stopped", "absent"]
    """"absent" is Triton where it can't run."""
    pid: int | None
    port: int
    """Its gRPC port."""
    health: str
    """"SERVING", "NOT_SERVING", or "" where nothing answers."""
    uptime_seconds: float
    rss_mib: float
    """Resident memory of it and its children, in MiB."""


class Suite:
    """The processes of one suite, found by their pid files in `home`.

    Also a context manager that stops everything at its end.

    Args:
        home: State of the suite: run/ (pids), logs/, data/.
        ports: Where everybody listens; the documented ports when absent.
        services: Those that are part of it; when absent all, in a private suite without the
            applications.
        triton: Whether Triton is part of it; "auto" where it can start.
        log_level: Of the services.
        private: A scratch suite: nothing of it outlives this process (on Linux, however this
            process ends), and it uses no shared stores.
        python: Interpreter of the services.
        model: Encoder that Triton loads and the services use. The readers of queries are loaded
            beside it where they were made.
        variables: Settings of the services, above those of this process's environment.
        security: Certificates and keys; when absent, those that the environment names, and off
            for a private suite.

    Example:
        with Suite(Path(folder), PortPlan.free(), private=True) as suite:
            suite.up()
            channel = open_channel(suite.target("orchestrator"))
    """

    def __init__(
        self,
        home: Path,
        ports: PortPlan | None = None,
        *,
        services: Sequence[str] | None = None,
        triton: bool | Literal["auto"] = "auto",
        log_level: str = "info",
        private: bool = False,
        python: str = sys.executable,
        model: str = DEFAULT_MODEL,
        variables: Mapping[str, str] | None = None,
        security: SecuritySettings | None = None,
    ) -> None:
        self.home = home.resolve()
        off = SecuritySettings(enabled=False)
        self.security = security or (off if private else SecuritySettings())
        self.ports = ports or PortPlan.fixed()
        wanted = services or (SERVICES if private else ALL)
        self._services = [name for name in ALL if name in wanted]
        self._model = model
        self._models = served(model, variables or {})
        self._log_level = log_level
        self._private = private
        self._python = python
        self._variables = dict(variables or {})
        self._triton_problem = absence(triton, (model,))
        # The kernel ties a child to the thread that made it, so private ones come from a thread
        # that lives as long as this object.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="suite") if private else None
        self._processes = {name: SupervisedProcess(name, self.home) for name in self.names}

    @property
    def has_triton(self) -> bool:
        """Whether Triton is part of this suite."""
        return self._triton_problem is None

    @property
    def names(self) -> list[str]:
        """The processes, each after those that it needs."""
        return [*([TRITON] if self.has_triton else []), *self._services]

    def target(self, name: str) -> str:
        """Returns HOST:PORT of the gRPC endpoint of one process."""
        return f"127.0.0.1:{self._port(name)}"

    def up(self, wait_seconds: float = 60.0, on_progress: Progress | None = None) -> None:
        """Starts what does not run, all at once, and returns when everything is healthy.

        Args:
            wait_seconds: Longest wait for health.
            on_progress: Told of every change.

        Raises:
            SuiteError: A port belongs to somebody else, a process died, or time ran out. What was
                started keeps running, so that it can be looked at.
        """
        tell: Progress = on_progress or _tell_nobody
        if self._triton_problem:
            tell(TRITON, f"absent: {self._triton_problem}")
        with self._lock():
            missing = [name for name in self.names if self._processes[name].find() is None]
            for name in missing:
                self._check_ports(name)
            for name in self.names:
                if name in missing:
                    self._start(name)
                tell(name, "starting" if name in missing else "running")
            self._wait_healthy(self.names, wait_seconds, tell)

    def down(self, on_progress: Progress | None = None) -> None:
        """Stops everything, whoever calls before whoever is called, with time to drain."""
        tell: Progress = on_progress or _tell_nobody
        with self._lock():
            inner = [name for name in SERVICES if name != "orchestrator"]
            for tier in (APPLICATIONS, ["orchestrator"], inner, [TRITON]):
                # Found by pid file even if this object would not start it.
                running = [
                    process for name in tier if (process := self._process(name)).find() is not None
                ]
                for process in running:
                    process.ask_to_stop()
                for process in running:
                    process.wait_stopped(STOP_SECONDS)
                    tell(process.name, "stopped")
            triton.clear_shared_memory(self.ports)

    def status(self) -> list[ProcessStatus]:
        """Returns one row a process, Triton first."""
        rows = [self._status(name) for name in self.names]
        if self._triton_problem:
            rows.insert(0, ProcessStatus(TRITON, "absent", None, self._port(TRITON), "", 0.0, 0.0))
        return rows

    def kill(self, name: str) -> None:
        """Kills one process at once, as a crash would."""
        self._processes[name].kill()

    def restart(self, name: str, wait_seconds: float = 60.0) -> None:
        """Stops one process if it runs, starts it and waits until it is healthy.

        Raises:
            SuiteError: As in `up`.
        """
        self._processes[name].ask_to_stop()
        self._processes[name].wait_stopped(STOP_SECONDS)
        self._check_ports(name)
        self._start(name)
        self._wait_healthy([name], wait_seconds, _tell_nobody)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def _process(self, name: str) -> SupervisedProcess:
        return self._processes.get(name) or SupervisedProcess(name, self.home)

    def _port(self, name: str) -> int:
        return self.ports.triton_grpc if name == TRITON else int(getattr(self.ports, name))

    def inner_target(self, name: str) -> str:
        """Returns HOST:PORT at which services, and operators with certificates, call one."""
        return f"127.0.0.1:{self._inner_port(name)}"

    def _inner_port(self, name: str) -> int:
        two = name == "orchestrator" and self.security.enabled
        return self.ports.orchestrator_inner if two else self._port(name)

    def _start(self, name: str) -> None:
        if name == TRITON:
            triton.clear_shared_memory(self.ports)
        start, command = self._processes[name].start, self._command(name)
        if self._starter is None:
            start(command, tethered=False)
        else:
            self._starter.submit(start, command, tethered=True).result()

    def _command(self, name: str) -> Command:
        if name == TRITON:
            command = triton.command(self.home / "inference", self.ports, self._models)
            return replace(command, niceness=niceness(name))
        environment = service_environment(
            name,
            self.home,
            self.ports,
            triton=self.has_triton,
            model=self._model,
            private=self._private,
            log_level=self._log_level,
            security=self.security,
        )
        environment |= self._variables
        arguments = [self._python, "-m", f"services.{name}"]
        return Command(arguments, environment, triton.ROOT, niceness(name))

    def _check_ports(self, name: str) -> None:
        for field, port in self.ports.of(name).items():
            if taken(port):
                raise SuiteError(
                    f"port {port}, which {name} wants, belongs to another program; "
                    f"stop that one, or set {PortPlan.variable(field)} to a free port"
                )

    def _health(self, name: str) -> str:
        if name == TRITON:
            return probe.triton_health(self.ports.triton_http, self._models)
        return probe.service_health(self._inner_port(name), self.security)

    def _wait_healthy(self, names: Sequence[str], seconds: float, tell: Progress) -> None:
        until = time.monotonic() + seconds
        waiting = list(names)
        while waiting:
            for name in list(waiting):
                process = self._processes[name]
                if process.find() is None:
                    raise SuiteError(f"{name} ended at its start:\n{process.last_lines()}")
                if self._health(name) == "SERVING":
                    waiting.remove(name)
                    tell(name, "ready")
            if waiting and time.monotonic() > until:
                name = waiting[0]
                raise SuiteError(
                    f"not healthy after {seconds:.0f} s: {', '.join(waiting)}. "
                    f"{self._processes[name].log} ends:\n{self._processes[name].last_lines()}"
                )
            if waiting:
                time.sleep(POLL_SECONDS)

    def _status(self, name: str) -> ProcessStatus:
        process = self._processes[name].find()
        if process is None:
            return ProcessStatus(name, "stopped", None, self._port(name), "", 0.0, 0.0)
        try:
            family = [process, *process.children(recursive=True)]
            memory = sum(member.memory_info().rss for member in family) / 2**20
            uptime = time.time() - process.create_time()
        except psutil.Error:  # it ended as we looked
            return ProcessStatus(name, "stopped", None, self._port(name), "", 0.0, 0.0)
        return ProcessStatus(
            name, "running", process.pid, self._port(name), self._health(name), uptime, memory
        )

    @contextmanager
    def _lock(self) -> Generator[None]:
        """Keeps a second `up` or `down` of the same suite waiting until this one is done."""
        folder = self.home / "run"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _tell_nobody(_name: str, _state: str) -> None:
    pass
