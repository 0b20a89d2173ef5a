"""An orchestrator by itself that a measurement can kill and start again."""

from __future__ import annotations

import os
import sys
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from benchmarks import report
from shared.suite.ports import SERVICES, PortPlan


class Victim:
    """The orchestrator as a process over one folder and one port; its neighbours are not there.

    Args:
        folder: Of its data.
        settings: More of them, by name without the prefix.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] = MappingProxyType({})) -> None:
        self._folder = folder
        self._settings = settings
        self._ports = PortPlan.free()
        self._process: Process | None = None
        self.target = f"127.0.0.1:{self._ports.orchestrator}"

    async def start(self) -> None:
        """Starts it; calls wait until it listens."""
        prefix = "WHEREFORE_ORCHESTRATOR_"
        neighbours = [name for name in SERVICES if name != "orchestrator"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("WHEREFORE_")}
        environment |= {
            f"{prefix}{name.upper()}_TARGET": f"127.0.0.1:{getattr(self._ports, name)}"
            for name in neighbours
        }
        environment |= {
            f"{prefix}PORT": str(self._ports.orchestrator),
            f"{prefix}DATA_DIR": str(self._folder),
            f"{prefix}HTTP_ENABLED": "false",
            f"{prefix}STARTUP_WAIT_SECONDS": "0",
        }
        environment |= {f"{prefix}{name}": value for name, value in self._settings.items()}
        self._process = await create_subprocess_exec(
            sys.executable, "-m", "services.orchestrator",
            cwd=report.ROOT, env=environment, stdout=DEVNULL, stderr=DEVNULL,
        )  # fmt: skip

    async def kill(self) -> None:
        """SIGKILL: nothing of it runs any more when this returns."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
