"""The few-shot review task `fewclue_eprstmt`: 160 labelled reviews and many without a label."""

from pathlib import Path

from services.nlu.train.examples import Example, TaskData, TaskKind
from services.nlu.train.rows import read_rows

LABELS = ("negative", "positive")


def few_shot_reviews(data: Path) -> tuple[TaskData, list[str]]:
    """Returns the task and the unlabelled reviews, each once.

    Args:
        data: Folder of the data sets.

    Raises:
        FileNotFoundError: The data set is missing.
        ValueError: A file is malformed.
    """
    folder = data / "fewclue_eprstmt"
    task = TaskData(
        head="sentiment",
        kind=TaskKind.CLASSES,
        labels=LABELS,
        train=_labelled(folder / "train_few_all.json"),
        dev=_labelled(folder / "dev_few_all.json"),
    )
    texts = [str(row["sentence"]) for row in read_rows(folder / "unlabeled.json")]
    return task, list(dict.fromkeys(texts))


def _labelled(path: Path) -> list[Example]:
    examples: list[Example] = []
    for row in read_rows(path):
        label = str(row["label"]).lower()
        if label not in LABELS:
            raise ValueError(f"{path}: no label {row['label']!r}")
        examples.append(Example(str(row["sentence"]), label=label))
    return examples
