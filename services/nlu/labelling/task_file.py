"""The file of a queue that says what is asked in it."""

from pathlib import Path
from typing import Final

from services.nlu.labelling.journal import Journal
from services.nlu.labelling.task import LabellingError, LabelTask
from services.nlu.train.examples import TaskKind

TASK_FILE: Final = "task.jsonl"


def keep_task(log: Journal, task: LabelTask, folder: Path) -> LabelTask:
    """Writes a task down where the file lacks it; returns it with the labels that were there.

    Raises:
        LabellingError: The queue is of another task.
    """
    asked = {"head": task.head, "kind": str(task.kind)}
    if log.records:
        stored = log.records[-1]
        if {name: stored.get(name) for name in asked} != asked:
            raise LabellingError(
                f"{folder} is the queue of {stored.get('kind')} of "
                f"{stored.get('head')!r}; name another folder for {task.head!r}"
            )
        labels = list(dict.fromkeys([*stored.get("labels", []), *task.labels]))
        task = LabelTask(task.head, task.kind, tuple(labels))
    wanted = {**asked, "labels": list(task.labels)}
    if not log.records or log.records[-1] != wanted:
        log.append(wanted)
    return task


def stored_task(folder: Path, head: str) -> LabelTask | None:
    """Returns the task that a queue's folder was made for; None where it holds none of this head.

    Raises:
        JournalError: Another process has the folder open, or it holds no queue.
    """
    if not (folder / TASK_FILE).is_file():
        return None
    log = Journal(folder / TASK_FILE)
    log.close()
    if not log.records or log.records[-1].get("head") != head:
        return None
    stored = log.records[-1]
    return LabelTask(head, TaskKind(stored["kind"]), tuple(stored["labels"]))
