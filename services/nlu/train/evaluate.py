"""Figures of a model on the dev halves of its tasks."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn import metrics

from services.nlu.learnt.tokens import ModelTokenizer, TokenRow
from services.nlu.train.batching import token_batches
from services.nlu.train.encoded import inputs
from services.nlu.train.examples import Example, Span, TaskData, TaskKind, bio_labels
from services.nlu.train.model import EMBEDDING, QueryModel

_metrics = cast("Any", metrics)  # sklearn leaves its types open

TOKEN_BUDGET = 8_192


def evaluate_heads(
    model: QueryModel, tokenizer: ModelTokenizer, tasks: Iterable[TaskData], *, limit: int = 0
) -> dict[str, float]:
    """Measures every head.

    The figures are "NAME.f1" (exact spans and types, micro), or "NAME.accuracy" and
    "NAME.macro_f1", and for matching "matching.auc" or "matching.mrr".

    Args:
        model: In evaluation mode.
        tokenizer: The model's.
        tasks: Those whose dev halves are measured.
        limit: Dev examples of a task at most, for a quick look; 0 takes all.
    """
    figures: dict[str, float] = {}
    classes: dict[tuple[str, ...], list[TaskData]] = {}
    for task in tasks:
        dev = task.dev[:limit] if limit else task.dev
        texts = [item.text for item in dev]
        if task.kind is TaskKind.TOKENS:
            found = predict_spans(model, tokenizer, task, texts)
            figures[f"{task.head}.f1"] = span_f1([item.spans for item in dev], found)
        elif task.kind is TaskKind.CLASSES:
            # Tasks over the same texts are read in one go.
            classes.setdefault(tuple(texts), []).append(task)
        else:
            figures |= _matching(model, tokenizer, dev)
    for texts, together in classes.items():
        outputs = outputs_of(model, tokenizer.encode(texts), [task.head for task in together])
        for task in together:
            gold = [item.label for item in task.dev[: len(texts)]]
            chosen = [task.labels[int(item.argmax())] for item in outputs[task.head]]
            figures[f"{task.head}.accuracy"] = float(_metrics.accuracy_score(gold, chosen))
            macro = _metrics.f1_score(gold, chosen, average="macro", zero_division=0.0)
            figures[f"{task.head}.macro_f1"] = float(macro)
    return figures


def predict_spans(
    model: QueryModel, tokenizer: ModelTokenizer, task: TaskData, texts: Sequence[str]
) -> list[tuple[Span, ...]]:
    """Returns the spans that a token head finds in each text."""
    rows = tokenizer.encode(texts)
    tags = bio_labels(task.labels)
    head: Any = model.heads[task.head]
    with torch.no_grad():
        scores = [item.float().numpy() for item in head.crf.scores()]
    logits = head_outputs(model, rows, task.head)
    return [
        spans_of(row, [tags[at] for at in best_path(item, *scores)])
        for row, item in zip(rows, logits, strict=True)
    ]


def head_outputs(
    model: QueryModel, rows: Sequence[TokenRow], head: str
) -> list[NDArray[np.float32]]:
    """Returns one output of the model for each text; of token heads (tokens, tags)."""
    return outputs_of(model, rows, (head,))[head]


def outputs_of(
    model: QueryModel, rows: Sequence[TokenRow], heads: Sequence[str]
) -> dict[str, list[NDArray[np.float32]]]:
    """Returns several outputs of the model for each text, from one forward pass."""
    outputs: dict[str, list[Any]] = {head: [None] * len(rows) for head in heads}
    lengths = [len(row.ids) for row in rows]
    with torch.no_grad():
        for batch in token_batches(lengths, TOKEN_BUDGET, seed=0, epoch=0, shuffle=False):
            given = inputs([rows[at] for at in batch])
            made = model(given["input_ids"], given["segments"], only=heads)
            for head in heads:
                for at, row in zip(batch, made[head].float().numpy(), strict=True):
                    outputs[head][at] = row[: lengths[at]] if row.ndim > 1 else row
    return outputs


def best_path(
    logits: NDArray[np.float32],
    transitions: NDArray[np.float32],
    start: NDArray[np.float32],
    end: NDArray[np.float32],
) -> list[int]:
    """Returns the likeliest tags of one text (Viterbi, 1967)."""
    score = start + logits[0]
    back: list[NDArray[np.intp]] = []
    for row in logits[1:]:
        reached = score[:, None] + transitions
        back.append(reached.argmax(0))
        score = reached.max(0) + row
    path = [int((score + end).argmax())]
    for step in reversed(back):
        path.append(int(step[path[-1]]))
    return path[::-1]


def spans_of(row: TokenRow, tags: Sequence[str]) -> tuple[Span, ...]:
    """Returns the spans that BIO tags stand for, in code points of the text."""
    spans: list[Span] = []
    for (start, end), tag in zip(row.offsets, tags, strict=True):
        if end <= start or tag == "O":
            continue
        last = spans[-1] if spans else None
        if tag[0] == "I" and last and last.label == tag[2:]:
            spans[-1] = Span(last.start, end, last.label)
        else:
            spans.append(Span(start, end, tag[2:]))
    return tuple(spans)


def span_f1(gold: Sequence[Sequence[Span]], found: Sequence[Sequence[Span]]) -> float:
    """Returns the micro F1 of exact spans and types."""
    right = sum(len(set(a) & set(b)) for a, b in zip(gold, found, strict=True))
    total = sum(len(set(a)) + len(set(b)) for a, b in zip(gold, found, strict=True))
    return 2 * right / total if total else 1.0


def span_report(
    texts: Sequence[str], gold: Sequence[Sequence[Span]], found: Sequence[Sequence[Span]]
) -> str:
    """Returns seqeval's report per type, by characters in BIO."""
    from seqeval.metrics import (  # pyright: ignore[reportMissingTypeStubs]
        classification_report as sequence_report,  # pyright: ignore[reportUnknownVariableType]
    )

    return str(
        sequence_report(
            [_characters(text, spans) for text, spans in zip(texts, gold, strict=True)],
            [_characters(text, spans) for text, spans in zip(texts, found, strict=True)],
            digits=3,
            zero_division=0,
        )
    )


def class_report(gold: Sequence[str], chosen: Sequence[str]) -> str:
    """Returns sklearn's report per class."""
    return str(_metrics.classification_report(gold, chosen, digits=3, zero_division=0.0))


def _characters(text: str, spans: Sequence[Span]) -> list[str]:
    tags = ["O"] * len(text)
    for span in spans:
        tags[span.start : span.end] = [
            f"B-{span.label}",
            *[f"I-{span.label}"] * (span.end - span.start - 1),
        ]
    return tags


def _matching(
    model: QueryModel, tokenizer: ModelTokenizer, pairs: Sequence[Example]
) -> dict[str, float]:
    """AUC where dev pairs are labelled "1" and "0", else the reciprocal rank among all of them."""
    left = np.stack(head_outputs(model, tokenizer.encode([p.text for p in pairs]), EMBEDDING))
    right = np.stack(head_outputs(model, tokenizer.encode([p.other for p in pairs]), EMBEDDING))
    labels = [pair.label for pair in pairs]
    if any(labels):
        cosines = (left * right).sum(1)
        return {
            "matching.auc": float(
                _metrics.roc_auc_score([label == "1" for label in labels], cosines)
            )
        }
    scores = left @ right.T
    ranks = (scores >= scores.diagonal()[:, None]).sum(1)
    return {"matching.mrr": float((1.0 / ranks).mean())}
