"""Labels that people gave, added to what a recipe's data sets teach."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from services.nlu.labelling.export import read_labels
from services.nlu.train.examples import Example, TaskData, TaskKind


class LabelsError(ValueError):
    """Labels that cannot be learnt; the text says why."""


def with_labels(
    tasks: Mapping[str, TaskData],
    path: Path,
    *,
    beside: Mapping[str, str] | None = None,
    weight: float = 1.0,
) -> dict[str, TaskData]:
    """Returns the tasks with the labels of a file added to `train` of those that learn its head.

    They stand in front, so that a recipe's limit keeps them. Dev stays as it is, and a text of dev
    is never learnt.

    Args:
        tasks: By name.
        path: From `wherefore label export`.
        beside: Task -> the one whose texts it shares; the two are kept to the same texts, and what
            one has no label for weighs nothing there.
        weight: Of each label in the loss.

    Raises:
        FileNotFoundError: There is no such file.
        LabelsError: It is malformed, no task learns its head, or a label is none of the head's.
    """
    try:
        head, given = read_labels(path)
    except ValueError as error:
        raise LabelsError(str(error)) from error
    found = {name for name, task in tasks.items() if task.head == head}
    if not found:
        heads = ", ".join(sorted({task.head for task in tasks.values()}))
        raise LabelsError(f"{path} has labels for {head!r}; the recipe teaches {heads}")
    partners = beside or {}
    grouped = {name: partners.get(name) or name for name in tasks}
    added: dict[str, TaskData] = dict(tasks)
    for name, task in tasks.items():
        if not any(grouped[name] == grouped[other] for other in found):
            continue
        group = [other for other in tasks if grouped[other] == grouped[name]]
        held = {example.text for other in group for example in tasks[other].dev}
        extra = [example for example in given if example.text not in held]
        if name in found:
            _check(task, extra, path)
            taught = [replace(example, weight=weight) for example in extra]
        else:
            taught = [Example(example.text, weight=0.0) for example in extra]
        added[name] = replace(task, train=[*taught, *task.train])
    return added


def _check(task: TaskData, extra: list[Example], path: Path) -> None:
    for example in extra:
        has_label = bool(example.label)
        if has_label != (task.kind is TaskKind.CLASSES):
            raise LabelsError(f"{path} does not hold {task.kind} as {task.head!r} learns them")
        labels = [example.label] if has_label else [span.label for span in example.spans]
        for label in labels:
            if label not in task.labels:
                known = ", ".join(task.labels)
                raise LabelsError(f"{path}: {task.head!r} has no label {label!r}; it has {known}")
