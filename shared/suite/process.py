"""One supervised process: detached, logged, and found again by its pid file."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from shared.suite import tether

_SAME_START_S = 2.0
"""A pid with another start time is another process; clocks are adjusted by less than this."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    niceness: int = 0
    """How far it stands back for others where processors are scarce, as `nice` has it; below 0 it
    goes before them, if the system permits it (root, or a limit on nice)."""


class SupervisedProcess:
    """A process that outlives whoever started it and can be found by the next one.

    Args:
        name: Names the pid file and the log.
        home: State of the suite.
    """

    def __init__(self, name: str, home: Path) -> None:
        self.name = name
        self.log = home / "logs" / f"{name}.log"
        self._record = home / "run" / f"{name}.json"
        self._child: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def start(self, command: Command, *, tethered: bool) -> None:
        """Starts it in a session of its own.

        Args:
            command: What to run.
            tethered: Whether it dies with the calling thread (Linux), for private suites.
        """
        for folder in (self.log.parent, self._record.parent, command.folder):
            folder.mkdir(parents=True, exist_ok=True)
        arguments = list(command.arguments)
        if tethered and sys.platform == "linux":
            # -S and -E: it uses nothing but the standard library, and must start fast.
            arguments = [
                *(sys.executable, "-S", "-E", tether.__file__, str(os.getpid())),
                *arguments,
            ]
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._child = subprocess.Popen(  # noqa: S603 - our own commands
                arguments,
                env=dict(command.environment),
                cwd=command.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if command.niceness:
            # Before it has threads, which inherit it.
            wanted = os.getpriority(os.PRIO_PROCESS, 0) + command.niceness
            with suppress(PermissionError):
                os.setpriority(os.PRIO_PROCESS, self._child.pid, wanted)
        started = psutil.Process(self._child.pid).create_time()
        part = self._record.with_suffix(".part")
        part.write_text(json.dumps({"pid": self._child.pid, "started": started}))
        part.replace(self._record)

    def find(self) -> psutil.Process | None:
        """Returns the running process; None when it does not run."""
        if (own := self._own()) is not None:
            return own
        try:
            record = json.loads(self._record.read_text())
            process = psutil.Process(int(record["pid"]))
            if abs(process.create_time() - float(record["started"])) > _SAME_START_S:
                return None
            return None if process.status() == psutil.STATUS_ZOMBIE else process
        except (OSError, ValueError, KeyError, TypeError, psutil.Error):
            return None

    def _own(self) -> psutil.Process | None:
        """The one that was started here, while it runs; it is reaped when it is dead."""
        if self._child is None or self._child.poll() is not None:
            return None
        process = psutil.Process(self._child.pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return process
        self._child.wait()  # it died since
        return None

    def ask_to_stop(self) -> None:
        """Sends SIGTERM."""
        self._signal(signal.SIGTERM)

    def wait_stopped(self, seconds: float) -> None:
        """Waits for its end, and kills it and its children after `seconds`."""
        until = time.monotonic() + seconds
        while self.find() is not None:
            if time.monotonic() > until:
                self.kill()
                return
            time.sleep(0.02)
        self._forget()

    def kill(self) -> None:
        """Kills it and its children at once."""
        self._signal(signal.SIGKILL, group=True)
        while self.find() is not None:
            time.sleep(0.01)
        self._forget()

    def last_lines(self, count: int = 12) -> str:
        """Returns the end of what it logged since it was started here."""
        try:
            with self.log.open("rb") as log:
                log.seek(self._log_start)
                lines = log.read().decode(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-count:])

    def _forget(self) -> None:
        if self._child is not None:
            self._child.wait()  # it is dead, maybe not reaped yet
            self._child = None
        self._record.unlink(missing_ok=True)

    def _signal(self, number: signal.Signals, *, group: bool = False) -> None:
        process = self.find()
        if process is None:
            return
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if group:
                # It leads a session, so its pid is its group; the record proved that it is ours.
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
