"""Soft targets of n-gram teachers for the class heads: `python -m services.nlu.train.soft_targets`.

Reviews get probabilities from models that did not see them; the unlabelled reviews of
`fewclue_eprstmt` get them from models of all reviews. What teachers are worth is measured on dev.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from services.nlu.train.chinese import category_zh, sentiment_zh
from services.nlu.train.examples import Example, TaskData
from services.nlu.train.ngram_models import (
    Fit,
    Shares,
    character_vectorizer,
    cross_fitted,
    fit_logistic,
    fit_nb_logistic,
    presence_vectorizer,
)
from services.nlu.train.rows import read_rows
from shared.text.normalise import fold
from shared.text.segmentation import cut_words

REPOSITORY = Path(__file__).resolve().parents[3]
FOLDS, SEED = 5, 17
TEACHERS = {"sentiment": ("tfidf", "nb"), "category": ("tfidf",)}
"""Task -> its teachers; ten classes by naive Bayes take ten fits a fold."""
DOUBTFUL = 0.95
"""A teacher that is this sure of another class than the given one casts doubt on the label."""


def words_and_ngrams(text: str) -> list[str]:
    """Returns the character n-grams of 1 to 4 and the words of a text, without its blanks."""
    solid = fold(text).replace(" ", "")
    grams = [solid[at : at + size] for size in (1, 2, 3, 4) for at in range(len(solid) - size + 1)]
    return grams + [f"/{word}" for word, _, _ in cut_words(solid) if len(word) > 1]


def soft_targets(data: Path, out: Path, tasks: Sequence[str]) -> dict[str, float]:
    """Writes `soft_NAME.npz` of each task and returns the figures on dev.

    A file holds `labels`, and as probabilities, (texts, classes) float32, `train` and `dev` (rows
    as in the task's halves) and `unlabelled` (rows as in `fewclue_eprstmt/unlabeled.json`).

    Args:
        data: Folder of the data sets.
        out: Folder of the files.
        tasks: "sentiment", "category", or both.
    """
    loaders = {"sentiment": sentiment_zh, "category": category_zh}
    loaded = {name: loaders[name](data) for name in tasks}
    first = next(iter(loaded.values()))
    rows = read_rows(data / "fewclue_eprstmt" / "unlabeled.json")
    texts = {
        "train": [example.text for example in first.train],
        "dev": [example.text for example in first.dev],
        "unlabelled": [row["sentence"] for row in rows],
    }
    out.mkdir(parents=True, exist_ok=True)
    figures: dict[str, float] = {}
    shares: dict[str, list[dict[str, Shares]]] = {name: [] for name in tasks}
    for teacher, (vectorizer, fit) in _teachers().items():
        taught = [name for name in tasks if teacher in TEACHERS[name]]
        if not taught:
            continue
        matrices = {"train": vectorizer.fit_transform(texts["train"])}
        matrices |= {part: vectorizer.transform(texts[part]) for part in ("dev", "unlabelled")}
        for name in taught:
            made = _taught(fit, matrices, loaded[name])
            shares[name].append(made)
            figures |= _figures(f"{name}.{teacher}", made, loaded[name])
            _say(figures)
    for name, task in loaded.items():
        mean: dict[str, Any] = {
            part: np.mean([made[part] for made in shares[name]], axis=0) for part in texts
        }
        figures |= _figures(f"{name}.all", mean, task)
        figures[f"{name}.doubtful"] = doubtful(mean["train"], task.labels, task.train)
        np.savez_compressed(out / f"soft_{name}.npz", labels=np.array(task.labels), **mean)
    _say(figures)
    return figures


def _teachers() -> dict[str, tuple[Any, Fit]]:
    return {
        "tfidf": (character_vectorizer(), fit_logistic()),
        "nb": (presence_vectorizer(words_and_ngrams), fit_nb_logistic(0.1)),
    }


def _figures(name: str, made: Mapping[str, Any], task: TaskData) -> dict[str, float]:
    halves = {"train": task.train, "dev": task.dev}
    return {
        f"{name}.{part}": _accuracy(made[part], task.labels, examples)
        for part, examples in halves.items()
    }


def doubtful(shares: Shares, labels: Sequence[str], examples: Sequence[Example]) -> float:
    """Returns the share of examples of which the teacher is sure that the label is wrong."""
    at = np.array([labels.index(example.label) for example in examples])
    return float(((shares.argmax(1) != at) & (shares.max(1) >= DOUBTFUL)).mean())


def near_duplicates(train: Sequence[Example], dev: Sequence[Example]) -> dict[str, float]:
    """Counts dev texts that also stand in train but for blanks, case and punctuation.

    Returns:
        "shared": dev texts with such a twin; "contradicted": those of which all twins have another
        label; "within_train": train texts with a twin in train.
    """
    twins: dict[str, Counter[str]] = {}
    for example in train:
        twins.setdefault(_core(example.text), Counter())[example.label] += 1
    shared = [example for example in dev if _core(example.text) in twins]
    return {
        "shared": len(shared),
        "contradicted": sum(not twins[_core(item.text)][item.label] for item in shared),
        "within_train": sum(labels.total() for labels in twins.values() if labels.total() > 1),
        "within_train_contradicted": sum(
            labels.total() for labels in twins.values() if len(labels) > 1
        ),
    }


def _core(text: str) -> str:
    return "".join(letter for letter in fold(text) if letter.isalnum())


def _taught(fit: Fit, matrices: Mapping[str, Any], task: TaskData) -> dict[str, Shares]:
    classes = np.array([task.labels.index(example.label) for example in task.train])
    count = len(task.labels)
    predict = fit(matrices["train"], classes, count)
    return {
        "train": cross_fitted(fit, matrices["train"], classes, count, folds=FOLDS, seed=SEED),
        "dev": predict(matrices["dev"]),
        "unlabelled": predict(matrices["unlabelled"]),
    }


def _accuracy(shares: Shares, labels: Sequence[str], examples: Sequence[Example]) -> float:
    gold = np.array([labels.index(example.label) for example in examples])
    return float((shares.argmax(1) == gold).mean())


def _say(figures: Mapping[str, float]) -> None:
    sys.stderr.write(json.dumps(figures) + "\n")


def main() -> int:
    """Makes the soft targets; prints the figures as JSON."""
    parser = argparse.ArgumentParser(prog="soft_targets", description=__doc__)
    data = Path(os.environ.get("WHEREFORE_DATA", REPOSITORY.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=data, help="folder of the data sets")
    out = REPOSITORY / ".wherefore" / "train" / "soft_targets"
    parser.add_argument("--out", type=Path, default=out, help="folder of the files")
    parser.add_argument("--tasks", nargs="+", default=["sentiment", "category"])
    given = parser.parse_args()
    task = sentiment_zh(given.data)
    twins = near_duplicates(task.train, task.dev)
    figures = {f"twins.{name}": value for name, value in twins.items()}
    _say(figures)
    figures |= soft_targets(given.data, given.out, given.tasks)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
