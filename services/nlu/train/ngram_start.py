"""Weights for the n-gram tables of a trained model, from a linear model fitted apart.

A table that learns beside the encoder learns little that the encoder does not: the two see each
other's errors. One that is fitted alone errs elsewhere, and the sum of both logits is an ensemble
that costs no second pass. `python -m services.nlu.train.ngram_start RUN` measures by how much of it
a model in a folder gains on dev, and `--out` writes the model with the best amount added.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from services.nlu.learnt.tokens import ModelTokenizer, TokenRow
from services.nlu.train.arrays import to_tensor
from services.nlu.train.evaluate import outputs_of
from services.nlu.train.examples import TaskData
from services.nlu.train.ngrams import ngram_buckets
from services.nlu.train.table_start import AMOUNTS, fill_tables, table_parser


def table_features(rows: Sequence[TokenRow], buckets: int) -> Any:
    """Returns what `NgramTable` multiplies its weights with: (rows, buckets), sparse float32.

    Args:
        rows: Texts.
        buckets: Of the table.
    """
    columns: list[NDArray[np.int64]] = []
    values: list[NDArray[np.float32]] = []
    for row in rows:
        grams = ngram_buckets(to_tensor(row.ids)[None], buckets)
        columns.extend(found[0].numpy() for found in grams)
        length = len(row.ids)
        values.append(np.full(3 * length, 1.0 / np.sqrt(length), dtype=np.float32))
    ends = np.cumsum([0, *(len(found) for found in values)])
    matrix = csr_matrix(
        (np.concatenate(values), np.concatenate(columns), ends), shape=(len(rows), buckets)
    )
    matrix.sum_duplicates()
    return matrix


def fit_table(matrix: Any, classes: NDArray[np.int64], count: int, *, strength: float) -> Any:
    """Returns the weights of a table, (buckets, classes) float32, by logistic regression.

    Args:
        matrix: Of `table_features`; [CLS], which every text has, stands for the bias.
        classes: (rows,) from 0.
        count: Number of classes, at least two.
        strength: Inverse of the regularisation.
    """
    from sklearn.linear_model import LogisticRegression

    modelled = range(1, 2) if count == 2 else range(count)  # noqa: PLR2004 # one tells two apart
    weights: list[NDArray[np.float64]] = []
    for at in modelled:
        model: Any = LogisticRegression(C=strength, solver="liblinear", fit_intercept=False)
        weights.append(model.fit(matrix, classes == at).coef_[0])
    if len(weights) == 1:
        # Half of the difference to each side.
        weights = [-weights[0] / 2, weights[0] / 2]
    return np.stack(weights, axis=1).astype(np.float32)


def measure(
    deep: NDArray[np.float32], wide: NDArray[np.float32], gold: NDArray[np.int64]
) -> dict[float, float]:
    """Returns the accuracy by amount of the wide logits that is added to the deep ones."""
    return {amount: float(((deep + amount * wide).argmax(1) == gold).mean()) for amount in AMOUNTS}


def add_tables(
    model: Any, tokenizer: ModelTokenizer, tasks: Mapping[str, TaskData], *, strength: float
) -> dict[str, dict[float, float]]:
    """Fits a table for each class head, and adds the amount of it that serves dev best.

    Args:
        model: A `QueryModel` in evaluation mode; its tables are changed.
        tokenizer: The model's.
        tasks: Of classes, all over the same texts, by name.
        strength: Inverse of the regularisation.

    Returns:
        Task -> amount -> dev accuracy.

    Raises:
        ValueError: A head has no table, or the tasks are over different texts.
    """
    import torch

    from services.nlu.train.ngrams import NgramTable

    tables = {name: getattr(model.heads[task.head], "ngrams", None) for name, task in tasks.items()}
    if wrong := [name for name, table in tables.items() if not isinstance(table, NgramTable)]:
        raise ValueError(f"the heads of {', '.join(wrong)} have no table")
    first = next(iter(tasks.values()))
    texts, asked = ([item.text for item in part] for part in (first.train, first.dev))
    for task in tasks.values():
        if [[item.text for item in part] for part in (task.train, task.dev)] != [texts, asked]:
            raise ValueError("the tasks are over different texts")
    train, dev = tokenizer.encode(texts), tokenizer.encode(asked)
    deep = outputs_of(model, dev, [task.head for task in tasks.values()])
    figures: dict[str, dict[float, float]] = {}
    for name, task in tasks.items():
        table: Any = tables[name]
        features = table_features(train, table.buckets)
        weights = fit_table(features, _classes(task, "train"), len(task.labels), strength=strength)
        wide = np.asarray(table_features(dev, table.buckets) @ weights)
        found = figures[name] = measure(np.stack(deep[task.head]), wide, _classes(task, "dev"))
        with torch.no_grad():
            table.weights.weight += torch.tensor(max(found, key=found.__getitem__) * weights)
    return figures


def _classes(task: TaskData, part: str) -> NDArray[np.int64]:
    return np.array([task.labels.index(example.label) for example in getattr(task, part)])


def main() -> int:
    """Measures the tables of a model; prints the figures as JSON."""
    parser = table_parser("ngram_start", __doc__, ("sentiment_zh", "category_zh"))
    parser.add_argument("--strength", type=float, default=4.0, help="inverse of regularisation")
    given = parser.parse_args()
    strength: float = given.strength
    return fill_tables(
        given,
        lambda model, tokenizer, tasks: add_tables(model, tokenizer, tasks, strength=strength),
    )


if __name__ == "__main__":
    sys.exit(main())
