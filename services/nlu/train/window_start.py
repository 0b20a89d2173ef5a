"""Weights for the window tables of a trained tagger, from a random field fitted apart.

A table that learns beside the encoder learns little that the encoder does not. A field over
windows alone (Lafferty et al., 2001), fitted by `python-crfsuite`, errs elsewhere, and the sum of
both is an ensemble that costs no second pass. `python -m services.nlu.train.window_start MODEL`
measures by how much of it a model gains on dev, and `--out` writes the model with the best amount
added.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from services.nlu.learnt.labels import TokenHead
from services.nlu.learnt.tokens import ModelTokenizer, TokenRow
from services.nlu.train.arrays import to_tensor
from services.nlu.train.crf_baseline import LIBRARY
from services.nlu.train.encoded import token_tags
from services.nlu.train.evaluate import head_outputs, read_tags, span_f1, tag_chain
from services.nlu.train.examples import TaskData, bio_labels
from services.nlu.train.model import QueryModel
from services.nlu.train.table_start import AMOUNTS, fill_tables, table_parser
from services.nlu.train.window_table import window_buckets

SETTINGS: Mapping[str, float] = {"c1": 0.1, "c2": 0.05, "max_iterations": 100}
"""Of L-BFGS with both norms: the first leaves most rows of the table empty."""


@dataclass(frozen=True)
class Field:
    """A linear chain over windows.

    Attributes:
        weights: (buckets, tags) float32.
        transitions: (from, to) float32.
    """

    weights: NDArray[np.float32]
    transitions: NDArray[np.float32]

    def scores(self, rows: Sequence[TokenRow]) -> list[NDArray[np.float32]]:
        """Returns what the table says of each token, (tokens, tags) a text."""
        return [self.weights[found].sum(1) for found in _buckets(rows, len(self.weights))]


def fit_field(task: TaskData, tokenizer: ModelTokenizer, buckets: int) -> Field:
    """Fits a field to the training half of a task.

    Args:
        task: Of tokens.
        tokenizer: The model's.
        buckets: Rows of the table.

    Raises:
        ModuleNotFoundError: `python-crfsuite` is not installed.
    """
    library: Any = import_module(LIBRARY)  # it has no types
    rows = tokenizer.encode([example.text for example in task.train])
    trainer = library.Trainer(verbose=False)
    for row, found, example in zip(rows, _buckets(rows, buckets), task.train, strict=True):
        features = [[str(bucket) for bucket in token] for token in found.tolist()]
        trainer.append(features, token_tags(row, example.spans))
    trainer.set_params(SETTINGS)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.crf"
        trainer.train(str(path))
        tagger: Any = library.Tagger()
        tagger.open(str(path))
        known = tagger.info()
        tagger.close()
    at = {tag: number for number, tag in enumerate(bio_labels(task.labels))}
    weights = np.zeros((buckets, len(at)), dtype=np.float32)
    for (bucket, tag), weight in known.state_features.items():
        weights[int(bucket), at[tag]] = weight
    transitions = np.zeros((len(at), len(at)), dtype=np.float32)
    for (before, after), weight in known.transitions.items():
        transitions[at[before], at[after]] = weight
    return Field(weights, transitions)


def add_field(
    model: QueryModel, tokenizer: ModelTokenizer, task: TaskData, amounts: Sequence[float] = AMOUNTS
) -> dict[float, float]:
    """Fits a field for a token head, and adds the amount of it that serves dev best.

    Args:
        model: In evaluation mode; its table and its transitions are changed.
        tokenizer: The model's.
        task: Of the head.
        amounts: Those that are tried.

    Returns:
        Amount -> dev F1.

    Raises:
        ValueError: The head has no table of windows.
    """
    head: Any = model.heads[task.head]
    if head.windows is None:
        raise ValueError(f"the head {task.head} has no table of windows")
    field = fit_field(task, tokenizer, head.windows.buckets)
    rows = tokenizer.encode([example.text for example in task.dev])
    deep, wide = head_outputs(model, rows, task.head), field.scores(rows)
    chain = tag_chain(model, task)
    gold = [example.spans for example in task.dev]
    figures: dict[float, float] = {}
    for amount in amounts:
        transitions = (chain.transitions + amount * field.transitions).astype(np.float32)
        both = TokenHead(chain.tags, transitions, chain.start, chain.end)
        logits = [
            (left + amount * right).astype(np.float32)
            for left, right in zip(deep, wide, strict=True)
        ]
        figures[amount] = span_f1(gold, read_tags(logits, rows, both))
    best = max(figures, key=figures.__getitem__)
    with torch.no_grad():
        head.windows.weights.weight += to_tensor(best * field.weights)
        head.crf.transitions += to_tensor(best * field.transitions)
    return figures


def _buckets(rows: Sequence[TokenRow], buckets: int) -> list[NDArray[np.int64]]:
    return [
        window_buckets(to_tensor(row.ids)[None], to_tensor(row.segments)[None], buckets)[0].numpy()
        for row in rows
    ]


def main() -> int:
    """Measures the window tables of a model; prints the figures as JSON."""
    given = table_parser("window_start", __doc__, ("entities_zh", "reason_tags_zh")).parse_args()
    return fill_tables(
        given,
        lambda model, tokenizer, tasks: {
            name: add_field(model, tokenizer, task) for name, task in tasks.items()
        },
    )


if __name__ == "__main__":
    sys.exit(main())
