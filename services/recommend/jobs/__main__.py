"""Offline candidates: `python -m services.recommend.jobs --help`.

Each task is one command, so that an indexed Kubernetes Job or any scheduler can run them.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from services.recommend.item_knn import ItemKnnSettings
from services.recommend.jobs import item_candidates
from services.recommend.jobs.layout import JobError, JobFolder, Manifest

app = App(
    name="python -m services.recommend.jobs",
    help="""Compute the best neighbours of every item over shards. Needs the extra `scale`.

    For example, on one machine, or as tasks that any machine may run:

        python -m services.recommend.jobs run Beauty.txt --folder job --shards 8 --workers 2

        python -m services.recommend.jobs shard 'events/*.parquet' --folder job --shards 8

        python -m services.recommend.jobs pairs 0 --folder job

        python -m services.recommend.jobs rank 0 --folder job
    """,
)

Folder = Annotated[Path, Parameter(help="Of the job; the same for all of its tasks.")]
Shards = Annotated[int, Parameter(help="Of users.", validator=Number(gte=1, lte=100_000))]
Parts = Annotated[int, Parameter(help="Of items.", validator=Number(gte=1, lte=10_000))]
Source = Annotated[
    str,
    Parameter(
        help="Lines of a user and items; or parquet files with the columns user, item and time."
    ),
]
Top = Annotated[int, Parameter(help="Neighbours kept of each item.", validator=Number(gte=1))]
Memory = Annotated[str, Parameter(help="Of one task; beyond it, it writes to disk.")]


@app.command
def shard(
    source: Source, *, folder: Folder, shards: Shards = 8, parts: Parts = 4, memory: Memory = "2GB"
) -> None:
    """Divide events by users."""
    item_candidates.divide(source, JobFolder(folder), Manifest(shards, parts), memory=memory)


@app.command
def pairs(number: int, /, *, folder: Folder, memory: Memory = "2GB") -> None:
    """Count one shard's pairs of items."""
    item_candidates.count_pairs(JobFolder(folder), number, ItemKnnSettings(), memory=memory)


@app.command
def rank(number: int, /, *, folder: Folder, top: Top = 100, memory: Memory = "2GB") -> None:
    """Keep the best neighbours of one part's items, once all shards are counted."""
    item_candidates.rank_part(JobFolder(folder), number, ItemKnnSettings(), top=top, memory=memory)


@app.command
def run(
    source: Source,
    *,
    folder: Folder,
    shards: Shards = 8,
    parts: Parts = 4,
    top: Top = 100,
    workers: Annotated[int, Parameter(help="Processes.", validator=Number(gte=1))] = 2,
    memory: Memory = "2GB",
) -> None:
    """Run all tasks on this machine."""
    shard(source, folder=folder, shards=shards, parts=parts, memory=memory)
    job, settings = JobFolder(folder), ItemKnnSettings()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        counted = [
            pool.submit(item_candidates.count_pairs, job, number, settings, memory=memory)
            for number in range(shards)
        ]
        for task in counted:
            task.result()
        ranked = [
            pool.submit(item_candidates.rank_part, job, number, settings, top=top, memory=memory)
            for number in range(parts)
        ]
        for task in ranked:
            task.result()


def main() -> int:
    """Runs one command; returns the exit code."""
    try:
        app()
    except ModuleNotFoundError as error:
        if error.name != "duckdb":
            raise
        sys.stderr.write("not installed: duckdb; pip install 'wherefore[scale]'\n")
        return 2
    except JobError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
