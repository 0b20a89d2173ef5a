"""What the measurements of events under kill -9 have in common: their options and their figures."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from benchmarks import report

if TYPE_CHECKING:
    from benchmarks.event_durability import Run

_ResultT = TypeVar("_ResultT")


def read_options(
    argv: Sequence[str] | None, about: str | None, example: str, *, events: int, kills: int
) -> argparse.Namespace:
    """Returns the options of a measurement; exits where they are wrong.

    Args:
        argv: Arguments of the command; those of the process when None.
        about: What `--help` says.
        example: A command line for it.
        events: Written by default.
        kills: By default.
    """
    parser = argparse.ArgumentParser(
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"example: {example}",
    )
    parser.add_argument("--events", type=int, default=events)
    parser.add_argument("--kills", type=int, default=kills)
    parser.add_argument("--writers", type=int, default=64, help="calls under way at once")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry-run", action="store_true", help="leave RESULTS.md as it is")
    options = parser.parse_args(argv)
    if not 0 <= options.kills < options.events:
        parser.error("--kills must be at least 0 and below --events")
    return options


def measured(
    measure: Callable[[int, int, int, int, Path], Awaitable[_ResultT]], options: argparse.Namespace
) -> _ResultT:
    """Runs a measurement in a folder of its own: events, kills, writers, seed, folder."""

    async def run(folder: Path) -> _ResultT:
        return await measure(options.events, options.kills, options.writers, options.seed, folder)

    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(run(Path(folder)))


def figures(runs: Sequence[Run], killed: str) -> list[list[str]]:
    """The rows of a table: of what was written, and the worst of what each reader found.

    Args:
        runs: As each reader of the log has it.
        killed: What the row of kills is called.
    """
    run = runs[0]
    return [
        ["acknowledged events", f"{len(run.acknowledged):,}"],
        [killed, f"{len(run.kills)}"],
        ["lost", f"{max(each.lost for each in runs):,}"],
        ["doubled", f"{max(each.doubled for each in runs):,}"],
        ["altered", f"{max(each.altered for each in runs):,}"],
        ["acknowledged twice to the writer, written once", f"{run.repeats:,}"],
        ["events a second, kills included", f"{len(run.acknowledged) / run.seconds:,.0f}"],
    ]


def provenance(module: str, options: argparse.Namespace) -> str:
    """The line of RESULTS.md that says how the figures came about."""
    command = (
        f"python -m benchmarks.{module} --events {options.events}"
        f" --kills {options.kills} --writers {options.writers} --seed {options.seed}"
    )
    return report.provenance(command, f"events made by the script, {options.writers} writers")


def tell(runs: Sequence[Run], name: str, text: str, options: argparse.Namespace) -> int:
    """Prints a section, writes it under its name unless it is a dry run, and returns the exit code.

    That is 1 where any event was lost, doubled or altered.
    """
    print(text)
    if not options.dry_run:
        report.update_section(name, text)
    return int(any(run.lost or run.doubled or run.altered for run in runs))
