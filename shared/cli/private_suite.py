"""A suite of its own for one evaluation or benchmark, gone afterwards."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import psutil

from shared.cli import failures
from shared.evaluation.search_evaluation import SuiteTargets
from shared.inference.settings import VECTOR_MODEL
from shared.suite import PortPlan, Suite, SuiteError
from shared.suite.ports import SERVICES

START_SECONDS = 120.0


class PrivateSuite:
    """A running suite on free ports."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self.targets = SuiteTargets(
            orchestrator=suite.target("orchestrator"),
            nlu=suite.target("nlu"),
            retrieval=suite.target("retrieval"),
            ranking=suite.target("ranking"),
        )
        self.has_triton = suite.has_triton
        self.triton_target = suite.target("triton")
        """Of Triton's gRPC endpoint, where there is one."""
        self.recommend_target = suite.target("recommend")
        self.reason_target = suite.target("reason")

    def cpu_seconds(self) -> dict[str, float]:
        """Processor time spent so far by process, with its children, also those that have ended."""
        return {
            row.name: _family_seconds(row.pid)
            for row in self._suite.status()
            if row.pid is not None
        }

    def resident_mib(self) -> dict[str, float]:
        """Resident memory by process, MiB."""
        return {row.name: row.rss_mib for row in self._suite.status() if row.state == "running"}

    def anonymous_mib(self) -> dict[str, float]:
        """Resident memory by process without mapped files, which the system can drop, MiB."""
        return {
            row.name: _anonymous_mib(row.pid) for row in self._suite.status() if row.pid is not None
        }


def _family_seconds(pid: int) -> float:
    process = psutil.Process(pid)
    times = [item.cpu_times() for item in (process, *process.children(recursive=True))]
    return sum(
        item.user + item.system + item.children_user + item.children_system for item in times
    )


def _anonymous_mib(pid: int) -> float:
    memory = psutil.Process(pid).memory_info()
    return (memory.rss - memory.shared) / 2**20


@asynccontextmanager
async def private_suite(
    home: Path | None = None,
    *,
    triton: bool = True,
    services: Sequence[str] = SERVICES,
    model: str = VECTOR_MODEL,
    variables: Mapping[str, str] | None = None,
) -> AsyncGenerator[PrivateSuite]:
    """Start a suite on free ports, and stop it at the end.

    Args:
        home: Folder for its data and logs, kept; a temporary one, removed, when None.
        triton: Whether to run models in Triton, where it can start.
        services: Those that are wanted.
        model: What makes the vectors.
        variables: Settings of the services, such as WHEREFORE_RANKING_WEIGHTS_PATH.

    Raises:
        CommandError: It does not start.
    """
    with ExitStack() as stack:
        if home is None:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wherefore-")))
        suite = stack.enter_context(
            Suite(
                home,
                PortPlan.free(),
                services=services,
                triton="auto" if triton else False,
                private=True,
                model=model,
                variables=variables,
            )
        )
        try:
            await asyncio.to_thread(
                suite.up,
                START_SECONDS,
                lambda name, state: failures.say(f"private suite: {name} {state}"),
            )
        except SuiteError as error:
            raise failures.CommandError(str(error)) from error
        yield PrivateSuite(suite)
