"""An evaluation of recommendation, for people: its progress and its table."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from shared.cli import failures, output

if TYPE_CHECKING:
    from services.recommend.evaluation import Evaluation, Progress

PLAIN_SECONDS = 10.0
"""Seconds between lines of one stage where standard error is no terminal."""


@contextmanager
def stage_progress() -> Generator[Progress]:
    """Show a bar for every stage; yields what to call with the stage and its steps."""
    console = output.error_console()
    if not console.is_terminal:
        yield _plain_lines()
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as bar:
        tasks: dict[str, TaskID] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage.capitalize(), total=total)
            bar.update(tasks[stage], completed=done)

        yield show


def _plain_lines() -> Progress:
    last: dict[str, float] = {}

    def show(stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if done < total and now - last.get(stage, -PLAIN_SECONDS) < PLAIN_SECONDS:
            return
        last[stage] = now
        failures.say(f"{stage}: {done} of {total}")

    return show


def table(evaluation: Evaluation) -> Table:
    """Models by figures."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    shown.add_column("Model")
    rows = {name: measured.means() for name, measured in evaluation.models.items()}
    for figure in next(iter(rows.values())):
        shown.add_column(figure.replace("ndcg", "nDCG").replace("hr", "HR"), justify="right")
    for name, figures in rows.items():
        *shares, novelty = figures.values()
        shown.add_row(name, *(f"{share:.4f}" for share in shares), f"{novelty:.2f}")
    return shown


def notes(evaluation: Evaluation) -> Iterator[str]:
    """What the reader must know to trust the figures."""
    yield (
        f"{len(evaluation.users):,} of {evaluation.all_users:,} users measured, all "
        f"{evaluation.items:,} items ranked but for those a user had; "
        f"{sum(evaluation.seconds.values()) / 60:.1f} minutes"
    )
    if evaluation.repeats:
        yield f"{evaluation.repeats:,} users left out: they had their last item before"
