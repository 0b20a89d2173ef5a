"""A suite with two processes of each service, on one machine and over one data folder."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from shared.inference.settings import VECTOR_MODEL
from shared.suite import PortPlan, Suite, probe
from shared.suite.environment import service_environment
from shared.suite.ports import SERVICES
from shared.suite.process import Command, SupervisedProcess

SHARED_FOLDER = ("retrieval", "orchestrator")
"""Services whose second process stands by while the first has their folder."""
SECONDS = 60.0


class Replicas:
    """Two of each service, "a" and "b", beside the Triton of a suite that has nothing else."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self.ports = {"a": suite.ports, "b": PortPlan.free()}
        targets = {
            f"WHEREFORE_{user.upper()}_{name.upper()}_TARGET": self.target(name)
            for user in SERVICES
            for name in SERVICES
            if name != user
        }
        self._variables = targets | {
            "WHEREFORE_RETRIEVAL_LAME_DUCK_SECONDS": "0",
            "WHEREFORE_ORCHESTRATOR_LAME_DUCK_SECONDS": "0",
            "WHEREFORE_ORCHESTRATOR_HTTP_ENABLED": "false",
        }
        # They die with the thread that made them, which lives as long as this object.
        self._starter = ThreadPoolExecutor(1, "replicas")
        self._processes = {
            (name, which): SupervisedProcess(f"{name}-{which}", suite.home)
            for name in SERVICES
            for which in self.ports
        }

    def target(self, name: str) -> str:
        """Both addresses of a service, as gRPC takes them."""
        addresses = (f"127.0.0.1:{getattr(ports, name)}" for ports in self.ports.values())
        return f"ipv4:{','.join(addresses)}"

    def start(self, name: str, which: str) -> None:
        environment = service_environment(
            name,
            self._suite.home,
            self.ports[which],
            triton=False,
            model=VECTOR_MODEL,
            private=True,
            log_level="info",
        )
        prefix = f"WHEREFORE_{name.upper()}_INFERENCE__"
        if self._suite.has_triton:
            environment |= {
                f"{prefix}BACKEND": "triton",
                f"{prefix}TRITON_TARGET": f"127.0.0.1:{self._suite.ports.triton_grpc}",
            }
        environment |= self._variables
        command = Command([sys.executable, "-m", f"services.{name}"], environment, Path.cwd())
        start = self._processes[name, which].start
        self._starter.submit(start, command, tethered=True).result()

    def wait_ready(self, name: str, which: str) -> None:
        """Return once it serves, or stands by for the other."""
        process = self._processes[name, which]
        until = time.monotonic() + SECONDS
        while probe.service_health(getattr(self.ports[which], name)) != "SERVING":
            if "standing by" in process.last_lines(200):
                return
            assert process.find() is not None, process.last_lines()
            assert time.monotonic() < until, process.last_lines()
            time.sleep(0.05)

    def up(self) -> None:
        for which in self.ports:  # the first ones first, so that theirs are the folders
            for name in SERVICES:
                self.start(name, which)
            for name in SHARED_FOLDER:
                self.wait_ready(name, which)
        for name in SERVICES:
            for which in self.ports:
                self.wait_ready(name, which)

    def restart(self, name: str, which: str) -> None:
        """As a rollout does: ask it to stop, wait for its end, start it, wait until it is there."""
        self._processes[name, which].ask_to_stop()
        self._processes[name, which].wait_stopped(SECONDS)
        self.start(name, which)
        self.wait_ready(name, which)

    def serving(self, name: str) -> list[str]:
        return [
            which
            for which, ports in self.ports.items()
            if probe.service_health(getattr(ports, name)) == "SERVING"
        ]

    def down(self) -> None:
        for process in self._processes.values():
            process.ask_to_stop()
        for process in self._processes.values():
            process.wait_stopped(SECONDS)
        self._starter.shutdown()
