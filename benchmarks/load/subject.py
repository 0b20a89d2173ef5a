"""The suite under load, and what it is asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cyclopts import Parameter

from benchmarks.data import icecat
from benchmarks.load.queries import bundled, judged
from shared.catalogue import bundled_catalogue_path
from shared.cli.catalogue_import import import_whole
from shared.cli.connection import connect
from shared.cli.private_suite import private_suite

_QUICK_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Subject:
    """A suite with a catalogue in it."""

    target: str
    """HOST:PORT of its orchestrator."""
    resident_mib: Callable[[], Mapping[str, float]] | None = None
    """Resident MiB by process, as it is when called; None of a suite that somebody else started."""
    retrieval: str = ""
    """HOST:PORT of its retrieval; empty of a suite that somebody else started."""


@Parameter(name="*")
@dataclass(frozen=True)
class Load:
    """Which suite is put under load, and with what; options of every command."""

    target: str | None = None
    """HOST:PORT of a suite that holds the catalogue already; one of its own when not given."""
    home: Path | None = None
    """Folder for the data of its own suite, kept for the next run."""
    quick: bool = False
    """A trial with the bundled catalogue, a second a row, that writes nothing."""
    write: bool = True
    """Whether to write the section of RESULTS.md and the plot."""

    @property
    def written(self) -> bool:
        """Whether sections are written."""
        return self.write and not self.quick

    def seconds(self, wanted: float) -> float:
        """Returns how long a row takes."""
        return _QUICK_SECONDS if self.quick else wanted

    @property
    def data(self) -> str:
        """What the catalogue and the queries are."""
        return "the bundled catalogue" if self.quick else "icecat, the dev queries varied"

    def queries(self) -> Sequence[str]:
        """Returns what is searched for, before it is varied."""
        return bundled() if self.quick else judged()

    @asynccontextmanager
    async def running(
        self, variables: Mapping[str, str] | None = None, *, again: bool = False
    ) -> AsyncGenerator[Subject]:
        """The suite, until the end of the block.

        Args:
            variables: Settings of its own suite.
            again: Whether `home` has the catalogue already, as another setting is tried.
        """
        if self.target:
            yield Subject(self.target)
            return
        async with private_suite(self.home, variables=variables) as own:
            address = own.targets.orchestrator
            if not (again and self.home):
                path, form = bundled_catalogue_path(), None
                if not self.quick:
                    path, form = icecat().catalogue, "icecat"
                async with connect(address, retry=False) as channel:
                    await import_whole(channel, path, form, target=address)
            yield Subject(address, own.resident_mib, own.targets.retrieval)
