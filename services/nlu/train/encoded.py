"""Tasks as integers: texts are tokenised once, batches are put together from rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from services.nlu.learnt.tokens import ModelTokenizer, TokenRow
from services.nlu.train.arrays import to_tensor
from services.nlu.train.examples import Example, Span, TaskData, TaskKind, bio_labels
from services.nlu.train.masking import IGNORED


@dataclass(frozen=True)
class EncodedTask:
    """The training examples of a task, tokenised.

    Attributes:
        lengths: Tokens that each example takes in a batch.
    """

    kind: TaskKind
    rows: Sequence[TokenRow]
    others: Sequence[TokenRow]
    negatives: Sequence[Sequence[TokenRow]]
    tags: Sequence[Sequence[int]]
    labels: Sequence[int]
    soft: Sequence[Sequence[float]]
    weights: Sequence[float]
    lengths: Sequence[int]

    def collate(self, positions: Sequence[int]) -> Mapping[str, Any]:
        """Returns the tensors of a batch: inputs, and what the loss of the kind asks for."""
        batch: dict[str, Any] = inputs([self.rows[at] for at in positions])
        batch["weights"] = torch.tensor([self.weights[at] for at in positions])
        if self.kind is TaskKind.TOKENS:
            tags = np.zeros(batch["input_ids"].shape, dtype=np.int64)
            for row, at in enumerate(positions):
                tags[row, : len(self.tags[at])] = self.tags[at]
            batch["tags"] = to_tensor(tags)
        elif self.kind is TaskKind.CLASSES:
            batch["labels"] = torch.tensor([self.labels[at] for at in positions])
            soft = [self.soft[at] for at in positions]
            if any(soft):
                width = max(map(len, soft))
                batch["soft"] = torch.tensor([row or [0.0] * width for row in soft])
        else:
            batch["other"] = inputs([self.others[at] for at in positions])
            hard = [row for at in positions for row in self.negatives[at]]
            if hard:
                batch["negative"] = inputs(hard)
        return batch


def inputs(rows: Sequence[TokenRow]) -> dict[str, torch.Tensor]:
    """Returns `input_ids` and `segments`, (rows, longest) int64 with 0 as padding."""
    ids = np.zeros((len(rows), max(len(row.ids) for row in rows)), dtype=np.int64)
    segments = np.zeros_like(ids)
    for at, row in enumerate(rows):
        ids[at, : len(row.ids)] = row.ids
        segments[at, : len(row.ids)] = row.segments
    return {"input_ids": to_tensor(ids), "segments": to_tensor(segments)}


def encode_task(task: TaskData, tokenizer: ModelTokenizer, *, limit: int = 0) -> EncodedTask:
    """Tokenises the training examples of a task; the first `limit` of them, if it is not 0."""
    examples = task.train[:limit] if limit else task.train
    rows = tokenizer.encode([example.text for example in examples])
    kind = task.kind
    classes = {label: at for at, label in enumerate(task.labels)}
    tag_ids = {tag: at for at, tag in enumerate(bio_labels(task.labels))}
    pairs = kind is TaskKind.PAIRS
    others = (
        tokenizer.encode([example.other or example.text for example in examples]) if pairs else []
    )
    negatives = [tokenizer.encode(example.negatives) for example in examples] if pairs else []
    lengths = [len(row.ids) for row in rows]
    if pairs:
        lengths = [
            max(len(row.ids), len(other.ids), *(len(item.ids) for item in hard))
            for row, other, hard in zip(rows, others, negatives, strict=True)
        ]
    return EncodedTask(
        kind,
        rows,
        others,
        negatives,
        [
            [tag_ids[tag] for tag in token_tags(row, example.spans)]
            for row, example in zip(rows, examples, strict=True)
        ]
        if kind is TaskKind.TOKENS
        else [],
        [_label(example, classes) for example in examples] if kind is TaskKind.CLASSES else [],
        [example.soft for example in examples],
        [example.weight for example in examples],
        lengths,
    )


def _label(example: Example, classes: Mapping[str, int]) -> int:
    return classes[example.label] if example.label else IGNORED


def token_tags(row: TokenRow, spans: Sequence[Span]) -> list[str]:
    """Returns the BIO tag of every token of a text; special tokens are "O"."""
    tags = ["O"] * len(row.ids)
    for span in spans:
        first = True
        for at, (start, end) in enumerate(row.offsets):
            if start < span.end and span.start < end:
                tags[at] = f"{'B' if first else 'I'}-{span.label}"
                first = False
    return tags
