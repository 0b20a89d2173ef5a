"""The queue of texts to label that a command works on, and what the service reads into it."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

from shared.cli import failures

if TYPE_CHECKING:
    from services.nlu.labelling.queue import LabelQueue
    from services.nlu.labelling.task import LabelTask


@contextlib.contextmanager
def open_queue(
    head: str,
    labels: str,
    kind: str,
    folder: Path | None,
    *,
    strategy: str = "random",
    twice: float = 0.0,
    must_exist: bool = False,
) -> Generator[LabelQueue]:
    """Opens the queue of a head, and closes it afterwards."""
    from services.nlu.labelling.queue import LabelQueue
    from services.nlu.labelling.sampling import Strategy
    from shared.cli.config import CliSettings

    path = folder or CliSettings().home / "labels" / head
    if must_exist and not path.is_dir():
        raise failures.CommandError(
            f"no queue in {path}", hint="--queue names another folder", code=failures.USAGE
        )
    with explained():
        task = _task(head, labels, kind, path)
        opened = LabelQueue(path, task, strategy=Strategy(strategy), twice=twice)
    try:
        yield opened
    finally:
        opened.close()


def _task(head: str, labels: str, kind: str, folder: Path) -> LabelTask:
    from services.nlu.labelling.task import LabelTask, served_task
    from services.nlu.labelling.task_file import stored_task
    from services.nlu.train.examples import TaskKind
    from shared.inference.settings import REPOSITORY

    if labels:
        return LabelTask(head, TaskKind(kind), tuple(map(str.strip, labels.split(","))))
    return stored_task(folder, head) or served_task(head, REPOSITORY)


def lacking_texts(
    queue: LabelQueue, file: Path | None, field: str, pool: int, *, reread: bool
) -> list[str]:
    """Returns the texts that the service is to read: new ones, and those that lack something."""
    from random import Random

    from services.nlu.labelling.texts import read_texts

    texts: list[str] = []
    if file is not None:
        texts = read_texts(file, field)
        if len(texts) > pool:
            failures.say(f"{pool} of {len(texts)} texts are taken; --pool takes more")
            # The same file gives the same texts, so that a second start adds none.
            texts = Random(17).sample(texts, pool)  # noqa: S311
    known = {item.text: item for item in queue.items.values()}
    strategy = queue.strategy
    lacking = [
        text
        for text, item in known.items()
        if reread
        or (strategy.needs_readings and item.reading is None)
        or (strategy.needs_vectors and item.vector is None)
    ]
    return [*lacking, *(text for text in texts if text not in known)]


async def fill(queue: LabelQueue, texts: list[str], language: str, nlu_target: str | None) -> None:
    """Puts texts into the queue, read by the service as far as the strategy asks for it."""
    from services.nlu.labelling.items import Item
    from services.nlu.labelling.reader import read_items, reads
    from shared.cli.config import CliSettings
    from shared.cli.connection import connect
    from shared.cli.evaluation_progress import text_progress

    strategy = queue.strategy
    if not (strategy.needs_readings or strategy.needs_vectors):
        queue.add(map(Item, texts))
        return
    if strategy.needs_readings and not reads(queue.task):
        raise failures.CommandError(
            f"the service has no reading of {queue.task.head!r}",
            hint="choose texts with --strategy random or diversity",
            code=failures.USAGE,
        )
    target = nlu_target or CliSettings().orchestrator_nlu_target
    with text_progress(len(texts)) as on_read:
        async with connect(target) as channel:
            items = await read_items(
                channel,
                texts,
                queue.task,
                # Without need of it, a guess is still worth showing.
                readings=reads(queue.task),
                vectors=strategy.needs_vectors,
                language=language,
                on_read=on_read,
            )
    queue.add(items)


@contextlib.contextmanager
def explained() -> Generator[None]:
    """Turns what the labelling refuses into what the command says."""
    from services.nlu.labelling.journal import JournalError
    from services.nlu.labelling.task import LabellingError

    try:
        yield
    except (LabellingError, JournalError) as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error
    except ModuleNotFoundError as error:
        raise failures.CommandError(
            f"{error.name} is not installed", hint="pip install 'wherefore[train]'"
        ) from error
